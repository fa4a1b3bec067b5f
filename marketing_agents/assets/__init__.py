"""The assets, thin: read inputs, call a function below, write, attach metadata. One module per group."""
