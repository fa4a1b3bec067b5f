"""What goes wrong in the sample agency: one class per kind of incident, each in the module of its subject.

A new kind is a class in a module of this folder; nothing lists them. `kind.py` says what a kind may do.
"""
