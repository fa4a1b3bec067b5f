"""What operators ask: is a day due, what is it waiting for, who is behind, what is left to backfill."""
