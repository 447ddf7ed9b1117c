"""cor:res_lambda_min: λ_min of a gradient factor decays with the shortest path, up to a Schur factor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Matrix, Symbol, latex, symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Curve, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.evidence import limit
from ddtheory.workbench.ladder import count_check, limit_check, rate_check
from ddtheory.workbench.statement import printed

if TYPE_CHECKING:
    from torch import Tensor

    from ddtheory.workbench.residual_graph import ResidualGraph

_RADII = tuple(2.0**-n for n in range(3, 10))
_SLOPES = (0.8, 1.3, 0.7, 1.1, 0.9)
_REASON = (
    "squared singular values of the factor, exact mean over the noise, extrapolated to t = 0; all singular values "
    "used stand above 1e-13 of the largest"
)

# depth, skips, K, product of the slopes on the shortest route
_GRAPHS = (
    (5, ((1, 3),), 3, 0.8 * 1.1 * 0.9),
    (5, ((0, 2), (3, 5)), 1, 0.7),
    (4, ((0, 2),), 2, 0.7 * 1.1),
)


t, C, g = symbols("t C g", positive=True)
K = Symbol("K", integer=True, positive=True)


def rate_of_smallest(length: Expr) -> Expr:
    """2K."""
    return 2 * length


def limit_of_smallest(constant: Expr, own: Expr, coupling: Expr) -> Expr:
    """The limit of λ_min/t^{2K}, from bᵀ C_L⁻¹ b: C² (g − bᵀ C_L⁻¹ b)."""
    return constant**2 * (own - coupling)


_COUPLING = Symbol(r"b^\top C_L^{-1} b")


CLAIM = Claim(
    id="cor:res_lambda_min",
    title="Residual graphs: the dead direction carries λ_min",
    given=(
        r"Let $G$ be the gradient factor at node $0$ of a residual graph with shortest weighted path $K \ge 1$ of "
        r"coefficient $C$: to leading order its dead entry is $C^2 g\, t^{2K}$, its cross entries $C b\, t^K$, its "
        r"live block $C_L$."
    ),
    clauses={
        "rate": rf"$\lambda_{{\min}}(G)$ has the rate ${latex(rate_of_smallest(K))}$.",
        "coefficient": (
            rf"$\lambda_{{\min}}/t^{{2K}} \to {printed(limit_of_smallest(C, g, _COUPLING))}$, the Schur complement "
            "of the "
            "live block."
        ),
        "uncoupled": (
            rf"It tends to ${printed(limit_of_smallest(C, g, sympy.Integer(0)))}$, that of the dead entry itself, when "
            "noise does not couple dead and live outputs, $b = 0$."
        ),
        "null direction": r"A live direction without gradient makes $\lambda_{\min} = 0$ at every $t$.",
    },
    source=cite("shirodkar2026dead", "cor:res_lambda_min"),
    hypotheses=(
        "K ≥ 1.",
        "The live block of the gradient factor is regular, but for the last clause.",
        "The Schur complement is positive.",
    ),
    expected=Verdict.CONFIRMED,
    rests_on=("thm:bridge_res", "thm:selection_rule"),
    doubts=(
        "With all blocks wrapped K = 0 and the statement is silent, as it must be: nothing decays. The dead entry is "
        "λ_min only without coupling; with it the rate stays and the constant is the Schur complement."
    ),
)


def derive() -> Proof:
    b1, b2, c11, c22, scale = symbols("b_1 b_2 c_11 c_22 w", positive=True)  # w = C t^K
    c12, x, y, q1, q2, beta = symbols("c_12 x y q_1 q_2 beta", real=True)
    live = sympy.Matrix([[c11, c12], [c12, c22]])
    cross = sympy.Matrix([b1, b2])
    schur = g - (cross.T * live.inv() * cross)[0]
    gram = sympy.Matrix([[g * scale**2, b1 * scale, b2 * scale], [b1 * scale, c11, c12], [b2 * scale, c12, c22]])
    eye = sympy.eye(3)

    def pencil(matrix: Matrix) -> Expr:
        """det(G − x w²)/w² at w = 0, whose root is the limit of λ_min/w²."""
        return sympy.expand(sympy.expand((matrix - x * scale**2 * eye).det()) / scale**2).subs(scale, 0)

    uncoupled = gram.subs({b1: 0, b2: 0}, simultaneous=True)
    # C_L of rank one, and cross entries in its range
    null = gram.subs({c11: q1**2, c12: q1 * q2, c22: q2**2, b1: beta * q1, b2: beta * q2}, simultaneous=True)
    unread = sympy.Matrix([0, -q2, q1])
    return Proof(
        "Symbolic in w = C t^K and in all entries of G; two live directions.",
        (
            Prose(
                "The determinant splits into live block and Schur complement.",
                r"\det G = w^2 \det C_L (g - b^\top C_L^{-1} b)",
            ),
            Equation(
                "coefficient",
                "determinant of G",
                gram.det(),
                limit_of_smallest(scale, g, (cross.T * live.inv() * cross)[0]) * live.det(),
                {
                    "without the coupling": scale**2 * live.det() * g,
                    "the coupling added": scale**2 * live.det() * (2 * g - schur),
                    "w for w²": scale * live.det() * schur,
                },
            ),
            Equation(
                "rate",
                "characteristic polynomial at t = 0: one eigenvalue is zero, the others are those of C_L",
                (gram.subs(scale, 0) - y * eye).det(),
                -y * (live - y * sympy.eye(2)).det(),
                {
                    "K = 0, where w does not vanish": (
                        (gram.subs(scale, 1) - y * eye).det(),
                        -y * (live - y * sympy.eye(2)).det(),
                    ),
                    "none is zero": (g - y) * (live - y * sympy.eye(2)).det(),
                },
            ),
            Equation(
                "rate",
                "det(G − x w²) to order w², which has a root x: that eigenvalue is of order w² = C² t^{2K}",
                sympy.expand((gram - x * scale**2 * eye).det()).coeff(scale, 2).subs(x, schur) + x * live.det(),
                x * live.det(),
                {
                    "of order w": (
                        sympy.expand((gram - x * scale * eye).det()).coeff(scale, 1).subs(x, schur) + x * live.det(),
                        x * live.det(),
                    ),
                },
            ),
            Equation(
                "rate",
                "d log w²/d log t with w = C t^K",
                t * sympy.diff(sympy.log((C * t**K) ** 2), t),
                rate_of_smallest(K),
                {"of w": K, "of w⁴": 4 * K},
            ),
            Prose(
                "All eigenvalues but one tend to those of C_L.", r"\lambda_{\min}(G) / w^2 \to g - b^\top C_L^{-1} b"
            ),
            Equation(
                "coefficient",
                "det(G − x w²)/w² at w = 0 vanishes at the Schur complement",
                pencil(gram),
                live.det() * (schur - x),
                {
                    "at the dead entry": live.det() * (g - x),
                    "C_L for its inverse": live.det() * (g - (cross.T * live * cross)[0] - x),
                },
            ),
            Equation(
                "uncoupled",
                "b = 0: det(G − x w²)/w² at w = 0 vanishes at the dead entry",
                pencil(uncoupled),
                live.det() * (limit_of_smallest(sympy.Integer(1), g, sympy.Integer(0)) - x),
                {"with coupling": (pencil(gram), live.det() * (g - x))},
            ),
            Equation(
                "null direction",
                "C_L v = 0 and bᵀv = 0: (G + α) v = α v at every t",
                (null + x * eye) * unread,
                x * unread,
                {
                    "a live direction with gradient": ((gram + x * eye) * unread, x * unread),
                    "the dead direction": ((null + x * eye) * sympy.Matrix([1, 0, 0]), x * sympy.Matrix([1, 0, 0])),
                },
            ),
        ),
    )


def _noise(width: int, seed: int) -> Tensor:
    """A factor of a covariance in which dead and live outputs are correlated."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    return 0.3 * torch.eye(width, dtype=torch.float64) + 0.15 * torch.randn(
        width, width, generator=generator, dtype=torch.float64
    )


