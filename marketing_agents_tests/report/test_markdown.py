import re

import pytest
from markdown_it import MarkdownIt

from marketing_agents.agents.outside_text import escape_markdown
from marketing_agents.decisions.merge import decide
from marketing_agents.report.markdown import MAX_CHARS, MAX_ROWS, analysis_markdown, findings_markdown, recommendations_markdown
from marketing_agents.report.prose import line_html, markdown_name, markdown_text, prose_html, safe_line, safe_markdown
from marketing_agents_tests.decisions.builders import ACME, DAY, OPEN_POLICY, analysis, campaign, conversion_action, finding, planned

HOSTILE = [
    "a | b", "line\nbreak", "`code` ``x``", "[link](https://evil.test)", "![image](https://evil.test/x.png)", "<img src=x onerror=alert(1)>", "<script>alert(1)</script>",
    "https://evil.test", "www.evil.test", "[a]: https://evil.test", "| --- | --- |", "\\| trailing \\", "**bold** _em_ ~~no~~", "# heading", "&lt;b&gt;", "<https://evil.test>",
    "'; DROP TABLE x; --", "javascript:alert(1)", "x" * 5000,
]  # fmt: skip
# The dialect that reads most into a text: tables, bare addresses, raw HTML.
GFM = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def rendered(markdown: str) -> str:
    return str(GFM.render(markdown))


def is_inert(html: str) -> bool:
    return (
        not re.search(r"<(?!/?(?:p|table|thead|tbody|tr|th|td|strong|em|ul|ol|li|br)\b)", html)
        and "href" not in html
        and "http://" not in html
        and "https://" not in html
        and "www." not in html
    )


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_text_in_one_cell(name: str) -> None:
    item = finding("MEDIA-001", campaign(name=name), planned("DECREASE_BUDGET", campaign(name=name), step_pct=10.0))
    made = analysis("media_performance", item)
    insight = made.insights[0].model_copy(
        update={"headline": f"Dear: “{escape_markdown(name)}”", "text": f"**What happened.** “{escape_markdown(name)}”"}
    )
    made = made.model_copy(update={"insights": (insight,)})
    for table in (findings_markdown([item]), recommendations_markdown(decide(ACME, DAY, [made], [item], OPEN_POLICY))):
        html = rendered(table)
        assert is_inert(html)
        assert html.count("<tr>") == 2
        assert html.count("<td>") == html.count("<th>")
    assert is_inert(rendered(analysis_markdown(made)))


@pytest.mark.parametrize("text", HOSTILE)
def test_text_of_a_model_that_forgot_to_escape_is_inert_too(text: str) -> None:
    for markdown in (safe_markdown(text), safe_line(text), markdown_name(text), markdown_text(text)):
        assert is_inert(rendered(markdown)), markdown
    for html in (prose_html(text), line_html(text)):
        assert not re.search(r"<(?!/?(?:p|strong|ul|ol|li)\b)", html), html


def test_a_name_is_shown_as_it_is_written() -> None:
    assert "<p>50% off | “Sale” *new* [x] _y_ &lt;b&gt;</p>" in rendered(markdown_name("50% off | “Sale” *new* [x] _y_ <b>"))


def test_prose_keeps_paragraphs_lists_and_bold() -> None:
    text = "**How big.** 54.20 \\*net\\*.\n\n**What to do.**\n1. Lower it\n2. Tell them\n\n- a\n- b"
    assert (
        prose_html(text)
        == "<p><strong>How big.</strong> 54.20 *net*.</p><p><strong>What to do.</strong></p><ol><li>Lower it</li><li>Tell them</li></ol><ul><li>a</li><li>b</li></ul>"
    )


def test_figures_in_our_own_words_are_not_masked_or_changed() -> None:
    words = "step cut from 35% to the limit of 20%, USD 1,234,567.89 on 2026-11-20"
    assert rendered(markdown_text(words)) == f"<p>{words}</p>\n"


def test_findings_come_most_urgent_first_with_what_is_observed() -> None:
    low, high = finding("MEDIA-001", campaign("c1"), severity="low"), finding("CONV-001", conversion_action(), severity="critical")
    table = findings_markdown([low, high])
    assert table.index("CONV-001") < table.index("MEDIA-001")
    assert "54.20 GBP, alarm at 1.5x" in table


def test_recommendations_show_rank_action_in_words_worth_and_status() -> None:
    tracking = finding("CONV-001", conversion_action(), planned("FIX_TAG", conversion_action()), severity="critical")
    bid = finding("MEDIA-001", campaign(), planned("DECREASE_BUDGET", campaign(), step_pct=35.0))
    table = recommendations_markdown(
        decide(ACME, DAY, [analysis("conversion", tracking), analysis("media_performance", bid)], [tracking, bid], OPEN_POLICY)
    )
    lines = table.splitlines()
    assert lines[2].startswith("| 1 | Repair the tag | Purchase (conversion action) | Headline of CONV-001")
    assert "GBP 1,000" in lines[2]
    assert lines[3].startswith("| – | Lower the budget by 20% |")
    assert "on hold: held until tracking is trusted" in lines[3]


def test_nothing_is_a_sentence() -> None:
    assert findings_markdown([]) == "No rule fired."
    assert recommendations_markdown([]).startswith("Nothing to do")


def test_length_is_bounded_and_says_what_is_left_out() -> None:
    items = [finding("MEDIA-001", campaign(f"c{n}", name="long name " * 20)) for n in range(400)]
    table = findings_markdown(items)
    assert len(table) < MAX_CHARS + 100
    assert table.endswith(f"… and {400 - MAX_ROWS} more")
    assert len(analysis_markdown(analysis("media_performance", *items))) < MAX_CHARS + 5000


def test_who_wrote_it_and_what_went_wrong_is_said() -> None:
    made = analysis("creative").model_copy(update={"writer": "template_after_error", "problems": ("model: 503 | unavailable",)})
    text = analysis_markdown(made)
    assert "because the model's text could not be used" in text
    assert "model: 503 \\| unavailable" in text
