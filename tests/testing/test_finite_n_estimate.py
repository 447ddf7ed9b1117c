"""The estimate that proves nothing, against values that are proven or in closed form."""

from __future__ import annotations

import math

import pytest

import ddtheory as dd
from ddtheory.errors import InvalidValueError, UndecidedError
from ddtheory.testing.conformance import finite_n_estimate

CASES = [
    ("x^2*y^2", {}, lambda t: float(dd.finite_n((2, 2), t).learning_coefficient)),
    ("x^2 + y^4", {}, lambda t: float(dd.finite_n_germ("x^2 + y^4", t).learning_coefficient)),
    # Gaussian in five variables: d/2 · t/(t + γ/2)
    ("+".join(f"x{i}^2" for i in range(5)), {"localisation": 20, "half_width": 2}, lambda t: 2.5 * t / (t + 10)),
    # a ball in four variables: the moments of r³ e^{−tr²} are incomplete Γ functions of 2 and 3
    (
        "+".join(f"x{i}^2" for i in range(4)),
        {"radius": "1/2"},
        lambda t: (2 - (2 + 2 * t / 4 + (t / 4) ** 2) * math.exp(-t / 4)) / (1 - (1 + t / 4) * math.exp(-t / 4)),
    ),
]


@pytest.mark.parametrize(("text", "domain", "exact"), CASES, ids=lambda value: str(value)[:12])
def test_the_interval_holds_what_is_known(text: str, domain: dict[str, object], exact: object) -> None:
    found = finite_n_estimate(text, 20, within="1/50", **domain)
    assert found.learning_coefficient.contains(exact(20))  # type: ignore[operator]
    assert found.learning_coefficient.width <= 2 / 50 * found.learning_coefficient.estimate
    assert not found.learning_coefficient.contains(1.1 * exact(20))  # type: ignore[operator]


def test_z_too() -> None:
    found = finite_n_estimate("x^2 + y^2", 30, radius=1, within="1/50")
    assert found.evidence.contains(math.pi * (1 - math.exp(-30)) / 30)
    assert finite_n_estimate("x^2*y^2", 20, half_width=3, within="1/20").evidence.contains(
        float(dd.finite_n_germ("x^2*y^2", 20, half_width=3).evidence)
    )


def test_intervals_are_honest_over_seeds() -> None:
    """Of a hundred intervals at 99.9 % hardly one misses; at a quarter of their width many would."""
    exact = float(dd.finite_n((2, 2), 50).learning_coefficient)
    found = [finite_n_estimate("x^2*y^2", 50, within="1/10", seed=seed).learning_coefficient for seed in range(100)]
    assert sum(not one.contains(exact) for one in found) <= 1
    assert sum(abs(one.estimate - exact) > one.width / 8 for one in found) > 10


@pytest.mark.parametrize(
    ("text", "domain", "call"),
    [
        ("(x^2 + y^2 - z^2)^2 + x^6", {}, "half_width='1'"),
        ("(x*y*z - 1)^2", {"half_width": 2}, "half_width='2'"),
        ("(x^3 + y^3 - z^3)^2", {"half_width": "1/2", "variance": "1/7"}, "half_width='1/2', localisation='7'"),
        ("(x^2 + y^2 - z^2)^2 + z^6", {"radius": "3/2"}, "radius='3/2'"),
        ("x^2*y^2*z^2 + x^6", {"box": {"x": (0, 1)}}, None),  # domains that the estimate does not have
        ("x^2*y^2*z^2 + x^6", {"prior": {"x": 1}}, None),
        ("x^2*y^2*z^2 + x^6", {"half_width": 1, "variance": 1, "centre": {"x": "1/2"}}, None),
        ("(x^2 + y^2 - z^2)^2 + x^6", {"variance": 1}, None),
    ],
)
def test_what_could_not_be_proven_says_how_it_is_measured(text: str, domain: dict[str, object], call: str) -> None:
    with pytest.raises(UndecidedError) as caught:
        dd.finite_n_germ(text, 10**8, seconds=0.02, **domain)  # type: ignore[arg-type]
    says = str(caught.value)
    assert (f"finite_n_estimate(K, nβ, {call})" in says) if call else "finite_n_estimate" not in says


def test_a_sweep_says_it_too_and_what_it_says_is_the_same_question() -> None:
    """K = Σ w⁴ under a Gaussian of γ = 3 in a box of width 1/2, against three times the value in one variable."""
    text, domain = "x^4 + y^4 + z^4", {"half_width": "1/2"}
    with pytest.raises(UndecidedError, match="localisation='3'"):
        dd.finite_n_sweep(text, [50], localisations=[3], seconds=0.001, **domain)
    found = finite_n_estimate(text, 50, within="1/20", half_width="1/2", localisation="3").learning_coefficient
    exact = 3 * float(dd.finite_n_germ("x^4", 50, variance="1/3", half_width="1/2").learning_coefficient)
    assert found.contains(exact) and not found.contains(1.1 * exact)


def test_one_point_in_a_valley_decides_nothing() -> None:
    """With this seed one of 4096 points is in the valley: λ = 0.63 ± 0.06 by that one, and Z = 0.02 ± 0.08."""
    try:
        found = finite_n_estimate("(x - y)^2", 10**6, within="1/10", seed=1, seconds=0.3)
    except UndecidedError as error:
        assert "limit" in str(error)
    else:
        assert found.learning_coefficient.contains(0.5) and found.evidence.lower > 0


@pytest.mark.parametrize(
    ("text", "n_beta", "within"),
    [("exp(x) - 1 - x", 10**16, "1/2"), ("1 - cos(x)", 10**17, "1/2"), ("log(1 + x^2)", 10**17, "9/10")],
)
def test_differences_that_cancel_in_floats(text: str, n_beta: int, within: str) -> None:
    """λ is 1/2 for all of them, and a few units in the last place of 1 are more than 1/nβ."""
    assert finite_n_estimate(text, 10**6, within="1/10").learning_coefficient.contains(0.5)
    with pytest.raises(UndecidedError, match="too few digits"):
        finite_n_estimate(text, n_beta, within=within)


def test_where_every_weight_is_zero_there_is_no_ratio() -> None:
    with pytest.raises(UndecidedError, match="nowhere small"):
        finite_n_estimate("x^2 + 1", 10**4)


def test_a_seed_is_an_answer_and_the_words_say_what_it_is() -> None:
    one, other = (finite_n_estimate("x^2*y^2", 20, within="1/20", seed=3) for _ in range(2))
    assert one == other != finite_n_estimate("x^2*y^2", 20, within="1/20", seed=4)
    assert "not proven" in str(one) and all("not proven" in name for name in list(one.rows())[1:3])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("+".join(f"x{i}^2" for i in range(9)), 10), "9 variables"),
        (("x^2 - y^2", 10), "not negative"),
        (("x^2", 0), "must be positive"),
    ],
)
def test_what_means_nothing(arguments: tuple[str, int], says: str) -> None:
    with pytest.raises(InvalidValueError, match=says):
        finite_n_estimate(*arguments)
    with pytest.raises(InvalidValueError, match="within"):
        finite_n_estimate("x^2", 10, within=2)


def test_the_limit_of_time_says_what_is_there() -> None:
    with pytest.raises(UndecidedError, match="not proven"):
        finite_n_estimate("x^2*y^2*z^2*u^2", 10**9, within="1/10000", seconds=0.1)
