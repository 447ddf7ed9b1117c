"""cor:global-rate: two layers, all of it on the invertible stratum; at the dead points the action is not free."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy
from sympy import symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Experiment
from ddtheory.verify.older import older_experiment, older_proof, older_statement
from ddtheory.verify.proof import Proof, Prose
from ddtheory.workbench.chain import canonical, chain_problem
from ddtheory.workbench.entrywise import entrywise
from ddtheory.workbench.ladder import count_check, limit_check, rate_check

if TYPE_CHECKING:
    from torch import Tensor

t, tau = symbols("t tau", positive=True)

_RADII = tuple(0.1 * 2.0 ** (-n / 2) for n in range(8))
_WIDTH = 3


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
    fibre = second * first * other.inv()
    null, horizontal = sympy.Matrix([1, -1]), sympy.Matrix([1, 1])
    balanced = sympy.sqrt(tau)
    return older_proof(
        steps=(
            Prose(
                "The form of two scalar layers is a square, null on (1, −1) at every t.",
                r"t^2 (v_1 + v_2)^2, \qquad \lambda_{hor} = 2t^2",
            ),
            Prose(
                "On invertible tuples the gauge can be read off a pair of points, continuously: g = W_1' W_1^{−1}. So "
                "the action is free and proper, and the orbit space is Hausdorff.",
                r"(gW_1, W_2 g^{-1}) = (W_1, W_2) \Rightarrow g = 1",
            ),
            Prose(
                "Two tuples with one product lie on one orbit: the product identifies the orbit space with GL.",
                r"W_2' = W_2 W_1 W_1'^{-1} = W_2 g^{-1}",
            ),
            Prose(
                "The balanced slice P ↦ (√P, √P) is orthogonal to the orbits, and its length is that of horizontal "
                "vectors.",
                r"ds^2 = dP^2/(2P)",
            ),
        ),
        residuals={
            "form": sympy.expand(symmetric - t**2 * (v1 + v2) ** 2),
            **entrywise("null vector", fisher * null, sympy.zeros(2, 1)),
            **entrywise("horizontal eigenpair", fisher * horizontal, 2 * t**2 * horizontal),
            **entrywise("product", moved_second * moved_first, second * first),
            **entrywise("gauge from two points", moved_first * first.inv(), gauge),
            **entrywise("orbit of the first factor", between * first, other),
            **entrywise("orbit of the second factor", second * between.inv(), fibre),
            "length of the slice": sympy.simplify(2 * sympy.diff(balanced, tau) ** 2 - 1 / (2 * tau)),
            "slice across the orbits": sympy.diff(sympy.Matrix([balanced, balanced]), tau).dot(
                sympy.Matrix([balanced, -balanced])
            ),
        },
        controls={
            "horizontal eigenvalue t²": fisher.trace() - t**2,
            "null vector (1, 1)": (fisher * horizontal)[0],
            "horizontal eigenpair at t²": (fisher * horizontal - t**2 * horizontal)[1],
            "product with g W_2 for W_2 g⁻¹": (gauge * second * moved_first - second * first)[0, 1],
            "gauge from two points on the other side": (first.inv() * moved_first - gauge)[1, 0],
            "orbit of the first factor with W_1⁻¹ W_1'": (first.inv() * other * first - other)[0, 1],
            "orbit of the second factor without the inverse": (second * between - fibre)[0, 0],
            "length of the slice (1, P)": 1 - 1 / (2 * tau),
        },
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

    checks: list[Check] = []
    spectra = [torch.linalg.eigvalsh(fisher_matrix(chain_problem([canonical(r, 1, 1)] * 2))) for r in _RADII]
    horizontal = [float(values[1]) for values in spectra]
    checks += [
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
        checks.append(
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
        checks.append(
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
    return older_experiment("Two linear layers in torch, scalar and 3 × 3.", tuple(checks))


def control() -> Experiment:
    from ddtheory.measure import fisher_matrix

    values = [float(fisher_matrix(chain_problem([canonical(r, 1, 1), canonical(1.0, 1, 0)])).trace()) for r in _RADII]
    return older_experiment(
        "Only one of the two layers dies: the path is not symmetric, and the horizontal eigenvalue is 1 + t².",
        (rate_check("path (t, 1): horizontal eigenvalue", 0, _RADII, values, rivals=(2,)),),
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
    return older_experiment(
        "At the singular points themselves, where the product is not invertible: the action is neither free nor are "
        "its orbits closed. (c, 0) tends to (0, 0) as c → 0.",
        tuple(checks),
    )


CLAIM = Claim(
    id="cor:global-rate",
    title="Globally: rate 2 on the quotient of two layers, which is a Hausdorff manifold",
    clauses=older_statement(
        r"For $L = 2$ the Fisher on the symmetric path is $t^2 (v_1 + v_2)^2$, null on $(1, -1)$ at every $t$, and its "
        r"horizontal eigenvalue is $2t^2$. On tuples of invertible matrices the gauge acts freely and properly; the "
        r"product identifies the orbit space with $GL$, and for scalars the balanced slice carries $dP^2/(2P)$. Not "
        r"covered here: chains of more than two factors."
    ),
    source=cite("shirodkar2026dead", "cor:global-rate"),
    hypotheses=("All factors are invertible, t ≠ 0.", "L = 2 for the rate; the path is symmetric."),
    expected=Verdict.NARROWER,
    derive=derive,
    measure=measure,
    control=control,
    counterexample=counterexample,
    rests_on=("cor:quotient_rate",),
    titled="The quotient is global: it includes the singular points that the rate is about.",
    doubts=(
        "All of the topology lives on the invertible stratum, away from dead points. At t = 0 the stabiliser of m dead "
        "axes has dimension m², and orbits are not closed."
    ),
)
