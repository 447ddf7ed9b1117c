"""The table of reference germs against what any right pair must satisfy, without the code that it will judge."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import pytest
import sympy

from ddtheory.exact.numbers.parse import parse_expression
from reference import ReferenceGerm, germs

TABLE = germs()


def _series_order(germ: ReferenceGerm, text: str) -> int:
    """The order of vanishing at the point along a generic line, which is the multiplicity there."""
    t = sympy.Symbol("t", real=True)
    slopes = [sympy.Rational(7 + 3 * i, 5 + i) * (-1) ** i for i in range(len(germ.variables))]
    line = {
        sympy.Symbol(name, real=True): sympy.Rational(str(germ.at.get(name, 0))) + slope * t
        for name, slope in zip(germ.variables, slopes, strict=True)
    }
    value = parse_expression(text).subs(line, simultaneous=True)
    if not value.is_polynomial(t):
        value = sympy.series(value, t, 0, 8).removeO()
    return min(power for (power,) in sympy.Poly(value, t).monoms())


def _order(germ: ReferenceGerm) -> int:
    """The order of K."""
    if germ.divergence:
        return _series_order(germ, germ.divergence)
    return 2 * min(_series_order(germ, generator) for generator in germ.generators)


def _faults(germ: ReferenceGerm) -> list[str]:
    order, dimension = _order(germ), len(germ.variables)
    discrepancy = dimension + sum(germ.prior.values())
    plain = not germ.prior and not germ.nonnegative
    conditions = {
        "K vanishes at the point": order > 0,
        "the blow-up of the point bounds λ from above": germ.lam <= Fraction(discrepancy) / order,
        "a curve of multiplicity d has λ ≥ 1/d": not plain or germ.lam >= Fraction(1, order),
        "m is at most the number of variables": 1 <= germ.m <= dimension,
        "the complex threshold is at most the real one": (germ.complex_threshold or 0) <= 2 * germ.lam,
        "a prior is integrable": all(h > -1 for h in germ.prior.values()),
    }
    return [name for name, holds in conditions.items() if not holds]


@pytest.mark.parametrize("germ", TABLE, ids=str)
def test_what_every_pair_satisfies(germ: ReferenceGerm) -> None:
    names = {symbol.name for text in (germ.divergence, *germ.generators) if text for symbol in _symbols(text)}
    assert names <= set(germ.variables)
    assert {*germ.prior, *germ.at, *germ.nonnegative} <= set(germ.variables)
    assert bool(germ.divergence) != bool(germ.generators)
    assert germ.source and germ.conversion
    assert not _faults(germ)


def test_a_wrong_pair_is_seen() -> None:
    """The control: λ of |f| in place of K, and one logarithm too many, violate a condition somewhere."""
    by_name = {germ.name: germ for germ in TABLE}
    braid = by_name["braid arrangement, n = 3"]
    assert _faults(dataclasses.replace(braid, lam=2 * braid.lam))
    assert _faults(dataclasses.replace(by_name["normal crossing"], m=4))
    assert _faults(dataclasses.replace(by_name["double line"], lam=Fraction(1, 4)))


def test_names_are_unique_and_families_are_all_there() -> None:
    assert len({str(germ) for germ in TABLE}) == len(TABLE) == 361
    assert len({germ.family for germ in TABLE}) == 20
    assert sum(germ.complex_threshold is not None for germ in TABLE) > 200
    assert any(germ.complex_threshold not in (None, 2 * germ.lam) for germ in TABLE)


def test_reflection_arrangements_by_their_integrals() -> None:
    """∏ Γ(1 + d_i g)/Γ(1 + g) is E|f|^{2g}: its first pole is g = −1/max d_i, and λ(f²) = max g with a pole."""
    degrees = {
        "braid arrangement, n = 3": [2, 3],
        "braid arrangement, n = 4": [2, 3, 4],
        "braid arrangement, n = 5": [2, 3, 4, 5],
        "B2": [2, 4],
        "B3": [2, 4, 6],
        "D3": [2, 3, 4],
        "D4 arrangement": [2, 4, 4, 6],
    }
    for germ in TABLE:
        if germ.name in degrees:
            largest = max(degrees.pop(germ.name))
            assert (germ.lam, germ.m) == (Fraction(1, largest), 1)
    assert not degrees


def test_products_with_one_input_by_their_zeta_function() -> None:
    """E‖W_L ⋯ W_1‖^{2z} ∝ ∏ Γ(d_k/2 + z): λ = min d_k/2, and m counts the layers that attain it."""
    seen = 0
    for germ in TABLE:
        words = germ.name.removesuffix(" at zero")
        if germ.family == "matrix products in raw entries" and words.startswith("widths 1, ") and "at" not in words:
            widths = [int(width) for width in words.removeprefix("widths ").split(", ")][1:]
            assert (germ.lam, germ.m) == (Fraction(min(widths), 2), widths.count(min(widths)))
            seen += 1
    assert seen == 10


def _symbols(text: str) -> set[sympy.Symbol]:
    return parse_expression(text).free_symbols


def test_the_generic_line_is_generic() -> None:
    """The order on the line is the multiplicity: by hand on three germs."""
    by_name = {germ.name: germ for germ in TABLE}
    orders = [_order(by_name[name]) for name in ("sphere", "B3", "sine minus its argument")]
    assert orders == [2, 2 * 9, 6]
