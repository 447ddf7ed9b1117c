"""Thresholds against computer algebra systems that know nothing of this project: Macaulay2 and Singular.

They compute over ℂ, so the reference table says for which germs the two fields agree. A real threshold is never smaller
than the complex one, which holds for every germ and needs no table.
"""

from __future__ import annotations

import random
from fractions import Fraction

import pytest
from reference import ReferenceGerm, germs
from reference.systems import INSTALL, local_threshold, program_of, threshold

import ddtheory

pytestmark = pytest.mark.peer

LIMIT = 10.0  # seconds; nearly all germs of the sample take less than one
COMPARED = [
    germ for germ in germs() if germ.complex_threshold is not None and not germ.at and len(germ.variables) <= 4
][::6]  # the whole table is compared by benchmarks/thresholds.py


def _needs(system: str) -> None:
    if program_of(system) is None:
        pytest.skip(f"{system} is not installed. Get it as {INSTALL[system]}.")


@pytest.mark.parametrize("system", INSTALL)
@pytest.mark.parametrize("germ", COMPARED, ids=str)
def test_the_table_has_the_complex_threshold(system: str, germ: ReferenceGerm) -> None:
    _needs(system)
    found = threshold(system, germ.variables, germ.generators, LIMIT)
    if found.value is None:
        pytest.skip(f"{system}: {found.failure}")
    assert found.value == germ.complex_threshold


@pytest.mark.parametrize("germ", COMPARED, ids=str)
def test_rlct_against_macaulay2(germ: ReferenceGerm) -> None:
    """Equal where the fields agree, strictly larger over the reals where the table says so."""
    _needs("Macaulay2")
    found = threshold("Macaulay2", germ.variables, germ.generators, LIMIT)
    if found.value is None:
        pytest.skip(f"Macaulay2: {found.failure}")
    derivation = ddtheory.rlct(generators=germ.generators)
    if derivation.rlct is None:
        pytest.skip(f"Only bounds: {derivation.lower} to {derivation.upper}.")
    real = 2 * derivation.rlct.lam
    assert real == found.value if germ.complex_threshold == 2 * germ.lam else real > found.value


def _plane_germ(seed: int) -> str:
    """A random reduced plane germ without a linear part, some of it in sheared coordinates."""
    draw = random.Random(seed)
    degree = draw.randint(2, 4)
    terms = [f"{draw.choice((-2, -1, 1, 3))}*x^{degree}", f"{draw.choice((-3, -1, 1, 2))}*y^{draw.randint(degree, 7)}"]
    for _ in range(draw.randint(0, 3)):
        a = draw.randint(0, 4)
        terms.append(f"{draw.choice((-2, -1, 1, 2))}*x^{a}*y^{draw.randint(max(0, degree + 1 - a), 5)}")
    text = " + ".join(terms)
    if draw.random() < 0.5:
        shift = draw.choice(("y", "y^2", "2*y - y^2", "-y^3"))
        text = text.replace("x", f"(x + {shift})")
    return text


@pytest.mark.parametrize("seed", range(40))
def test_random_plane_germs_against_singular(seed: int) -> None:
    """In two variables the local thresholds over ℝ and ℂ agree: roots off the real axis come in conjugate pairs."""
    _needs("Singular")
    text = _plane_germ(seed)
    found = local_threshold(("x", "y"), text, LIMIT)
    if found.value is None:
        pytest.skip(f"Singular: {found.failure}")
    derivation = ddtheory.rlct(generators=[text])
    assert 2 * derivation.lower.value <= found.value <= 2 * derivation.upper.value
    if derivation.rlct is not None:
        assert 2 * derivation.rlct.lam == found.value


def _ideal(seed: int) -> list[str]:
    draw = random.Random(1000 + seed)
    names = ("x", "y", "z")
    monomial = lambda: "*".join(f"{name}^{draw.randint(0, 2)}" for name in names)  # noqa: E731
    return [
        f"{draw.choice(names)}*({monomial()} - {draw.randint(1, 2)}*{monomial()}*{draw.choice(names)})" for _ in "ab"
    ]


@pytest.mark.parametrize("seed", range(20))
def test_a_real_threshold_is_never_below_the_complex_one(seed: int) -> None:
    _needs("Singular")
    generators = _ideal(seed)
    found = threshold("Singular", ("x", "y", "z"), generators, LIMIT)
    if found.value is None:
        pytest.skip(f"Singular: {found.failure}")
    derivation = ddtheory.rlct(generators=generators)
    assert 2 * derivation.upper.value >= found.value


@pytest.mark.parametrize("system", INSTALL)
def test_a_wrong_threshold_is_seen(system: str) -> None:
    """The control: the systems tell the cusp from the double line, and the field from the reals."""
    _needs(system)
    assert threshold(system, ("x", "y"), ["x^2 - y^3"], LIMIT).value == Fraction(5, 6)
    assert threshold(system, ("x", "y"), ["(x - y)^2"], LIMIT).value == Fraction(1, 2)
    assert threshold(system, ("x", "y", "z"), ["x^2 + y^2 + z^2"], LIMIT).value == 1
