"""One file per kind of finding. Each binds ``RULE``; nothing else registers it."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from asyncconsole.diagnose.rule import Rule

__all__ = ["all_rules"]


@cache
def all_rules() -> tuple[Rule, ...]:
    """Every rule of this folder."""
    found = [
        importlib.import_module(f"{__name__}.{module.name}").RULE
        for module in pkgutil.iter_modules(__path__)
    ]
    return tuple(sorted(found, key=lambda rule: rule.rank))