def _schur(graph: ResidualGraph, noise: Tensor) -> tuple[float, float]:
    """The Schur complement and the dead entry per squared transfer, from live Jacobians at t = 0."""
    import torch

    live = graph.sensitivity(0.0, 0)[:-1, :, :-1].permute(1, 2, 0)  # (batch, live output, live input)
    covariance = noise @ noise.mT
    block = torch.einsum("boi,op,bpj->ij", live, covariance[:-1, :-1], live) / live.shape[0]
    cross = torch.einsum("boi,o->i", live, covariance[:-1, -1]) / live.shape[0]
    entry = float(covariance[-1, -1])
    return entry - float(cross @ torch.linalg.solve(block, cross)), entry


def measure() -> Experiment:
    import torch

    from ddtheory.workbench.residual_graph import residual_graph

    rates: list[Check] = []
    coefficients: list[Check] = []
    uncoupled: list[Check] = []
    curves: list[Curve] = []
    for depth, skips, length, product in _GRAPHS:
        graph = residual_graph(depth=depth, skips=list(skips), slopes=_SLOPES[:depth])
        noise = _noise(4, depth)
        schur, entry = _schur(graph, noise)
        smallest, zeros = _smallest(graph, noise)
        predicted = schur * product**2
        assert predicted > 0  # a rate with coefficient zero would be vacuous
        label = f"depth {depth}, skips {skips}"
        rates += [
            rate_check(
                f"{label}: rate of λ_min",
                int(rate_of_smallest(sympy.Integer(length))),
                _RADII,
                smallest,
                rivals=(0, 2 * depth),
                quantity="rate of an eigenvalue",
            ),
            count_check(
                f"{label}: exact zeros in the spectrum", 0, zeros, rivals=(1,), reason="below 1e-13 of the largest"
            ),
        ]
        coefficients.append(
            Comparison(
                f"{label}: λ_min/t^{2 * length}",
                predicted,
                limit(_RADII, [value / t ** (2 * length) for value, t in zip(smallest, _RADII, strict=True)], 1e-7),
                (entry * product**2, 0),
                2e-2 * predicted,
                _REASON + "; predicted from live Jacobians at t = 0; the rival is the dead entry",
                "coefficient of an eigenvalue",
            )
        )
        even = 0.3 * torch.eye(4, dtype=torch.float64)
        plain, _ = _smallest(graph, even)
        dead = [graph.gradient_moment(t, 0, 0.3**2) for t in _RADII]
        uncoupled.append(
            limit_check(
                f"{label}, independent noise: λ_min over the dead entry",
                1,
                _RADII,
                [value / t for value, t in zip(plain, dead, strict=True)],
                rivals=(0, schur / entry),
                relative_error=1e-7,
                quantity="ratio",
            )
        )
        curves.append(Curve(f"λ_min, {label}", _RADII, tuple(smallest), 2.0 * length))
    return Experiment(
        "Residual networks of tanh layers of depth 4 and 5, width 4, 64 Gaussian inputs, gradient of ½‖f − y‖² at the "
        "input, label noise correlated between dead and live outputs, or independent; averaged in closed form.",
        {"rate": rates, "coefficient": coefficients, "uncoupled": uncoupled, "null direction": _unread()},
        tuple(curves),
    )


