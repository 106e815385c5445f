"""The JSON Schema of a dump's lines, from the types of the model.

``python -m tests.model.described`` writes it to where the package has it.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from typing import Any, Literal

from asyncconsole.model import records
from asyncconsole.model.snapshot import Snapshot
from tests.interpreters import CHECKOUT

PATH = CHECKOUT / "asyncconsole" / "model" / "schemas" / "snapshot.json"

PLAIN = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    type(None): {"type": "null"},
    float: {"$ref": "#/$defs/Number"},
}
NUMBER = {
    "anyOf": [
        {"type": "number"},
        {
            "type": "object",
            "description": "numbers that JSON has not",
            "required": ["number"],
            "properties": {"number": {"enum": ["inf", "-inf", "nan"]}},
        },
    ]
}
HEAD = ("schema", "pid", "program", "python", "taken_at", "uptime", "took", "total")
STACK = {"type": "integer", "minimum": 0, "description": "number of a `stack` record, from 0"}


def describe() -> dict[str, Any]:
    """All of it."""
    found: dict[str, Any] = {"Number": NUMBER}
    hints = typing.get_type_hints(Snapshot)
    head = {name: _of(hints[name], found) for name in HEAD}
    head["schema"] = {"const": "asyncconsole/snapshot/1"}
    head["by"] = {"type": "string", "description": "what has written it"}
    kinds = {kind: _of(hint, found) for kind, hint in records.KINDS.items()}
    found["Task"]["properties"].update(frames=STACK, creation=STACK)
    more = {
        "type": "array",
        "description": "the name of a list of the record before, and items with which it goes on",
        "prefixItems": [{"type": "string"}, {"type": "array"}],
        "minItems": 2,
        "maxItems": 2,
    }
    count = {"type": "integer", "minimum": 0}
    end = {
        "type": "object",
        "description": "the last line: how many records of each kind there were",
        "additionalProperties": count,
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:asyncconsole:snapshot:1",
        "title": "A line of a dump: the header, or a record with its kind as the only key",
        "type": "object",
        "minProperties": 1,
        "if": {"required": ["schema"]},
        "then": {"required": list(HEAD)},
        "else": {"maxProperties": 1},
        "properties": {**head, **kinds, "more": more, "end": end},
        "$defs": dict(sorted(found.items())),
    }


def _of(hint: Any, found: dict[str, Any]) -> dict[str, Any]:
    if hint in PLAIN:
        return PLAIN[hint]
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        if inner[-1] is Ellipsis:
            return {"type": "array", "items": _of(inner[0], found)}
        items = [_of(item, found) for item in inner]
        return {
            "type": "array",
            "prefixItems": items,
            "minItems": len(items),
            "maxItems": len(items),
        }
    if origin is Literal:
        return {"enum": list(inner)}
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [_of(item, found) for item in inner]}
    name = hint.__name__
    if name not in found:
        found[name] = {}
        hints = typing.get_type_hints(hint)
        if dataclasses.is_dataclass(hint):
            needed = [f.name for f in dataclasses.fields(hint) if f.default is dataclasses.MISSING]
            names = [f.name for f in dataclasses.fields(hint)]
        else:
            names = list(hint._fields)
            needed = [each for each in names if each not in hint._field_defaults]
        found[name] = {
            "type": "object",
            "required": needed,
            "properties": {each: _of(hints[each], found) for each in names},
        }
    return {"$ref": f"#/$defs/{name}"}


if __name__ == "__main__":
    PATH.write_text(json.dumps(describe(), indent=2) + "\n", encoding="utf-8")
