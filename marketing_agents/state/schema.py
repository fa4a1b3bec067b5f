"""Tables of the state store. A change here needs a migration beside it (a test compares the two)."""

from __future__ import annotations

from sqlalchemy import Column, Date, DateTime, Float, Integer, MetaData, String, Table, Text

METADATA = MetaData()

RULE_LABELS = Table(
    "rule_labels",
    METADATA,
    Column("rule_id", String(64), primary_key=True),
    Column("text_hash", String(64), primary_key=True, comment="hash of the rule's text: a changed text is a new question"),
    Column("domain", String(64), nullable=False),
    Column("tier", Integer, nullable=False, comment="0 pinned, 1 category, 2 model, 3 keywords"),
    Column("confidence", Float, nullable=False),
    Column("model", String(128)),
    Column("reason", Text, nullable=False),
    Column("decided_at", DateTime(timezone=True), nullable=False),
)

PARTITION_STATUS = Table(
    "partition_status",
    METADATA,
    Column("advertiser_id", String(63), primary_key=True),
    Column("date", Date, primary_key=True),
    Column("step", String(80), primary_key=True),
    Column("status", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("run_id", String(64), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
)
