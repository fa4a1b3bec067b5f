"""Masking: what must go goes, what is a figure, a date or an id stays."""

from __future__ import annotations

import pytest

from marketing_agents.llm.masking import Masker, mask_personal_data, masker_of
from marketing_agents.settings import Settings

GONE = {
    "jane.doe+ads@example.co.uk": "[email]",
    "write to Jane <jane@example.com>!": "write to Jane <[email]>!",
    "search term jürgen@example.de kaufen": "search term [email] kaufen",
    "?user=jane%40example.com&x=1": "[email]&x=1",
    "call +49 30 901820 now": "call [phone] now",
    "+1 (212) 555-0100": "[phone]",
    "(212) 555-0100": "[phone]",
    "212-555-0100": "[phone]",
    "020 7946 0958": "[phone]",
    "0049 30 901820 22": "[phone]",
}
STAYS = [
    "2026-11-20 to 2026-11-27",
    "20.11.2026",
    "spend 1,234,567.89 EUR",
    "1 234 567 clicks",
    "campaign 123456789012345678",
    "CPA rose by +31.5 % to 12.40",
    "Nov 14-20, 2026",
    "1.5x to 2.0x",
    "30% off | Sale @ home",
    "0.000123",
    "ROAS 4.2 vs 3.9 (28 days: 3.75)",
    "+1,234,567",
]


@pytest.mark.parametrize(("text", "masked"), GONE.items())
def test_personal_data_is_masked(text: str, masked: str) -> None:
    assert mask_personal_data(text) == masked


@pytest.mark.parametrize("text", STAYS)
def test_figures_dates_and_ids_stay(text: str) -> None:
    assert Masker(["another-secret"]).text(text) == text


@pytest.mark.parametrize(
    "secret",
    [
        "AIzaSyA1234567890abcdefghijklmnopqrstuvw",
        "ya29.a0AfH6SMBxyz1234567890",
        "sk-lf-12345678-1234-1234-1234-123456789012",
        "pk-lf-12345678-1234-1234-1234-123456789012",
        "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcdefghijk",
    ],
)
def test_keys_of_known_makers_are_masked_without_being_known(secret: str) -> None:
    assert secret not in Masker().text(f"failed with {secret}, sorry")


def test_known_secrets_are_masked_in_every_form() -> None:
    settings = Settings(
        gemini_api_key="plain-gemini-key/+",
        langfuse_public_key="lf-public",
        langfuse_secret_key="lf-secret",
        state_url="postgresql://u:pw@host/db",
    )
    masker = masker_of(settings)
    text = "plain-gemini-key/+ plain-gemini-key%2F%2B lf-secret bGYtcHVibGljOmxmLXNlY3JldA== postgresql://u:pw@host/db"
    assert set(masker.text(text).split()) == {"[secret]"}


def test_the_password_of_any_address_is_masked() -> None:
    assert (
        Masker().text("cannot reach postgresql://user:hunter2@db.internal:5432/x")
        == "cannot reach postgresql://[secret]@db.internal:5432/x"
    )


def test_nested_data_is_masked_to_the_leaves() -> None:
    class Opaque:
        def __str__(self) -> str:
            return "mail a.b@example.com"

    data = {"list": [{"deep": ("x", "a.b@example.com")}], "n": 3, "none": None, "flag": True, "o": Opaque(), "a.b@example.com": 1}
    assert Masker().data(data) == {
        "list": [{"deep": ["x", "[email]"]}],
        "n": 3,
        "none": None,
        "flag": True,
        "o": "mail [email]",
        "[email]": 1,
    }


def test_a_short_secret_does_not_blank_out_words() -> None:
    assert Masker(["ab"]).text("about") == "about"


def test_masking_takes_linear_time() -> None:
    """Free text is hostile: a pattern that backtracks would stop the run."""
    import time

    started = time.process_time()
    for text in ("a" * 50_000, "a." * 25_000 + "@", "+1" * 25_000, "1-" * 25_000, "(" * 50_000, "0 " * 25_000, "a@" * 25_000):
        Masker(["secret-secret"]).text(text)
    assert time.process_time() - started < 10  # processor time; one that backtracks takes minutes
