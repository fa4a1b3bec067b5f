"""Contracts of the tables, one module per subject. `catalog.py` beside this folder joins them."""
