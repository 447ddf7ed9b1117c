"""read:ray_and_orbit: a straight ray along a curved gauge reads order 2, and its orbit is flat."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Matrix, Symbol, latex, symbols

from ddtheory.references import cite
from ddtheory.values import Kind, Verdict
from ddtheory.verify.claim import TITLE, Check, Claim, Experiment, Observation
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.evidence import order_check
from ddtheory.workbench.ladder import value_check
from ddtheory.workbench.statement import printed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor

    from ddtheory.measure import Problem
    from ddtheory.values import OrderReading

t, a, b, z = symbols("t a b z", positive=True)
theta = symbols("theta", real=True)


def missed(outer: Expr, inner: Expr, by: Expr) -> Expr:
    """What a step along the tangent of a rescaling changes of outer · inner, as the two sizes are."""
    return -outer * inner * by**2


def missed_product(after: Expr, generator: Expr, before: Expr, by: Expr) -> Expr:
    """What a step along the tangent changes of a product of matrices: −t² W' X² W."""
    return -(by**2) * after * generator**2 * before


_AFTER, _GENERATOR, _BEFORE = (Symbol(name, commutative=False) for name in ("W'", "X", "W"))


CLAIM = Claim(
    id="read:ray_and_orbit",
    title="The order tells a dead direction from a flat gauge",
    holds="A gauge that is curved reads order 2 along its straight ray, and is flat along its orbit",
    given=(
        r"Let a gauge move $W \mapsto gW$, $W' \mapsto W' g^{-1}$, $g = e^{tX}$, and leave the function of a network "
        r"in its place, and let $u = (XW, -W'X)$ be its tangent at $\theta_0$, with $W'X^2W \ne 0$."
    ),
    clauses={
        "orbit": r"Along the orbit $g\theta_0$ both $F$ and $K$ are zero at every $t$: flat, without an order.",
        "ray": (
            r"Along the ray $\theta_0 + tu$ the product changes by "
            f"${printed(missed_product(_AFTER, _GENERATOR, _BEFORE, t))}$: "
            "order 2, as at a dead direction. "
            rf"For a rescaling of one channel of weights $a$, $b$ it is ${latex(missed(b, a, t))}$."
        ),
        "straight": (
            r"A gauge that adds a constant ($W \mapsto W + 1v^\top$ under softmax) is flat along the ray, its orbit."
        ),
    },
    source=cite("shirodkar2026measuring", "abstract", verified=False),
    hypotheses=("The gauge is exact at θ0 and along its orbit.", "What reads the product sees the change W'X²W."),
    expected=Verdict.NARROWER,
    titled="An order k ≥ 2 along a straight ray tells a singularity from a gauge, which reads flat.",
    doubts=(
        "The paper reads the order to separate “a genuine singularity” from “a flat gauge symmetry”, and lets the "
        "magnitude of F settle the rest. Along straight rays, rescalings of ReLU units, scales behind a normalisation "
        "and rotations of queries against keys or values against outputs all read 2: only the orbit tells them apart."
    ),
)


def derive() -> Proof:
    w = Matrix(2, 2, symbols("w_1:5", real=True))
    v = Matrix(1, 2, symbols("v_1:3", real=True))
    x = Matrix(2, 2, symbols("x_1:5", real=True))
    turn = Matrix([[sympy.cos(theta), -sympy.sin(theta)], [sympy.sin(theta), sympy.cos(theta)]])
    one = sympy.eye(2)
    step = (v * (one - t * x) * (one + t * x) * w - v * w).expand()
    scaled = (b * (1 - t)) * (a * (1 + t) * z) - b * a * z
    logits = Matrix(symbols("f_1:4", real=True))
    shift = symbols("s", real=True)

    def softmax(values: Matrix) -> Matrix:
        total = sum(sympy.exp(value) for value in values)
        return values.applyfunc(lambda value: sympy.exp(value) / total)

    return Proof(
        "Any 2 × 2 layer before one output and any X; a rotation as an orbit; a rescaled channel; three classes.",
        (
            Equation(
                "orbit",
                "the product along the orbit of a rotation",
                v * turn.T * turn * w,
                v * w,
                {"both turned the same way": v * turn * turn * w, "one side alone": v * turn * w},
            ),
            Equation(
                "orbit",
                "and of a rescaling",
                (b * sympy.exp(-t)) * (a * sympy.exp(t) * z),
                a * b * z,
                {"one side alone": b * (a * sympy.exp(t) * z)},
            ),
            Prose("Along the ray both sides take the first step of the orbit, and nothing more.", "g = 1 + tX"),
            Equation(
                "ray",
                "the change of the product: no term in t",
                step,
                missed_product(v, x, w, t),
                {"a term in t": -(t**2) * v * x**2 * w + t * v * x * w, "the other sign": t**2 * v * x**2 * w},
            ),
            Equation(
                "ray",
                "a rescaled channel, at the value z",
                scaled,
                missed(b, a, t) * z,
                {"order 1": missed(b, a, t) * z / t, "half": missed(b, a, t) * z / 2},
            ),
            Equation(
                "straight",
                "softmax of shifted logits, for a shift of any size",
                softmax(logits + shift * sympy.ones(3, 1)),
                softmax(logits),
                {"one logit shifted": softmax(logits + shift * Matrix([1, 0, 0]))},
            ),
        ),
    )


