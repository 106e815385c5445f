"""What `asyncconsole.command` takes and refuses, and what is completed."""

from __future__ import annotations

import asyncio
import enum
import re
import shlex
import sys
import types
from typing import Annotated, Literal

import pytest

import asyncconsole
from asyncconsole.commands import dispatch
from asyncconsole.own import registry
from asyncconsole.own.adapter import _arguments
from asyncconsole.own.answer import Plain, shown
from asyncconsole.own.parameters import describe
from asyncconsole.render import show
from tests.children import tell
from tests.interpreters import CHECKOUT, INTERPRETERS


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


@pytest.fixture(autouse=True)
def book(monkeypatch):
    monkeypatch.setattr(registry, "book", {})
    return registry


def offered(line):
    return list(dispatch.complete(line, None)[1])


def test_the_function_stays_what_it_is():
    @asyncconsole.command
    def some_thing(): ...

    @asyncconsole.command("other")
    def another(): ...

    assert list(registry.book) == ["some-thing", "other"]
    assert registry.book["some-thing"].function is some_thing
    assert isinstance(another, types.FunctionType)


@pytest.mark.parametrize("name", sorted(filter(str.isidentifier, dispatch.names())))
def test_a_built_in_name_is_refused(name):
    with pytest.raises(ValueError, match="that name is the console's own"):
        asyncconsole.command(name)(lambda: None)
    with pytest.raises(ValueError, match="that name is the console's own"):
        asyncconsole.command("mine", aliases=(name,))(lambda: None)
    assert not registry.book


def test_names_are_known_without_loading_commands():
    assert registry.built_in() == set(dispatch.names())


def test_a_name_belongs_to_whoever_was_first():
    asyncconsole.command("mine", aliases=("m",))(shlex.quote)
    for name in ("mine", "m"):
        with pytest.raises(ValueError, match=r"shlex\.quote has that name already"):
            asyncconsole.command(name)(lambda: None)
    asyncconsole.command("mine")(shlex.quote)  # its module was loaded again
    assert registry.book["mine"].aliases == ()


def method(self): ...


def everything(**more): ...


def mapping(x: dict[str, int]): ...


def either(x: int | str): ...


def forward(x: Missing): ...  # noqa: F821 - that is the point


def json(*, json: bool = False): ...


async def stream():
    yield 1


@pytest.mark.parametrize(
    ("function", "complaint"),
    [
        (method, "self can't be typed"),
        (everything, "nobody can type \\*\\*more"),
        (mapping, "can't be typed at a console"),
        (either, "can't be typed at a console"),
        (forward, "can't read the type of x, Missing"),
        (json, "--json is every command's"),
        (stream, "return a list of what that yields"),
    ],
)
def test_what_nobody_can_type_is_refused_at_once(function, complaint):
    with pytest.raises(ValueError, match=complaint):
        asyncconsole.command("mine")(function)


@pytest.mark.parametrize(
    "options",
    [
        {"effect": "reads"},
        {"where": "here"},
        {"deadline": 0},
        {"deadline": None},
        {"aliases": ("a b",)},
    ],
)
def test_options_are_checked(options):
    with pytest.raises(ValueError, match="command `"):
        asyncconsole.command("mine", **options)(lambda: None)


def test_choices_and_options_are_completed():
    @asyncconsole.command
    def paint(
        what: Literal["wall", "door"],
        *,
        colour: Colour = Colour.RED,
        two_coats: Annotated[bool, "twice"] = False,
    ): ...

    assert offered("pai") == ["paint"]
    assert offered("paint ") == ["wall", "door"]
    assert offered("paint d") == ["door"]
    assert offered("paint --") == ["--json", "--colour", "--two-coats"]
    assert offered("paint --colour B") == ["BLUE"]
    assert offered("paint wall --two-coats d") == ["door"]
    assert "--two-coats         twice" in _help("paint")
    assert offered("ps --sort a") == ["age"]


def _help(name):
    from asyncconsole.commands.help import _one

    return "\n".join("".join(span.text for span in line) for line in _one(dispatch.find(name)))


def test_a_docstring_without_a_body_or_none_at_all():
    assert describe(lambda: None) == ("", (), {})

    def short():
        """One.

        Args:
            x (int): The x: yes.
        """

    assert describe(short) == ("One.", (), {"x": "The x: yes."})


def test_the_example_of_the_docs():
    text = (CHECKOUT / "docs" / "extend" / "own-command.md").read_text("utf-8")
    source = re.search(r"```python\n(.*?)```", text, re.DOTALL)[1]
    exec(compile(source, "own-command.md", "exec", dont_inherit=True), {"__name__": "example"})
    session = re.search(r"```text\n(.*?)```", text, re.DOTALL)[1]
    for part in session.split("shop 4242> ")[1:]:
        line, _, answer = part.partition("\n")
        call = dispatch.parse(line)
        own = registry.book[call.command.name]
        words, named = _arguments(own, call.options)
        value = own.function(*words, **named)
        plain = Plain()
        for _ in plain.steps(asyncio.run(value) if asyncio.iscoroutine(value) else value):
            pass
        assert show(shown(own.name, plain), json=False, width=100) == answer


def test_a_generator_is_a_list():
    plain = Plain()
    for _ in plain.steps(number for number in range(250)):
        pass
    assert plain.value == list(range(250))


DECORATED = """
import asyncio, json, sys
old = set(sys.modules)
import asyncconsole

@asyncconsole.command
def reload(shard: int, *, dry_run: bool = False):
    pass

print(json.dumps(sorted(set(sys.modules) - old)))
"""


@pytest.mark.parametrize("python", INTERPRETERS)
def test_decorating_loads_no_command(python):
    loaded = tell(python, "-c", DECORATED)
    ours = {name for name in loaded if name.startswith("asyncconsole.")}
    assert ours == {
        "asyncconsole._version",
        "asyncconsole.commands",
        "asyncconsole.own",
        "asyncconsole.own.parameters",
        "asyncconsole.own.registry",
    }
    others = {name.partition(".")[0] for name in loaded} - {"asyncconsole"}
    assert others <= sys.stdlib_module_names
    assert "argparse" not in others
