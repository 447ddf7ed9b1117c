"""prop:bridge_linear_rot: in a linear chain a common rotation is harmless; independent ones move the axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy
from sympy import Symbol, symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import Check, Claim, Curve, Experiment
from ddtheory.verify.older import older_experiment, older_proof, older_statement
from ddtheory.verify.proof import Proof, Prose
from ddtheory.workbench.chain import canonical, chain_problem, random_rotation
from ddtheory.workbench.ladder import rate_check, value_check

if TYPE_CHECKING:
    from torch import Tensor

    from ddtheory.measure import GramFactor

t = Symbol("t", positive=True)
m = Symbol("m", integer=True, positive=True)

_LAYERS, _WIDTH = 4, 4
_RADII = tuple(0.05 * 2.0 ** (-n / 2) for n in range(8))


def derive() -> Proof:
    angles = symbols("alpha_0 alpha_1 alpha_2", real=True)

    def turn(angle: sympy.Expr) -> sympy.Matrix:
        return sympy.Matrix([[sympy.cos(angle), -sympy.sin(angle)], [sympy.sin(angle), sympy.cos(angle)]])

    bottom, middle, top = map(turn, angles)
    dead = sympy.diag(1, t)
    # W_l = Q_l D Q_{l−1}ᵀ: the inner rotations cancel
    telescoped = (top * dead * middle.T) * (middle * dead * bottom.T) - top * dead**2 * bottom.T
    d1, d2 = symbols("delta_1 delta_2", real=True)
    gradient = sympy.Matrix([d1, d2])
    power = sympy.diag(1, t**m)
    chain = bottom * power * bottom.T
    along = (chain.T * gradient).dot(bottom[:, 1])
    free = (turn(angles[0]) * dead * turn(angles[1])) * (turn(angles[2]) * dead)
    return older_proof(
        steps=(
            Prose(
                "Rotations between layers telescope, also when they differ from layer to layer.",
                r"(Q_2 D Q_1^\top)(Q_1 D Q_0^\top) = Q_2 D^2 Q_0^\top",
            ),
            Prose(
                "Along the rotated dead axis u = U e_h the moment is exact.",
                r"u^\top (U D^m U^\top) \delta = t^m (U^\top \delta)_h",
            ),
            Prose(
                "For any orientation at all the determinant is t^m; where the chain has rank h − 1 at t = 0 only the "
                "smallest eigenvalue can carry it.",
                r"\det(W_L \cdots W_{l+1}) = \pm t^{L-l} \;\Rightarrow\; \lambda_{\min}(G_l) \asymp t^{2(L-l)}",
            ),
        ),
        residuals={
            **{
                f"telescoping, entry {i + 1}{j + 1}": sympy.trigsimp(sympy.expand(telescoped[i, j]))
                for i in range(2)
                for j in range(2)
            },
            "along the axis": sympy.trigsimp(sympy.expand(along - t**m * (bottom.T * gradient)[1])),
            "determinant of free orientations": sympy.trigsimp(sympy.expand(free.det())) - t**2,
        },
        controls={"along an axis that is not carried along": sympy.expand((chain.T * gradient)[1] - t**m * d2)},
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
    checks: list[Check] = []
    curves: list[Curve] = []
    for layer in range(1, _LAYERS):
        power = 2 * (_LAYERS - layer)
        readings = [_telescoping(radius, layer) for radius in _RADII]
        along = [factor.along(axis) for factor, axis in readings]
        smallest = [factor.spectrum().smallest_positive for factor, _ in readings]
        checks.append(rate_check(f"telescoping rotations, layer {layer}: along u", power, _RADII, along))
        checks.append(rate_check(f"telescoping rotations, layer {layer}: smallest eigenvalue", power, _RADII, smallest))
        checks.append(
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
        checks.append(
            rate_check(
                f"independent rotations, layer {layer}: smallest eigenvalue",
                power,
                _RADII,
                free,
                rivals=(2,) if power > 2 else (),
            )
        )
        curves.append(Curve(f"along u, layer {layer}", _RADII, tuple(along), float(power)))
    return older_experiment(
        f"Torch linear chains of L = {_LAYERS} layers and width {_WIDTH} with Haar rotations, labels from the model.",
        tuple(checks),
        tuple(curves),
    )


def control() -> Experiment:
    import torch

    axis = torch.zeros(_WIDTH, dtype=torch.float64)
    axis[-1] = 1.0
    values = [_telescoping(radius, 1)[0].along(axis) for radius in _RADII]
    return older_experiment(
        "The axis that is read is not carried along with the rotation: it has a live part, and nothing decays.",
        (rate_check("telescoping rotations, layer 1: along e_h", 0, _RADII, values, rivals=(6,)),),
    )


def counterexample() -> Experiment:
    checks: list[Check] = []
    curves: list[Curve] = []
    for layer in (1, 2):
        along = []
        for radius in _RADII:
            factor, axis = _free(radius, layer)
            along.append(factor.along(axis))
        power = 2 * (_LAYERS - layer)
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
    return older_experiment(
        "Independent rotations on both sides of every layer. One more layer kills its own axis only, so the axis "
        "reading "
        "stops at rate 2, while the smallest eigenvalue keeps 2(L − l).",
        tuple(checks),
        tuple(curves),
    )


CLAIM = Claim(
    id="prop:bridge_linear_rot",
    title="Linear class: rotation is harmless",
    clauses=older_statement(
        r"For $W_l = Q_l D(t) Q_{l-1}^\top$ with orthogonal $Q$ the moment along $u = Q_l e_h$ is $t^{2(L-l)} "
        r"E[(Q_L^\top "
        r"\delta)_h^2]$ exactly. For any orientations with a chain of rank $h - 1$ at $t = 0$, $\lambda_{\min}(G_l)$ "
        r"has rate "
        r"$2(L-l)$, since $\det = t^{L-l}$."
    ),
    source=cite("shirodkar2026dead", "prop:bridge_linear_rot"),
    hypotheses=(
        "Linear layers.",
        "For the reading along an axis: the rotations of neighbouring layers cancel.",
        "For the smallest eigenvalue: the chain above the probe has rank h − 1 at t = 0.",
    ),
    expected=Verdict.NARROWER,
    derive=derive,
    measure=measure,
    control=control,
    counterexample=counterexample,
    rests_on=("thm:bridge",),
    titled="Rotations of the layers leave the reading along the dead axis as it is.",
    doubts=(
        "The paper treats conjugated layers only. The determinant gives more, the rate of the smallest eigenvalue for "
        "generic orientations; and less, since the reading along the dead axis of the next layer drops to rate 2."
    ),
)