def _drawn(*shape: int, seed: int = 0) -> Tensor:
    import torch

    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _cases() -> dict[str, tuple[Problem, Callable[[Tensor], Mapping[str, Tensor]]]]:
    """Problems with a gauge each, and the orbit of a one-parameter group as a function of its time."""
    import torch
    from torch import nn

    from ddtheory.measure import Categorical, Gaussian, Problem

    torch.manual_seed(3)
    relu = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)).double()
    norm = nn.Sequential(nn.LayerNorm(4), nn.Linear(4, 2)).double()
    with torch.no_grad():
        for number, parameter in enumerate(norm.parameters()):
            parameter.add_(_drawn(*parameter.shape, seed=20 + number) / 4)
    draws = {"q": _drawn(2, 3, seed=3), "k": _drawn(2, 3, seed=4), "v": _drawn(2, 3, seed=5), "o": _drawn(3, 2, seed=6)}

    def attention(p: Mapping[str, Tensor], x: Tensor) -> Tensor:
        scores = (x @ p["q"].mT) @ (x @ p["k"].mT).mT
        return torch.softmax(scores, -1) @ (x @ p["v"].mT) @ p["o"].mT

    heads = Problem(attention, draws, _drawn(20, 4, 3, seed=7), Gaussian())
    rate = _drawn(4, seed=8)
    generator = torch.tensor([[0.0, -1.0], [1.0, 0.0]], dtype=torch.float64)
    whole = _drawn(2, 2, seed=9)

    def scaled(problem: Problem, up: tuple[str, ...], down: str) -> Callable[[Tensor], Mapping[str, Tensor]]:
        def orbit(time: Tensor) -> Mapping[str, Tensor]:
            factor = torch.exp(time * rate)
            grown = {
                name: problem.truth[name] * factor.reshape(-1, *(1 for _ in problem.truth[name].shape[1:]))
                for name in up
            }
            return {**grown, down: problem.truth[down] / factor}

        return orbit

    def queries(time: Tensor) -> Mapping[str, Tensor]:
        turn = torch.linalg.matrix_exp(time * generator)
        return {"q": turn @ draws["q"], "k": turn @ draws["k"]}

    def values(time: Tensor) -> Mapping[str, Tensor]:
        return {
            "v": torch.linalg.matrix_exp(time * whole) @ draws["v"],
            "o": draws["o"] @ torch.linalg.matrix_exp(-time * whole),
        }

    found = {
        "ReLU rescaling": (Problem.from_module(relu, _drawn(40, 3), Gaussian()), ("0.weight", "0.bias"), "2.weight"),
        "LayerNorm scale": (
            Problem.from_module(norm, _drawn(40, 4), Categorical()),
            ("0.weight", "0.bias"),
            "1.weight",
        ),
    }
    return {
        **{name: (problem, scaled(problem, up, down)) for name, (problem, up, down) in found.items()},
        "rotation of queries and keys": (heads, queries),
        "linear map of values and outputs": (heads, values),
    }


def _tangent(problem: Problem, orbit: Callable[[Tensor], Mapping[str, Tensor]]) -> dict[str, Tensor]:
    import torch

    from ddtheory.measure.setting.exponential import EXPONENTIALS
    from ddtheory.measure.setting.formulas import Formulas

    zero = torch.zeros((), dtype=torch.float64)
    with Formulas(EXPONENTIALS):
        _, velocity, *_ = torch.func.jvp(lambda s: dict(orbit(s)), (zero,), (torch.ones_like(zero),))
    return dict(velocity)


def _along_orbit(problem: Problem, orbit: Callable[[Tensor], Mapping[str, Tensor]]) -> OrderReading:
    from ddtheory import measure as reading

    length = problem_length(_tangent(problem, orbit))
    return reading.order(reading.fisher_along(problem, reading.arc(problem, lambda s: orbit(s / length))))


