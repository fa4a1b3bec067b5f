"""The embedded warehouse: Parquet slices as the truth, DuckDB in the process to read them. Entry: `warehouse.EmbeddedWarehouse`."""
