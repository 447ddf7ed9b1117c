"""The calculus of orders itself: against polynomials, against hand computation, and its closed forms in symbols."""

from __future__ import annotations

import itertools
from fractions import Fraction

import pytest
import sympy
import torch
from hypothesis import given
from hypothesis import strategies as st
from sympy import Min, oo
from torch import nn

from ddtheory.errors import InvalidValueError, UnknownNameError
from ddtheory.exact.orders.valuation import (
    ACTIVATIONS,
    Guarantee,
    Quantity,
    Valuation,
    as_power,
    iterate,
    least,
    lowest,
    power,
    smallest,
    total,
)
from ddtheory.networks import network_orders

T = sympy.Symbol("t", positive=True)
FUNCTIONS = {
    "identity": lambda z: z,
    "squared_relu": lambda z: z**2,  # of positive arguments
    "relu": lambda z: z,
    "square": lambda z: z**2,
    "tanh": sympy.tanh,
    "gelu": lambda z: z * (1 + sympy.erf(z / sympy.sqrt(2))) / 2,
    "silu": lambda z: z / (1 + sympy.exp(-z)),
    "sigmoid": lambda z: 1 / (1 + sympy.exp(-z)),
    "softplus": lambda z: sympy.log(1 + sympy.exp(z)),
    "exp": sympy.exp,
}


@st.composite
def polynomials(draw: st.DrawFn) -> sympy.Expr:
    """Σ c t^e with c > 0 and small whole e: sums and products of these never cancel."""
    terms = draw(st.dictionaries(st.integers(0, 5), st.integers(1, 3), min_size=1, max_size=3))
    return sympy.Add(*[coefficient * T**exponent for exponent, coefficient in terms.items()])


def valuation(polynomial: sympy.Expr) -> Quantity:
    """Read off the coefficients."""
    exponents = [sympy.degree(term, T) for term in sympy.Add.make_args(sympy.expand(polynomial))]
    moving = [e for e in exponents if e > 0]
    return Quantity(Valuation(0 if 0 in exponents else oo), Valuation(min(moving) if moving else oo))


@given(left=polynomials(), right=polynomials())
def test_sums_and_products_of_polynomials(left: sympy.Expr, right: sympy.Expr) -> None:
    a, b = valuation(left), valuation(right)
    assert total([a, b], independent=True) == valuation(left + right)
    assert a.times(b, independent=True) == valuation(left * right)


@given(left=polynomials(), right=polynomials(), sign=st.sampled_from([-1, 1]))
def test_bounds_hold_when_terms_cancel(left: sympy.Expr, right: sympy.Expr, sign: int) -> None:
    found, truth = valuation(left) + valuation(right), valuation(left + sign * right) if left != right else None
    if truth is not None:
        assert truth.deviation.value >= found.deviation.value
        assert truth.deviation == found.deviation or not found.deviation.exact
        assert truth.order == found.order or not found.order.exact


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("inner", [T**2, 3 + T, 1 + T**3])
def test_activations_against_series(name: str, inner: sympy.Expr) -> None:
    function = FUNCTIONS[name](inner)
    at_zero = sympy.limit(function, T, 0)
    moved = sympy.series(function - at_zero, T, 0, 6).removeO()
    exponent = min(sympy.degree(term, T) for term in sympy.Add.make_args(sympy.expand(moved)))
    found = valuation(inner).through(name)
    assert found.deviation == Valuation(exponent)
    assert found.start == Valuation(oo if at_zero == 0 else 0)


def test_bounds_stay_bounds() -> None:
    t, one = Quantity.parameter(1), Quantity.parameter(0)
    cancelling = one + one  # may be zero at t = 0
    assert not cancelling.start.exact and not cancelling.order.exact
    assert not (t + t).order.exact
    assert not ((one + t) * (one + t)).deviation.exact  # (1 + t)(1 − t)
    assert (one + t).order.exact
    assert not (cancelling + t).through("square").deviation.exact
    assert str(((t + t) * t).order) == "≥ 2"
    assert (t + t + one * t * t).order == Valuation(1, Guarantee.AT_LEAST)


def test_a_bound_does_not_spoil_what_is_certainly_lower() -> None:
    assert least([Valuation(1), Valuation(2, Guarantee.AT_LEAST)]) == Valuation(1)
    assert least([Valuation(1, Guarantee.AT_LEAST), Valuation(2)]) == Valuation(1, Guarantee.AT_LEAST)
    assert least([]) == least([Valuation(oo)]) == Valuation(oo)
    assert Valuation(oo) + Valuation(3, Guarantee.AT_LEAST) == Valuation(oo)


