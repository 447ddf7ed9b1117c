"""Pairs of models with values from elsewhere: the literature, the catalogue of cells, or a computation by hand."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from fractions import Fraction

import pytest

import ddtheory as dd
from ddtheory import cells, models
from ddtheory.errors import InvalidValueError, UndecidedError
from ddtheory.values import RLCT

GENERIC = {"x": "generic"}


def pair(lam: str, m: int = 1) -> RLCT:
    return RLCT(Fraction(lam), m)


def units(shape: str, count: int) -> str:
    """Σ a_i φ(b_i x)."""
    return " + ".join(shape.format(a=f"a{i}", z=f"b{i}*x") for i in range(1, count + 1))


TANH, SILU, GELU = "{a}*tanh({z})", "{a}*{z}/(1 + exp(-{z}))", "{a}*{z}*(1 + erf({z}/sqrt(2)))/2"


def layer(shape: str, count: int) -> models.Model:
    return models.regression(units(shape, count), inputs=GENERIC, truth=0)


def reduced_rank(rows: int, hidden: int, columns: int) -> models.Model:
    entries = [" + ".join(f"b{i}{k}*a{k}{j}" for k in range(hidden)) for i in range(rows) for j in range(columns)]
    return models.regression(entries, truth=0)


# Aoyagi 2009, Aoyagi and Watanabe 2005, and by hand, as the comments say
BY_HAND: dict[str, tuple[Callable[[], models.Model], RLCT]] = {
    "tanh, two units": (lambda: layer(TANH, 2), pair("2/3")),
    "tanh, three units": (lambda: layer(TANH, 3), pair("5/6")),
    "2 × 2 × 2 at rank 0": (lambda: reduced_rank(2, 2, 2), pair("3/2")),
    "1 × 1 × 1 at rank 0": (lambda: reduced_rank(1, 1, 1), pair("1/2", 2)),
    # one unit at the teacher is regular (2/2), the other one at zero adds a·b: 1 + 1/2
    "tanh, two units, one is the teacher": (
        lambda: models.regression(units(TANH, 2), inputs=GENERIC, truth={"a1": 1, "b1": 1}),
        pair("3/2", 2),
    ),
    # both at the teacher: Σ a, Σ a b regular, the variance of b to the second power: 1 + 1/4
    "tanh, two units at one teacher": (
        lambda: models.regression(units(TANH, 2), inputs=GENERIC, truth={"a1": "1/2", "b1": 1, "a2": "1/2", "b2": 1}),
        pair("5/4"),
    ),
    # a φ(c), a b φ′(c), …: a ⟨b, c⟩
    "tanh with a bias": (lambda: models.regression("a*tanh(b*x + c)", inputs=GENERIC, truth=0), pair("1/2")),
    # (c + a b, a b³)
    "tanh beside a line": (lambda: models.regression("c*x + a*tanh(b*x)", inputs=GENERIC, truth=0), pair("2/3")),
    # a ⟨b, c⟩ in two inputs
    "tanh of two inputs": (
        lambda: models.regression("a*tanh(b*x + c*y)", inputs={"x": "generic", "y": "generic"}, truth=0),
        pair("1/2"),
    ),
    "nested tanh": (lambda: models.regression("a*tanh(b*tanh(c*x))", inputs=GENERIC, truth=0), pair("1/2", 3)),
    "a swish gate": (
        lambda: models.regression("a*(b*x)*(c*x)/(1 + exp(-b*x))", inputs=GENERIC, truth=0),
        pair("1/2", 3),
    ),
    # softplus at b = 0 has a value: c + a log 2, and a b
    "softplus with an offset": (
        lambda: models.regression("c + a*log(1 + exp(b*x))", inputs=GENERIC, truth=0),
        pair("1", 2),
    ),
    # THEORY: −½ log(1 + 2xy) − ½ log(1 − 2xy)
    "a coin with ab": (lambda: models.finite(["1/2 + a*b", "1/2 - a*b"], truth=["1/2", "1/2"]), pair("1/2", 2)),
    # K = p − log-free part: K = −log(1 − p) ~ p at a truth that excludes the outcome
    "an impossible outcome, squared": (lambda: models.finite(["a^2", "1 - a^2"], truth=[0, 1]), pair("1/2")),
    "an impossible outcome of a product": (
        lambda: models.finite(["a^2*b^2", "1 - a^2*b^2"], truth=[0, 1]),
        pair("1/2", 2),
    ),
    # N(0, I + vvᵀ) at v = 0: Σ − I = vvᵀ, all v_i v_j
    "one factor": (
        lambda: models.gaussian(0, [["1 + a^2", "a*b"], ["a*b", "1 + b^2"]], truth={}),
        pair("1/2"),
    ),
    # μ = m, Σ = 1 + s²: m regular, s²
    "mean and variance": (lambda: models.gaussian("m", "1 + s^2", truth=[0, 1]), pair("3/4")),
    # two hidden coins, where one probability is seen: a regular line
    "two coins, one seen": (
        lambda: models.mixture(
            ["s", "1 - s"], [["p", "1 - p"], ["q", "1 - q"]], truth={"s": "1/2", "p": "1/2", "q": "1/2"}
        ),
        pair("1/2"),
    ),
    # moments of ±1: x² is 1, and a + b x² is a + b
    "a sign as input": (
        lambda: models.regression("a + b*x^2", inputs={"x": {"moments": [1, 0, 1, 0, 1]}}, truth=0),
        pair("1/2"),
    ),
    "a Gaussian input by its moments": (
        lambda: models.regression("a + b*x^2", inputs={"x": {"moments": [1, 0, 1, 0, 3]}}, truth=0),
        pair("1"),
    ),
    "rate of an exponential law": (
        lambda: models.exponential_family("-2 + t^3", family="exponential", truth=-2),
        pair("1/6"),
    ),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_pairs_from_elsewhere(name: str) -> None:
    make, expected = BY_HAND[name]
    found = make().rlct(seconds=20)
    assert found.rlct == expected and found.status == "exact" and not found.open
    assert found.checked


def naive_bayes(features: int) -> models.Model:
    """Binary features that are independent given a hidden binary class, around independence."""

    def joint(outcome: tuple[int, ...]) -> list[str]:
        classes = (("1/2 + s", "p"), ("1/2 - s", "q"))
        return [
            "*".join([f"({share})", *(f"(1/2 {'+' if seen else '-'} {letter}{i})" for i, seen in enumerate(outcome))])
            for share, letter in classes
        ]

    outcomes = list(itertools.product((0, 1), repeat=features))
    return models.hidden([joint(outcome) for outcome in outcomes], truth=[f"1/{len(outcomes)}"] * len(outcomes))


def table(rows: int, columns: int) -> models.Model:
    """Two hidden classes of products of two laws, around the uniform table."""

    def law(letter: str, size: int) -> list[str]:
        names = [f"{letter}{i}" for i in range(size - 1)]
        return [*(f"(1/{size} + {name})" for name in names), f"(1/{size} - {' - '.join(names)})"]

    classes = [
        [f"{a}*{b}" for a in law(left, rows) for b in law(right, columns)] for left, right in (("a", "b"), ("c", "d"))
    ]
    return models.mixture(["1/2 + t", "1/2 - t"], classes, truth=[f"1/{rows * columns}"] * (rows * columns))


def one_factor(covariates: int) -> models.Model:
    """Σ = I + diag v + l lᵀ."""
    rows = [[f"l{i}*l{j}" + (f" + 1 + v{i}" if i == j else "") for j in range(covariates)] for i in range(covariates)]
    return models.gaussian(0, rows, truth={})


def tosses(probability: str) -> list[str]:
    """The law of the number of heads in three tosses."""
    return [f"{binomial}*({probability})^{k}*(1 - ({probability}))^{3 - k}" for k, binomial in enumerate((1, 3, 3, 1))]


def normalised(size: int) -> list[str]:
    """(z − mean)/deviation of z = x + s."""
    z = [f"(x{i} + s{i})" for i in range(size)]
    mean = f"({' + '.join(z)})/{size}"
    deviation = "sqrt((" + " + ".join(f"({entry} - {mean})^2" for entry in z) + f")/{size})"
    return [f"({entry} - {mean})/{deviation}" for entry in z]


def star() -> models.Model:
    """Three leaves at one hidden centre: σ_ij = √(v_i v_j) r_i r_j."""
    rows = [[f"v{i}" if i == j else f"sqrt(v{i}*v{j})*r{i}*r{j}" for j in range(3)] for i in range(3)]
    return models.gaussian(0, rows, truth={f"v{i}": 1 for i in range(3)})


CELLS: dict[str, tuple[Callable[[], models.Model], Callable[[], cells.Cell]]] = {
    **{
        f"{name}, {count}": (
            lambda shape=shape, count=count: layer(shape, count),
            lambda name=name, count=count: cells.hidden_layer(activation=name, hidden=count),
        )
        for name, shape, most in (("tanh", TANH, 3), ("silu", SILU, 2), ("gelu", GELU, 2))
        for count in range(1, most + 1)
    },
    **{
        f"{family}, t^{k}": (
            lambda family=family, k=k: models.exponential_family(f"t^{k}", family=family, truth=0),
            lambda family=family, k=k: cells.exponential_curve(family=family, k=k),
        )
        for family in ("bernoulli", "poisson", "gaussian")
        for k in (1, 2, 3)
    },
    "reduced rank": (lambda: reduced_rank(2, 1, 2), lambda: cells.reduced_rank(inputs=2, hidden=1, outputs=2)),
    "softmax attention": (
        lambda: models.logits([f"q*k{j}*x" for j in (1, 2, 3)], inputs={"x": [1]}, truth=0),
        # one token's row of queries with one key each: that of a (1, 1) and a (1, 2) matrix
        lambda: cells.reduced_rank(inputs=1, hidden=1, outputs=2),
    ),
    "attention over two tokens": (
        lambda: models.logits(["q1*k1*x + q2*k1*y", "q1*k2*x + q2*k2*y"], inputs={"x": [1, 0], "y": [0, 1]}, truth=0),
        lambda: cells.attention_softmax(tokens=2, embedding=1),
    ),
    **{
        f"naive Bayes, {count}": (
            lambda count=count: naive_bayes(count),
            lambda count=count: cells.naive_bayes(features=count),
        )
        for count in (2, 3)
    },
    **{
        f"table, {size}": (
            lambda size=size: table(*size),
            lambda size=size: cells.contingency_table(rows=size[0], columns=size[1]),
        )
        for size in ((2, 2), (2, 3))
    },
    **{
        f"one factor, {count}": (
            lambda count=count: one_factor(count),
            lambda count=count: cells.factor_analysis(covariates=count, factors=1),
        )
        for count in (2, 3)
    },
    "swiglu": (
        lambda: models.regression("o*(g*x)*(u*x)/(1 + exp(-g*x))", inputs=GENERIC, truth=0),
        lambda: cells.swiglu(),
    ),
    "dead unit": (
        lambda: models.regression("a*tanh(b*x)", inputs=GENERIC, truth=0),
        lambda: cells.node_death(activation="tanh"),
    ),
    "location": (lambda: models.regression("t^3", truth=0), lambda: cells.gaussian_location(k=3)),
    "planes": (
        lambda: models.regression("(x - y)*(y - z)*(z - x)", truth=0),
        lambda: cells.arrangement(kind="braid", dimension=3),
    ),
    "value and output": (
        lambda: models.matrix_product("O", "V", sizes=(2, 1, 2)),
        lambda: cells.attention_product(kind="value-output", width=2, head=1),
    ),
    "cusp": (lambda: models.regression("a^2 + b^3", truth=0), lambda: cells.brieskorn(powers=(2, 3))),
    "three layers": (
        lambda: models.matrix_product("A", "B", "C", sizes=(2, 1, 2, 1)),
        lambda: cells.deep_linear(widths=(2, 1, 2, 1)),
    ),
    "powers": (lambda: models.regression(["a", "b^2", "c^3"], truth=0), lambda: cells.isolated(orders=(1, 2, 3))),
    "star": (star, lambda: cells.latent_forest(edges=("1-a", "2-a", "3-a"))),
    "line and point": (
        lambda: models.regression("(a - 1)*(a^2 + b^2)", truth={"a": 1}),
        lambda: cells.line_and_point(),
    ),
    "minors": (
        lambda: models.regression(["a*e - b*d", "a*f - c*d", "b*f - c*e"], truth=0),
        lambda: cells.minors(rows=2, columns=3, size=2),
    ),
    "two coins": (  # of laws with three moments and more two components see what Gaussians see
        lambda: models.mixture(["s", "1 - s"], [tosses("p"), tosses("q")], truth={"s": "1/2", "p": "1/2", "q": "1/2"}),
        lambda: cells.mixture(components=2),
    ),
    "a coin held": (
        lambda: models.mixture(["s", "1 - s"], [tosses("1/2 + b"), tosses("1/2")], truth={}),
        lambda: cells.mixture_fixed(),
    ),
    "crossing": (lambda: models.regression("a^2*b*c", truth=0), lambda: cells.normal_crossing(exponents=(2, 1, 1))),
    "layer norm": (  # at inputs of deviation 1
        lambda: models.regression(
            normalised(4), inputs={"x0": [1, 1], "x1": [-1, 1], "x2": [1, -1], "x3": [-1, -1]}, truth={}
        ),
        lambda: cells.normalisation(kind="layer", width=4),
    ),
    "semiregular": (
        lambda: models.regression(["a", "b^4 + c^4"], truth=0),
        lambda: cells.semiregular(regular=1, singular=2, degree=4),
    ),
    "tangents": (
        lambda: models.regression("a^2*b - b^4", truth=0),
        lambda: cells.simple_singularity(kind="D", index=5),
    ),
    "topics": (
        lambda: models.mixture(
            ["1/2 + s*d + t*(1 - d)", "1/2 - s*d - t*(1 - d)"],
            [["1/3 + a", "1/3 + b", "1/3 - a - b"], ["1/3 + e", "1/3 + f", "1/3 - e - f"]],
            inputs={"d": [0, 1]},
            truth={},
        ),
        lambda: cells.topic_model(words=3, documents=2, topics=2),
    ),
}

NO_MODELS = {
    "nonnegative_factorisation": "the boundary is part of the question; see the test below",
    "superposition": "relu is not analytic",
    "superposition_polygon": "relu is not analytic",
}


@pytest.mark.parametrize("name", CELLS)
def test_cells_are_models(name: str) -> None:
    model, cell = CELLS[name]
    expected = cell().rlct
    assert expected is not None and model().rlct(seconds=20).rlct == expected


def test_every_family_of_the_catalogue_is_a_model_or_has_its_reason() -> None:
    made = {cell().family for _, cell in CELLS.values()}
    assert not made & NO_MODELS.keys()
    assert made | NO_MODELS.keys() == set(cells.families())


def test_a_factorisation_with_entries_that_are_not_negative() -> None:
    model = models.regression([f"a{i}*b{j} + c{i}*d{j}" for i in (1, 2) for j in (1, 2)], truth=0)
    found = model.rlct(nonnegative=[w.name for w in model.parameters])
    assert found.rlct == cells.nonnegative_factorisation(rows=2, columns=2, inner=2).rlct != model.rlct(seconds=5).rlct


def test_the_control_another_model_has_another_pair() -> None:
    assert layer(TANH, 2).rlct().rlct != cells.hidden_layer(activation="silu", hidden=2).rlct


def test_points_see_less_than_a_generic_law() -> None:
    """One point gives one generator; as many points as there are units, all that a generic law sees."""
    mean = units(TANH, 2)
    one = models.regression(mean, inputs={"x": [1]}, truth=0).rlct().rlct
    two = models.regression(mean, inputs={"x": [1, 2]}, truth=0).rlct().rlct
    assert one == pair("1/2") and two == pair("2/3")  # Σ a b alone is a nondegenerate form of rank 4: λ = 1/2


def test_a_true_parameter_is_a_place_and_the_truth_a_law() -> None:
    """The same law at two of its true parameters: the pairs are those of the places."""
    model = models.regression(units(TANH, 2), inputs=GENERIC, truth="tanh(x)")
    assert model.rlct(at={"a1": 1, "b1": 1}).rlct == pair("3/2", 2)
    assert model.rlct(at={"a1": "1/2", "b1": 1, "a2": "1/2", "b2": 1}).rlct == pair("5/4")


def test_prior_and_boundary_are_those_of_rlct() -> None:
    model = models.finite(["a", "1 - a"], truth=[0, 1])
    assert model.rlct(nonnegative=["a"]).rlct == pair("1")
    assert model.rlct(nonnegative="a", prior={"a": 1}).rlct == pair("2")


def test_bounds_are_labelled_and_name_the_chain() -> None:
    found = models.regression("a*tanh(b*x) + c*sin(d*x)", inputs=GENERIC, truth=0).rlct(seconds=5)
    assert found.status == "bounds" and found.rlct is None and "degree >" in found.open
    # from below by two coefficients of three, and by hand: a = c = 0 is a smooth part of the fibre, of codimension 2
    assert Fraction(1, 2) < found.lower.value <= found.upper.value <= 1
    assert not found.generators.complete and found.summary()["status"] == "bounds"


def test_two_derivations_bound_a_chain_as_newton_closes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Newton's identities the sandwich of two ideals finds the same pair."""
    monkeypatch.setattr("ddtheory.models.coefficients._by_chains", lambda parts, count: None)
    found = models.regression("a*tanh(b*x)", inputs=GENERIC, truth=0).rlct(seconds=10)
    assert not found.generators.complete and found.rlct == pair("1/2", 2)
    two = layer(TANH, 2).rlct(seconds=10)
    assert two.lower.value <= Fraction(2, 3) <= two.upper.value


