"""How well the rules find what is there: seeded agencies with planted incidents, and clean ones.

`seeded.py` plants, `known_versions.py` writes what daily loads would have seen, `run.py` builds features and evaluates, `scoring.py` compares.
"""
