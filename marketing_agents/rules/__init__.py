"""Deterministic marketing rules: catalogue, expression language, statistics, evaluation, episodes, classification."""
