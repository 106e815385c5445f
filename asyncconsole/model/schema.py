"""The JSON Schemas of the documents that ``--json`` prints."""

from __future__ import annotations

from typing import Any


def names() -> list[str]:
    """Names of the schemas: ``tasks`` for documents that say ``asyncconsole/tasks/1``.

    ``document`` is what every document of every command keeps to.
    """
    return sorted(entry.name[: -len(".json")] for entry in _folder().iterdir())


def load(name: str) -> dict[str, Any]:
    """One schema (JSON Schema, draft 2020-12).

    Args:
        name: One of `names`.

    Raises:
        KeyError: There is no schema of that name.
    """
    import json  # noqa: PLC0415 - nobody but tests and scripts asks for schemas

    if name not in names():
        raise KeyError(name)
    found: dict[str, Any] = json.loads((_folder() / f"{name}.json").read_text("utf-8"))
    return found


def _folder() -> Any:
    """The folder of the schemas, wherever the package is installed."""
    from importlib.resources import files  # noqa: PLC0415 - see above

    return files("asyncconsole.model") / "schemas"
