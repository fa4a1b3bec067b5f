import base64
import hashlib
import re
from dataclasses import dataclass, replace
from html.parser import HTMLParser

import pytest

from marketing_agents.agents.outside_text import escape_markdown
from marketing_agents.decisions.merge import decide
from marketing_agents.decisions.policy import Policy
from marketing_agents.report.page import render_digest, render_page
from marketing_agents.report.page_view import DayView, PageInput
from marketing_agents.report.trend import trend_series
from marketing_agents.rules.finding import Fact, Finding, Unit
from marketing_agents_tests.decisions.builders import ACME, DAY, OPEN_POLICY, analysis, campaign, conversion_action, finding, planned
from marketing_agents_tests.report.stored_facts import END, StoredRows, ad_rows
from marketing_agents_tests.report.test_markdown import HOSTILE

_VOID = {"meta", "br", "line", "rect", "circle", "polyline"}


@dataclass(frozen=True)
class Outcome:
    rule_id: str
    outcome: str = "clear"
    reason: str = ""
    detail: str = ""
    entities: int = 1


class Reader(HTMLParser):
    """Elements and attributes as a browser would find them, and whether every element is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag
        if tag not in ("bdi", "strong"):
            self.text.append(" ")

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def handle_decl(self, decl: str) -> None:
        assert decl == "doctype html"

    @property
    def visible(self) -> str:
        return " ".join("".join(self.text).split())


def day(*findings: Finding, policy: Policy = OPEN_POLICY, **changes: object) -> PageInput:
    analyses = [
        analysis("media_performance", *(f for f in findings if f.rule_id.startswith("MEDIA"))),
        analysis("conversion", *(f for f in findings if f.rule_id.startswith("CONV"))),
    ]
    page = PageInput(
        advertiser=ACME, day=DAY, recommendations=decide(ACME, DAY, analyses, findings, policy), analyses=analyses, outcomes=[Outcome("MEDIA-001", "fired")],
        trends={}, data_notes=(), findings=findings,
    )  # fmt: skip
    return replace(page, **changes)


def bid(name: str = "Tents", **changes: object) -> Finding:
    return finding(
        "MEDIA-001",
        campaign(name=name),
        planned("DECREASE_BUDGET", campaign(name=name), step_pct=35.0),
        planned("NOTIFY_ACCOUNT_OWNER", campaign(name=name)),
        **changes,
    )


def tag(**changes: object) -> Finding:
    return finding("CONV-001", conversion_action(), planned("FIX_TAG", conversion_action()), severity="critical", **changes)


def test_the_page_needs_nothing_from_outside_and_runs_nothing() -> None:
    trend = trend_series(StoredRows(ad_performance_daily=ad_rows()), bid(), END)  # type: ignore[arg-type]
    assert trend is not None
    html = render_page(day(bid(), trends={bid().finding_id: trend}))
    found = Reader(html)
    assert not {"script", "link", "iframe", "object", "form", "img", "a"} & set(found.tags)
    assert not [name for name, _ in found.attributes if name.startswith("on") or name in ("src", "href", "style", "action")]
    assert "svg" in found.tags
    [style] = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    expected = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"default-src &#39;none&#39;; style-src &#39;sha256-{expected}&#39;" in html
    assert "url(" not in style
    assert "@import" not in style


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_and_texts_are_shown_and_do_nothing(name: str) -> None:
    item = bid(name)
    made = analysis("media_performance", item)
    insight = made.insights[0].model_copy(
        update={"headline": f"{name} {escape_markdown(name)}", "text": f"{name}\n\n{escape_markdown(name)}"}
    )
    made = made.model_copy(update={"insights": (insight,), "summary": name, "problems": (name,), "writer": "template_after_error"})
    page = day(
        item,
        recommendations=decide(ACME, DAY, [made], [item], OPEN_POLICY),
        analyses=[made],
        data_notes=(name,),
        outcomes=[Outcome("X-001", "not_evaluable", "missing_input", name)],
    )
    plain = set(Reader(render_page(day(bid(), data_notes=("x",), outcomes=[Outcome("X-001", "not_evaluable", "missing_input", "y")]))).tags)
    found = Reader(render_page(page))
    assert set(found.tags) <= plain | {"strong", "ul", "ol", "li", "p"}
    assert not [n for n, _ in found.attributes if n.startswith("on") or n in ("src", "href")]
    assert "<script" not in render_digest(page)


def test_the_list_says_what_why_how_much_since_when_and_what_may_happen() -> None:
    text = Reader(render_page(day(bid()))).visible
    for words in (
        "One thing to do, GBP 1,000 at stake in 7 days; new.", "Lower the budget by 20%: Tents", "needs approval", "GBP 1,000 at stake in 7 days", "new, since 2026-11-20",
        "Step cut from 35% to the limit of 20%", "Text of MEDIA-001", "cpa 54.20 GBP", "data up to 2026-11-20", "also: Tell the account owner", "Written from templates", "Friday, 20 November 2026",
    ):  # fmt: skip
        assert words in text, words


def test_what_is_held_is_below_with_the_reason() -> None:
    text = Reader(render_page(day(bid(), tag()))).visible
    assert text.index("Repair the tag: Purchase") < text.index("Not now, and why") < text.index("Lower the budget by 20%: Tents")
    assert "Held until tracking is trusted: CONV-001 Title of CONV-001 on 'Purchase'" in text


def test_a_broken_policy_is_said_at_the_top() -> None:
    text = Reader(render_page(day(bid(), policy=Policy.broken("no policy file acme.yaml")))).visible
    assert "Advice only. No change of a platform may be carried out: no policy file acme.yaml." in text


def test_rules_without_a_verdict_and_notes_about_data_are_listed() -> None:
    outcomes = [
        Outcome("MEDIA-001", "fired"),
        Outcome("AUD-006", "not_evaluable", "missing_input", "orders_daily", 3),
        Outcome("CONV-001", "not_evaluable", "blocked_by_data", "PLAT-004", 1),
    ]
    text = Reader(render_page(day(bid(), outcomes=outcomes, data_notes=("raw/orders_daily was not delivered",)))).visible
    for words in (
        "AUD-006 a table it needs was not delivered: orders_daily, 3 entities",
        "CONV-001 the data is late or incomplete: PLAT-004, 1 entity",
        "raw/orders_daily was not delivered",
        "3 rules were evaluated, 1 had data to judge by",
    ):
        assert words in text, words


def test_a_quiet_day_is_a_page_too() -> None:
    page = PageInput(
        advertiser=ACME,
        day=DAY,
        recommendations=[],
        analyses=[analysis("creative").model_copy(update={"writer": "quiet"})],
        outcomes=[],
        trends={},
    )
    text = Reader(render_page(page)).visible
    assert "Nothing to do today." in text
    assert "Nothing asks for an action." in text
    assert render_digest(page).startswith("# Acme, 2026-11-20\n\n**Nothing to do today.**")


def test_an_episode_that_ended_is_told_once_below() -> None:
    text = Reader(render_page(day(bid(episode_state="resolved")))).visible
    assert "Over Title of MEDIA-001: Tents, open since 2026-11-20" in text


def test_a_retracted_finding_is_told_with_the_reason() -> None:
    why = Fact(id="MEDIA-001.x.retracted", name="retracted", label="retracted", unit=Unit.TEXT, text="w", display="data <b> restated")
    found = bid(episode_state="superseded")
    page = day(found.model_copy(update={"facts": (*found.facts, why)}))
    assert "Retracted Title of MEDIA-001: Tents, data <b> restated" in Reader(render_page(page)).visible
    assert "Retracted:\n- Title of MEDIA-001: Tents – data" in render_digest(page)
    assert "Retracted" not in render_page(day(bid()))


def test_money_of_one_entity_counts_once_in_the_total() -> None:
    items = (
        bid(money=300.0),
        finding("MEDIA-007", campaign(), planned("RUN_EXPERIMENT", campaign()), money=800.0),
        finding("MEDIA-002", campaign("c2"), planned("PAUSE_ENTITY", campaign("c2")), money=50.0),
    )
    assert DayView(day(*items)).money_at_stake == 850.0


def test_the_digest_lists_the_same_in_the_same_order() -> None:
    digest = render_digest(day(bid(), tag()))
    assert (
        digest.index("1. **Repair the tag: Purchase** (to do)")
        < digest.index("Not now:")
        < digest.index("Lower the budget by 20%: Tents – on hold")
    )


def test_equal_inputs_give_equal_pages() -> None:
    assert render_page(day(bid(), tag())) == render_page(day(bid(), tag()))
