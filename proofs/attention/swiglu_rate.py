"""prop:swiglu_rate: a SwiGLU block has amplitude rate 3, and is quadratic in what arrives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Rational, Symbol, latex, symbols

from ddtheory.exact.orders.ray import leading_term
from ddtheory.references import cite
from ddtheory.values import Interval, Kind, Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Curve, Experiment, Observation
from ddtheory.verify.proof import AtMost, Equation, Proof, Prose
from ddtheory.workbench.evidence import limit, order_check, profile_curve
from ddtheory.workbench.inequality import attained_check
from ddtheory.workbench.ladder import limit_check, rate_check
from ddtheory.workbench.statement import printed

if TYPE_CHECKING:
    from torch import Tensor

_CHANNELS, _HIDDEN = 4, 6
_RADII = tuple(2.0**-n for n in range(2, 11))
_REASON = "Gauss–Hermite quadrature with 80 nodes, extrapolated to t = 0; the only error is truncation"


t, x = symbols("t x", positive=True)
n = Symbol("n", integer=True, positive=True)


def gated(radius: Expr, arriving: Expr, gate: Expr | int) -> Expr:
    """t³ x² times the gate."""
    return radius**3 * arriving**2 * gate


def output(radius: Expr, arriving: Expr) -> Expr:
    """t³ x² σ(t x)."""
    return gated(radius, arriving, 1 / (1 + sympy.exp(-radius * arriving)))


def backward(radius: Expr, arriving: Expr) -> Expr:
    """The leading term of its derivative by x: t³ x."""
    return radius**3 * arriving


def remainder_bound(radius: Expr, arriving: Expr) -> Expr:
    """t⁴ |x|³/4."""
    return radius**4 * sympy.Abs(arriving) ** 3 / 4


def second_moment(radius: Expr) -> Expr:
    """t⁶ (3/4 + 15/16 t²), up to t¹⁰."""
    return radius**6 * (Rational(3, 4) + Rational(15, 16) * radius**2)


def chain_rate(blocks: Expr | int) -> Expr:
    """3 (2^n − 1)."""
    return 3 * (sympy.Integer(2) ** blocks - 1)


CLAIM = Claim(
    id="prop:swiglu_rate",
    title="A SwiGLU block has forward rate 3",
    given=(r"Let gate, up and down of a SwiGLU block meet the dead channel $x$ through weights $t \ge 0$."),
    clauses={
        "output": (
            rf"The dead output is ${printed(gated(t, x, 1))} \sigma(t x)$, an amplitude of rate ${chain_rate(1)}$."
        ),
        "remainder": (
            rf"$|\text{{out}} - \tfrac12 t^3 x^2| \le {latex(remainder_bound(t, Symbol('x', real=True)))}$ for all $t$ "
            r"and $x$, and no smaller constant does."
        ),
        "moment": rf"Against $x \sim N(0, 1)$ its second moment is ${latex(second_moment(t))} + O(t^{{10}})$.",
        "order": r"The KL order along (gate, up, down) is $3$.",
        "backward": (
            rf"Its derivative by $x$ is ${printed(backward(t, x))} + O(t^4)$, so "
            rf"${printed(backward(t, x) ** 2)}$ in mean square."
        ),
        "iterated": rf"$n$ blocks in a row have the amplitude rate ${latex(chain_rate(n))}$.",
    },
    source=cite("shirodkar2026dead", "prop:swiglu_rate"),
    hypotheses=("The dead unit meets the dead channel only.", "E x⁴ is finite."),
    expected=Verdict.CONFIRMED,
    doubts=(
        "The block is quadratic in what arrives, so rates of gated blocks do not add (3n is excluded at n = 2 and 3), "
        "and the backward rate holds in mean square only. The paper's remainder constant ½ is twice the sharp ¼. Live "
        "channels are present in the measured block and do not enter."
    ),
)


def derive() -> Proof:
    z, arriving = symbols("z x", real=True)
    c = Symbol("c", positive=True)
    gate, up, down = symbols("g u d", positive=True)
    sigma = 1 / (1 + sympy.exp(-z))
    block = down * (up * x) * (gate * x) * sigma.subs(z, gate * x)
    along = {gate: t, up: t, down: t}
    whole = block.subs(along)

    def mean(power: int) -> Expr:
        """E x^power of the standard normal law."""
        density = sympy.exp(-(arriving**2) / 2) / sympy.sqrt(2 * sympy.pi)
        return sympy.integrate(arriving**power * density, (arriving, -sympy.oo, sympy.oo))

    squared = sympy.series(sigma**2, z, 0, 4).removeO()
    expanded = t**6 * sum(squared.coeff(z, order) * t**order * mean(4 + order) for order in range(4))

    def amplitude(blocks: Expr | int) -> Expr:
        return c ** (2**blocks - 1) * t ** chain_rate(blocks) * x ** (2**blocks)

    leading = leading_term(whole, t)
    slope = leading_term(sympy.diff(whole, x), t)
    return Proof(
        "Symbolic in t, x and n; the second moment against the standard normal law up to t⁹; the order of K for a "
        "Gaussian output, whose K is half of the squared output.",
        (
            Prose("Gate, up and down carry t each.", r"\text{out} = t \cdot (t x) \cdot t x\,\sigma(t x)"),
            Equation(
                "output",
                "down ⋅ silu(gate x) ⋅ (up x) with all three weights t",
                whole,
                output(t, x),
                {
                    "gate at 1": (block.subs({gate: 1, up: t, down: t}), output(t, x)),
                    "linear in x": output(t, x) / x,
                    "σ(x)": t**3 * x**2 * sigma.subs(z, x),
                },
            ),
            Equation(
                "output",
                "its leading term in t",
                leading.coefficient * t**leading.exponent,
                t**3 * x**2 / 2,
                {"rate 2": t**2 * x**2 / 2, "σ(0) = 1": t**3 * x**2},
            ),
            Prose(
                "By the mean value theorem σ(tx) − ½ is tx times a value of σ', which is at most ¼.",
                r"\sigma' \le \tfrac14",
            ),
            AtMost(
                "remainder",
                "σ' and its bound",
                sympy.diff(sigma, z),
                remainder_bound(t, x) / (t**4 * x**3),
                slack=((Rational(1, 2) - sigma) ** 2,),
                attained={z: 0},
                rivals={"1/8": Rational(1, 8), "the printed ½": Rational(1, 2), "9/40": Rational(9, 40)},
            ),
            Equation(
                "remainder",
                "the remainder over t³x² is σ(tx) − σ(0)",
                (whole - t**3 * x**2 / 2) / (t**3 * x**2),
                sigma.subs(z, t * x) - sigma.subs(z, 0),
                {"from σ = 1": sigma.subs(z, t * x) - 1},
            ),
            Prose("Against x ~ N(0, 1) the square is expanded and averaged; odd moments vanish.", r"E\,\text{out}^2"),
            Equation(
                "moment",
                "E of the squared output, by the series of σ² and the moments of the normal law",
                expanded,
                second_moment(t),
                {
                    "E x⁴ without σ(0)²": t**6 * (3 + Rational(15, 16) * t**2),
                    "(E x²)² for E x⁴": t**6 * (Rational(1, 4) + Rational(15, 16) * t**2),
                    "E x⁴ for E x⁶": t**6 * (Rational(3, 4) + Rational(3, 16) * t**2),
                },
            ),
            Equation(
                "order",
                "K of a Gaussian output along (1, 1, 1): leading term",
                (leading.coefficient * t**leading.exponent) ** 2 / 2,
                (x**2 / 2) ** 2 * t ** (2 * 3) / 2,
                {"order 2": (x**2 / 2) ** 2 * t ** (2 * 2) / 2, "half of it": (x**2 / 2) ** 2 * t**6 / 4},
            ),
            Equation(
                "backward",
                "derivative of the output by x: leading term in t",
                slope.coefficient * t**slope.exponent,
                backward(t, x),
                {"half of it": t**3 * x / 2, "t²": t**2 * x, "free of x": t**3},
            ),
            Prose(
                "A block squares what arrives, so exponents do not add: e' = 2e + 3.",
                r"z \mapsto c\,t^3 z^2 \ \text{iterated } n \text{ times:}\quad c^{2^n - 1} t^{3(2^n - 1)} x^{2^n}",
            ),
            Equation(
                "iterated",
                "one more block behind n blocks",
                c * t**3 * amplitude(n) ** 2,
                amplitude(n + 1),
                {
                    "exponents add": c ** (2 ** (n + 1) - 1) * t ** (chain_rate(n) + 3) * x ** (2 ** (n + 1)),
                    "a linear block": (c * t**3 * amplitude(n), amplitude(n + 1)),
                },
            ),
            Equation(
                "iterated",
                "the first block",
                leading.coefficient * t**leading.exponent,
                amplitude(1).subs(c, Rational(1, 2)),
                {"c = 1": amplitude(1).subs(c, 1), "two blocks": amplitude(2).subs(c, Rational(1, 2))},
            ),
        ),
    )


def _nodes() -> tuple[Tensor, Tensor]:
    """Nodes and weights of E over x ~ N(0, 1), as inputs with fixed live channels."""
    import numpy
    import torch

    x, weights = numpy.polynomial.hermite_e.hermegauss(80)
    generator = torch.Generator().manual_seed(3)
    inputs = torch.randn(80, _CHANNELS, generator=generator, dtype=torch.float64)
    inputs[:, -1] = torch.from_numpy(x)
    return inputs, torch.from_numpy(weights / weights.sum())


def _block(x: Tensor, gate: float, up: float, down: float) -> Tensor:
    """A SwiGLU block, W_down(silu(W_gate x) ∘ W_up x), with full live matrices and one dead unit."""
    import torch

    generator = torch.Generator().manual_seed(4)

    def layer(inner: int, outer: int, dead: float) -> torch.nn.Linear:
        made = torch.nn.Linear(inner, outer, bias=False, dtype=torch.float64)
        weight = torch.zeros(outer, inner, dtype=torch.float64)
        weight[:-1, :-1] = 0.5 * torch.randn(outer - 1, inner - 1, generator=generator, dtype=torch.float64)
        weight[-1, -1] = dead
        made.weight = torch.nn.Parameter(weight, requires_grad=False)
        return made

    opened, raised = layer(_CHANNELS, _HIDDEN, gate)(x), layer(_CHANNELS, _HIDDEN, up)(x)
    return layer(_HIDDEN, _CHANNELS, down)(torch.nn.functional.silu(opened) * raised)


def _moment(values: Tensor, weights: Tensor) -> float:
    return float((weights * values.square()).sum())


def measure() -> Experiment:
    import torch

    from ddtheory import measure as reading

    inputs, weights = _nodes()
    moments = [_moment(_block(inputs, t, t, t)[:, -1], weights) for t in _RADII]
    expansion: list[Check] = [
        rate_check("rate of the second moment", 6, _RADII, moments, rivals=(3,)),
        Comparison(
            "coefficient of t⁶",
            Rational(3, 4),
            limit(_RADII, [moment / t**6 for moment, t in zip(moments, _RADII, strict=True)]),
            (3, Rational(1, 2), Rational(1, 4)),
            1e-4,
            _REASON,
            "coefficient of a second moment",
        ),
        Comparison(
            "coefficient of t⁸",
            Rational(15, 16),
            limit(
                _RADII[:6],
                [(moment / t**6 - 0.75) / t**2 for moment, t in zip(moments, _RADII, strict=True)][:6],
                1e-9,
            ),
            (0, Rational(5, 16), Rational(3, 16)),
            1e-2,
            _REASON,
            "coefficient of a second moment",
        ),
    ]
    for t in (0.05, 0.1, 0.3):
        exact = _integral(t)
        found = _moment(_block(inputs, t, t, t)[:, -1], weights) / t**6
        expansion.append(
            Comparison(
                f"second moment/t⁶ at t = {t}",
                exact,
                Interval.around(found, 1e-10),
                (0.75, 0.75 + 15 / 16 * t**2),
                1e-8,
                "torch at quadrature nodes against an adaptive integral of x⁴σ(tx)²; the rivals are the expansion cut "
                "after one and two terms",
                "second moment",
            )
        )
    slope = torch.func.jvp(lambda x: _block(x, 0.01, 0.01, 0.01), (inputs,), (_dead(inputs),))[1][:, -1]
    problem = reading.Problem(_model, _at_zero(), inputs, reading.Gaussian(), weights=weights)
    ray = {name: torch.ones(1, dtype=torch.float64) for name in ("gate", "up", "down")}
    profile = reading.fisher_along(problem, ray)
    found_order = reading.order(profile)
    return Experiment(
        "A torch SwiGLU block with four channels and six hidden units, full live matrices and one dead unit; dead "
        "input standard normal by quadrature with 80 nodes, float64. Chains of one to three blocks at one input.",
        {
            "output": [_exact(inputs, t) for t in (0.1, 2.0)] + _amplitude(inputs),
            "remainder": [_remainder(inputs)],
            "moment": expansion,
            "order": [order_check("KL order along (gate, up, down)", 3, found_order, rivals=(2,))],
            "backward": [
                Comparison(
                    "backward: E[(∂out/∂x)²]/t⁶ at t = 0.01",
                    1,
                    Interval.around(_moment(slope, weights) / 0.01**6, 2e-3),
                    (Rational(1, 4), Rational(3, 4), 4),
                    0.01,
                    "the derivative is t³x + O(t⁴); it depends on the input, so the rate holds in the mean",
                    "coefficient of a second moment",
                )
            ],
            "iterated": _in_a_row(inputs),
        },
        (
            Curve("second moment of the dead output", _RADII, tuple(moments), 6.0),
            profile_curve(profile, "F along (gate, up, down)", 3, found_order.window),
        ),
    )


def _exact(inputs: Tensor, t: float) -> Check:
    """The dead output against t³x²σ(tx) at finite t."""
    import torch

    dead = inputs[:, -1]
    predicted = t**3 * dead.square() * torch.sigmoid(t * dead)
    found = _block(inputs, t, t, t)[:, -1]
    return Comparison(
        f"t = {t}: dead output minus t³x²σ(tx) over all nodes, relative to the largest",
        0,
        Interval.around(float((found - predicted).abs().max() / predicted.abs().max()), 1e-14),
        (1e-6,),
        1e-12,
        "an identity at every t; rounding only",
        "relative defect",
    )


def _amplitude(inputs: Tensor) -> list[Check]:
    """Rate and coefficient of the dead output at the input 1.3."""
    single = inputs[40:41].clone()
    single[:, -1] = 1.3
    values = [_iterated(single, t, 1) for t in _RADII]
    return [
        rate_check("input 1.3: amplitude rate", 3, _RADII, values, rivals=(6,), quantity="rate of an amplitude"),
        Comparison(
            "input 1.3: coefficient of t³",
            1.3**2 / 2,
            limit(_RADII, [value / t**3 for value, t in zip(values, _RADII, strict=True)]),
            (1.3 / 2, 1.3**2, 0.5),
            1e-4,
            _REASON,
            "coefficient of an amplitude",
        ),
    ]


def _remainder(inputs: Tensor) -> Check:
    """The remainder over its bound, the largest over all nodes and t."""
    worst = 0.0
    for t in (0.01, 0.1, 1.0, 10.0):
        gap = (_block(inputs, t, t, t)[:, -1] - t**3 * inputs[:, -1].square() / 2).abs()
        bounds = [float(remainder_bound(t, float(value))) for value in inputs[:, -1]]
        worst = max(worst, *(float(part) / bound for part, bound in zip(gap, bounds, strict=True)))
    return attained_check(
        "|out − t³x²/2| over its bound, largest over all nodes, t from 0.01 to 10",
        worst,
        reason="rounding; the bound is attained as t x → 0",
        error=1e-5,
    )


def _in_a_row(inputs: Tensor) -> list[Check]:
    """Amplitude rates of chains of blocks at the input 1.3."""
    single = inputs[40:41].clone()
    single[:, -1] = 1.3
    return [
        rate_check(
            f"{blocks} blocks in a row: amplitude rate",
            int(chain_rate(blocks)),
            _RADII,
            [_iterated(single, t, blocks) for t in _RADII],
            rivals=(3 * blocks,) if blocks > 1 else (),
            quantity="rate of an amplitude",
        )
        for blocks in (1, 2, 3)
    ]


def _integral(t: float) -> float:
    """E[x⁴ σ(tx)²] for x ~ N(0, 1), by adaptive quadrature; beyond 14 the density is below 1e−42."""
    x = Symbol("x", real=True)
    density = sympy.exp(-(x**2) / 2) / sympy.sqrt(2 * sympy.pi)
    return float(sympy.Integral(x**4 * density / (1 + sympy.exp(-t * x)) ** 2, (x, -14, 14)).evalf(15))


def _dead(inputs: Tensor) -> Tensor:
    import torch

    tangent = torch.zeros_like(inputs)
    tangent[:, -1] = 1.0
    return tangent


def _iterated(x: Tensor, t: float, blocks: int) -> float:
    for _ in range(blocks):
        x = _block(x, t, t, t)
    return abs(float(x[0, -1]))


def _at_zero() -> dict[str, Tensor]:
    import torch

    return {name: torch.zeros(1, dtype=torch.float64) for name in ("gate", "up", "down")}


def _model(parameters: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
    """The dead unit of the block, as a function of its three weights."""
    import torch

    x = inputs[:, -1:]
    return parameters["down"] * torch.nn.functional.silu(parameters["gate"] * x) * parameters["up"] * x


def control() -> Experiment:
    import torch

    from ddtheory import measure as reading

    inputs, weights = _nodes()
    opened = [_moment(_block(inputs, 1.0, t, t)[:, -1], weights) for t in _RADII]
    dead = inputs[:, -1]
    plain = [_moment(t * torch.nn.functional.silu(t * dead), weights) for t in _RADII]
    single = inputs[40:41].clone()
    single[:, -1] = 1.3
    values = [abs(float(_block(single, 1.0, t, t)[0, -1])) for t in _RADII]
    twice = [abs(float(_block(_block(single, 1.0, t, t), 1.0, t, t)[0, -1])) for t in _RADII]
    problem = reading.Problem(_model, _at_zero(), inputs, reading.Gaussian(), weights=weights)
    raised = {name: torch.zeros(1, dtype=torch.float64) for name in ("gate", "up", "down")} | {
        "gate": torch.ones(1, dtype=torch.float64)
    }
    shifted = torch.func.jvp(lambda inner: _block(inner, 1.0, 0.01, 0.01), (inputs,), (_dead(inputs),))[1][:, -1]
    slope = torch.nn.functional.silu(dead) + dead * (
        torch.sigmoid(dead) + dead * torch.sigmoid(dead) * (1 - torch.sigmoid(dead))
    )
    flat = reading.order(reading.fisher_along(problem, raised))
    return Experiment(
        "A gate that stays open has two dead factors left; so has a block fc–SiLU–fc. The gate alone moves nothing.",
        {
            "moment": [
                rate_check("gate at 1: rate of the second moment", 4, _RADII, opened, rivals=(6,)),
                rate_check("fc–SiLU–fc: rate of the second moment", 4, _RADII, plain, rivals=(6,)),
                Comparison(
                    "fc–SiLU–fc: coefficient of t⁴",
                    Rational(1, 4),
                    limit(_RADII, [moment / t**4 for moment, t in zip(plain, _RADII, strict=True)]),
                    (Rational(3, 4), 1),
                    1e-4,
                    _REASON,
                    "coefficient of a second moment",
                ),
            ],
            "remainder": [
                limit_check(
                    "gate at 2t, input 1.3: (out − t³x²/2) over t³x²/2",
                    1,
                    _RADII,
                    [2 * float(_block(single, 2 * t, t, t)[0, -1]) / (t**3 * 1.3**2) - 1 for t in _RADII],
                    rivals=(0,),
                    quantity="relative remainder",
                )
            ],
            "output": [
                rate_check(
                    "gate at 1, input 1.3: amplitude rate",
                    2,
                    _RADII,
                    values,
                    rivals=(3,),
                    quantity="rate of an amplitude",
                )
            ],
            "backward": [
                Comparison(
                    "gate at 1: E[(∂out/∂x)²]/t⁴ at t = 0.01",
                    _moment(slope, weights),
                    Interval.around(_moment(shifted, weights) / 0.01**4, 1e-9),
                    (0.01**2,),
                    1e-7,
                    "an identity, out = t² x silu(x); the rival is t⁶ over t⁴",
                    "coefficient of a second moment",
                )
            ],
            "order": [
                Observation(
                    "along the gate alone",
                    Kind.FLAT.value,
                    flat.kind.value if flat.kind else flat.status.value,
                    "with up and down at zero nothing moves",
                )
            ],
            "iterated": [
                rate_check(
                    "two blocks with gates at 1: amplitude rate",
                    6,
                    _RADII,
                    twice,
                    rivals=(9,),
                    quantity="rate of an amplitude",
                )
            ],
        },
    )
