"""What people read: trend charts, Markdown for Dagster's metadata, the page of the day and its digest."""
