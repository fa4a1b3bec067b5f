"""Contract of what people say about findings: known, wrong, done."""

from __future__ import annotations

from marketing_agents.warehouse.contract import Column, TableContract, TableKind
from marketing_agents.warehouse.tables.performance import ADVERTISER_ID, D, S

FEEDBACK = TableContract(
    name="feedback",
    description="What people say about findings; comes from a sheet or a ticket system. Says which findings are not to be told, and until when.",
    grain="note",
    kind=TableKind.REFERENCE,
    key=("advertiser_id", "feedback_id"),
    is_optional=True,
    columns=(
        ADVERTISER_ID,
        Column("feedback_id", S, "Note id.", required=True),
        Column("given_on", D, "First day for which the note holds.", required=True),
        Column("finding_id", S, "Finding, as in `results.findings`; or state rule_id, entity_key or both."),
        Column("rule_id", S, "Rule, e.g. MEDIA-001."),
        Column(
            "entity_key",
            S,
            "Entity as `type:platform:account:id`, e.g. campaign:google_ads:111:c1; ads and ad groups with their parent, e.g. ad:google_ads:111:g1/a1.",
        ),
        Column(
            "verdict",
            S,
            "mute: true and known; done: acted upon, give it time; wrong: a false alarm, as if the rule had not fired.",
            required=True,
            allowed=("mute", "wrong", "done"),
        ),
        Column("until", D, "Last day for which the note holds; empty: for good (done: 14 days)."),
        Column("author", S, "Who says so.", required=True),
        Column("reason", S, "Why; outside text."),
    ),
)

FEEDBACK_TABLES = (FEEDBACK,)
