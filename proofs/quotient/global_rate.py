"""cor:global-rate: two layers, all of it on the invertible stratum; at the dead points the action is not free."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy
from sympy import Expr, symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import TITLE, Check, Claim, Comparison, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.chain import canonical, chain_problem
from ddtheory.workbench.ladder import count_check, limit_check, rate_check, value_check
from ddtheory.workbench.statement import printed

if TYPE_CHECKING:
    from torch import Tensor

t, tau = symbols("t tau", positive=True)

_RADII = tuple(0.1 * 2.0 ** (-n / 2) for n in range(8))
_WIDTH = 3


def symmetric_form(radius: Expr, first: Expr, second: Expr) -> Expr:
    """The Fisher on the symmetric scalar path: t² (v_1 + v_2)²."""
    return radius**2 * (first + second) ** 2


def horizontal(radius: Expr) -> Expr:
    """Its horizontal eigenvalue: 2t²."""
    return 2 * radius**2


def slice_metric(product: Expr | float) -> Expr:
    """The squared length that the balanced slice carries, over dP²: 1/(2P)."""
    return 1 / (2 * product)


CLAIM = Claim(
    id="cor:global-rate",
    title="Globally: rate 2 on the quotient of two layers, which is a Hausdorff manifold",
    holds="Rate 2 on the quotient of two invertible layers; at the dead points the action is not free",
    given=(
        r"Let $P = W_L \cdots W_1$, and let the gauge act by $(g_l W_l\, g_{l-1}^{-1})$, $g_0 = g_L = 1$; for the rate "
        "and the slice $L = 2$."
    ),
    clauses={
        "rate": (
            rf"On the symmetric scalar path the Fisher is ${printed(symmetric_form(t, *symbols('v_1 v_2')))}$, null on "
            rf"$(1, -1)$ at every $t$, and its horizontal eigenvalue is ${printed(horizontal(t))}$."
        ),
        "free and proper": (
            r"On tuples of invertible matrices the gauge is $g_l = W_l'\, g_{l-1} W_l^{-1}$, read off a pair of points "
            "continuously: it acts freely and properly."
        ),
        "orbit space": (
            r"Two tuples with one product lie on one orbit: the product identifies the orbit space with $GL$."
        ),
        "slice": (
            r"For scalars the balanced slice $(\sqrt P, \sqrt P)$ is orthogonal to the orbits and carries "
            rf"${printed(slice_metric(symbols('P')))}\, dP^2$."
        ),
    },
    source=cite("shirodkar2026dead", "cor:global-rate"),
    hypotheses=("All factors are invertible, t ≠ 0.", "L = 2 for the rate; the path is symmetric."),
    expected=Verdict.NARROWER,
    rests_on=("cor:quotient_rate",),
    titled="The quotient is global: it includes the singular points that the rate is about.",
    uncovered="The balanced slice of more than two factors.",
    doubts=(
        "All of the topology lives on the invertible stratum, away from dead points. At t = 0 the stabiliser of m dead "
        "axes has dimension m², and orbits are not closed."
    ),
)


def derive() -> Proof:
    v1, v2, w1, w2 = symbols("v_1 v_2 w_1 w_2", real=True)
    form = (sympy.diff(w1 * w2, w1) * v1 + sympy.diff(w1 * w2, w2) * v2) ** 2
    symmetric = form.subs({w1: t, w2: t})
    fisher = sympy.hessian(symmetric, (v1, v2)) / 2
    first, second, gauge, other = (
        sympy.Matrix(2, 2, symbols(f"{name}_1:5", real=True)) for name in ("A", "B", "g", "C")
    )
    moved_first, moved_second = gauge * first, second * gauge.inv()
    # a second tuple with the same product: W_1' = C, W_2' = W_2 W_1 C⁻¹; the gauge that takes one to the other
    between = other * first.inv()

    def cancelled(matrix: sympy.Matrix) -> sympy.Matrix:
        return matrix.applyfunc(sympy.cancel)

    fibre = second * first * other.inv()
    even = sympy.Matrix([1, 1])
    balanced = sympy.sqrt(tau)
    tangent = sympy.Matrix([sympy.diff(balanced, tau)] * 2)
    orbit = sympy.Matrix([balanced, -balanced])  # of (c w_1, w_2/c) at c = 1
    uneven = sympy.Matrix([1, sympy.diff(tau, tau)])
    return Proof(
        "Two scalar layers, symbolic in t; two 2 × 2 matrices, and one layer of any chain, symbolic in all entries.",
        (
            Equation(
                "rate",
                "the form of two scalar layers on the symmetric path",
                symmetric,
                symmetric_form(t, v1, v2),
                {"path (t, 1)": (form.subs({w1: t, w2: 1}), symmetric_form(t, v1, v2))},
            ),
            Equation(
                "rate",
                "null on (1, −1): the Fisher does to the first axis what it does to the second",
                fisher[:, 0],
                fisher[:, 1],
                {"null on (1, 1)": -fisher[:, 1]},
            ),
            Equation(
                "rate",
                "horizontal eigenpair",
                fisher * even,
                horizontal(t) * even,
                {"t²": t**2 * even, "4t²": 4 * t**2 * even},
            ),
            Equation(
                "free and proper",
                "the gauge from two points",
                moved_first * first.inv(),
                gauge,
                {"on the other side": (first.inv() * moved_first, gauge)},
            ),
            Equation(
                "free and proper",
                "the product is that of the pair",
                moved_second * moved_first,
                second * first,
                {"g W_2 for W_2 g⁻¹": (gauge * second * moved_first, second * first)},
            ),
            Equation(
                "free and proper",
                "any layer of a chain: g_l from W_l' = g_l W_l C⁻¹, g_{l−1} = C and W_l",
                cancelled(cancelled(gauge * first * other.inv() * other) * first.inv()),
                gauge,
                {"g_{l−1} left out": (cancelled(gauge * first * other.inv()) * first.inv(), gauge)},
            ),
            Prose(
                "So g is a continuous function of the pair of points: the action is free and proper, the orbit space "
                "Hausdorff."
            ),
            Prose(
                "For more factors W_1 and C are the products of all but the last one, whose gauges come in turn, and "
                "W_2 is the last one."
            ),
            Equation(
                "orbit space",
                "first factor: the gauge C W_1⁻¹ takes W_1 to C",
                between * first,
                other,
                {"W_1⁻¹ C": (first.inv() * other * first, other)},
            ),
            Equation(
                "orbit space",
                "second factor: it takes W_2 to W_2 W_1 C⁻¹, which has the same product with C",
                second * between.inv(),
                fibre,
                {"without the inverse": (second * between, fibre)},
            ),
            Equation(
                "slice",
                "squared length of the slice (√P, √P)",
                tangent.dot(tangent),
                slice_metric(tau),
                {"slice (1, P)": (uneven.dot(sympy.Matrix([0, 1])), slice_metric(tau)), "1/P": 1 / tau},
            ),
            Equation(
                "slice",
                "slice against orbit: the two halves of the inner product cancel",
                tangent[0] * orbit[0],
                -tangent[1] * orbit[1],
                {"slice (1, P)": (sympy.Integer(0) * orbit[0], -orbit[1])},
            ),
        ),
    )


def _stabiliser(first: Tensor, second: Tensor) -> int:
    """Dimension of {X : X W_1 = 0, W_2 X = 0}."""
    import torch

    rows = []
    for unit in torch.eye(first.numel(), dtype=torch.float64):
        x = unit.reshape(first.shape)
        rows.append(torch.cat([(x @ first).flatten(), (second @ x).flatten()]))
    values = torch.linalg.svdvals(torch.stack(rows))
    return int((values < 1e-12).sum())


def _draw(seed: int) -> Tensor:
    import torch

    return torch.randn(_WIDTH, _WIDTH, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def measure() -> Experiment:
    import torch

    from ddtheory.measure import fisher_matrix

    free: list[Check] = []
    orbits: list[Check] = []
    spectra = [torch.linalg.eigvalsh(fisher_matrix(chain_problem([canonical(r, 1, 1)] * 2))) for r in _RADII]
    horizontal = [float(values[1]) for values in spectra]
    rates: list[Check] = [
        rate_check("two scalar layers: horizontal eigenvalue", 2, _RADII, horizontal, rivals=(4,)),
        limit_check(
            "two scalar layers: horizontal eigenvalue/t²",
            2,
            _RADII,
            [value / radius**2 for radius, value in zip(_RADII, horizontal, strict=True)],
            rivals=(1, 4),
        ),
        Comparison(
            f"two scalar layers: the other eigenvalue over t², t = {_RADII[-1]:.3g}",
            0,
            Interval.around(float(spectra[-1][0]) / _RADII[-1] ** 2, 1e-12),
            (2, 1),
            1e-11,
            "rounding",
            "coefficient",
        ),
    ]
    for seed in (1, 2):
        first, second = _draw(seed), _draw(10 + seed)
        free.append(
            count_check(
                f"random invertible pair {seed}, width {_WIDTH}: dimension of the stabiliser",
                0,
                _stabiliser(first, second),
                rivals=(1, _WIDTH),
                reason="singular values below 1e-12: the action is free",
            )
        )
        target = _draw(20 + seed)
        gauge = target @ torch.linalg.inv(first)
        other = second @ first @ torch.linalg.inv(target)
        orbits.append(
            Comparison(
                f"random pair {seed}: the gauge W_1' W_1⁻¹ takes W_2 to W_2', the distance left",
                0,
                Interval.around(float((second @ torch.linalg.inv(gauge) - other).norm()), 1e-9),
                (float((second - other).norm()),),
                1e-8,
                "rounding, with the condition numbers of the draws; the rival is the distance before",
                "distance",
            )
        )
    orbits.append(_three_layers())
    return Experiment(
        "Two linear layers in torch, scalar and 3 × 3; orbits of three as well.",
        {"rate": rates, "free and proper": free, "orbit space": orbits, "slice": _slice()},
    )


def _three_layers() -> Check:
    """Two tuples of three with one product: the gauges of the first two layers take the third to the other."""
    import torch

    here, there = [_draw(seed) for seed in (31, 32, 33)], [_draw(seed) for seed in (41, 42)]
    last = here[2] @ here[1] @ here[0] @ torch.linalg.inv(there[1] @ there[0])
    gauge = torch.eye(_WIDTH, dtype=torch.float64)
    for old, new in zip(here, there, strict=False):
        gauge = new @ gauge @ torch.linalg.inv(old)
    return Comparison(
        "three layers: the gauges W_l' g W_l⁻¹, in turn, take W_3 to W_3', the distance left",
        0,
        Interval.around(float((here[2] @ torch.linalg.inv(gauge) - last).norm()), 1e-9),
        (float((here[2] - last).norm()),),
        1e-8,
        "rounding, with the condition numbers of the draws; the rival is the distance before",
        "distance",
    )


def _slice() -> list[Check]:
    """The least length of a step dP = 10⁻⁶ at (√P, √P), over all steps of the weights: |dP|/|∇P|."""
    import torch

    checks: list[Check] = []
    for product in (0.25, 2.0):
        weights = torch.full((2,), product**0.5, dtype=torch.float64)
        gradient = torch.func.grad(lambda w: w.prod())(weights)
        along = gradient / gradient.square().sum()  # the shortest step with dP = 1
        checks += [
            value_check(
                f"P = {product}: squared length of the shortest step with dP = 1",
                slice_metric(product),
                float(along.square().sum()),
                rivals=(1 / product, 1 / (4 * product), 1.0 if product != 0.5 else 0.1),
                quantity="squared length",
            ),
            value_check(f"P = {product}: ratio of its parts", 1, float(along[0] / along[1]), rivals=(-1, product)),
        ]
    return checks


def control() -> Experiment:
    import torch

    from ddtheory.measure import fisher_matrix

    # (1, 1) and (2, 2) have different products: the gauge 2 takes W_2 = 1 to 1/2, not to 2
    scalars = torch.tensor([[1.0, 1.0], [2.0, 2.0]], dtype=torch.float64)
    left = float((scalars[0, 1] / (scalars[1, 0] / scalars[0, 0]) - scalars[1, 1]).abs())
    gradient = torch.func.grad(lambda w: w.prod())(torch.tensor([1.0, 2.0], dtype=torch.float64))
    along = gradient / gradient.square().sum()
    dead = canonical(0.0, _WIDTH, 2)

    values = [float(fisher_matrix(chain_problem([canonical(r, 1, 1), canonical(1.0, 1, 0)])).trace()) for r in _RADII]
    return Experiment(
        "Only one of the two layers dies: the path is not symmetric, and the horizontal eigenvalue is 1 + t². Two dead "
        "axes in both layers, two pairs with different products, and the slice (1, P).",
        {
            "rate": (rate_check("path (t, 1): horizontal eigenvalue", 0, _RADII, values, rivals=(2,)),),
            "free and proper": (
                count_check(
                    f"two of {_WIDTH} axes dead in both layers: dimension of the stabiliser",
                    4,
                    _stabiliser(dead, dead),
                    rivals=(0, 2),
                    reason="matrices that live on the dead axes; a free action has 0",
                ),
            ),
            "orbit space": (
                value_check(
                    "the scalar pairs (1, 1) and (2, 2): distance left by the gauge W_1'/W_1",
                    1.5,
                    left,
                    rivals=(0.0,),
                    reason="by hand; the rival is that of two pairs with one product",
                    quantity="distance",
                ),
            ),
            "slice": (
                value_check(
                    "slice (1, P), P = 2: squared length of the shortest step with dP = 1",
                    1 / 5,
                    float(along.square().sum()),
                    rivals=(1 / 4, 1.0),
                    reason="1/(1 + P²), by hand; the rivals are the balanced slice, and a step along this one",
                    quantity="squared length",
                ),
            ),
        },
    )


def counterexample() -> Experiment:
    import torch

    zero = torch.zeros(1, 1, dtype=torch.float64)
    checks: list[Check] = []
    for dead in (1, 2):
        weights = canonical(0.0, _WIDTH, dead)
        checks.append(
            count_check(
                f"D(0), {dead} of {_WIDTH} axes dead in both layers: dimension of the stabiliser",
                dead**2,
                _stabiliser(weights, weights),
                rivals=(0,),
                reason="matrices that live on the dead axes; a free action has 0",
            )
        )
    one = torch.ones(1, 1, dtype=torch.float64)
    checks += [
        count_check(
            "(1, 0), scalar: dimension of the stabiliser",
            0,
            _stabiliser(one, zero),
            rivals=(1,),
            reason="its orbit is the axis without the origin",
        ),
        count_check(
            "(0, 0), the limit of that orbit: dimension of the stabiliser",
            1,
            _stabiliser(zero, zero),
            rivals=(0,),
            reason="another orbit in the closure of the first: orbits are not closed, the orbit space not Hausdorff",
        ),
    ]
    return Experiment(
        "At the singular points themselves, where the product is not invertible: the action is neither free nor are "
        "its orbits closed. (c, 0) tends to (0, 0) as c → 0.",
        {TITLE: checks},
    )
