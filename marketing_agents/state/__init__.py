"""Control state that is not data: rule labels and partition outcomes (later: kill switch, spending, approvals). SQLAlchemy + alembic."""
