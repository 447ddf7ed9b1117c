"""The JSON of a read, described by a JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ddtheory.reads.verdicts import Standing

FORMAT = "ddtheory reading 1"

_TEXT, _COUNT = {"type": "string"}, {"type": "integer", "minimum": 0}
_FRACTION = {"type": "string", "pattern": "^[0-9]+(/2)?$"}
_SIZE = {"type": "number", "minimum": 0}
_PAIR = {"type": ["array", "null"], "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
_ORDER = {"type": ["integer", "null"], "minimum": 1}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _list(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


SCHEMA: Mapping[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": FORMAT,
    **_object(
        format={"const": FORMAT},
        model=_TEXT,
        dimension=_COUNT,
        n={"type": "integer", "minimum": 1},
        census=_list(
            _object(
                number=_COUNT,
                layer=_TEXT,
                place=_TEXT,
                type=_TEXT,
                verdict={"enum": [each.value for each in Standing]},
                order=_ORDER,
                flat={"type": "boolean"},
                interval=_PAIR,
                scale=_PAIR,
                distance=_SIZE,
                price={"type": "array", "items": _SIZE, "minItems": 3, "maxItems": 3},
                ray=_TEXT,
                orbit=_TEXT,
                reason=_TEXT,
            )
        ),
        layers=_list(
            _object(
                layer=_TEXT,
                surveyed=_COUNT,
                plainly_live=_COUNT,
                verdicts={
                    "type": "object",
                    "propertyNames": {"enum": [each.value for each in Standing]},
                    "additionalProperties": _COUNT,
                },
            )
        ),
        joint=_list(
            _object(what=_TEXT, members=_list(_COUNT), left_out=_list(_COUNT), price=_SIZE, singly=_SIZE, order=_ORDER)
        ),
        gauges=_list(_TEXT),
        refused_gauges=_list(_TEXT),
        bracket={
            "oneOf": [
                {"type": "null"},
                _object(
                    lower=_FRACTION,
                    upper=_FRACTION,
                    rank=_COUNT,
                    orbit=_COUNT,
                    unclear=_COUNT,
                    kinks=_COUNT,
                    gauges=_COUNT,
                ),
            ]
        },
        unbracketed=_TEXT,
        unsurveyed=_list(_TEXT),
    ),
}
"""JSON Schema of `Reading.to_json`. Orders and distances mean what `Row` says; a price is lower, estimate, upper."""
