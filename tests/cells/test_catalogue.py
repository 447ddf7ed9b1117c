"""The catalogue: both faces of every cell agree, directions have the orders that are derived, and names are found."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy
import torch
from catalogue_points import a_point, measured, same, symbolic, with_divergence
from cell_recipes import CATALOGUE, Recipe, later

from ddtheory import cells
from ddtheory.cells import Cell, Relation
from ddtheory.errors import InvalidValueError, UnknownNameError
from ddtheory.measure import fisher_along, order
from ddtheory.values import Kind, ReadingStatus

# likelihoods of mixtures; a ReLU that is off in part. Everywhere else the two faces are equal
ASYMPTOTIC_FAMILIES = {"mixture", "mixture_fixed"}
BELOW_NAMES = {
    "superposition(features=2, hidden=1)",
    "superposition(features=3, hidden=1)",
    "superposition(features=3, hidden=2)",
    "superposition_polygon(corners=4)",
}

ASYMPTOTIC = [recipe for recipe in CATALOGUE if recipe.family in ASYMPTOTIC_FAMILIES]
BELOW = [recipe for recipe in CATALOGUE if recipe.name in BELOW_NAMES]
EQUAL = [recipe for recipe in CATALOGUE if recipe not in ASYMPTOTIC + BELOW]


def named(recipe: Recipe) -> str:
    return recipe.name


def test_size_and_names() -> None:
    families = cells.families()
    assert len(families) >= 25
    catalogue = cells.catalogue()
    assert [cell.name for cell in catalogue] == [recipe.name for recipe in CATALOGUE]
    assert len({cell.name for cell in catalogue}) == len(catalogue)
    assert {cell.family for cell in catalogue} == set(families)
    assert all(family.make.__doc__ and len(family.summary) <= 120 for family in families.values())
    assert all(cell.source.paper and cell.directions for cell in catalogue)


def test_the_faces_stand_to_each_other_as_the_cells_say() -> None:
    sides = ((EQUAL, Relation.EQUAL), (ASYMPTOTIC, Relation.ASYMPTOTIC), (BELOW, Relation.BELOW))
    for recipes, relation in sides:
        assert recipes and all(recipe.cell.relation is relation for recipe in recipes)


@pytest.mark.parametrize("cell", EQUAL, ids=named)
def test_the_two_faces_are_equal(cell: Cell) -> None:
    for seed in (1, 2):
        point = a_point(cell, seed)
        exact = symbolic(cell, point)
        assert exact > 0
        assert same(exact, measured(cell, point)), (exact, measured(cell, point))


@pytest.mark.parametrize("cell", EQUAL, ids=named)
def test_control_faces_that_differ_in_the_ninth_digit_are_noticed(cell: Cell) -> None:
    point = a_point(cell, 1)
    off = with_divergence(cell, cell.divergence * (1 + sympy.Rational(1, 10**9)))
    found = measured(cell, point)
    # where K itself is at the level of its rounding, a relative change cannot be seen
    assert found < 1e-8 or not same(symbolic(off, point), found)


@pytest.mark.parametrize("cell", ASYMPTOTIC, ids=named)
def test_the_two_faces_are_asymptotically_equal(cell: Cell) -> None:
    """The ratio tends to 1 like the distance; half K and twice K, the nearest rivals, are far away."""
    errors = []
    for size in (0.4, 0.1, 0.025):
        point = a_point(cell, 3, size)
        errors.append(abs(measured(cell, point) / symbolic(cell, point) - 1))
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.01


@pytest.mark.parametrize("cell", BELOW, ids=named)
def test_the_symbolic_face_is_a_lower_bound(cell: Cell) -> None:
    gaps = []
    for seed in range(20):
        point = a_point(cell, seed)
        exact, found = symbolic(cell, point), measured(cell, point)
        assert found >= exact * (1 - 1e-12)
        gaps.append(found - exact)
    assert max(gaps) > 1e-4  # and not the divergence itself


@pytest.mark.parametrize(("features", "hidden"), [(2, 1), (3, 2)])
def test_superposition_reaches_its_lower_bound_on_a_cone(features: int, hidden: int) -> None:
    """Kept features at negative products with each other and with the dropped one: the ReLU is off everywhere else."""
    cell = cells.superposition(features=features, hidden=hidden)
    point = {symbol.name: -0.1 if symbol.name[-1] == str(features) else 0.02 for symbol in cell.coordinates}
    if hidden == 2:
        point |= {"w12": -0.01, "w21": -0.02}
    assert same(symbolic(cell, point), measured(cell, point))


@pytest.mark.parametrize("cell", CATALOGUE, ids=named)
def test_directions_have_the_orders_that_are_derived(cell: Cell) -> None:
    for name in cell.directions:
        exact = cell.kl_order(name, arc=False)
        reading = order(fisher_along(cell.problem(), cell.torch_direction(name)))
        wanted = ReadingStatus.FLAT if exact.kind is Kind.FLAT else ReadingStatus.ORDER
        assert (reading.status, reading.k, reading.kind) == (wanted, exact.k, exact.kind), name


ORDERS_BY_HAND = [
    # p + 1 for one unit of activation order p; L for L layers at zero; one power of t for each factor
    (later(cells.node_death, "relu"), "joint", 2),
    (later(cells.node_death, "squared relu"), "joint", 3),
    (later(cells.node_death, "gelu"), "joint", 2),
    (later(cells.swiglu), "joint", 3),
    (later(cells.deep_linear, widths=(2, 2, 2, 2, 2)), "joint", 4),
    (later(cells.reduced_rank), "joint", 2),
    (later(cells.reduced_rank, rank=1), "live", 1),
    (later(cells.attention_softmax), "joint", 2),
    (later(cells.normal_crossing, exponents=(1, 3)), "diagonal", 4),
    (later(cells.arrangement, kind="braid", dimension=4), "generic", 6),
    (later(cells.minors, rows=3, columns=3, size=3), "diagonal", 3),
    (later(cells.mixture), "apart", 2),
    (later(cells.mixture), "together", 1),
    (later(cells.naive_bayes), "two apart", 2),
    (later(cells.latent_forest, edges=("1-a", "a-b", "b-2")), "shortest path", 3),
    (later(cells.simple_singularity, kind="E", index=8), "w2", 5),
    (later(cells.superposition), "dropped", 2),
    (later(cells.superposition), "kept", 1),
]

FLAT_BY_HAND = [
    (later(cells.normalisation, kind="layer"), "ones"),
    (later(cells.attention_softmax), "row shift"),
    (later(cells.deep_linear), "one layer"),
    (later(cells.reduced_rank), "one factor"),
    (later(cells.mixture), "weight"),
    (later(cells.mixture_fixed), "location"),
    (later(cells.naive_bayes), "one apart"),
    (later(cells.topic_model), "share"),
    (later(cells.minors), "one entry"),
]


@pytest.mark.parametrize(("cell", "name", "k"), ORDERS_BY_HAND, ids=lambda value: getattr(value, "name", str(value)))
def test_orders_known_by_hand(cell: Cell, name: str, k: int) -> None:
    assert cell.kl_order(name, arc=False).k == k


@pytest.mark.parametrize(("cell", "name"), FLAT_BY_HAND, ids=lambda value: getattr(value, "name", str(value)))
def test_flat_directions_known_by_hand(cell: Cell, name: str) -> None:
    assert cell.kl_order(name, arc=False).kind is Kind.FLAT


def test_rms_norm_has_no_gauge_where_layer_norm_has_one() -> None:
    assert cells.normalisation(kind="rms").kl_order("ones", arc=False).kind is Kind.REGULAR


def test_the_ray_alone_and_the_ray_with_its_arcs_agree() -> None:
    """The quick way substitutes the ray before anything else; the coefficient c of c t^{2k} must survive."""
    for cell, name in ((cells.node_death("square"), "joint"), (cells.isolated(orders=(1, 2)), "diagonal")):
        slow, quick = cell.kl_order(name), cell.kl_order(name, arc=False)
        assert (slow.kind, slow.k) == (quick.kind, quick.k)
        assert sympy.simplify(slow.leading - quick.leading) == 0


@pytest.mark.parametrize("cell", [recipe for recipe in CATALOGUE if recipe.family != "latent_forest"][::4], ids=named)
def test_samples_estimate_the_divergence(cell: Cell) -> None:
    """The mean of loss(θ) − loss(θ0) over 20 000 draws is K(θ) within five standard errors; K and −K are told apart."""
    sample = cell.sample(20_000, seed=5)
    point = a_point(cell, 4)
    if isinstance(sample.labels, torch.Tensor) and sample.labels.numel():
        assert sample.labels.shape[0] == 20_000
    difference = sample.loss(cell.torch_point(point)) - sample.loss({})
    mean, error = float(difference.mean()), float(difference.std()) / 20_000**0.5
    assert abs(mean - measured(cell, point)) < 5 * error + 1e-12


def test_a_sample_is_seeded_and_refuses_nothing_to_draw() -> None:
    cell = cells.latent_forest()
    first, again, other = (cell.sample(4, seed=seed).labels for seed in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)
    with pytest.raises(InvalidValueError, match="at least 1"):
        cell.sample(0)


@pytest.mark.parametrize("cell", CATALOGUE[:1], ids=named)
def test_the_tests_of_a_cell_share_a_worker(cell: Cell, request: pytest.FixtureRequest) -> None:
    mark = request.node.get_closest_marker("xdist_group")
    assert mark is not None and mark.args == (cell.name,)


class TestRegistry:
    def test_find_is_the_function_itself(self) -> None:
        found = cells.find("deep_linear", widths=(2, 3, 2), rank=1)
        assert found.name == "deep_linear(widths=(2, 3, 2), rank=1)"
        assert found.divergence == cells.deep_linear(widths=(2, 3, 2), rank=1).divergence
        assert found.arguments == {"widths": (2, 3, 2), "rank": 1}

    def test_text_is_read_by_the_types_of_the_family(self) -> None:
        found = cells.find_text("normal_crossing", {"exponents": "1,2", "prior": "0,-1/2"})
        assert found.arguments == {"exponents": (1, 2), "prior": (Fraction(0), Fraction(-1, 2))}
        assert cells.find_text("latent_forest", {"edges": "1-a,2-a"}).arguments == {"edges": ("1-a", "2-a")}

    @pytest.mark.parametrize(
        ("name", "parameters", "error", "message"),
        [
            ("deep_liner", {}, UnknownNameError, "no cell named 'deep_liner'. Did you mean deep_linear"),
            ("deep_linear", {"width": "2,2"}, UnknownNameError, "Did you mean widths"),
            ("deep_linear", {"rank": "one"}, InvalidValueError, "rank of deep_linear is 'one'"),
            ("deep_linear", {"widths": "2,x"}, InvalidValueError, "widths of deep_linear is 'x'"),
            ("normal_crossing", {"prior": "1/0,1"}, InvalidValueError, "a number such as 1/2"),
        ],
    )
    def test_bad_names_and_texts(self, name: str, parameters: dict[str, str], error: type, message: str) -> None:
        with pytest.raises(error, match=message):
            cells.find_text(name, parameters)

    def test_unknown_parameter_by_keyword(self) -> None:
        with pytest.raises(UnknownNameError, match="Did you mean rank"):
            cells.find("deep_linear", rnk=1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: cells.deep_linear(widths=(2, 2), rank=3), "cannot have rank 3"),
        (lambda: cells.deep_linear(widths=()), "at least one whole number"),
        (lambda: cells.reduced_rank(hidden=0), "at least 1"),
        (lambda: cells.reduced_rank(rank_first=3), "Sylvester"),
        (lambda: cells.normal_crossing(exponents=(1,), prior=(Fraction(-1),)), "above −1"),
        (lambda: cells.normal_crossing(exponents=(0, 1)), "at least 1"),
        (lambda: cells.isolated(orders=(1.5,)), "whole number"),
        (lambda: cells.semiregular(degree=3), "odd"),
        (lambda: cells.brieskorn(powers=(2, 2), signs=(1, 2)), "must be 1 or −1"),
        (lambda: cells.simple_singularity(kind="E", index=9), "no E_9"),
        (lambda: cells.arrangement(kind="generic", dimension=3, planes=2), "at least 3"),
        (lambda: cells.minors(rows=2, columns=2, size=3), "no minors of size 3"),
        (lambda: cells.normalisation(kind="layer", width=2), "at least 3"),
        (lambda: cells.superposition(features=1, hidden=2), "at least 2"),
        (lambda: cells.superposition_polygon(corners=8), "give 4 to 7"),
        (lambda: cells.factor_analysis(covariates=2, factors=2), "leave nothing to tell"),
        (lambda: cells.latent_forest(edges=("1-2", "2-3", "3-1")), "cycle"),
        (lambda: cells.latent_forest(edges=("1-a", "1-2")), "one neighbour"),
        (lambda: cells.latent_forest(edges=("1a",)), "no pair of nodes"),
        (lambda: cells.nonnegative_factorisation(true_inner=2), "0 and 1 true terms"),
        (lambda: cells.mixture(components=1), "at least 2"),
        (lambda: cells.swiglu().singular_fluctuation(), "not known in closed form"),
        (lambda: cells.naive_bayes().finite_n(10), "not computable here"),
    ],
)  # fmt: skip
def test_values_that_mean_nothing(make: object, message: str) -> None:
    assert callable(make)
    with pytest.raises(InvalidValueError, match=message):
        make()
