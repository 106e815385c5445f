"""Making many nouns fast.

A frozen dataclass sets each field through ``object.__setattr__``: 2.4 µs for a `Task` on
3.11. A twin with the same slots that isn't frozen takes a fifth of that, and may then be
given the frozen class, since the two lie alike in memory.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


def maker(cls: type[T]) -> Callable[..., T]:
    """A function that makes instances of a frozen slotted dataclass, like its class does.

    Args:
        cls: Without ``__post_init__`` or default factories.
    """
    fields: list[tuple[str, Any, Any]] = []
    for item in dataclasses.fields(cls):  # type: ignore[arg-type]  # no public name for dataclass types
        given = item.default is dataclasses.MISSING
        default = dataclasses.field() if given else dataclasses.field(default=item.default)
        fields.append((item.name, Any, default))
    twin: Any = dataclasses.make_dataclass(f"_{cls.__name__}", fields, slots=True)

    def make(*values: Any, **named: Any) -> T:
        made = twin(*values, **named)
        made.__class__ = cls
        return made  # type: ignore[no-any-return]  # it is one now

    return make
