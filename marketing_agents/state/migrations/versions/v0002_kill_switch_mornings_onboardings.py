"""Kill switch, what the morning ticks decided, and which advertisers were onboarded."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of orchestration."""
    op.create_table(
        "kill_switch_log",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("advertiser_id", sa.String(63), nullable=False, index=True),
        sa.Column("action", sa.String(8), nullable=False),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("until", sa.DateTime(timezone=True)),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "mornings",
        sa.Column("advertiser_id", sa.String(63), primary_key=True),
        sa.Column("date", sa.Date, primary_key=True),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("scheduled_for", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "onboardings",
        sa.Column("advertiser_id", sa.String(63), primary_key=True),
        sa.Column("first_date", sa.Date),
        sa.Column("last_date", sa.Date),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    """Migrations go forward only: a step back would drop what people decided."""
    raise NotImplementedError("state migrations go forward only; restore a backup to go back")
