"""What was found against what was planted: recall, precision, delay, false alarms; per rule and overall."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from statistics import median
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from marketing_agents.evaluation.visibility import is_visible
from marketing_agents.sample.incidents.registry import kinds

if TYPE_CHECKING:
    from marketing_agents.evaluation.known_versions import Drawn
    from marketing_agents.evaluation.run import EvaluatedGroup
    from marketing_agents.rules.finding import Finding
    from marketing_agents.sample.incidents.placed import PlacedIncident


@dataclass(frozen=True)
class RaisedEpisode:
    """An episode of one rule on one entity, as told on the asked days. `finding`: as first told."""

    advertiser_id: str
    rule_id: str
    finding: Finding
    opened_on: date | None


@dataclass(frozen=True)
class Sighting:
    """Whether one rule saw one incident. `delay_days`: from its first day to the first fired day; None when not seen or older than can be told."""

    kind: str
    rule_id: str
    size: float
    size_rank: int
    is_visible: bool
    is_seen: bool
    delay_days: int | None


class RuleScore(BaseModel):
    """One rule. Shares are None where nothing was planted or raised."""

    model_config = ConfigDict(frozen=True)

    rule_id: str
    planted: int
    seen: int
    visible: int
    visible_seen: int
    raised: int = Field(description="episodes told on the asked days, over all advertisers")
    right: int = Field(description="of these, episodes that an incident explains")
    median_delay_days: float | None
    false_alarms_on_clean: int

    @property
    def recall(self) -> float | None:
        return self.seen / self.planted if self.planted else None

    @property
    def visible_recall(self) -> float | None:
        return self.visible_seen / self.visible if self.visible else None

    @property
    def precision(self) -> float | None:
        return self.right / self.raised if self.raised else None


class EvaluationResult(BaseModel):
    """Everything that one evaluation measured."""

    model_config = ConfigDict(frozen=True)

    catalogue_hash: str
    advertisers: int
    clean_advertiser_days: int
    advertiser_days: int
    rules: tuple[RuleScore, ...]
    recall_by_size: dict[str, list[tuple[float, float, int]]] = Field(description="kind -> (size, share of its rules that saw it, cases)")
    visible_by_rank: tuple[tuple[int, int], ...] = Field(
        default=(), description="(visible, of these seen) by rank of the size within its kind, the smallest first"
    )
    missed: tuple[str, ...] = Field(description="visible incidents that a rule did not see, as sentences")
    false_alarms: tuple[str, ...]

    @property
    def visible_recall(self) -> float | None:
        visible = sum(r.visible for r in self.rules)
        return sum(r.visible_seen for r in self.rules) / visible if visible else None

    @property
    def precision(self) -> float | None:
        raised = sum(r.raised for r in self.rules)
        return sum(r.right for r in self.rules) / raised if raised else None

    @property
    def false_alarms_per_100_days(self) -> float | None:
        """Episodes that no incident explains, on clean advertisers."""
        if not self.clean_advertiser_days:
            return None
        return 100 * sum(r.false_alarms_on_clean for r in self.rules) / self.clean_advertiser_days


@dataclass
class Scorer:
    """Collects groups as they are evaluated; holds no feature rows."""

    rule_ids: Sequence[str]
    sightings: list[Sighting] = field(default_factory=list)
    raised: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    right: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    clean_false: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    missed: list[str] = field(default_factory=list)
    false_alarms: list[str] = field(default_factory=list)
    advertisers: int = 0
    clean_days: int = 0
    days: int = 0

    def add(self, group: EvaluatedGroup) -> None:
        """Score one group."""
        for drawn in group.drawn:
            asked = [day for day in group.days if day.advertiser_id == drawn.facts.advertiser_id]
            told = [finding for day in asked for finding in group.evaluation.findings.get(day, [])]
            self.advertisers += 1
            self.days += len(asked)
            self.clean_days += 0 if drawn.incidents else len(asked)
            self._see(drawn, episodes_of(told, with_explained=True))
            self._judge(drawn, episodes_of(told))

    def _see(self, drawn: Drawn, episodes: Sequence[RaisedEpisode]) -> None:
        for incident in drawn.incidents:
            kind = kinds()[incident.kind]
            visible = is_visible(drawn, incident)
            for rule_id in kind.rules:
                found = [e for e in episodes if e.rule_id == rule_id and began_with(e, incident) and is_about(e.finding, incident, drawn)]
                opened = [e.opened_on for e in found if e.opened_on is not None]
                delay = max(0, (min(opened) - incident.first).days) if opened else None
                rank = kind.sizes.index(incident.size) if incident.size in kind.sizes else -1
                self.sightings.append(Sighting(incident.kind, rule_id, incident.size, rank, visible, bool(found), delay))
                if visible and not found:
                    self.missed.append(f"{rule_id} did not see on {incident.advertiser_id}: {incident.sentence}")

    def _judge(self, drawn: Drawn, episodes: Sequence[RaisedEpisode]) -> None:
        for episode in episodes:
            self.raised[episode.rule_id] += 1
            if any(explains(incident, episode, drawn) for incident in drawn.incidents):
                self.right[episode.rule_id] += 1
                continue
            if not drawn.incidents:
                self.clean_false[episode.rule_id] += 1
            observed = episode.finding.fact(episode.finding.observed)
            self.false_alarms.append(
                f"{episode.rule_id} {episode.finding.severity} on {episode.finding.entity.key} of {episode.advertiser_id}: {observed.label} = {observed.display}"
                + ("" if drawn.incidents else " (clean advertiser)")
            )

    def result(self, catalogue_hash: str) -> EvaluationResult:
        """All scores so far."""
        return EvaluationResult(
            catalogue_hash=catalogue_hash,
            advertisers=self.advertisers,
            clean_advertiser_days=self.clean_days,
            advertiser_days=self.days,
            rules=tuple(self._score(rule_id) for rule_id in self.rule_ids),
            recall_by_size=self._recall_by_size(),
            visible_by_rank=self._visible_by_rank(),
            missed=tuple(self.missed),
            false_alarms=tuple(self.false_alarms),
        )

    def _score(self, rule_id: str) -> RuleScore:
        own = [s for s in self.sightings if s.rule_id == rule_id]
        delays = [s.delay_days for s in own if s.delay_days is not None]
        return RuleScore(
            rule_id=rule_id,
            planted=len(own),
            seen=sum(s.is_seen for s in own),
            visible=sum(s.is_visible for s in own),
            visible_seen=sum(s.is_visible and s.is_seen for s in own),
            raised=self.raised[rule_id],
            right=self.right[rule_id],
            median_delay_days=median(delays) if delays else None,
            false_alarms_on_clean=self.clean_false[rule_id],
        )

    def _visible_by_rank(self) -> tuple[tuple[int, int], ...]:
        visible = [s for s in self.sightings if s.is_visible and s.size_rank >= 0]
        ranks = range(max((s.size_rank for s in visible), default=-1) + 1)
        return tuple((sum(s.size_rank == rank for s in visible), sum(s.size_rank == rank and s.is_seen for s in visible)) for rank in ranks)

    def _recall_by_size(self) -> dict[str, list[tuple[float, float, int]]]:
        cases: dict[str, dict[tuple[int, float], list[bool]]] = defaultdict(lambda: defaultdict(list))
        for sighting in self.sightings:
            cases[sighting.kind][sighting.size_rank, sighting.size].append(sighting.is_seen)
        return {
            kind: [(size, sum(seen) / len(seen), len(seen)) for (_, size), seen in sorted(by_size.items())]
            for kind, by_size in sorted(cases.items())
        }


def episodes_of(told: Iterable[Finding], *, with_explained: bool = False) -> list[RaisedEpisode]:
    """Episodes of the asked days: one per rule, entity and opening; without muted findings and rules on trial.

    `with_explained`: also findings that another one explains. They raise no alarm of their own, but what they are about has been seen.
    """
    found: dict[tuple[str, str, date | None], Finding] = {}
    for finding in told:
        if finding.is_open and not finding.is_shadow and (with_explained or not finding.suppressed_by):
            found.setdefault((finding.rule_id, finding.entity.key, finding.opened_on), finding)
    episodes: list[RaisedEpisode] = []
    latest: dict[tuple[str, str], RaisedEpisode] = {}
    for (rule_id, key, opened_on), finding in sorted(found.items(), key=lambda item: (item[1].date, item[0][0], item[0][1])):
        before = latest.get((rule_id, key))
        # The first day of an episode that is older than the window moves with the window: that is no new one.
        if before is None or (opened_on is not None and opened_on > before.finding.date):
            latest[rule_id, key] = RaisedEpisode(finding.advertiser_id, rule_id, finding, opened_on)
            episodes.append(latest[rule_id, key])
    return episodes


def explains(incident: PlacedIncident, episode: RaisedEpisode, drawn: Drawn) -> bool:
    """An incident explains a finding of its rules on its entity, and one of its consequences on anything that hangs together with it."""
    kind = kinds()[incident.kind]
    if not began_with(episode, incident):
        return False
    if episode.rule_id in kind.rules:
        return is_about(episode.finding, incident, drawn)
    return episode.rule_id in kind.consequences and _hangs_together(episode.finding, incident, drawn)


def began_with(episode: RaisedEpisode, incident: PlacedIncident) -> bool:
    """What opened before the first day of the incident is about something else."""
    return episode.opened_on is None or episode.opened_on >= incident.first


def is_about(finding: Finding, incident: PlacedIncident, drawn: Drawn) -> bool:
    """The finding's entity is the incident's, or one of another level (a parent, a child, a list) that hangs together with it; no sibling is."""
    entity = finding.entity
    if entity.id == incident.entity_id or incident.entity_id in entity.id.split("/"):
        return True
    if entity.type == incident.entity_type:
        return False
    return _hangs_together(finding, incident, drawn)


def _hangs_together(finding: Finding, incident: PlacedIncident, drawn: Drawn) -> bool:
    entity = finding.entity
    if "NA" in (entity.account_id, incident.account_id):
        return True  # one of both is about the advertiser as a whole
    if entity.account_id != incident.account_id:
        return False
    campaigns = {drawn.facts.structure.campaigns[position].campaign_id for position in incident.campaigns}
    return not campaigns or entity.campaign_id == "NA" or entity.campaign_id in campaigns
