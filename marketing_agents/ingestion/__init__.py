"""From a source to versions of raw slices: adapters read, validation judges, `load.py` decides which versions are written."""
