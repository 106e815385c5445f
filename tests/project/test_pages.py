"""The pages say what is true: their links lead somewhere, their examples work."""

from __future__ import annotations

import asyncio
import re
import sys
import types

import pytest

from asyncconsole.commands import dispatch
from asyncconsole.diagnose.rules import all_rules
from asyncconsole.diagnose.verdict import Case, Graph
from asyncconsole.model import Finding, Result, Snapshot, Task, Wait, schema
from tests.documents import validate
from tests.interpreters import CHECKOUT

PAGES = sorted([*CHECKOUT.glob("*.md"), *(CHECKOUT / "docs").rglob("*.md")])


def example(page):
    """The first Python block of a page of docs/extend, executed as a module."""
    text = (CHECKOUT / "docs" / "extend" / page).read_text("utf-8")
    source = re.search(r"```python\n(.*?)```", text, re.DOTALL).group(1)
    module = types.ModuleType("example")
    exec(compile(source, page, "exec"), module.__dict__)
    return module


def snapshot(since):
    waiting = Task(7, "late", "waiting", "late", 1, wait=Wait("event", "READY", since=since))
    return Snapshot(1, "app.py", "3.12.0", "2026-01-01T00:00:00Z", tasks=(waiting,))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_links_lead_to_files_of_the_project(page):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_readme_has_two_set_up_commands_and_make_knows_them():
    readme = (CHECKOUT / "README.md").read_text("utf-8")
    assert re.findall(r"^\$ make (\w+)", readme, re.MULTILINE) == ["demo", "test"]
    makefile = (CHECKOUT / "Makefile").read_text("utf-8")
    assert re.search(r"^demo:", makefile, re.MULTILINE)
    assert re.search(r"^test:", makefile, re.MULTILINE)


def test_readme_names_the_commands_that_exist():
    readme = (CHECKOUT / "README.md").read_text("utf-8")
    listed = re.search(r"Commands: (.*?)\. Each", readme, re.DOTALL).group(1)
    assert set(re.findall(r"`([a-z-]+)`", listed)) == set(dispatch.catalogue())


def test_every_rule_has_a_kind_of_the_schema():
    finding = schema.load("diagnosis")["properties"]["findings"]["items"]
    for rule in all_rules():
        assert rule.kind in finding["properties"]["kind"]["enum"]


@pytest.mark.parametrize("seconds", [5.0, 9000.0])
def test_example_of_a_command(seconds):
    class Target:
        async def snapshot(self, scope, *, first=None):
            assert scope == "tasks"
            return snapshot(seconds)

    command = example("command.md").COMMAND
    result = asyncio.run(command.run(Target(), command.parse(["--least", "60"])))
    assert isinstance(result, Result)
    assert validate(result.document)["task"] == (7 if seconds > 60 else None)


def test_example_of_a_rule():
    rule = example("rule.md").RULE
    case = Case(snapshot(9000.0), Graph(snapshot(9000.0)), ())
    (finding,) = rule.check(case)
    assert isinstance(finding, Finding)
    assert not finding.proven
    case = Case(snapshot(5.0), Graph(snapshot(5.0)), ())
    assert not list(rule.check(case))


def test_example_of_a_primitive(monkeypatch):
    class Pool:
        def __init__(self):
            self._size, self._free, self._waiters = 3, 0, ["future"]

        async def acquire(self): ...

    monkeypatch.setitem(sys.modules, "pool", types.SimpleNamespace(Pool=Pool))
    reader = example("primitive.md").READER
    facts = reader.read(Pool())
    assert (facts.state, facts.locked, facts.queue) == ("0 of 3 free", True, (("future", ""),))
    assert reader.waits == {Pool.acquire.__code__: "pool"}