def test_symbols_of_depth() -> None:
    """Chain: L − l above layer l. SwiGLU: 3(2^n − 1). The attention probe: min(4k, 4p + 8)."""
    n, k = sympy.symbols("n k", positive=True, integer=True)
    p = sympy.Symbol("p", nonnegative=True, integer=True)
    assert iterate(Valuation(0), shift=1, times=n).value == n
    assert iterate(Valuation(1), scale=2, shift=0, times=n).value == 2**n
    for depth in range(5):
        order = Valuation(0)
        for _ in range(depth):
            order = 2 * order + Valuation(3)
        assert iterate(Valuation(0), scale=2, shift=3, times=n).value.subs(n, depth) == order.value
    above, route = iterate(Valuation(0), shift=2, times=k), iterate(Valuation(0), shift=2, times=p + 1) + Valuation(2)
    probe = 2 * least([above, route], independent=True)
    assert probe == Valuation(Min(4 * k, 4 * p + 8))
    assert not (2 * least([above, route])).exact  # without genericity, k = p + 2 can cancel
    assert [probe.value.subs({p: 0, k: depth}) for depth in range(1, 5)] == [4, 8, 8, 8]


def test_minima() -> None:
    a, b = sympy.symbols("a b", positive=True)
    k = sympy.Symbol("k", positive=True, integer=True)
    assert smallest([a, a + b]) == a
    assert smallest([a, b]) == Min(a, b)
    assert smallest([k, sympy.Integer(1)]) == 1
    assert lowest([k, sympy.Integer(1)]) == [k, 1]  # a tie at k = 1 can cancel
    assert not least([Valuation(k), Valuation(1)]).exact
    assert Valuation(Min(a, b)) + Valuation(a) == Valuation(Min(2 * a, a + b))
    assert 2 * Valuation(Min(a, 1)) == Valuation(Min(2 * a, 2))


@pytest.mark.parametrize("bad", [-1, 0.5, "1", None, float("nan"), sympy.Float(0.5), sympy.Symbol("x"), sympy.nan, 1j])
def test_bad_powers(bad: object) -> None:
    with pytest.raises(InvalidValueError, match=r"exact|negative"):
        power(bad)


def test_powers_as_users_write_them() -> None:
    assert as_power(True) == 1
    assert as_power(torch.tensor(2)) == 2
    assert as_power(Fraction(1, 3)) == sympy.Rational(1, 3)
    k = sympy.Symbol("k", positive=True, integer=True)
    assert power(k - 1) == k - 1  # non-negative for every positive integer
    with pytest.raises(InvalidValueError, match="may be 0 or positive"):
        Quantity.parameter(k - 1)
    with pytest.raises(UnknownNameError, match="tanh"):
        Quantity.parameter(1).through("tahn")


def test_the_calculus_entry_by_entry_agrees_with_the_reading_of_a_module() -> None:
    """A slow twin: a tanh network written out in scalars, with generic coefficients."""
    generator = torch.Generator().manual_seed(5)
    for seed in range(6):
        torch.manual_seed(seed)
        widths = [2, 3, 3, 2]
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise(widths):
            layers += [nn.Linear(before, after), nn.Tanh()]
        network = nn.Sequential(*layers)
        powers = {
            name: torch.randint(0, 4, parameter.shape, generator=generator)
            for name, parameter in network.named_parameters()
        }
        values = [Quantity(Valuation(0), Valuation(oo))] * widths[0]
        for i in range(3):
            weight, bias = powers[f"{2 * i}.weight"].tolist(), powers[f"{2 * i}.bias"].tolist()
            sums = [
                total(
                    [Quantity.parameter(w).times(v, independent=True) for w, v in zip(row, values, strict=True)]
                    + [Quantity.parameter(b)],
                    independent=True,
                )
                for row, b in zip(weight, bias, strict=True)
            ]
            values = [value.through("tanh") for value in sums]
        orders = network_orders(network, powers)
        assert [value.order for value in values] == list(orders.activations["5"].flat)
        assert [value.deviation for value in values] == list(orders.deviations["5"].flat)
        assert 2 * least((value.deviation for value in values), independent=True) == orders.divergence