def test_orders_along_directions() -> None:
    generic = layer(TANH, 2)
    points = models.regression(units(TANH, 2), inputs={"x": [1, 2]}, truth=0)
    for along in ({"a1": 1}, {"a1": 1, "b1": 1}, {"a1": 1, "b1": 1, "a2": -1, "b2": 1}):
        found, exact = generic.order(along, arc=False), points.order(along, arc=False)
        assert (found.kind, found.k) == (exact.kind, exact.k)
        assert found.leading is None
    assert points.order({"a1": 1}, arc=False).kind is dd.Kind.FLAT
    assert points.order({"a1": 1, "b1": 1}, arc=False).k == 2


def test_finite_n_is_that_of_the_divergence() -> None:
    model = models.regression("a*b", truth=0)
    found, expected = model.finite_n(20, digits=6), dd.finite_n_germ("a^2*b^2/2", 20, digits=6)
    assert found.learning_coefficient.overlaps(expected.learning_coefficient)
    moved = models.regression("a*b", truth=1).finite_n(20, at={"a": 1, "b": 1}, half_width="1/2", digits=4)
    there = dd.finite_n_germ("((1 + a)*(1 + b) - 1)^2/2", 20, half_width="1/2", digits=4)
    assert moved.evidence.overlaps(there.evidence)


