"""The JSON Schemas: valid themselves, and strict where the contract is."""

from __future__ import annotations

import copy

import jsonschema
import pytest

from asyncconsole.model import schema
from tests.documents import validate

DIAGNOSIS = {
    "schema": "asyncconsole/diagnosis/1",
    "pid": 1,
    "taken_at": "2026-01-01T00:00:00Z",
    "findings": [
        {
            "id": "F1",
            "verdict": "deadlock",
            "proven": True,
            "kind": "lock_cycle",
            "summary": "a and b wait for each other's lock",
            "tasks": [{"id": 3, "name": "a", "role": "stuck"}],
            "resources": [{"id": "L1", "type": "Lock", "name": "LOCKS['alice']"}],
            "cycle": ["a", "b"],
            "evidence": ["a holds LOCKS['alice'], taken at bank.py:31"],
            "fix": "take the two locks in one global order",
        }
    ],
}

TASKS = {
    "schema": "asyncconsole/tasks/1",
    "tasks": [
        {
            "id": 1,
            "name": "main",
            "state": "waiting",
            "coro": "main",
            "loop": 1,
            "waiting": {"kind": "lock", "resource": "L1", "name": "LOCK", "since": 1.5},
            "where": {"file": "bank.py", "line": 3, "function": "main"},
            "created": None,
            "age": None,
        }
    ],
    "total": 1,
    "shown": 1,
}


@pytest.mark.parametrize("name", schema.names())
def test_schema_is_itself_valid_and_says_its_name(name):
    rules = schema.load(name)
    jsonschema.Draft202012Validator.check_schema(rules)
    assert rules["$id"] == f"urn:asyncconsole:{name}:1"


def test_unknown_schema():
    with pytest.raises(KeyError):
        schema.load("../errors")


@pytest.mark.parametrize("document", [DIAGNOSIS, TASKS], ids=["diagnosis", "tasks"])
def test_every_key_of_the_contract_is_required(document):
    validate(document)
    for path in _keys(document):
        broken = copy.deepcopy(document)
        holder = broken
        for step in path[:-1]:
            holder = holder[step]
        del holder[path[-1]]
        with pytest.raises(jsonschema.ValidationError):
            validate(broken)


def test_a_suspect_can_not_be_proven():
    broken = copy.deepcopy(DIAGNOSIS)
    broken["findings"][0]["verdict"] = "suspect"
    with pytest.raises(jsonschema.ValidationError):
        validate(broken)


def test_other_documents_name_their_schema():
    validate('{"schema": "asyncconsole/version/1", "anything": 1}')
    with pytest.raises(jsonschema.ValidationError):
        validate({"anything": 1})


def _keys(value, path=()):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*path, key)
            yield from _keys(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            if isinstance(inner, dict):
                yield from _keys(inner, (*path, index))
