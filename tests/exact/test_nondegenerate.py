"""Faces against a second description of them, and the Newton rule on germs that published tools once got wrong."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st
from sympy import Poly, symbols

from ddtheory.errors import InvalidValueError
from ddtheory.exact.thresholds.nondegenerate import newton_bound
from ddtheory.exact.thresholds.polyhedra.faces import compact_faces, facet_normals
from ddtheory.values import RLCT

x, y, z = symbols("x y z")


def polynomials(*expressions: sympy.Expr) -> list[dict[tuple[int, ...], Fraction]]:
    return [{monomial: Fraction(int(c.p), int(c.q)) for monomial, c in Poly(e, x, y, z).terms()} for e in expressions]


@st.composite
def supports(draw: st.DrawFn) -> list[tuple[int, ...]]:
    dimension = draw(st.integers(1, 3))
    return draw(st.lists(st.tuples(*[st.integers(0, 6)] * dimension), min_size=1, max_size=8, unique=True))


@given(supports(), st.data())
def test_every_positive_weight_selects_a_compact_face(support: list, data: st.DataObject) -> None:
    """Compact faces are exactly the sets on which some weight with all entries positive is smallest."""
    faces = compact_faces(support)
    weight = [data.draw(st.fractions(min_value=Fraction(1, 8), max_value=8, max_denominator=8)) for _ in support[0]]
    values = {point: sum(w * e for w, e in zip(weight, point, strict=True)) for point in support}
    selected = frozenset(point for point, value in values.items() if value == min(values.values()))
    assert selected in [face.exponents for face in faces]
    normals = facet_normals(support)
    for face in faces:  # and each is selected by the sum of the normals of the facets through it
        through = [
            n
            for n in normals
            if min(_dot(n, point) for point in support) == max(_dot(n, point) for point in face.exponents)
        ]
        inner = [sum(column) for column in zip(*through, strict=True)]
        assert min(inner) > 0
        least = min(_dot(inner, point) for point in support)
        assert face.exponents == {point for point in support if _dot(inner, point) == least}


def _dot(normal: object, point: tuple[int, ...]) -> Fraction:
    return sum((n * e for n, e in zip(normal, point, strict=True)), Fraction(0))  # type: ignore[call-overload]


# generators, λ and m of K = Σ f², whether the bound is the truth
GERMS = [
    ((x * y,), "1/2", 2, True),
    ((x**2 + y**2,), "1/2", 1, True),  # (x² + y²)²: 2/4
    ((x, y, z), "3/2", 1, True),
    ((x**2 + y**2 + z**2,), "3/4", 1, True),  # real, against 1/2 over ℂ
    ((x - y,), "1/2", 1, True),  # a smooth zero set: the cap at κ = 1, not ℓ = 2
    ((x + y**2, z), "5/4", 1, False),  # truth 1: facets alone would pass
    ((x**2, y**3), "5/12", 1, True),
    ((x * y, y * z, z * x), "3/4", 1, True),
    ((x**2 - y**2,), "1/2", 2, True),  # a crossing: the zero set meets the divisor that attains ℓ = 1
    ((x**2 + x * y + y**2,), "1/2", 1, True),  # definite: complex zeros only
    ((x**3 + y**3, x * y), "1/2", 2, True),  # both edges end at (1, 1), where xy alone does not vanish
]


@pytest.mark.parametrize(("generators", "lam", "m", "exact"), GERMS, ids=str)
def test_germs(generators: tuple, lam: str, m: int, exact: bool) -> None:
    found = newton_bound(polynomials(*generators))
    assert (found.rlct, found.exact) == (RLCT(Fraction(lam), m), exact)


def test_the_open_face_names_the_place() -> None:
    found = newton_bound(polynomials(x + y**2, z))
    assert {frozenset({(1, 0, 0), (0, 2, 0)})} == {face.exponents for face in found.open_faces if face.dimension == 1}


def test_a_face_in_a_sublattice() -> None:
    """x⁴ − 2x²y² + y⁴ is (u − 1)² in u = x²/y²: degenerate; with + signs it is definite."""
    assert not newton_bound(polynomials(x**4 - 2 * x**2 * y**2 + y**4)).exact
    assert newton_bound(polynomials(x**4 + 2 * x**2 * y**2 + y**4)).exact
    # (x³ + y³)²: a double zero at x = −y, but 1/2 > ℓ = 1/3, so it does not govern
    found = newton_bound(polynomials((x**3 + y**3) ** 2))
    assert found.exact and found.rlct == RLCT(Fraction(1, 6))


def test_bad_input() -> None:
    for generators in ([], [{}], [{(0, 0): Fraction(1)}]):
        with pytest.raises(InvalidValueError):
            newton_bound(generators)
