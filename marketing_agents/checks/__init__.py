"""Asset checks: what each asserts and how its result reaches one partition."""
