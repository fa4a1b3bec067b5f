"""Daily marketing recommendations per advertiser, orchestrated by Dagster."""
