"""From a rule as written to a rule that runs: every expression parsed and type-checked, every name resolved, all problems collected."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from marketing_agents.decisions.actions import ACTIONS
from marketing_agents.rules import thresholds
from marketing_agents.rules.expression import Expression, ExpressionError, parse_expression, suggestion
from marketing_agents.rules.finding import RETRACTED, RETRACTED_DAY, SEVERITIES, Cause, Severity, Unit
from marketing_agents.rules.functions import SIGNATURES, Kind
from marketing_agents.rules.rule import EntityColumns, FactSpec, Gate, Observation, Peer, PlaybookStep, PValueTest, Rule
from marketing_agents.rules.rule_file import AlternativeFile, EntityFile, RuleFile

COMMON_COLUMNS = ("advertiser_id", "date", "currency_code", "evaluated_day", "data_age_days", "history_days", "missing_fx_pair")
"""Columns every mart that rules read must have."""
RESERVED_FACTS = (
    "entity_name",
    "threshold",
    "p_value",
    "p_adjusted",
    "entities_tested",
    "explained_share",
    "override",
    RETRACTED,
    RETRACTED_DAY,
    "sample_size",
    "money_at_stake",
    "window_days",
    "evaluated_day",
    "opened_on",
    "days_open",
    "data_age_days",
)
"""Facts that every finding has (where known), so a rule may not define others under these names."""
_TEXT_UNITS = {Unit.TEXT: "text", Unit.DATE: "date"}


class RuleCompiler:
    """Compiles one rule. After `compile`, `problems` holds (field, message) pairs; the rule is only usable when there are none."""

    def __init__(self, written: RuleFile, category: str, kinds: Mapping[str, Kind], tables: Iterable[str], file: str) -> None:
        self.written = written
        self.category = written.category or category
        self.kinds = dict(kinds)
        self.tables = set(tables)
        self.file = file
        self.problems: list[tuple[str, str]] = []
        self.names: dict[str, Kind] = dict(kinds)

    def compile(self) -> Rule:
        written = self.written
        self._tables_exist()
        entity = self._entity(written.entity)
        values = self._values()
        applies = self._optional("applies", written.applies, "boolean")
        floor = self._optional("floor", written.floor, "boolean")
        when = {
            severity: self._parse(f"when.{severity}", written.when[severity], "boolean")
            for severity in SEVERITIES
            if severity in written.when
        }
        test = PValueTest(self._parse("test.p_value", written.test.p_value, "number"), written.test.below) if written.test else None
        if written.false_discovery is not None and test is None:
            self._problem("false_discovery", "needs the p-value of `test`: add one")
        peer = self._peer()
        facts = self._facts(peer)
        observations = self._observations(when, {fact.name: fact for fact in facts})
        if not any(field.split(".")[0] in ("when", "applies", "floor") for field, _ in self.problems):
            self._thresholds_work(applies, floor, when)
        content = written.model_dump(mode="json", by_alias=True) | {"category": self.category}
        return Rule(
            id=written.id,
            title=written.title,
            category=self.category,
            description=written.description,
            entity=entity,
            mart=written.mart,
            order=written.order,
            requires=written.requires,
            inputs=written.inputs,
            better_with=written.better_with,
            min_history_days=written.min_history_days,
            window_days=written.window_days,
            values=values,
            applies=applies,
            floor=floor,
            test=test,
            false_discovery=written.false_discovery,
            when=when,
            resolve_when=self._optional("resolve_when", written.resolve_when, "boolean"),
            observations=observations,
            impact=self._optional("impact", written.impact, "number"),
            sample_size=self._optional("sample_size", written.sample_size, "number"),
            sample_floor=written.sample_floor,
            quality=self._optional("quality", written.quality, "number"),
            facts=facts,
            peer=peer,
            causes=self._causes(),
            playbook=self._playbook(peer),
            gate=self._gate(),
            limits_actions_from=written.limits_actions_from,
            suppressed_by=written.suppressed_by,
            suppressed_on_entity_by=written.suppressed_on_entity_by,
            limited_by=written.limited_by,
            is_shadow=written.shadow,
            trend_metric=written.trend_metric,
            sources=written.sources,
            pinned_domain=written.pinned_domain,
            kinds=self.kinds,
            text_hash=content_hash({"title": written.title, "category": self.category, "description": written.description}),
            content_hash=content_hash(self._canonical(content)),
            file=self.file,
            written=written,
        )

    # --- fields

    def _problem(self, field: str, message: str) -> None:
        self.problems.append((field, message))

    def _parse(self, field: str, text: str, kind: Kind | None, extra: Mapping[str, Kind] | None = None) -> Expression:
        try:
            expression = parse_expression(text, {**self.names, **(extra or {})})
        except ExpressionError as error:
            for problem in error.problems:
                self._problem(field, problem)
            return _unusable(kind or "number")
        if kind is not None and expression.kind != kind:
            self._problem(field, f"must be a {kind}, but {text!r} is a {expression.kind}")
        return expression

    def _optional(self, field: str, text: str | None, kind: Kind, extra: Mapping[str, Kind] | None = None) -> Expression | None:
        return None if text is None else self._parse(field, text, kind, extra)

    def _column(self, field: str, name: str | None) -> str | None:
        if name is not None and name not in self.kinds:
            self._problem(field, f"unknown column '{name}' of {self.written.mart}{suggestion(name, self.kinds)}")
        return name

    def _tables_exist(self) -> None:
        for table in self.written.requires:
            if table not in self.tables:
                self._problem("requires", f"unknown input table '{table}'{suggestion(table, self.tables)}")
        self._input_columns()
        for column in COMMON_COLUMNS:
            if column not in self.kinds:
                self._problem("mart", f"'{self.written.mart}' lacks the column '{column}', which every rule needs")

    def _input_columns(self) -> None:
        from marketing_agents.warehouse.catalog import INPUT_TABLES

        for field, columns in (("inputs", self.written.inputs), ("better_with", self.written.better_with)):
            for column in columns:
                table, _, name = column.partition(".")
                contract = INPUT_TABLES.get(table)
                if contract is None:
                    self._problem(field, f"unknown input table '{table}'{suggestion(table, INPUT_TABLES)}")
                elif name not in contract.by_name:
                    self._problem(field, f"unknown column '{name}' of {table}{suggestion(name, contract.by_name)}")

    def _entity(self, written: EntityFile) -> EntityColumns:
        ids = (written.id,) if isinstance(written.id, str) else written.id
        for column in ids:
            self._column("entity.id", column)
        for level in ("name", "platform", "account", "campaign", "adgroup"):
            self._column(f"entity.{level}", getattr(written, level))
        return EntityColumns(written.type, ids, written.name, written.platform, written.account, written.campaign, written.adgroup)

    def _values(self) -> dict[str, Expression]:
        values: dict[str, Expression] = {}
        for name, text in self.written.values.items():
            if name in self.kinds:
                self._problem(f"values.{name}", f"'{name}' is a column of {self.written.mart}: give the value another name")
                continue
            if name in SIGNATURES:
                self._problem(f"values.{name}", f"'{name}' is a function: give the value another name")
                continue
            before = len(self.problems)
            values[name] = self._parse(f"values.{name}", text, None)
            # a broken value is reported once, not again by everything that reads it
            self.names[name] = values[name].kind if len(self.problems) == before else "number"
        return values

    def _peer(self) -> Peer | None:
        written = self.written.peer
        if written is None:
            return None
        names = {}
        for name, text in written.names.items():
            if name in self.names:
                self._problem(f"peer.names.{name}", f"'{name}' is a column or value already: give it another name")
            names[name] = self._parse(f"peer.names.{name}", text, None)
        return Peer(self._parse("peer.where", written.where, "boolean"), self._parse("peer.order_by", written.order_by, "number"), names)

    def _facts(self, peer: Peer | None) -> tuple[FactSpec, ...]:
        extra = {name: expression.kind for name, expression in peer.names.items()} if peer else {}
        facts = []
        for name, written in self.written.facts.items():
            if name in RESERVED_FACTS:
                self._problem(f"facts.{name}", "every finding has this fact already: remove it or rename it")
                continue
            wanted = _TEXT_UNITS.get(written.unit, "number")
            expression = self._parse(f"facts.{name}", written.value or name, None, extra)
            if expression.kind != wanted and not any(field == f"facts.{name}" for field, _ in self.problems):
                self._problem(
                    f"facts.{name}", f"unit {written.unit.value} needs a {wanted}, but {written.value or name!r} is a {expression.kind}"
                )
            facts.append(FactSpec(name, written.label, written.unit, expression, written.decimals))
        return tuple(facts)

    def _observations(self, when: Mapping[Severity, Expression], facts: Mapping[str, FactSpec]) -> tuple[Observation, ...]:
        found = [
            Observation(
                self._parse(f"alternatives.{position}.if", alternative.if_, "boolean"),
                alternative.observed,
                alternative.baseline,
                self._alternative_thresholds(position, alternative, when),
            )
            for position, alternative in enumerate(self.written.alternatives)
        ]
        written = self.written
        if written.threshold is not None:
            limits = {severity: self._parse(f"threshold.{severity}", text, None) for severity, text in written.threshold.items()}
            for severity in when:
                if severity not in limits:
                    self._problem("threshold", f"has no entry for the severity '{severity}' of `when`")
        else:
            limits = self._derived_thresholds(when)
        found.append(Observation(None, written.observed, written.baseline, limits))
        for observation in found:
            for field, name in (("observed", observation.observed), ("baseline", observation.baseline)):
                if name is not None and name not in facts:
                    self._problem(field, f"'{name}' is not among the facts{suggestion(name, facts)}")
        return tuple(found)

    def _alternative_thresholds(
        self, position: int, alternative: AlternativeFile, when: Mapping[Severity, Expression]
    ) -> dict[Severity, Expression]:
        field = f"alternatives.{position}.threshold"
        if isinstance(alternative.threshold, str):
            expression = self._parse(field, alternative.threshold, None)
            return dict.fromkeys(when, expression)
        if not set(alternative.threshold) & set(when):
            self._problem(
                field, f"has no limit for a severity of `when` ({', '.join(when)}): state one for each that the alternative can show"
            )
        return {severity: self._parse(f"{field}.{severity}", text, None) for severity, text in alternative.threshold.items()}

    def _derived_thresholds(self, when: Mapping[Severity, Expression]) -> dict[Severity, Expression]:
        limits = {}
        for severity, condition in when.items():
            bounds = thresholds.bounds_on(condition, self.written.observed)
            if len(bounds) == 1:
                limits[severity] = parse_expression(str(bounds[0].value), {})
            elif not any(field == f"when.{severity}" for field, _ in self.problems):
                self._problem(
                    "threshold",
                    f"`when.{severity}` does not compare '{self.written.observed}' with exactly one number: state `threshold.{severity}`",
                )
        return limits

    def _thresholds_work(self, applies: Expression | None, floor: Expression | None, when: Mapping[Severity, Expression]) -> None:
        """Contradictions, hidden severities, and thresholds of one value that point in opposite directions."""
        usable = {}
        for severity, condition in when.items():
            if not thresholds.can_hold(condition):
                self._problem(f"when.{severity}", f"can never hold: {condition.text!r} contradicts itself")
            elif not thresholds.can_hold(condition, applies, floor):
                self._problem(f"when.{severity}", f"can never hold together with `applies` and `floor`: {condition.text!r}")
            else:
                usable[severity] = condition
        ordered = list(usable.items())
        for position, (lower, condition) in enumerate(ordered):
            for higher, stronger in ordered[position + 1 :]:
                if thresholds.is_hidden_by(condition, stronger):
                    self._problem(
                        f"when.{lower}",
                        f"can never be reported: wherever {condition.text!r} holds, '{higher}' ({stronger.text!r}) holds too; thresholds must get stricter with severity",
                    )
                    break
        directions = {
            severity: {bound.operator[0] for bound in thresholds.bounds_on(condition, self.written.observed)}
            for severity, condition in ordered
        }
        single = {severity: next(iter(found)) for severity, found in directions.items() if len(found) == 1}
        if len(set(single.values())) > 1:
            listed = ", ".join(f"{severity} '{sign}'" for severity, sign in single.items())
            self._problem("when", f"'{self.written.observed}' is compared in opposite directions ({listed})")

    def _causes(self) -> tuple[Cause, ...]:
        seen: set[str] = set()
        for cause in self.written.causes:
            if cause.id in seen:
                self._problem("causes", f"the cause id '{cause.id}' is used twice")
            seen.add(cause.id)
        return tuple(Cause(id=cause.id, text=cause.text) for cause in self.written.causes)

    def _playbook(self, peer: Peer | None) -> tuple[PlaybookStep, ...]:
        extra = {name: expression.kind for name, expression in peer.names.items()} if peer else {}
        steps = []
        for position, written in enumerate(self.written.playbook):
            field = f"playbook.{position}"
            action = ACTIONS.get(written.action)
            if action is None:
                self._problem(f"{field}.action", f"unknown action '{written.action}'{suggestion(written.action, ACTIONS)}")
            else:
                for name in action.parameters:
                    if name not in written.parameters:
                        self._problem(f"{field}.parameters", f"{action.name} needs the parameter '{name}'")
                for name in written.parameters:
                    if name not in action.parameters:
                        hint = suggestion(name, action.parameters) or f" (it takes: {', '.join(action.parameters) or 'none'})"
                        self._problem(f"{field}.parameters", f"{action.name} has no parameter '{name}'{hint}")
            parameters = {}
            for name, text in written.parameters.items():
                expression = self._parse(f"{field}.parameters.{name}", text, None, extra)
                if expression.kind not in ("number", "text"):
                    self._problem(f"{field}.parameters.{name}", f"must be a number or a text, but {text!r} is a {expression.kind}")
                parameters[name] = expression
            condition = self._optional(f"{field}.when", written.when, "boolean", extra)
            effect = self._optional(f"{field}.effect", written.effect, "number", extra)
            steps.append(PlaybookStep(written.action, condition, parameters, effect, written.rationale))
        return tuple(steps)

    def _gate(self) -> Gate | None:
        written = self.written
        if written.gate is None:
            if written.order == "gate":
                self._problem("gate", "a rule of order 'gate' must say what it blocks")
            return None
        if written.order != "gate":
            self._problem("order", "a rule with `gate` must have the order 'gate'")
        if written.entity.platform is None or written.entity.account is None:
            self._problem("entity", "a gate blocks accounts: `platform` and `account` are needed")
        self._column("gate.table", written.gate.table)
        return Gate(written.gate.severity, written.gate.table, written.gate.says, self._optional("gate.when", written.gate.when, "boolean"))

    def _canonical(self, content: dict[str, Any]) -> dict[str, Any]:
        """Content with expressions in canonical spelling, so that spacing and quotes do not change the hash."""
        return {key: self._canonical_value(value) for key, value in content.items()}

    def _canonical_value(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._canonical_value(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._canonical_value(item) for item in value]
        if isinstance(value, str):
            try:
                return parse_expression(value, self.names).text
            except ExpressionError:
                return value
        return value


def _unusable(kind: Kind) -> Expression:
    """Stands in for an expression with a problem, so that the checks go on."""
    return parse_expression({"number": "0", "boolean": "true", "text": "''", "date": "0"}[kind], {})


def content_hash(content: Any) -> str:
    """16 hexadecimal digits of the SHA-256 of canonical JSON."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
