"""Pieces of JSON Schema, for everything here that says what its JSON looks like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

TEXT: Schema = {"type": "string"}
TRUTH: Schema = {"type": "boolean"}
WHOLE: Schema = {"type": "integer"}


def exactly(**properties: Schema) -> dict[str, Any]:
    """An object with these entries, all of them, and no others.

    >>> exactly(lower=TEXT)["required"]
    ['lower']
    """
    return {
        "type": "object",
        "properties": properties,
        "required": sorted(properties),
        "additionalProperties": False,
    }


def by_name(of: Schema) -> dict[str, Any]:
    """An object with entries of any names, each of this kind."""
    return {"type": "object", "additionalProperties": of}


def list_of(of: Schema) -> dict[str, Any]:
    """A list of any length."""
    return {"type": "array", "items": of}


def or_null(schema: Schema) -> dict[str, Any]:
    """The same, or null."""
    return {"anyOf": [schema, {"type": "null"}]}
