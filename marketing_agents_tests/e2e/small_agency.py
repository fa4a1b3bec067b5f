"""Agencies of a few advertisers and a short history: the same incidents, a third of the files."""

from __future__ import annotations

from typing import Any

from marketing_agents.sample.businesses import sample_profiles
from marketing_agents.sample.spec import AgencySpec
from marketing_agents_tests.e2e.pipeline import ANCHOR


def small_spec(*advertisers: str, **changes: Any) -> AgencySpec:
    """These advertisers of the six, with 90 days up to the anchor: enough for every window the planted incidents need."""
    profiles = tuple(p for p in sample_profiles() if p.advertiser.id in advertisers)
    return AgencySpec(**{"end": ANCHOR, "anchor": ANCHOR, "days": 90, "advertisers": profiles, **changes})
