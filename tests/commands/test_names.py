"""What is offered for the names of tasks and locks."""

from __future__ import annotations

import shlex
from types import SimpleNamespace

import pytest

from asyncconsole.commands import dispatch

NAMES = (
    "audit", "transfer:a→b", "transfer:b→a", "two words", "it's", 'a "b"', "a|b", "", "#1", "a\\b", "größe", "'quoted'",
)  # fmt: skip
SNAPSHOT = SimpleNamespace(
    tasks=tuple(SimpleNamespace(name=name, id=number) for number, name in enumerate(NAMES, 1)),
    resources=(SimpleNamespace(name="ACCOUNTS['bob']", id="L1"),),
)


def offered(line):
    return dispatch.complete(line, SNAPSHOT)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_offered_means_the_task(name):
    _, candidates = offered("where ")
    meant = [words for words in map(shlex.split, candidates) if words == [name]]
    assert len(meant) == 1


@pytest.mark.parametrize(
    ("typed", "candidates"),
    [
        ("tra", ["transfer:a→b", "transfer:b→a"]),
        ("'tra", []),
        ("transfer:b", ["transfer:b→a"]),
        ("two", ["'two words'"]),
        ("'two", ["'two words'"]),
        ("grö", ["größe"]),
        ("aud", ["audit"]),
    ],
)
def test_a_name_is_found_by_its_first_letters(typed, candidates):
    assert offered(f"cancel {typed}")[1] == candidates
    if candidates:
        assert offered(f"cancel {typed}")[0] == len(typed)


def test_names_of_locks_are_quoted_where_they_must_be():
    assert offered("lock ACC")[1] == ["'ACCOUNTS['\"'\"'bob'\"'\"']'"]
