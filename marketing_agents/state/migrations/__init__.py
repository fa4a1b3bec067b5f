"""Forward migrations of the state store (alembic)."""