def problem_length(direction: Mapping[str, Tensor]) -> float:
    """The length of a direction in parameter space."""
    return sum(float(value.square().sum()) for value in direction.values()) ** 0.5


def _kind(found: OrderReading) -> str:
    return found.kind.value if found.kind else found.status.value


def measure() -> Experiment:
    from ddtheory import measure as reading

    orbits: list[Check] = []
    rays: list[Check] = []
    for name, (problem, orbit) in _cases().items():
        says = "F and K are rounding at every radius"
        orbits.append(Observation(f"{name}: orbit", Kind.FLAT.value, _kind(_along_orbit(problem, orbit)), says))
        ray = reading.order(reading.fisher_along(problem, _tangent(problem, orbit)))
        rays.append(order_check(f"{name}: order along the ray", 2, ray, rivals=(1, 3)))
    problem, weights = _channel()
    profile = reading.fisher_along(problem, weights)
    size = float(profile.divergence[-1]) / profile.radii[-1] ** 4
    # the unit vector is (a, −b)/√(a² + b²) with a = 3, b = 1/2: 2K = (ab t²/(a² + b²))² E z²
    rays.append(
        value_check("a channel of weights 3 and 1/2: K/t⁴", (1.5 / 9.25) ** 2 / 2, size,
                    rivals=(1.5**2 / 2, (1.5 / 9.25) / 2), error=1e-9,
                    reason="the change is exactly −ab t² at unit value; float64", quantity="coefficient")
    )  # fmt: skip
    return Experiment(
        "A ReLU network, a LayerNorm before a softmax, and one head of attention, all with random weights in float64; "
        "arcs of unit speed along one-parameter groups, and the rays that touch them.",
        {"orbit": orbits, "ray": rays, "straight": [_shift(Kind.FLAT.value, softmax=True)]},
    )


def _channel() -> tuple[Problem, dict[str, Tensor]]:
    """y = b a x at x = 1, and the tangent of its rescaling."""
    import torch

    from ddtheory.measure import Gaussian, Problem

    a_b = {"a": torch.tensor([3.0], dtype=torch.float64), "b": torch.tensor([0.5], dtype=torch.float64)}
    problem = Problem(lambda p, x: p["b"] * p["a"] * x, a_b, torch.ones(1, 1, dtype=torch.float64), Gaussian())
    return problem, {"a": a_b["a"], "b": -a_b["b"]}


def _shift(predicted: str, *, softmax: bool) -> Check:
    """The ray W + t 1vᵀ in the last layer."""
    import torch
    from torch import nn

    from ddtheory import measure as reading

    torch.manual_seed(5)
    head = reading.Categorical() if softmax else reading.Gaussian()
    problem = reading.Problem.from_module(nn.Linear(3, 4).double(), _drawn(30, 3), head)
    direction = {"weight": torch.ones(4, 1, dtype=torch.float64) * _drawn(3, seed=1)}
    found = reading.order(reading.fisher_along(problem, direction))
    if softmax:
        return Observation("logit shift: ray", predicted, _kind(found), "F and K are rounding at every radius")
    return order_check("the same shift with squared loss: order", 1, found, rivals=(2,))


def control() -> Experiment:
    from ddtheory import measure as reading

    cases = _cases()
    problem, orbit = cases["ReLU rescaling"]
    tangent = _tangent(problem, orbit)
    same_way = {name: value if name != "2.weight" else -value for name, value in tangent.items()}
    half = {name: value for name, value in tangent.items() if name != "2.weight"}
    return Experiment(
        "The ReLU network with the outer weights moved the other way, and with the inner side alone; the shift of the "
        "last layer under squared loss.",
        {
            "ray": [
                order_check(
                    "(XW, +W'X): order",
                    1,
                    reading.order(reading.fisher_along(problem, same_way)),
                    rivals=(2,),
                )
            ],
            "orbit": [
                order_check(
                    "the inner side alone: order",
                    1,
                    reading.order(reading.fisher_along(problem, half)),
                    rivals=(2,),
                )
            ],
            "straight": [_shift("", softmax=False)],
        },
    )


def counterexample() -> Experiment:
    from ddtheory import measure as reading

    checks: list[Check] = []
    for name, (problem, orbit) in _cases().items():
        found = reading.order(reading.fisher_along(problem, _tangent(problem, orbit)))
        checks.append(order_check(f"{name}, a gauge: order along the ray", 2, found, rivals=(1, 3)))
    return Experiment("Directions of order 2 at points where every unit lives, and nothing is dead.", {TITLE: checks})
