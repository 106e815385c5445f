"""Checks of the JSON documents that commands print, by the schemas in the package."""

from __future__ import annotations

import json
from typing import Any

import jsonschema

from asyncconsole.model import schema


def validate(document: Any) -> Any:
    """Check a document (or its text) by the schema that it names, and give it back parsed.

    A document whose schema has no file of its own is held to what all of them promise.

    Raises:
        jsonschema.ValidationError: It is not what it says it is.
    """
    if isinstance(document, str | bytes):
        document = json.loads(document)
    name = str(document.get("schema", "")).removeprefix("asyncconsole/").split("/")[0]
    rules = schema.load(name if name in schema.names() else "document")
    jsonschema.Draft202012Validator(rules).validate(document)
    return document
