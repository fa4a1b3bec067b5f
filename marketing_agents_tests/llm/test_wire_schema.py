"""The schema on the wire: only documented keywords, no references, ids pinned."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from marketing_agents.llm.wire_schema import WireSchemaError, wire_schema

DOCUMENTED = {
    *("type", "format", "title", "description", "enum", "items", "prefixItems", "minItems", "maxItems", "minimum", "maximum"),
    *("anyOf", "oneOf", "properties", "additionalProperties", "required", "propertyOrdering"),
}


class Level(StrEnum):
    LOW = "low"
    HIGH = "high"


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = Field(default=9, gt=0, le=9)


class Dog(BaseModel):
    kind: Literal["dog"]


class Insight(BaseModel):
    model_config = ConfigDict(extra="forbid", title="An insight")

    finding_ids: list[str] = Field(min_length=1, description="findings")
    cause_id: str | None = None
    title: str = Field(max_length=80, pattern="^[A-Z]", description="a field that is called like a keyword")
    level: Level = Field(default=Level.LOW, description="how bad")
    pet: Annotated[Cat | Dog, Field(discriminator="kind")]
    weights: dict[str, float] = {}
    pair: tuple[str, float] = ("a", 1.0)
    amount: Decimal = Decimal(0)


class Answer(BaseModel):
    summary: str
    insights: list[Insight]


class Node(BaseModel):
    children: list[Node] = []


PINS = {"finding_ids": ["F1", "F2"], "cause_id": ["C1"]}


def nodes(schema: Any) -> Iterator[dict[str, Any]]:
    """Every schema in a schema; names of properties are not keywords."""
    yield schema
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            yield from nodes(schema[key])
    for key in ("anyOf", "oneOf", "prefixItems"):
        for item in schema.get(key, []):
            yield from nodes(item)
    for item in schema.get("properties", {}).values():
        yield from nodes(item)


def insight(pins: dict[str, list[str]] = PINS) -> dict[str, Any]:
    schema: Any = wire_schema(Answer, pins)
    return schema["properties"]["insights"]["items"]["properties"]


def test_only_documented_keywords_and_no_references() -> None:
    schema = wire_schema(Answer, PINS)
    for node in nodes(schema):
        assert node.keys() <= DOCUMENTED
    assert "$ref" not in json.dumps(schema)


def test_a_field_may_be_called_like_a_keyword() -> None:
    assert insight()["title"] == {"type": "string", "description": "a field that is called like a keyword"}


def test_ids_are_pinned_to_this_request_at_any_depth() -> None:
    found = insight()
    assert found["finding_ids"] == {
        "type": "array",
        "items": {"type": "string", "enum": ["F1", "F2"]},
        "minItems": 1,
        "description": "findings",
    }
    assert found["cause_id"]["anyOf"] == [{"type": "string", "enum": ["C1"]}, {"type": "null"}]


def test_where_nothing_can_be_named_nothing_may_be() -> None:
    found = insight({"finding_ids": [], "cause_id": []})
    assert found["finding_ids"]["maxItems"] == 0
    assert found["cause_id"]["anyOf"] == [{"type": "null"}]


def test_constants_become_enums_and_unions_are_kept() -> None:
    kinds = [option["properties"]["kind"]["enum"] for option in insight()["pet"]["oneOf"]]
    assert kinds == [["cat"], ["dog"]]


def test_the_description_of_a_field_wins_over_that_of_its_class() -> None:
    assert insight()["level"] == {"type": "string", "enum": ["low", "high"], "description": "how bad"}


def test_maps_and_pairs_survive() -> None:
    assert insight()["weights"] == {"type": "object", "additionalProperties": {"type": "number"}}
    assert insight()["pair"]["prefixItems"] == [{"type": "string"}, {"type": "number"}]


def test_required_and_closed_objects_are_kept() -> None:
    schema: Any = wire_schema(Answer, PINS)["properties"]
    assert schema["insights"]["items"]["additionalProperties"] is False
    assert "pet" in schema["insights"]["items"]["required"]


@pytest.mark.parametrize(
    ("model", "enums", "words"),
    [
        (Node, {}, "contains itself"),
        (Answer, {"entity_ids": ["a"]}, "no text field named entity_ids"),
        (Answer, {"weights": ["a"]}, "no text field named weights"),
        (Answer, {"summary": []}, "no value is allowed"),
    ],
)
def test_what_cannot_go_on_the_wire_is_an_error(model: type[BaseModel], enums: dict[str, list[str]], words: str) -> None:
    with pytest.raises(WireSchemaError, match=words):
        wire_schema(model, enums)