def _smallest(graph: ResidualGraph, noise: Tensor) -> tuple[list[float], int]:
    """λ_min of the gradient factor at all radii, and how many singular values are rounding."""
    import torch

    smallest: list[float] = []
    zeros = 0
    for t in _RADII:
        singular = torch.linalg.svdvals(graph.gradient_factor(t, 0, noise))
        zeros += int((singular < 1e-13 * singular[0]).sum())
        smallest.append(float(singular[-1]) ** 2)
    return smallest, zeros


def _unread() -> list[Check]:
    """A live channel that no layer reads: an exact zero, and the dead rate in the next eigenvalue."""
    from dataclasses import replace

    import torch

    from ddtheory.workbench.residual_graph import residual_graph

    noise = _noise(4, 4)
    graph = residual_graph(depth=4, skips=[(1, 3)])
    live = graph.live.clone()
    live[0, :, 0] = 0.0
    unread = replace(graph, live=live)
    spectra = [torch.linalg.svdvals(unread.gradient_factor(t, 0, noise)) for t in _RADII]
    return [
        Comparison(
            "unread live channel: smallest singular value/largest, worst over radii",
            0,
            Interval.around(max(float(singular[-1] / singular[0]) for singular in spectra), 1e-15),
            (2.0 ** (-2 * 9),),
            1e-14,
            "one exact zero, named: the unread channel; the rival is t^K at the smallest radius",
            "singular value",
        ),
        rate_check(
            "unread live channel: rate of the next eigenvalue",
            4,
            _RADII,
            [float(singular[-2]) ** 2 for singular in spectra],
            rivals=(0,),
            quantity="rate of an eigenvalue",
        ),
    ]


def control() -> Experiment:
    import torch

    from ddtheory.workbench.residual_graph import residual_graph

    noise = _noise(4, 4)
    wrapped = residual_graph(depth=4, skips=[(0, 2), (2, 4)])
    alive, _ = _smallest(wrapped, noise)
    depth, skips, length, product = _GRAPHS[0]
    graph = residual_graph(depth=depth, skips=list(skips), slopes=_SLOPES[:depth])
    even = 0.3 * torch.eye(4, dtype=torch.float64)
    plain, _ = _smallest(graph, even)
    coupled = _noise(4, depth)
    schur, entry = _schur(graph, coupled)
    dead = [float(graph.gradient_factor(t, 0, coupled)[:, -1].square().sum()) for t in _RADII]
    smallest, _ = _smallest(graph, coupled)
    read = residual_graph(depth=4, skips=[(1, 3)])
    return Experiment(
        "K = 0: nothing decays. Without coupling the Schur complement is the dead entry, and with it λ_min is not the "
        "dead entry. And where every live channel is read there is no exact zero.",
        {
            "rate": [
                rate_check(
                    "all blocks wrapped: rate of λ_min",
                    0,
                    _RADII,
                    alive,
                    rivals=(4,),
                    quantity="rate of an eigenvalue",
                )
            ],
            "coefficient": [
                limit_check(
                    "independent noise: λ_min/t^6 over the squared coefficient of the path",
                    0.09,
                    _RADII,
                    [value / t ** (2 * length) / product**2 for value, t in zip(plain, _RADII, strict=True)],
                    rivals=(schur, 0.09 * schur / entry),
                    relative_error=1e-7,
                )
            ],
            "uncoupled": [
                limit_check(
                    "correlated noise: λ_min over the dead entry",
                    schur / entry,
                    _RADII,
                    [value / t for value, t in zip(smallest, dead, strict=True)],
                    rivals=(1,),
                    relative_error=1e-7,
                    quantity="ratio",
                )
            ],
            "null direction": [
                rate_check(
                    "every live channel read: rate of λ_min, which is no exact zero",
                    4,
                    _RADII,
                    _smallest(read, noise)[0],
                    rivals=(0,),
                    quantity="rate of an eigenvalue",
                )
            ],
        },
    )
