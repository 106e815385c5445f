"""From what people type to the task or primitive they mean."""

from __future__ import annotations

from collections.abc import Sequence

from asyncconsole.commands.command import nearest
from asyncconsole.commands.port import Target
from asyncconsole.model import Resource, Snapshot, Task, UnknownItemError


async def about(target: Target, words: Sequence[str], *, deep: bool = False) -> Snapshot:
    """A snapshot that has the tasks which these words name, and what tells about them.

    Raises:
        UnknownItemError: One names no task, or several.
    """
    found = await target.around(words, deep=deep)
    try:
        for word in words:
            task(found, word)
    except UnknownItemError:  # all names are needed to say which one is near
        found = await target.snapshot("tasks")
        for word in words:
            task(found, word)
        found = await target.around(words, deep=deep)
    return found


async def about_resource(target: Target, word: str) -> Snapshot:
    """A snapshot that has the primitive which a word names.

    Raises:
        UnknownItemError: It names none, or several.
    """
    found = await target.around(resources=(word,))
    try:
        resource(found, word)
    except UnknownItemError:
        found = await target.snapshot("all")
        resource(found, word)
    return found


def task(snapshot: Snapshot, word: str) -> Task:
    """The task that ``word`` names: its number, its unique name, or ``id(task)``.

    Raises:
        UnknownItemError: No such task, or several of that name.
    """
    if word.isdecimal() or word.lower().startswith("0x"):
        try:
            number = int(word, 0) if not word.isdecimal() else int(word)
        except ValueError:
            number = -1
        for item in snapshot.tasks:
            if number in (item.id, item.address):
                return item
    named = [item for item in snapshot.tasks if item.name == word]
    if len(named) == 1:
        return named[0]
    if named:
        numbers = ", ".join(str(item.id) for item in named[:8])
        msg = f"{len(named)} tasks are called `{word}`: {numbers}. Use a number."
        raise UnknownItemError(msg)
    guess = nearest(word, [item.name for item in snapshot.tasks[:10_000]])
    hint = f"Did you mean `{guess}`?" if guess else "`ps` lists them."
    msg = f"No task `{word[:80]}` (it may have ended). {hint}"
    raise UnknownItemError(msg)


def _unquoted(text: str) -> str:
    return text.replace("'", "").replace('"', "")


def resource(snapshot: Snapshot, word: str) -> Resource:
    """The primitive that ``word`` names: its id (``L3``) or its unique name.

    Raises:
        UnknownItemError: No such primitive, or several of that name.
    """
    for item in snapshot.resources:
        if item.id.lower() == word.lower():
            return item
    named = [item for item in snapshot.resources if item.name == word]
    if not named:  # a shell-like line loses the quotes of LOCKS['a']
        bare = _unquoted(word)
        named = [item for item in snapshot.resources if _unquoted(item.name) == bare]
    if len(named) == 1:
        return named[0]
    if named:
        numbers = ", ".join(item.id for item in named[:8])
        msg = f"{len(named)} locks are called `{word}`: {numbers}. Use an id."
        raise UnknownItemError(msg)
    guess = nearest(word, [item.name for item in snapshot.resources[:10_000]])
    hint = f"Did you mean `{guess}`?" if guess else "`locks --all` lists them."
    if word[:1] in "xX" and word[1:].isdecimal():
        hint = "Ids with X are of one listing only: nothing was found that leads to such a one."
    msg = f"No lock `{word[:80]}` that a task waits for or holds. {hint}"
    raise UnknownItemError(msg)
