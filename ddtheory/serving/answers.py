"""What each tool answers: a function of its name, from arguments that fit its schema to plain data.

The keys are those that the verb of the same name prints with --json.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ddtheory.errors import InvalidValueError

Answer = dict[str, Any]


def rlct(
    seconds: float,
    divergence: str | None = None,
    generators: Sequence[str] | None = None,
    certificate: bool = False,
    **given: Any,
) -> Answer:
    """The pair of a divergence or of generators."""
    from ddtheory.exact.thresholds.rlct import rlct as derive

    if (divergence is None) == (generators is None):
        raise InvalidValueError("Give divergence, which is K, or generators f_i of K ≍ Σ f_i², and not both.")
    found = derive(divergence, generators=generators, seconds=seconds, **given)
    return {**found.summary(), "certificate": found.to_json() if certificate else None}


def order(divergence: str, parameters: Sequence[str] = (), **given: Any) -> Answer:
    """The order along a direction."""
    from ddtheory.exact.numbers.names import parse_parameter
    from ddtheory.exact.numbers.parse import parse_expression
    from ddtheory.exact.orders.ray import kl_order

    symbols = {symbol.name: symbol for symbol in map(parse_parameter, parameters)}
    return kl_order(parse_expression(divergence, symbols), parameters=tuple(symbols.values()), **given).summary()


def nu(k: int, prior: str | int = 0, one_sided: bool = False, **given: Any) -> Answer:
    """The singular fluctuation."""
    from ddtheory.exact.fluctuation.nu import singular_fluctuation

    found = singular_fluctuation(k, prior_exponent=prior, sided="one" if one_sided else "two", **given)
    value, radius = found.decimals()
    return {"nu": value, "radius": radius}


def finite_n(
    seconds: float, divergence: str | None = None, exponents: Sequence[Any] | None = None, **given: Any
) -> Answer:
    """Evidence, free energy and λ(nβ) of a germ or of a normal crossing."""
    from ddtheory.exact.finite_n.crossings import finite_n as of_crossing
    from ddtheory.exact.finite_n.germs import finite_n_germ

    if (divergence is None) == (exponents is None):
        raise InvalidValueError("Give divergence, which is K, or the exponents of a normal crossing, and not both.")
    foreign, wanted = ({"half_width"}, list) if divergence is None else ({"scale"}, dict)
    if foreign & set(given) or not isinstance(given.get("prior", wanted()), wanted):
        raise InvalidValueError(
            "Beside exponents stand scale and a list as prior; beside divergence stand half_width and a prior by name."
        )
    if divergence is None:
        return of_crossing(exponents or (), seconds=seconds, **given).summary()
    return finite_n_germ(divergence, seconds=seconds, **given).summary()


def model(seconds: float, toml: str, at: Mapping[str, Any] | None = None, certificate: bool = False) -> Answer:
    """The pair of a model."""
    from ddtheory.models import Description, described

    found = described(toml)
    if at is not None:
        found = Description(found.model, {**found.question, "at": at})
    pair = found.rlct(seconds)
    if certificate and not pair.generators.complete:
        raise InvalidValueError("There is no one certificate: the pair is bounded by two derivations. Ask without it.")
    return {**pair.summary(), "certificate": pair.derivation.to_json() if certificate else None}


def cells(name: str | None = None, parameters: Mapping[str, str | int] | None = None) -> Answer:
    """The list of the catalogue, or one cell."""
    from ddtheory.cells import catalogue, find_text
    from ddtheory.cells.shared.document import document, summary

    if name is not None:
        return document(find_text(name, {key: str(value) for key, value in (parameters or {}).items()}))
    if parameters:
        raise InvalidValueError("These parameters belong to no cell. Give the name of its family.")
    return {"cells": [summary(cell) for cell in catalogue()]}


def certify(seconds: float, certificate: Mapping[str, Any] | str) -> Answer:
    """The report of the independent checker."""
    from ddtheory.certify import check

    text = certificate if isinstance(certificate, str) else json.dumps(certificate)
    return check(text, seconds=seconds).document()


def claims(books: Sequence[str] = ()) -> Answer:
    """What is on record."""
    from ddtheory.verify import apart

    found = [entry for book in apart.books(books or (None,)) for entry in book.entries]
    return {
        "claims": [
            {
                "id": entry.claim.id,
                "chapter": entry.chapter,
                "expected": entry.claim.expected.value,
                "title": entry.claim.title,
            }
            for entry in found
        ]
    }


def verify(ids: Sequence[str], books: Sequence[str] = ()) -> Answer:
    """The verdicts of today."""
    from ddtheory.verify import apart, report

    return report.document(apart.verdicts(books or (None,), ids))
