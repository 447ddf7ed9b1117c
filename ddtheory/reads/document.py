"""The JSON of a read, described by a JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ddtheory.reads.verdicts import Standing
from ddtheory.schemas import TEXT, TRUTH, WHOLE, by_name, exactly, list_of, or_null

FORMAT = "ddtheory reading 1"

_COUNT = {**WHOLE, "minimum": 0}
_FRACTION = {"type": "string", "pattern": "^[0-9]+(/2)?$"}
_SIZE = {"type": "number", "minimum": 0}
_PAIR = {"type": ["array", "null"], "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
_ORDER = {"type": ["integer", "null"], "minimum": 1}


SCHEMA: Mapping[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": FORMAT,
    **exactly(
        format={"const": FORMAT},
        model=TEXT,
        dimension=_COUNT,
        n={**WHOLE, "minimum": 1},
        census=list_of(
            exactly(
                number=_COUNT,
                layer=TEXT,
                place=TEXT,
                type=TEXT,
                verdict={"enum": [each.value for each in Standing]},
                order=_ORDER,
                flat=TRUTH,
                interval=_PAIR,
                scale=_PAIR,
                distance=_SIZE,
                price={**list_of(_SIZE), "minItems": 3, "maxItems": 3},
                ray=TEXT,
                orbit=TEXT,
                reason=TEXT,
            )
        ),
        layers=list_of(
            exactly(
                layer=TEXT,
                surveyed=_COUNT,
                plainly_live=_COUNT,
                plainly_between=_COUNT,
                far=_COUNT,
                verdicts={**by_name(_COUNT), "propertyNames": {"enum": [each.value for each in Standing]}},
            )
        ),
        joint=list_of(
            exactly(
                what=TEXT, members=list_of(_COUNT), left_out=list_of(_COUNT), price=_SIZE, singly=_SIZE, order=_ORDER
            )
        ),
        gauges=list_of(TEXT),
        refused_gauges=list_of(TEXT),
        bracket=or_null(
            exactly(
                lower=_FRACTION,
                upper=_FRACTION,
                rank=_COUNT,
                orbit=_COUNT,
                unclear=_COUNT,
                kinks=_COUNT,
                gauges=_COUNT,
            )
        ),
        unbracketed=TEXT,
        unsurveyed=list_of(TEXT),
    ),
}
"""JSON Schema of `Reading.to_json`. Orders and distances mean what `Row` says; a price is lower, estimate, upper."""
