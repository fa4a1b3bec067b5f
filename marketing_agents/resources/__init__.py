"""Dagster resources: thin wrappers that open what lies below. Nothing is opened at import."""
