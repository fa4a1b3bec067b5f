"""The JSON schema that goes to the model: a pydantic model's schema, reduced to what Gemini documents, with this request's ids pinned.

Under constrained decoding a pinned id cannot be invented; where decoding is not constrained, validation of the answer catches it. What the wire
form cannot say (lengths, patterns, exclusive bounds) is checked by validating the answer with the same pydantic model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

# Documented subset of google-genai 3.4 `response_json_schema`; titles are left out because they only cost tokens.
_KEPT = frozenset({"type", "format", "description", "enum", "minItems", "maxItems", "minimum", "maximum", "required", "propertyOrdering"})
_NESTED = frozenset({"items", "additionalProperties"})
_NESTED_LISTS = frozenset({"anyOf", "oneOf", "prefixItems"})


class WireSchemaError(ValueError):
    """The model class cannot be put on the wire, or an id to pin names no field. A bug of ours, not of the model."""


def wire_schema(model_class: type[BaseModel], enums: Mapping[str, Sequence[str]]) -> dict[str, object]:
    """JSON schema of `model_class` for `response_json_schema`.

    Args:
        model_class: what the answer is validated with. Must not be recursive.
        enums: field name -> the only values it may take in this request. Holds for every field of that name, text or list of text, at any
            depth. An empty list means that nothing can be named: a list must then be empty, an optional text null.

    Raises:
        WireSchemaError: a recursive model, a name in `enums` that no text field has, or an empty list for a text that is required.
    """
    schema = model_class.model_json_schema()
    pinned: set[str] = set()
    reduced = _Reducer(schema.get("$defs", {}), enums, pinned, model_class.__name__).reduce(schema, path=())
    missing = sorted(set(enums) - pinned)
    if missing:
        raise WireSchemaError(f"{model_class.__name__}: no text field named {', '.join(missing)} to pin values to")
    return reduced


class _Reducer:
    def __init__(self, definitions: Mapping[str, Any], enums: Mapping[str, Sequence[str]], pinned: set[str], root: str) -> None:
        self._definitions = definitions
        self._enums = enums
        self._pinned = pinned
        self._root = root

    def reduce(self, node: Mapping[str, Any], path: tuple[str, ...]) -> dict[str, object]:
        if "$ref" in node:
            node, path = self._resolve(node, path)
        out: dict[str, object] = {key: node[key] for key in node if key in _KEPT}
        if "const" in node:
            out["enum"] = [node["const"]]
        for key in _NESTED & node.keys():
            value = node[key]
            out[key] = self.reduce(value, path) if isinstance(value, Mapping) else value
        for key in _NESTED_LISTS & node.keys():
            out[key] = [self.reduce(item, path) for item in node[key]]
        if "properties" in node:
            out["properties"] = {name: self._property(name, item, path) for name, item in node["properties"].items()}
        return out

    def _resolve(self, node: Mapping[str, Any], path: tuple[str, ...]) -> tuple[Mapping[str, Any], tuple[str, ...]]:
        name = node["$ref"].removeprefix("#/$defs/")
        if name in path:
            raise WireSchemaError(f"{self._root}: {name} contains itself ({' > '.join((*path, name))}); flatten it")
        # A reference may have no siblings on the wire; pydantic writes the field's description beside it, and the field's wins.
        merged = {**self._definitions[name], **{key: value for key, value in node.items() if key != "$ref"}}
        return merged, (*path, name)

    def _property(self, name: str, node: Mapping[str, Any], path: tuple[str, ...]) -> dict[str, object]:
        reduced = self.reduce(node, path)
        if name not in self._enums:
            return reduced
        return self._pin(name, reduced)

    def _pin(self, name: str, node: dict[str, object]) -> dict[str, object]:
        options = node.get("anyOf")
        if isinstance(options, list):
            texts = [option for option in options if _is_text(option)]
            others = [option for option in options if not _is_text(option)]
            if texts and others and not self._enums[name]:
                self._pinned.add(name)
                return {**node, "anyOf": others}
            return {**node, "anyOf": [*(self._pin(name, option) for option in texts), *others]}
        if not _is_text(node):
            return node
        self._pinned.add(name)
        values = list(self._enums[name])
        if node["type"] == "array":
            return {**node, "items": {"type": "string", "enum": values}} if values else {**node, "maxItems": 0}
        if not values:
            raise WireSchemaError(f"{self._root}.{name}: no value is allowed, but the field is required text")
        return {**node, "enum": values}


def _is_text(node: Mapping[str, Any]) -> bool:
    """Text or a list of text."""
    items = node.get("items")
    return node.get("type") == "string" or (node.get("type") == "array" and isinstance(items, Mapping) and items.get("type") == "string")
