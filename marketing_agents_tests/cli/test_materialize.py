"""Registering advertisers while another command does the same."""

from __future__ import annotations

import dagster as dg
import pytest
from sqlalchemy.exc import IntegrityError

from marketing_agents.cli.materialize import register_advertisers
from marketing_agents.partitions import ADVERTISER

NAME = ADVERTISER.name or ""


def test_an_advertiser_that_another_command_adds_meanwhile_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        add = instance.add_dynamic_partitions
        refused: list[list[str]] = []

        def loses_the_race(name: str, keys: list[str]) -> None:
            # The other command inserts between our reading and our inserting; the unique key then refuses all of ours.
            if not refused:
                refused.append(keys)
                add(name, ["acme"])
                raise IntegrityError("INSERT INTO dynamic_partitions", None, Exception("UNIQUE constraint failed"))
            add(name, keys)

        monkeypatch.setattr(instance, "add_dynamic_partitions", loses_the_race)
        register_advertisers(instance, ["acme", "bolt"])
        assert refused == [["acme", "bolt"]]
        assert instance.get_dynamic_partitions(NAME) == ["acme", "bolt"]


def test_a_refusal_that_stays_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    with dg.DagsterInstance.ephemeral() as instance:

        def refuses(_name: str, _keys: list[str]) -> None:
            raise IntegrityError("INSERT INTO dynamic_partitions", None, Exception("UNIQUE constraint failed"))

        monkeypatch.setattr(instance, "add_dynamic_partitions", refuses)
        with pytest.raises(IntegrityError):
            register_advertisers(instance, ["acme"])
