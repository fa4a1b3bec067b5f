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

KILL_SWITCH_LOG = Table(
    "kill_switch_log",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("advertiser_id", String(63), nullable=False, index=True),
    Column("action", String(8), nullable=False, comment="pause or resume; rows are only ever added"),
    Column("who", String(200), nullable=False),
    Column("why", Text, nullable=False),
    Column("until", DateTime(timezone=True), comment="a pause ends by itself here"),
    Column("at", DateTime(timezone=True), nullable=False),
)

MORNINGS = Table(
    "mornings",
    METADATA,
    Column("advertiser_id", String(63), primary_key=True),
    Column("date", Date, primary_key=True),
    Column("outcome", String(16), nullable=False, comment="what the last tick decided"),
    Column("reason", Text, nullable=False),
    Column("attempts", Integer, nullable=False, comment="runs requested so far"),
    Column("scheduled_for", DateTime(timezone=True), nullable=False, comment="scheduled time of that tick"),
)

ONBOARDINGS = Table(
    "onboardings",
    METADATA,
    Column("advertiser_id", String(63), primary_key=True),
    Column("first_date", Date, comment="first day requested; null when there was nothing to request"),
    Column("last_date", Date),
    Column("note", Text, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
)
