"""A cell as plain data: what `ddtheory cells NAME --json` prints and what the export of the catalogue holds.

Exact values are strings that read back exactly. The schema stands beside this file in `catalogue.schema.json`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

from ddtheory.cells.shared.cell import Cell
from ddtheory.cells.shared.families import catalogue
from ddtheory.cells.shared.truth import Truth
from ddtheory.errors import UndecidedError
from ddtheory.values import RLCT, Exact, KLOrder, as_json

SCHEMA = "ddtheory.cells/1"

SCHEMA_FILE = Path(__file__).with_name("catalogue.schema.json")

N_BETA = (10, 100)
"""The nβ at which the exact finite-temperature learning coefficient is written down."""

_DIGITS = 4
_LARGEST_NUMBER = 2**53  # that every reader of JSON reads exactly
_MOST_COORDINATES = 12  # of a K that is written out; a longer one nobody reads


def document(cell: Cell, *, write_out: bool = False) -> dict[str, Any]:
    """One cell. The pair is that at the point of the torch face; "global" is null where no other is recorded.

    K is written out where it is short. Where it is large, see `Cell.large`, the orders along rays are null as well,
    and no finite-n values are computed.

    Args:
        cell: the cell.
        write_out: derive and write K and its orders, however long that takes.

    >>> from ddtheory.cells.node_death import node_death
    >>> found = document(node_death("square"))
    >>> found["lambda"], found["multiplicity"], found["kl"]["joint"]["k"], found["kl"]["inner"]["kind"]
    ('1/4', 1, 3, 'flat')
    """
    written_out = write_out or (cell.dimension <= _MOST_COORDINATES and not cell.large)
    orders = write_out or not cell.large
    return {
        "name": cell.name,
        "family": cell.family,
        "parameters": {name: _argument(value) for name, value in cell.arguments.items()},
        **_pair(cell.truth.rlct),
        "status": cell.truth.status.value,
        "lower": None if cell.truth.lower is None else _pair(cell.truth.lower),
        "upper": None if cell.truth.upper is None else _pair(cell.truth.upper),
        "routes": _routes(cell.truth),
        "global": {**_pair(cell.global_truth.rlct), "routes": _routes(cell.global_truth)} if cell.elsewhere else None,
        "provenance": cell.provenance.value,
        "source": asdict(cell.source),
        "kl": {
            name: _order(cell.kl_order(name, arc=False), along) if orders else None
            for name, along in cell.directions.items()
        },
        "divergence": str(cell.divergence) if written_out else None,
        "generators": [str(generator) for generator in cell.generators] if written_out else None,
        "relation": cell.relation.value,
        "prior": {str(symbol): str(h) for symbol, h in cell.prior.items()},
        "boundary": [str(symbol) for symbol in cell.boundary],
        "coordinates": cell.dimension,
        "terms": None if cell.size is None or cell.size.terms > _LARGEST_NUMBER else cell.size.terms,
        "nu": None if cell.fluctuation is None else cell.singular_fluctuation(digits=15).summary(),
        "finite_n": _finite(cell) if orders else [],
        "remark": cell.remark,
    }


def catalogue_document(documents: Sequence[Mapping[str, Any]] | None = None) -> dict[str, Any]:
    """The whole catalogue, or the documents given."""
    entries = [document(cell) for cell in catalogue()] if documents is None else list(documents)
    return {"schema": SCHEMA, "families": len({entry["family"] for entry in entries}), "cells": entries}


def to_json(content: Mapping[str, Any]) -> str:
    """The text of a document, with sorted keys."""
    return json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def summary(cell: Cell) -> dict[str, Any]:
    """One line of the list of the catalogue."""
    return {
        "name": cell.name,
        "family": cell.family,
        "parameters": {name: _argument(value) for name, value in cell.arguments.items()},
        **_pair(cell.truth.rlct),
        "status": cell.truth.status.value,
    }


def _pair(pair: RLCT | None) -> dict[str, Any]:
    return {"lambda": None, "multiplicity": None} if pair is None else {"lambda": str(pair.lam), "multiplicity": pair.m}


def _routes(truth: Truth) -> list[dict[str, Any]]:
    return [
        {
            "name": result.route.name,
            "says": result.route.says,
            "side": result.route.side.value,
            **_pair(result.found),
        }
        for result in truth.results
    ]


def _order(found: KLOrder, along: Mapping[str, int]) -> dict[str, Any]:
    return {"kind": found.kind.value, "k": _whole(found.k), "rate": _whole(found.rate), "along": dict(along)}


def _whole(value: Exact | None) -> int | None:
    return None if value is None else int(value)


def _finite(cell: Cell) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if cell.finite is None:
        return found
    for n_beta in N_BETA:
        try:
            value = cell.finite_n(n_beta, _DIGITS)
        except UndecidedError:  # too many cells of quadrature at this nβ
            continue
        found.append({"n_beta": n_beta, **value.summary()})
    return found


def _argument(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_argument(item) for item in value]
    return str(value) if isinstance(value, Fraction) else as_json(value)
