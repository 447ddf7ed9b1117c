"""cor:sigma_min_res_g5: forward σ_min in residual graphs; ties may cancel, LayerNorm nodes have a centred kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Matrix, Symbol, latex, symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import TITLE, Check, Claim, Comparison, Curve, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.evidence import limit
from ddtheory.workbench.ladder import count_check, rate_check
from ddtheory.workbench.statement import printed

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

_RADII = tuple(2.0**-n for n in range(3, 10))
_SAMPLES = 400
_SLOPES = (0.8, 1.3, 0.7, 1.1, 0.9)
_TIED = [(0, 2), (1, 3)]
_REASON = "400 fixed samples, singular values of the samples themselves, extrapolated to t = 0"


t = symbols("t", positive=True)
c1, c2, c3, S, K2 = symbols("c_1 c_2 c_3 S K_2", real=True)


def tied_moment(first: Expr | float, last: Expr | float, second: Expr | float, radius: Expr | float = t) -> Expr:
    """(c_1 + c_3)² S t²: dead second moment behind two tied routes of one weight each."""
    return (first + last) ** 2 * second * radius**2


def rate(length: Expr | int) -> Expr:
    """The rate of λ_min: 2K."""
    return 2 * length


def dead_moment(
    slope: Expr | float, constant: Expr | float, length: Expr | int, second: Expr | float, radius: Expr | float = t
) -> Expr:
    """The leading term of the dead second moment: (φ'(0)^K C)² S t^{2K}."""
    return (slope**length * constant) ** 2 * second * radius ** rate(length)


_CANCELLED = {"linear": 6, "curved": 4}
"""The rates after a cancellation: on linear layers, and where φ''(0) ≠ 0."""

_MOMENT = dead_moment(Symbol("\\varphi'(0)"), *symbols("C K S"))


CLAIM = Claim(
    id="cor:sigma_min_res_g5",
    title="Forward σ_min in residual graphs: routes, ties and LayerNorm nodes",
    holds="Forward σ_min in residual graphs: tied routes may cancel, LayerNorm nodes have a centred kernel",
    given=(
        r"Let $X$ be $N$ samples at a node of a residual graph whose shortest weighted path from the input has $K$ "
        r"weights of product $C$, $\varphi'(0) > 0$, and $S$ the second moment of the dead input."
    ),
    clauses={
        "rate": rf"$\lambda_{{\min}}(X^\top X / N)$ has the rate ${printed(rate(Symbol('K')))}$.",
        "coefficient": rf"The dead second moment is ${printed(_MOMENT)}$ to leading order.",
        "ties": (
            rf"Two tied routes of slopes $c_1$ and $c_3$ have ${latex(tied_moment(c1, c3, S))}$, zero iff $c_3 = -c_1$."
        ),
        "cancellation": (
            f"After a cancellation $c_3 = -c_1$ the dead second moment has the rate ${_CANCELLED['linear']}$ on "
            "linear "
            rf"layers, and ${_CANCELLED['curved']}$ where $\varphi''(0) \ne 0$."
        ),
        "LayerNorm": r"At the output of a LayerNorm the centred sample Gram kills $\gamma^{-1}$.",
    },
    source=cite("shirodkar2026dead", "cor:sigma_min_res_g5"),
    hypotheses=(
        "Slopes of shortest routes do not cancel, but for the fourth clause.",
        "The live samples are regular.",
        "At LayerNorm nodes: samples are centred, all γ_i ≠ 0.",
    ),
    expected=Verdict.NARROWER,
    rests_on=("thm:bridge_res",),
    titled="that σ_min = 0 at LayerNorm nodes, without the word “centred”",
    doubts=(
        "Uncentred samples behind a LayerNorm are regular when ⟨γ^{−1}, β⟩ ≠ 0. After a cancellation of tied routes "
        "the next rate depends on the activation."
    ),
)


def derive() -> Proof:
    x = symbols("x", real=True)
    b1, b2, c11, c12, c22, y = symbols("b_1 b_2 c_11 c_12 c_22 y", real=True)

    def tied(curvature: Expr | int, last: Expr) -> Expr:
        """Dead output of three layers φ(u) = u + K_2 u² with skips 0 → 2 and 1 → 3."""

        def layer(value: Expr) -> Expr:
            return value + curvature * value**2

        first = layer(c1 * t * x)
        middle = layer(c2 * t * first) + x
        return layer(last * t * middle) + first

    def lowest(value: Expr) -> Expr:
        """The lowest monomial in t."""
        (power,), coefficient = sympy.Poly(sympy.expand(value), t).terms()[-1]
        return coefficient * t**power

    linear = tied(0, c3)
    gram = sympy.Matrix([[S * t**2, b1 * t, b2 * t], [b1 * t, c11, c12], [b2 * t, c12, c22]])
    live = gram[1:, 1:]
    silu = t * x / (1 + sympy.exp(-t * x))
    gammas, betas = sympy.Matrix(symbols("gamma_1:4", positive=True)), sympy.Matrix(symbols("beta_1:4", real=True))
    scale = symbols("s_1 s_2", positive=True)
    inputs = [sympy.Matrix(symbols(f"x_{number}1:{number}4", real=True)) for number in (1, 2)]

    def normalised(centred: bool) -> list[Matrix]:
        """Two samples behind the affine map of a LayerNorm, with any scales."""
        found = []
        for factor, sample in zip(scale, inputs, strict=True):
            mean = sum(sample) / 3 if centred else sympy.Integer(0)
            found.append(
                sympy.Matrix([factor * g * (z - mean) + b for g, z, b in zip(gammas, sample, betas, strict=True)])
            )
        return found

    def gram_along(samples: list[Matrix], direction: Matrix) -> Matrix:
        """Centred Gram of two samples, applied to a direction, plus that direction."""
        half = (samples[0] - samples[1]) / 2
        return 2 * half * (half.T * direction) + direction

    kernel = sympy.Matrix([1 / g for g in gammas])
    return Proof(
        "Symbolic in slopes, curvature and inputs; the tied graph of three layers; two live directions; LayerNorm of "
        "width 3 on two samples, with any scales, so with any regularisation of its variance.",
        (
            Prose(
                "Forward, the dead channel follows the same shortest routes.",
                r"z_{l,\text{dead}} \sim \Big(\sum_{\text{shortest}} \prod c\Big) t^{K} x",
            ),
            Equation(
                "rate",
                "K = 1, two live directions: determinant of XᵀX/N, whose live part does not vanish",
                gram.det(),
                t ** rate(1) * live.det() * (S - (sympy.Matrix([[b1, b2]]) * live.inv() * sympy.Matrix([b1, b2]))[0]),
                {
                    "without the coupling": t**2 * live.det() * S,
                    "rate 1": t
                    * live.det()
                    * (S - (sympy.Matrix([[b1, b2]]) * live.inv() * sympy.Matrix([b1, b2]))[0]),
                },
            ),
            Equation(
                "rate",
                "characteristic polynomial of XᵀX/N at t = 0: one eigenvalue is zero, the others are the live ones",
                (gram.subs(t, 0) - y * sympy.eye(3)).det(),
                -y * (live - y * sympy.eye(2)).det(),
                {
                    "a dead channel of order 0": (
                        (gram.subs(t, 1) - y * sympy.eye(3)).det(),
                        -y * (live - y * sympy.eye(2)).det(),
                    )
                },
            ),
            Equation(
                "coefficient",
                "SiLU, one layer: leading term of the output, with φ'(0) = ½",
                sympy.diff(silu, t).subs(t, 0) * t,
                t * x / 2,
                {"slope 1": t * x, "half of it again": t * x / 4},
            ),
            Equation(
                "coefficient",
                "three layers in a row, φ(u) = u + K_2 u²: leading term of the squared output",
                lowest(_chain(x) ** 2),
                dead_moment(1, c1 * c2 * c3, 3, x**2),
                {"one weight less": (c1 * c2) ** 2 * x**2 * t ** (2 * 2), "an amplitude": c1 * c2 * c3 * x * t**3},
            ),
            Prose(
                "Two routes of equal length add, with signs.", r"(c_1 + c_3)\,t\,x + O(t^3), \quad 0 \iff c_3 = -c_1"
            ),
            Equation(
                "ties",
                "leading term of the squared output, linear layers",
                lowest(linear**2),
                sympy.expand(tied_moment(c1, c3, x**2)),
                {
                    "one of the routes": tied_moment(c1, 0, x**2),
                    "squares added": (c1**2 + c3**2) * x**2 * t**2,
                    "opposite slopes": (lowest(tied(0, -c1) ** 2), tied_moment(c1, c3, x**2)),
                },
            ),
            Equation(
                "cancellation",
                "linear layers, c_3 = −c_1: the output is of order t³",
                sympy.expand(tied(0, -c1)),
                -(c1**2) * c2 * t ** (_CANCELLED["linear"] // 2) * x,
                {
                    "without cancellation": (sympy.expand(linear), -(c1**2) * c2 * t**3 * x),
                    "order 2": -(c1**2) * c2 * t**2 * x,
                },
            ),
            Prose(
                "With a curved activation the next term after a cancellation is t², so the moment has rate 4.",
                r"\varphi(t x) + \varphi(-t x) = 2 K_2 t^2 x^2",
            ),
            Equation(
                "cancellation",
                "φ(u) = u + K_2 u², c_3 = −c_1: leading term of the output",
                lowest(tied(K2, -c1)),
                2 * K2 * c1**2 * t ** (_CANCELLED["curved"] // 2) * x**2,
                {"rate of linear layers": -(c1**2) * c2 * t**3 * x, "curvatures cancel": -2 * K2 * c1**2 * t**2 * x**2},
            ),
            Prose(
                "Behind a LayerNorm the combination γ^{−1} is constant: zero variance, but not zero second moment.",
                r"\langle \gamma^{-1}, \mathrm{LN}(x) \rangle = \langle \gamma^{-1}, \beta \rangle",
            ),
            Equation(
                "LayerNorm",
                "⟨γ^{−1}, LN(x)⟩ of two samples",
                sympy.Matrix([kernel.dot(sample) for sample in normalised(True)]),
                kernel.dot(betas) * sympy.ones(2, 1),
                {
                    "not centred by the norm": (
                        sympy.Matrix([kernel.dot(sample) for sample in normalised(False)]),
                        kernel.dot(betas) * sympy.ones(2, 1),
                    ),
                    "zero, the mean not subtracted": sympy.zeros(2, 1),
                    "the direction 1 for unequal γ": (
                        sympy.Matrix([sum(sample) for sample in normalised(True)]),
                        sum(betas) * sympy.ones(2, 1),
                    ),
                },
            ),
            Equation(
                "LayerNorm",
                "centred Gram of two samples along γ^{−1}, plus γ^{−1}",
                gram_along(normalised(True), kernel),
                kernel,
                {
                    "a norm without centring": (gram_along(normalised(False), kernel), kernel),
                    "along γ": (gram_along(normalised(True), gammas), gammas),
                },
            ),
        ),
    )


def _chain(x: Expr) -> Expr:
    """Dead output of three layers φ(u) = u + K_2 u² in a row."""
    value = x
    for slope in (c1, c2, c3):
        inner = slope * t * value
        value = inner + K2 * inner**2
    return value


def _eigenvalue(samples: Tensor) -> float:
    """λ_min of XᵀX/N from the singular values of X."""
    import torch

    return float(torch.linalg.svdvals(samples)[-1]) ** 2 / samples.shape[0]


def measure() -> Experiment:
    import torch

    from ddtheory.workbench.residual_graph import residual_graph

    rates: list[Check] = []
    coefficients: list[Check] = []
    curves: list[Curve] = []
    for name, activation, slope in (("tanh", torch.tanh, 1.0), ("SiLU", torch.nn.functional.silu, 0.5)):
        graph = residual_graph(depth=5, skips=[(1, 3)], slopes=_SLOPES, activation=activation, batch=_SAMPLES, gain=1.5)
        for node, length, product in ((1, 1, 0.8), (3, 1, 0.8), (5, 3, 0.8 * 1.1 * 0.9)):
            samples = [graph.nodes(t)[node] for t in _RADII]
            smallest = [_eigenvalue(found) for found in samples]
            dead = [found[:, -1].square().mean().item() for found in samples]
            second = graph.inputs[:, -1].square().mean().item()
            coefficient = (product * slope**length) ** 2 * second
            rates.append(
                rate_check(
                    f"{name}, node {node}: rate of λ_min(XᵀX/N)",
                    2 * length,
                    _RADII,
                    smallest,
                    rivals=(2 * node,) if node > length else (),
                    quantity="rate of an eigenvalue",
                )
            )
            coefficients.append(
                Comparison(
                    f"{name}, node {node}: coefficient of the dead second moment",
                    coefficient,
                    limit(_RADII, [value / t ** (2 * length) for value, t in zip(dead, _RADII, strict=True)], 1e-9),
                    (0, coefficient / second, *(() if slope == 1 else (product**2 * second,))),
                    2e-2 * coefficient,
                    _REASON + "; the rivals are no output, inputs of variance 1, and slope 1 at zero",
                    "coefficient of a second moment",
                )
            )
        curves.append(Curve(f"λ_min at node 5, {name}", _RADII, tuple(smallest), 6.0))
    outputs, _, kernel = _normalised(beta=1.0)
    centred = outputs - outputs.mean(0)
    singular = torch.linalg.svdvals(centred)
    return Experiment(
        "Residual networks with tanh and SiLU layers of depth 5 and 3, width 4, 400 Gaussian inputs, samples at nodes "
        "1, 3 and 5; and the output of torch.nn.LayerNorm of width 5 on 400 samples. Seeded, float64.",
        {
            "rate": rates,
            "coefficient": coefficients,
            "ties": [_tied(0.8, 0.7), _tied(0.8, -0.5)],
            "cancellation": [
                _cancelled("linear", torch.nn.Identity(), 6, (4, 2)),
                _cancelled("SiLU", torch.nn.functional.silu, 4, (6, 2)),
            ],
            "LayerNorm": [
                Comparison(
                    "post-LN node: |X_c γ^{−1}| relative to |X_c|",
                    0,
                    Interval.around(float((centred @ kernel).norm() / singular[0]), 1e-13),
                    (float(singular[-2] / singular[0]),),
                    1e-12,
                    "rounding; one exact zero, named: γ^{−1}. The rival is the next singular value",
                    "singular value",
                )
            ],
        },
        tuple(curves),
    )


def _tied(first: float, last: float) -> Check:
    """Coefficient of the dead second moment behind two tied routes, in a tanh network."""
    from ddtheory.workbench.residual_graph import residual_graph

    graph = residual_graph(depth=3, skips=_TIED, slopes=(first, 1.3, last), batch=_SAMPLES)
    dead = [graph.nodes(radius)[3][:, -1].square().mean().item() for radius in _RADII]
    second = graph.inputs[:, -1].square().mean().item()
    return Comparison(
        f"tied routes c = {first} and {last}: coefficient of t²",
        float(tied_moment(first, last, second, 1)),
        limit(_RADII, [value / radius**2 for value, radius in zip(dead, _RADII, strict=True)], 1e-9),
        (first**2 * second, (first**2 + last**2) * second, (first - last) ** 2 * second),
        1e-2 * second,
        _REASON + "; the rivals are one route, squares added, and slopes without their signs",
        "coefficient of a second moment",
    )


def _cancelled(name: str, activation: Callable[[Tensor], Tensor], predicted: int, rivals: tuple[int, ...]) -> Check:
    """Rate of the dead second moment behind tied routes of slopes 1 and −1."""
    from ddtheory.workbench.residual_graph import residual_graph

    graph = residual_graph(depth=3, skips=_TIED, slopes=(1.0, 1.3, -1.0), activation=activation, batch=_SAMPLES)
    dead = [graph.nodes(radius)[3][:, -1].square().mean().item() for radius in _RADII]
    return rate_check(
        f"{name}: tied routes with slopes 1 and −1, rate of the dead second moment",
        predicted,
        _RADII,
        dead,
        rivals=rivals,
    )


def _normalised(beta: float) -> tuple[Tensor, Tensor, Tensor]:
    """The output of a LayerNorm on Gaussian samples, its β, and the unit vector along γ^{−1}."""
    import torch

    generator = torch.Generator().manual_seed(4)
    module = torch.nn.LayerNorm(5, dtype=torch.float64)
    gammas = 0.5 + torch.rand(5, generator=generator, dtype=torch.float64)
    betas = beta * torch.randn(5, generator=generator, dtype=torch.float64)
    samples = torch.randn(_SAMPLES, 5, generator=generator, dtype=torch.float64)
    with torch.no_grad():
        module.weight.copy_(gammas)
        module.bias.copy_(betas)
        kernel = 1 / gammas
        return module(samples), betas, kernel / kernel.norm()


def control() -> Experiment:
    import torch

    from ddtheory.workbench.residual_graph import residual_graph

    opposed = [
        _cancelled("SiLU", torch.nn.functional.silu, 4, (2,)),
        _cancelled("linear", torch.nn.Identity(), 6, (2,)),
    ]
    wrapped = residual_graph(depth=4, skips=[(0, 2), (2, 4)], batch=_SAMPLES)
    nodes = [wrapped.nodes(radius)[4] for radius in _RADII]
    apart = residual_graph(
        depth=3, skips=_TIED, slopes=(1.0, 1.3, -0.9), batch=_SAMPLES, activation=torch.nn.Identity()
    )
    left = [apart.nodes(radius)[3][:, -1].square().mean().item() for radius in _RADII]
    generator = torch.Generator().manual_seed(4)
    _, _, kernel = _normalised(beta=1.0)
    plain = torch.nn.functional.rms_norm(torch.randn(_SAMPLES, 5, generator=generator, dtype=torch.float64), (5,))
    spread = plain / kernel  # γ times a norm that does not centre
    along = float(((spread - spread.mean(0)) @ kernel).square().mean())
    return Experiment(
        "Opposite slopes on tied routes cancel at leading order; slopes 1 and −0.9 do not; where all blocks are "
        "wrapped nothing decays; and a norm that does not centre has variance along γ^{−1}.",
        {
            "ties": opposed,
            "rate": [
                rate_check(
                    "all blocks wrapped: rate of λ_min(XᵀX/N)",
                    0,
                    _RADII,
                    [_eigenvalue(found) for found in nodes],
                    rivals=(4,),
                    quantity="rate of an eigenvalue",
                )
            ],
            "coefficient": [
                rate_check(
                    "all blocks wrapped: rate of the dead second moment",
                    0,
                    _RADII,
                    [found[:, -1].square().mean().item() for found in nodes],
                    rivals=(4, 8),
                )
            ],
            "cancellation": [
                rate_check(
                    "linear: tied routes with slopes 1 and −0.9, rate of the dead second moment",
                    2,
                    _RADII,
                    left,
                    rivals=(6, 4),
                )
            ],
            "LayerNorm": [
                Comparison(
                    "RMSNorm: variance along γ^{−1}",
                    float((plain - plain.mean(0)).sum(1).square().mean()),
                    Interval.around(along, 1e-9),
                    (0,),
                    1e-8,
                    "an identity: ⟨γ^{−1}, γ ⊙ n⟩ is the sum of the normalised input n",
                    "variance",
                )
            ],
        },
    )


def counterexample() -> Experiment:
    import torch

    outputs, betas, kernel = _normalised(beta=1.0)
    level = float((kernel * betas).sum()) ** 2
    along = float((outputs @ kernel).square().mean())
    plain, _, _ = _normalised(beta=0.0)
    regular = _ratio(torch.linalg.svdvals(outputs))
    return Experiment(
        "Without centring the direction γ^{−1} carries the constant ⟨γ^{−1}, β⟩, so the sample matrix itself is "
        "regular unless that constant is zero.",
        {
            TITLE: [
                Comparison(
                    "post-LN node, β ≠ 0, uncentred: second moment along γ^{−1}",
                    level,
                    Interval.around(along, 1e-10),
                    (0,),
                    1e-8,
                    "an identity; the title predicts 0",
                    "second moment",
                ),
                count_check(
                    "post-LN node, β ≠ 0, uncentred: rank of X",
                    5,
                    int(torch.linalg.matrix_rank(outputs, rtol=1e-10)),
                    rivals=(4,),
                    reason=f"σ_min/σ_max = {regular:.3g}; an exact kernel gives rounding",
                ),
                count_check(
                    "post-LN node, β = 0, uncentred: rank of X",
                    4,
                    int(torch.linalg.matrix_rank(plain, rtol=1e-10)),
                    rivals=(5,),
                    reason="with β = 0 the constant is zero and the kernel is there without centring",
                ),
                Comparison(
                    "post-LN node, β = 0, uncentred: σ_min(X)/σ_max(X)",
                    0,
                    Interval.around(_ratio(torch.linalg.svdvals(plain)), 1e-13),
                    (regular,),
                    1e-12,
                    "rounding; with β = 0 the constant is zero and the kernel is there without centring",
                    "singular value",
                ),
            ]
        },
    )


def _ratio(singular: Tensor) -> float:
    return float(singular[-1] / singular[0])
