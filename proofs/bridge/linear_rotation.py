"""prop:bridge_linear_rot: in a linear chain a common rotation is harmless; independent ones move the axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Symbol, symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import TITLE, Check, Claim, Curve, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.chain import canonical, chain_problem, random_rotation
from ddtheory.workbench.ladder import rate_check, value_check
from ddtheory.workbench.statement import printed

if TYPE_CHECKING:
    from torch import Tensor

    from ddtheory.measure import GramFactor

t = Symbol("t", positive=True)
m = Symbol("m", integer=True, positive=True)

_LAYERS, _WIDTH = 4, 4
_RADII = tuple(0.05 * 2.0 ** (-n / 2) for n in range(8))


def rate(layers: Expr | int, layer: Expr | int) -> Expr:
    """The rate of the statement: 2(L − l)."""
    return 2 * (layers - layer)


def determinant(above: Expr | int, radius: Expr | float) -> Expr:
    """That of so many layers, but for its sign: t^{L − l}."""
    return radius**above


_RATE = rate(*symbols("L l"))


CLAIM = Claim(
    id="prop:bridge_linear_rot",
    title="Linear class: rotation is harmless",
    holds="Rotations that cancel between layers are harmless; others move the axis and keep the smallest eigenvalue",
    given=r"Let $W_l$ be linear layers $D(t)$ between rotations, $\delta$ the output gradient.",
    clauses={
        "axis": (
            rf"For $W_l = Q_l D(t) Q_{{l-1}}^\top$ with orthogonal $Q$ the moment along $u = Q_l e_h$ is "
            rf"${printed(t**_RATE)} E[(Q_L^\top \delta)_h^2]$ exactly."
        ),
        "smallest eigenvalue": (
            rf"For any orientations with a chain of rank $h - 1$ at $t = 0$, $\lambda_{{\min}}(G_l)$ has rate "
            rf"${printed(_RATE)}$, since $\det = \pm {printed(determinant(Symbol('L') - Symbol('l'), t))}$."
        ),
    },
    source=cite("shirodkar2026dead", "prop:bridge_linear_rot"),
    hypotheses=(
        "Linear layers.",
        "For the reading along an axis: the rotations of neighbouring layers cancel.",
        "For the smallest eigenvalue: the chain above the probe has rank h − 1 at t = 0.",
    ),
    expected=Verdict.NARROWER,
    rests_on=("thm:bridge",),
    titled="Rotations of the layers leave the reading along the dead axis as it is.",
    doubts=(
        "The paper treats conjugated layers only. The determinant gives more, the rate of the smallest eigenvalue "
        "for generic orientations; and less, since the reading along the dead axis of the next layer drops to rate 2."
    ),
)


def derive() -> Proof:
    halves = symbols("q_0 q_1 q_2", real=True)  # tangents of half the angles

    def turn(half: Expr) -> sympy.Matrix:
        return sympy.Matrix([[1 - half**2, -2 * half], [2 * half, 1 - half**2]]) / (1 + half**2)

    bottom, middle, top = map(turn, halves)
    dead = sympy.diag(1, t)
    gradient = sympy.Matrix(symbols("delta_1 delta_2", real=True))
    chain = top * sympy.diag(1, t**m) * bottom.T
    axis, other = bottom[:, 1], sympy.Matrix([0, 1])
    free = (bottom * dead * middle) * (top * dead)
    return Proof(
        "Width 2, rotations symbolic; the power m of D symbolic.",
        (
            Equation(
                "axis",
                "W_l = Q_l D Q_{l−1}ᵀ: the inner rotations cancel, also when they differ from layer to layer",
                ((top * dead * middle.T) * (middle * dead * bottom.T)).applyfunc(sympy.factor),
                (top * dead**2 * bottom.T).applyfunc(sympy.factor),
                {"they do not cancel": ((top * dead * middle) * (middle * dead * bottom.T)).applyfunc(sympy.factor)},
            ),
            Equation(
                "axis",
                "the squared gradient along the rotated dead axis u = Q_l e_h behind m layers",
                sympy.factor((chain.T * gradient).dot(axis)) ** 2,
                sympy.factor(t ** rate(m, 0) * (top.T * gradient)[1] ** 2),
                {
                    "an axis that is not carried along": (
                        sympy.factor((chain.T * gradient).dot(other)) ** 2,
                        sympy.factor(t ** rate(m, 0) * (top.T * gradient)[1] ** 2),
                    ),
                    "the gradient of the output axis": t ** rate(m, 0) * gradient[1] ** 2,
                },
            ),
            Equation(
                "smallest eigenvalue",
                "determinant of two layers of any orientation",
                sympy.factor(free.det()),
                determinant(2, t),
                {"t": t},
            ),
            Prose(
                "Where the chain has rank h − 1 at t = 0 the other singular values stay, so only the smallest one "
                "can carry it.",
                r"\det(W_L \cdots W_{l+1}) = \pm t^{L-l} \;\Rightarrow\; \lambda_{\min}(G_l) \asymp t^{2(L-l)}",
            ),
        ),
    )


def _haar(seed: int) -> list[Tensor]:
    return [random_rotation(_WIDTH, seed + number) for number in range(2 * _LAYERS + 1)]


def _telescoping(radius: float, layer: int) -> tuple[GramFactor, Tensor]:
    """G_l of W_l = Q_l D Q_{l−1}ᵀ, and the carried axis u = Q_l e_h."""
    from ddtheory.measure import gradient_gram

    q = _haar(40)
    weights = [q[n + 1] @ canonical(radius, _WIDTH) @ q[n].mT for n in range(_LAYERS)]
    return gradient_gram(chain_problem(weights), str(layer)), q[layer][:, -1]


def _free(radius: float, layer: int) -> tuple[GramFactor, Tensor]:
    """G_l with independent rotations on both sides of every layer, and the kernel of the next layer at t = 0."""
    from ddtheory.measure import gradient_gram

    q = _haar(70)
    weights = [q[2 * n] @ canonical(radius, _WIDTH) @ q[2 * n + 1] for n in range(_LAYERS)]
    return gradient_gram(chain_problem(weights), str(layer)), q[2 * layer + 1][-1]


def measure() -> Experiment:
    axes: list[Check] = []
    eigenvalues: list[Check] = []
    curves: list[Curve] = []
    for layer in range(1, _LAYERS):
        power = rate(_LAYERS, layer)
        readings = [_telescoping(radius, layer) for radius in _RADII]
        along = [factor.along(axis) for factor, axis in readings]
        smallest = [factor.spectrum().smallest_positive for factor, _ in readings]
        axes.append(rate_check(f"telescoping rotations, layer {layer}: along u", power, _RADII, along))
        eigenvalues.append(
            rate_check(f"telescoping rotations, layer {layer}: smallest eigenvalue", power, _RADII, smallest)
        )
        axes.append(
            value_check(
                f"telescoping rotations, layer {layer}: along u over t^{power} at t = {_RADII[0]}",
                1,
                along[0] / _RADII[0] ** power,
                rivals=(0.5, 1 / _RADII[0]),
                error=1e-8,
                reason="rounding of the rotations, relative to t^{2(L−l)}",
                quantity="coefficient",
            )
        )
        free = [_free(radius, layer)[0].spectrum().smallest_positive for radius in _RADII]
        eigenvalues.append(
            rate_check(
                f"independent rotations, layer {layer}: smallest eigenvalue",
                power,
                _RADII,
                free,
                rivals=(2,) if power > 2 else (),
            )
        )
        curves.append(Curve(f"along u, layer {layer}", _RADII, tuple(along), float(power)))
    return Experiment(
        f"Torch linear chains of L = {_LAYERS} layers and width {_WIDTH} with Haar rotations, labels from the model.",
        {"axis": axes, "smallest eigenvalue": eigenvalues},
        tuple(curves),
    )


def control() -> Experiment:
    import torch

    axis = torch.zeros(_WIDTH, dtype=torch.float64)
    axis[-1] = 1.0
    values = [_telescoping(radius, 1)[0].along(axis) for radius in _RADII]
    return Experiment(
        "The axis that is read is not carried along with the rotation: it has a live part, and nothing decays. A "
        "rotation that exchanges the dead axis with a live one: rank h − 2 at t = 0, and two eigenvalues share the "
        "determinant.",
        {
            "axis": (rate_check("telescoping rotations, layer 1: along e_h", 0, _RADII, values, rivals=(6,)),),
            "smallest eigenvalue": (
                rate_check("two layers, axes exchanged: smallest eigenvalue", 2, _RADII, _exchanged(), rivals=(4,)),
            ),
        },
    )


def _exchanged() -> list[float]:
    """λ_min of G behind D P D, P the exchange of the dead axis with a live one: the eigenvalues are t², t², 1, 1."""
    import torch

    from ddtheory.measure import gradient_gram

    exchange = torch.eye(_WIDTH, dtype=torch.float64)[[0, 1, 3, 2]]
    found = []
    for radius in _RADII:
        weights = [torch.eye(_WIDTH, dtype=torch.float64), canonical(radius, _WIDTH), exchange @ canonical(1.0, _WIDTH)]
        weights.append(canonical(radius, _WIDTH))
        found.append(gradient_gram(chain_problem(weights), "1").spectrum().smallest_positive)
    return found


def counterexample() -> Experiment:
    checks: list[Check] = []
    curves: list[Curve] = []
    for layer in (1, 2):
        along = []
        for radius in _RADII:
            factor, axis = _free(radius, layer)
            along.append(factor.along(axis))
        power = rate(_LAYERS, layer)
        checks.append(
            rate_check(
                f"independent rotations, layer {layer}: along the kernel of the next layer",
                2,
                _RADII,
                along,
                rivals=(power,),
            )
        )
        curves.append(Curve(f"kernel of the next layer, layer {layer}", _RADII, tuple(along), 2.0))
    return Experiment(
        "Independent rotations on both sides of every layer. One more layer kills its own axis only, so the axis "
        "reading stops at rate 2, while the smallest eigenvalue keeps 2(L − l).",
        {TITLE: checks},
        tuple(curves),
    )
