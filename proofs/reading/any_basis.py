"""read:any_basis: a direction that is carried along has the same order in every orthogonal basis."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import sympy
from sympy import Expr, Matrix, Symbol, latex, symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import Check, Claim, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.evidence import order_check
from ddtheory.workbench.ladder import value_check

if TYPE_CHECKING:
    from torch import Tensor

    from ddtheory.cells import Cell
    from ddtheory.measure import Problem

t, q = symbols("t q", positive=True)
k = Symbol("k", integer=True, positive=True)

TURN = Matrix([[1 - q**2, -2 * q], [2 * q, 1 - q**2]]) / (1 + q**2)  # by the angle whose half has the tangent q
MIXED = (2 * q / (1 + q**2)) ** 2  # sin² of that angle


CLAIM = Claim(
    id="read:any_basis",
    title="The order along a direction is the same in every orthogonal basis, if the direction is carried along",
    given=r"Let $u$ be a direction of order $k$ at $\theta_0$, and $\varphi = Q\theta$ with $Q$ orthogonal.",
    clauses={
        "carried": r"Along $Qu$ in the coordinates $\varphi$, $F$ and $K$ are at every $t$ what they are along $u$.",
        "kept": (
            r"The axis that kept the number of $u$ is another direction: with a live direction at the angle whose half "
            rf"has the tangent $q$ mixed in, it reads order 1, $K = {latex(MIXED)}\, t^2 + \dots$"
        ),
    },
    source=cite("shirodkar2026measuring", "abstract", verified=False),
    hypotheses=("The new coordinates are linear and orthogonal.", "The direction is known, and moves with the basis."),
    expected=Verdict.CONFIRMED,
    doubts=(
        "A referee of the paper asks why the rate does not depend on the basis. Because uᵀFu is a number of the "
        "direction and not of the basis; curved coordinates do change the order. So nothing is said of how the "
        "direction is found: no axis of the new basis shows the order, and the bottom vectors of the Kronecker factors "
        "of a layer show no node death in any basis (read:joint_death)."
    ),
)


def _loss(point: Matrix) -> Expr:
    """A live direction beside a dead one: K = x² + y^{2k}."""
    return point[0] ** 2 + point[1] ** (2 * k)


def derive() -> Proof:
    a, b, c, u1, u2 = symbols("a b c u_1 u_2", real=True)
    fisher, direction, dead = Matrix([[a, b], [b, c]]), Matrix([u1, u2]), Matrix([0, 1])
    turned = TURN * fisher * TURN.T
    carried = TURN * direction
    back = (TURN.T * (TURN * dead)).applyfunc(sympy.simplify)  # θ at φ = t Qu
    kept = TURN.T * dead
    cosine = (1 - q**2) / (1 + q**2)
    return Proof(
        "Any Fisher matrix of two parameters and any rotation; K = x² + y^{2k}, symbolic in k.",
        (
            Prose("K has the same value at the same point, and the Fisher of φ is QFQᵀ.", r"\tilde F = Q F Q^\top"),
            Equation(
                "carried",
                "the Fisher of φ along Qu, and that of θ along u",
                (carried.T * turned * carried)[0],
                (direction.T * fisher * direction)[0],
                {"the axis kept": (direction.T * turned * direction)[0], "turned back": (kept.T * fisher * kept)[0]},
            ),
            Equation(
                "carried",
                "K at φ = t Qu",
                _loss(t * back),
                t ** (2 * k),
                {"the axis kept": (_loss(t * kept), t ** (2 * k)), "of order k + 1": t ** (2 * k + 2)},
            ),
            Equation(
                "kept",
                "K at φ = t u: the live direction enters with its square",
                _loss(t * kept),
                MIXED * t**2 + (cosine * t) ** (2 * k),
                {"no live part": (cosine * t) ** (2 * k), "the cosine": cosine**2 * t**2 + (cosine * t) ** (2 * k)},
            ),
        ),
    )


def _nine() -> list[tuple[str, Cell, str]]:
    """Cells with more than one parameter, and a direction of each."""
    from ddtheory import cells

    return [
        ("w₂ of w₁² + w₂⁴ + w₃⁶", cells.isolated(orders=(1, 2, 3)), "w2"),
        ("w₃ of w₁² + w₂⁴ + w₃⁶", cells.isolated(orders=(1, 2, 3)), "w3"),
        ("death of a tanh unit", cells.node_death(activation="tanh"), "joint"),
        ("death of a GELU unit", cells.node_death(activation="gelu"), "joint"),
        ("death of a squared ReLU unit", cells.node_death(activation="squared relu"), "joint"),
        ("death of a cubic unit", cells.node_death(activation="cube"), "joint"),
        ("three linear layers", cells.deep_linear(widths=(2, 2, 2, 2), rank=1), "joint"),
        ("reduced rank", cells.reduced_rank(inputs=2, hidden=2, outputs=2, rank=1), "joint"),
        ("a live weight of three linear layers", cells.deep_linear(widths=(2, 2, 2, 2), rank=1), "live"),
    ]


def _basis(size: int, seed: int) -> Tensor:
    import torch

    generator = torch.Generator().manual_seed(seed)
    return torch.linalg.qr(torch.randn(size, size, generator=generator, dtype=torch.float64)).Q


def measure() -> Experiment:
    from ddtheory import measure as reading

    carried: list[Check] = []
    for number, (name, cell, along) in enumerate(_nine()):
        problem = cell.problem()
        direction = problem.flat(cell.torch_direction(along))
        predicted = cell.kl_order(along, arc=False).k
        assert isinstance(predicted, int)
        before = reading.fisher_along(problem, direction)
        for seed in (2 * number, 2 * number + 1):
            basis = _basis(problem.dimension, seed)
            after = reading.fisher_along(problem.in_basis(basis), basis @ direction)
            carried.append(order_check(f"{name}, basis {seed}: order", predicted, reading.order(after)))
        kept = reading.fisher_along(problem.in_basis(basis), direction)
        carried.append(
            value_check(
                f"{name}: F at t = {before.radii[2]:.3g} in the new basis over F in the old one",
                1,
                after.fisher[2] / before.fisher[2],
                rivals=(kept.fisher[2] / before.fisher[2],),
                reason="rounding; the rival is the axis kept",
                quantity="quotient of Fisher values",
            )
        )
    checks: list[Check] = []
    for half in (Fraction(1, 10), Fraction(1, 2)):
        problem, angle = _turned(half)
        found = reading.fisher_along(problem, {"rotated": _axis(1)})
        checks.append(order_check(f"q = {half}: order of the axis kept", 1, reading.order(found), rivals=(3,)))
        checks.append(
            value_check(
                f"q = {half}: K/t² there at t = {found.radii[-1]:.2g}",
                float(angle),
                found.divergence[-1] / found.radii[-1] ** 2,
                rivals=(float(1 - angle), float(angle) / 2),
                error=1e-5,
                reason="K = x² + y⁶ in nats; the other term is of order t⁴ there",
                quantity="coefficient",
            )
        )
    return Experiment(
        "Nine directions of cells in float64, each in two random orthogonal bases of all its parameters; the order is "
        "derived from the symbolic face. For the axis that is kept, x² + y⁶ turned by two angles.",
        {"carried": carried, "kept": checks},
    )


def _plain(mean: Callable[[Mapping[str, Any]], Any], truth: Mapping[str, Tensor]) -> Problem:
    """A Gaussian location of two means at one sample: K is half their squared length."""
    import torch

    from ddtheory.measure import Gaussian, Problem

    def model(parameters: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
        found: Tensor = torch.stack(mean(parameters)).reshape(1, -1) * inputs
        return found

    return Problem(model, truth, torch.ones(1, 1, dtype=torch.float64), Gaussian(0.5))


def _axis(place: int) -> Tensor:
    import torch

    return torch.eye(2, dtype=torch.float64)[place]


def _two() -> Problem:
    """K = x² + y⁶."""
    import torch

    return _plain(lambda p: (p["z"][0], p["z"][1] ** 3), {"z": torch.zeros(2, dtype=torch.float64)})


def _turned(half: Fraction) -> tuple[Problem, Fraction]:
    """It in the basis turned by the angle whose half has this tangent, and sin² of it."""
    import torch

    turn = torch.tensor([[float(entry.subs(q, half)) for entry in row] for row in TURN.tolist()], dtype=torch.float64)
    return _two().in_basis(turn), Fraction(str(MIXED.subs(q, half)))


def control() -> Experiment:
    import torch

    from ddtheory import measure as reading

    start = {"z": torch.zeros(2, dtype=torch.float64)}
    curved = _plain(lambda p: (p["z"][0] - p["z"][1] ** 2, p["z"][1] ** 3), start)
    half_turn = _two().in_basis(torch.eye(2, dtype=torch.float64).flip(0))
    return Experiment(
        "K = x² + y⁶ in the curved coordinates (x + y², y), whose derivative at 0 is the identity; and with the axes "
        "exchanged, where no live direction mixes with the dead one.",
        {
            "carried": [
                order_check(
                    "curved coordinates: order along the same tangent",
                    2,
                    reading.order(reading.fisher_along(curved, {"z": _axis(1)})),
                    rivals=(3,),
                )
            ],
            "kept": [
                order_check(
                    "axes exchanged: order of the axis that the dead one became",
                    3,
                    reading.order(reading.fisher_along(half_turn, {"rotated": _axis(0)})),
                    rivals=(1,),
                )
            ],
        },
    )