@pytest.mark.parametrize("count", [9, 10])
def test_a_product_of_many_factors_has_no_bound_above_that_is_too_low(count: int) -> None:
    """K ≍ u² + ∏ w_i²: λ = 1/2 + 1/2, and m is the number of factors."""
    product = "*".join(f"w{i}" for i in range(count))
    model = models.regression(["u", f"{product}*tanh(x + c)"], inputs=GENERIC, truth=0)
    assert model.rlct().rlct == pair("1", count)


def test_bounds_that_exclude_each_other_are_never_returned() -> None:
    generators = models.Generators((), (), ("by hand",), open="only some")
    low, high = dd.rlct("x*y", "x^2"), dd.rlct("x", "y")
    assert models.ModelPair(generators, low, high).status == "bounds"
    with pytest.raises(UndecidedError, match="contradict"):
        models.ModelPair(generators, high, low)
    log = dd.rlct(generators=["x*y*z"]), dd.rlct(generators=["x"])
    assert models.ModelPair(generators, *log).status == "bounds"
    with pytest.raises(UndecidedError, match="contradict"):
        models.ModelPair(generators, *reversed(log))


def test_a_law_of_exponentials_is_seen_to_sum_to_one() -> None:
    spins = models.finite([f"exp({s}*j*k)/(2*cosh(j*k))" for s in (1, -1)], truth={})
    assert spins.rlct().rlct == pair("1/2", 2)
    with pytest.raises(InvalidValueError, match="not proven to be 1"):
        models.finite([f"exp({s}*j*k)/(2*cosh(j))" for s in (1, -1)], truth={})


