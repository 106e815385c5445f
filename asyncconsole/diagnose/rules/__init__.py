"""One file per kind of finding. Each binds ``RULE``; nothing else registers it.

Libraries may bring more, see `register`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable
from functools import cache

from asyncconsole.diagnose.rule import Case, Rule
from asyncconsole.model import Finding

__all__ = ["all_rules", "register"]

_more: list[_Guarded] = []


@cache
def all_rules() -> tuple[Rule, ...]:
    """Every rule of this folder, and those of libraries."""
    found: list[Rule] = [
        importlib.import_module(f"{__name__}.{module.name}").RULE
        for module in pkgutil.iter_modules(__path__)
    ]
    return tuple(sorted([*found, *_more], key=lambda rule: rule.rank))


def register(rule: Rule, failed: Callable[[Exception], None]) -> None:
    """Take in a rule of a library.

    Args:
        rule: The rule; the first time that it raises is its last.
        failed: Is told of that.
    """
    _more.append(_Guarded(rule, failed))
    all_rules.cache_clear()


class _Guarded:
    """A rule whose author is somebody else."""

    def __init__(self, rule: Rule, failed: Callable[[Exception], None]) -> None:
        self.kind = rule.kind
        self.rank = rule.rank
        self._rule: Rule | None = rule
        self._failed = failed

    def check(self, case: Case) -> Iterable[Finding]:
        if self._rule is None:
            return []
        try:
            return list(self._rule.check(case))
        except Exception as error:
            self._rule = None
            self._failed(error)
            return []
