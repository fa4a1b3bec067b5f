"""Which agencies are evaluated: reproducible, complete, and each planted where it makes sense."""

from __future__ import annotations

from marketing_agents.evaluation.seeded import MOST_TOGETHER, Planting, clean_advertisers, planted_advertisers, plantings, unplaced
from marketing_agents.sample.incidents.registry import kinds


def test_every_kind_and_size_is_planted_once_per_seed():
    chosen = plantings()
    assert {(p.kind, p.size) for p in chosen} == {(name, size) for name, kind in kinds().items() for size in kind.sizes}
    advertisers = planted_advertisers(chosen, seed=3)
    planted = sorted((i.kind, i.size) for a in advertisers for i in a.profile.incidents)
    left_out = unplaced(chosen, advertisers)
    assert left_out == []
    assert planted == sorted((p.kind, p.size) for p in chosen)


def test_the_same_seed_gives_the_same_advertisers_and_another_gives_others():
    chosen = plantings()
    first = [(a.profile.advertiser.id, a.seed, a.profile.incidents) for a in planted_advertisers(chosen, seed=3)]
    assert first == [(a.profile.advertiser.id, a.seed, a.profile.incidents) for a in planted_advertisers(chosen, seed=3)]
    assert first != [(a.profile.advertiser.id, a.seed, a.profile.incidents) for a in planted_advertisers(chosen, seed=4)]


def test_ids_are_unique_and_incidents_do_not_share_a_campaign():
    advertisers = planted_advertisers(plantings(), seed=3)
    ids = [a.profile.advertiser.id for a in advertisers]
    assert len(set(ids)) == len(ids)
    for advertiser in advertisers:
        incidents = advertiser.profile.incidents
        assert 1 <= len(incidents) <= MOST_TOGETHER
        assert len({i.kind for i in incidents}) == len(incidents)
        places = [(i.platform, i.campaign) for i in incidents if i.campaign]
        assert len(set(places)) == len(places)
        if any(kinds()[i.kind].comes_alone for i in incidents):
            assert len(incidents) == 1


def test_rules_and_sizes_can_be_chosen():
    assert {p.kind for p in plantings(frozenset({"PLAT-004"}))} == {"rows_missing"}
    assert plantings(frozenset({"rows_missing"}), sizes=[-1]) == [Planting("rows_missing", kinds()["rows_missing"].sizes[-1])]


def test_clean_agencies_have_no_incident():
    advertisers = clean_advertisers([1, 2])
    assert len(advertisers) == 12
    assert all(a.profile.incidents == () for a in advertisers)
