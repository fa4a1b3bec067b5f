"""The dbt project: its SQL against a plain Python reading of the same raw rows, its YAML against what it builds."""
