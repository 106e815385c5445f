"""What `asyncconsole.command` takes and refuses, and what is completed."""

from __future__ import annotations

import asyncio
import enum
import gc
import re
import shlex
import sys
import types
import weakref
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

    @asyncconsole.command(name="third")
    def one_more(): ...

    assert list(registry.book) == ["some-thing", "other", "third"]
    assert registry.book["some-thing"].function is some_thing
    assert isinstance(another, types.FunctionType)


def test_a_command_that_was_replaced_is_free_to_go():
    class Load:
        """Something large of the program's."""

    load = Load()
    gone = weakref.ref(load)

    def define(kept):
        @asyncconsole.command("reload")
        def reload(times: int = 1): ...

        reload.kept = kept
        return dispatch.parse("reload 3")

    assert define(load) is not None
    assert define(None) is not None
    del load
    gc.collect()
    assert gone() is None


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


def twice(*, wait: bool = True, no_wait: bool = False): ...


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
        (twice, "two parameters are called --no-wait"),
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
    assert offered("signal USR") == ["USR1", "USR2"]
    assert offered("signal SIGUSR") == ["SIGUSR1", "SIGUSR2"]


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
        value = asyncio.run(value) if asyncio.iscoroutine(value) else value
        assert show(shown(own.name, plain(value)), json=False, width=100) == answer


def plain(value):
    found = Plain()
    for _ in found.steps(value):
        pass
    return found


def test_a_generator_is_a_list():
    assert plain(number for number in range(250)).value == list(range(250))


def test_an_answer_is_bounded_however_much_it_refers_to():
    value = ["x"] * 900
    for _ in range(12):
        value = [value] * 900
    text = show(shown("much", plain(value)), json=True)
    assert len(text) < 8_000_000
    endless = []
    endless.append(endless)
    assert "<list, too deep>" in show(shown("endless", plain(endless)), json=True)
    wide = [{f"key{number}": number for number in range(500)}]
    assert len(show(shown("wide", plain(wide)), json=False).splitlines()) == 3
    assert len(plain(wide).value[0]) == 500


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
