"""The registry: what it accepts, and what each mistake says."""

from __future__ import annotations

import pytest

from marketing_agents.advertisers.registry import RegistryError, load_registry, parse_registry

GOOD = {"id": "acme", "name": "Acme", "time_zone": "Europe/London"}


@pytest.mark.parametrize(
    "bad_id",
    [
        "a|b",
        "a,b",
        "a b",
        'a"b',
        "a'b",
        "a[b]",
        "Acme",
        "-acme",
        "acme-",
        "",
        "a" * 64,
        "x" * 300,
        "../acme",
        "acme\n",
        "acmé",
        "acme_1",
        "a;drop table x",
    ],
)
def test_ids_that_dagster_would_mangle_are_refused(bad_id):
    with pytest.raises(RegistryError, match="is not a slug"):
        parse_registry([{**GOOD, "id": bad_id}], source="r.yaml")


@pytest.mark.parametrize("good_id", ["a", "acme", "acme-uk-2", "0", "a" * 63])
def test_slugs_are_accepted(good_id):
    assert parse_registry([{**GOOD, "id": good_id}], source="r.yaml").ids == (good_id,)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"time_zone": "Europe/Lodnon"}, "r.yaml: advertiser 'acme': time_zone: unknown IANA time zone 'Europe/Lodnon'"),
        ({"target_cpa": -1}, "advertiser 'acme': target_cpa: .*greater than 0"),
        ({"gross_margin": 40}, "advertiser 'acme': gross_margin: .*less than or equal to 1"),
        ({"base_currency": "usd"}, "advertiser 'acme': base_currency"),
        ({"run_time_local": "25:00"}, "advertiser 'acme': run_time_local: write it as"),
        ({"run_time_local": 630}, "advertiser 'acme': run_time_local: write it as"),
        ({"run_time_local": "06:00Z"}, "advertiser 'acme': run_time_local: write it as"),
        ({"run_time_local": "06:00:30"}, "advertiser 'acme': run_time_local: write it as"),
        ({"targetcpa": 3}, "advertiser 'acme': targetcpa: Extra inputs"),
        ({"trusted_actors": ["@"]}, "advertiser 'acme': trusted_actors: an entry without a name"),
        ({"trusted_actors": ["maya", " Maya"]}, "advertiser 'acme': trusted_actors: names somebody twice"),
    ],
)
def test_a_mistake_names_file_advertiser_and_field(change, message):
    with pytest.raises(RegistryError, match=message):
        parse_registry([{**GOOD, **change}], source="r.yaml")


def test_two_equal_ids_are_refused():
    with pytest.raises(RegistryError, match="id 'acme' is used 2 times"):
        parse_registry([GOOD, {**GOOD, "name": "Other"}], source="r.yaml")


def test_all_mistakes_are_told_at_once():
    with pytest.raises(RegistryError) as caught:
        parse_registry([{**GOOD, "time_zone": "Mars"}, {"id": "b|c"}, "text"], source="r.yaml")
    assert len(str(caught.value).splitlines()) >= 4


@pytest.mark.parametrize(
    ("text", "message"),
    [("a: [", "not valid YAML"), ("- 1", "expected a mapping"), ("advertisers: 3", "expected a mapping"), (None, "no such registry file")],
)
def test_a_broken_file_is_named(tmp_path, text, message):
    path = tmp_path / "advertisers.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(RegistryError, match=message) as caught:
        load_registry(path)
    assert str(path) in str(caught.value)


def test_trusted_actors_are_compared_without_case_and_spaces():
    [advertiser] = parse_registry([{**GOOD, "trusted_actors": [" Maya@Agency.example", "@agency.example"]}], source="r.yaml").advertisers
    assert advertiser.trusted_actors == ("maya@agency.example", "@agency.example")
