"""The certificates of even orders on record, by sampling, and the uniform bound behind the rest."""

from __future__ import annotations

import doctest
import importlib.util
from fractions import Fraction
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddtheory.errors import InvalidValueError
from ddtheory.exact.fluctuation.nu import fluctuation_from_lambda
from ddtheory.verify import locating
from ddtheory.workbench import fluctuation_excess
from ddtheory.workbench.fluctuation_excess import UNIFORM_FROM, excess, uniform_margin


@pytest.fixture(scope="module")
def claim() -> ModuleType:
    spec = importlib.util.spec_from_file_location("nu_even", locating.locate() / "fluctuation" / "nu_even.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_there_is_one_for_every_even_order_up_to_1000(claim: ModuleType) -> None:
    bounds = claim.certificates()
    assert sorted(bounds) == list(range(2, 1001, 2))
    assert all(bound > 0 for bound in bounds.values())


@settings(max_examples=12)
@given(half=st.integers(1, 500))
def test_a_sample_is_proven_again(claim: ModuleType, half: int) -> None:
    k = 2 * half
    bound = claim.certificates()[k]
    assert bound <= excess(Fraction(1, 2 * k), digits=15).lower
    assert not claim.failures({k: bound}, [k])
    assert claim.failures({k: bound * 2}, [k]) == [k]
    assert claim.failures({}, [k]) == [k]


@pytest.mark.slow
def test_all_are_proven_again(claim: ModuleType) -> None:
    assert claim.main([]) == 0


def test_the_uniform_bound_covers_the_rest(claim: ModuleType) -> None:
    assert uniform_margin(Fraction(1, UNIFORM_FROM)) > 0
    assert UNIFORM_FROM <= claim.LARGEST + 2


@settings(max_examples=10)
@given(st.fractions(min_value="1/3000", max_value="1/20", max_denominator=3000))
def test_the_uniform_bound_is_a_bound(a: Fraction) -> None:
    """E Var/a − 1 ≥ margin(1/20) at every a ≤ 1/20, and margins grow as a0 falls."""
    ratio = 2 * fluctuation_from_lambda(a / 2, "one", digits=10).midpoint / a - 1
    assert ratio >= uniform_margin(a) >= uniform_margin(Fraction(1, 20)) - Fraction(1, 10**12)


def test_bad_bounds_are_refused() -> None:
    for arguments in ((0,), (2,), (Fraction(1, 20), 0)):
        with pytest.raises(InvalidValueError, match="uniform bound"):
            uniform_margin(*arguments)


def test_the_examples_of_the_docstrings() -> None:
    assert doctest.testmod(fluctuation_excess).failed == 0