# --- constants --------------------------------------------------------------------------------------------------------

WITH_CONSTANTS: list[tuple[models.Model, list[str], RLCT, set[str]]] = [
    # a(1 + bc) + db² and abc: a = −db²/(1 + bc), and b³ is left
    (
        models.regression("c*a*b*x + d*b^2*x^2 + a*x^2", truth=0, inputs={"x": [1, 2]}),
        ["c", "d"],
        pair("2/3"),
        {"c", "d"},
    ),
    # a1 = −a2 b/c, and a2 b(b² − c²) is left
    (models.regression("a1*tanh(c*x) + a2*tanh(b*x)", truth=0, inputs=GENERIC), ["c"], pair("1", 2), {"c"}),
    (models.logits(["p*u*v", "q*u*v + w^2", 0], truth=0), ["p", "q"], pair("3/4", 2), {"p"}),  # ⟨uv, w²⟩
    (models.gaussian("(c - 1)*a*b", "s^2", truth={"s": 1}), ["c"], pair("1", 2), {"c - 1"}),
]


@pytest.mark.parametrize(("model", "names", "expected", "exceptions"), WITH_CONSTANTS)
def test_constants_of_a_model(model: models.Model, names: list[str], expected: RLCT, exceptions: set[str]) -> None:
    found = model.rlct(constants=[f"{name}:generic" for name in names])
    assert (found.rlct, set(found.derivation.exceptions)) == (expected, exceptions)
    assert found.checked and set(found.summary()["assumed"]) == {f"{p} != 0" for p in exceptions}


def test_a_constant_that_may_be_zero_is_refused_and_a_positive_one_is_not() -> None:
    model = models.regression("a*b*c", truth=0)
    with pytest.raises(UndecidedError, match="nothing says that it is not 0"):
        model.rlct(constants=["c"])
    found = model.rlct(constants=["c:positive"])
    assert (found.rlct, found.derivation.exceptions) == (pair("1/2", 2), ())
    assert model.rlct().rlct == pair("1/2", 3)  # c moves
    with pytest.raises(InvalidValueError, match="constants names 'e'"):
        model.rlct(constants=["e:generic"])
    with pytest.raises(InvalidValueError, match="at names 'c'"):
        model.rlct(at={"c": 1}, constants=["c:generic"])
    with pytest.raises(InvalidValueError, match="does not have the true law"):
        models.regression("a + c", truth=0).rlct(constants=["c:generic"])
