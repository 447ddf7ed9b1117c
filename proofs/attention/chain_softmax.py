"""prop:attn_chain_softmax: the gradient in a chain of attention blocks has moment rate min(4k, 4p + 8)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Min, Symbol, latex, symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Curve, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.evidence import limit
from ddtheory.workbench.ladder import limit_check, rate_check
from ddtheory.workbench.statement import printed

if TYPE_CHECKING:
    from ddtheory.workbench.attention_chain import AttentionChain

_RADII = tuple(2.0**-n for n in range(6, 14))
_NOISE = 0.09
_CASES = ((0, 0), (0, 1), (0, 2), (0, 3), (0, 4), (0, 5), (1, 1), (1, 2), (1, 3), (1, 4), (1, 5))
_REASON = "exact mean over the noise, forward-mode derivatives, extrapolated to t = 0; the only error is truncation"


t = Symbol("t", positive=True)
p = Symbol("p", integer=True, nonnegative=True)
k, gap = symbols("k d", integer=True, positive=True)
a, b = symbols("a b", real=True)


def amplitude(above: Expr | int, below: Expr | int) -> Expr:
    """a t^{2k} + b t^{2p+4}: the route through the values, and the route through the scores of the next block."""
    return a * t ** (2 * above) + b * t ** (2 * below + 4)


def exponent(above: Expr | int, below: Expr | int) -> Expr:
    """min(4k, 4p + 8)."""
    return Min(4 * above, 4 * below + 8)


_BELOW, _AT, _ABOVE = a**2, (a + b) ** 2, b**2
"""Whose mean is the coefficient for k < p + 2, k = p + 2 and k > p + 2."""


CLAIM = Claim(
    id="prop:attn_chain_softmax",
    title="Refined attention-chain rates: min(4k, 4p + 8)",
    given=(
        r"Let $p$ softmax attention blocks stand below the block that is probed, and $k$ above it, and let $J$ be the "
        r"derivative of the outputs by the dead output of its $W_O$."
    ),
    clauses={
        "amplitude": (
            rf"To leading order of each route $J = {latex(amplitude(k, p))}$: $a$ the product of the attentions above, "
            r"$b$ the derivative through the scores of the next block."
        ),
        "rate": rf"The gradient's second moment has the rate ${latex(exponent(k, p))}$.",
        "k < p + 2": rf"For $k < p + 2$ its coefficient is $E {printed(_BELOW)}$.",
        "k = p + 2": rf"For $k = p + 2$ its coefficient is $E {printed(_AT)}$.",
        "k > p + 2": rf"For $k > p + 2$ its coefficient is $E {printed(_ABOVE)}$.",
    },
    source=cite("shirodkar2026dead", "prop:attn_chain_softmax"),
    hypotheses=(
        "No residual stream.",
        "Labels carry noise, or are drawn from the model.",
        "At least two positions, dead entries t in both Q and K.",
        "a, b and a + b do not vanish.",
    ),
    expected=Verdict.CONFIRMED,
    rests_on=("thm:bridge_attn", "thm:bridge_attn_backward"),
    uncovered=(
        "That a, b and a + b vanish on a null set of weights only; the coefficients of two draws of weights are "
        "measured."
    ),
    doubts=(
        "The published saturation at 8 (p = 0, k > 2) is reproduced, and both coefficients from the network at t = 0. "
        "At k = p + 2 the coefficient is E a² + E b² when noise is independent on dead and live outputs: the mixed "
        "term vanishes, so nothing cancels. Large live gains make b small, and the rate shows only at radii below a "
        "usual window: slopes between 8 and 12.4 there are truncation. With a residual stream, as in transformers in "
        "use, the rate is 0 and the statement does not apply."
    ),
)


def derive() -> Proof:
    x1, x2, z1, z2 = symbols("x_1 x_2 z_1 z_2", real=True)
    s1, s2, g1, g2 = symbols("s_1 s_2 g_1 g_2", real=True)

    def square(above: Expr | int, below: Expr | int) -> Expr:
        return sympy.expand(amplitude(above, below) ** 2)

    # the block above the probe, two positions: its stream is t^{2(p+1)} x along the dead channel
    e1, e2 = sympy.exp(s1 + t**2 * z1**2), sympy.exp(s2 + t**2 * z1 * z2)
    entry = e1 / (e1 + e2)
    moved = sympy.diff(entry, z1) / (entry * (1 - entry))

    def reading(power: Expr) -> Expr:
        """How the scores of position 1 move where the dead stream is t^power x."""
        return moved.subs({z1: t**power * x1, z2: t**power * x2})

    first, second = (sympy.Matrix([[g, 1 - g], [1 - g, g]]) for g in (g1, g2))  # attentions of two blocks
    stack = (t**2 * second) * (t**2 * first)
    return Proof(
        "Symbolic in k, p and both coefficients; two blocks of two positions for the route through the values, one "
        "block of two positions with any scores for the other.",
        (
            Prose(
                "Through V and O of the k blocks above the probe: t² each.", r"a\, t^{2k}, \qquad a = A_k \cdots A_1"
            ),
            Equation(
                "amplitude",
                "two blocks of two positions: what the first stream adds to the dead output",
                stack,
                t ** (2 * 2) * (second * first),
                {
                    "t a block": t**2 * (second * first),
                    "one of two attentions": t**4 * second,
                    "attentions added": t**4 * (second + first) / 2,
                },
            ),
            Equation(
                "amplitude",
                "rows of that product sum to 1, as those of each attention",
                (second * first) * sympy.ones(2, 1),
                sympy.ones(2, 1),
                {"sums of attentions": ((second + first) * sympy.ones(2, 1), sympy.ones(2, 1))},
            ),
            Prose(
                "Through the scores of the next block: t² from Q and K, times the dead stream there, which p + 1 "
                "blocks have brought to t^{2(p+1)}. Then it is live, and decays no more.",
                r"b\, t^{2} \cdot t^{2(p+1)} = b\, t^{2p+4}",
            ),
            Equation(
                "amplitude",
                "derivative of the attention of the next block by its dead stream, over a (1 − a)",
                reading(2 * (p + 1)),
                t ** (2 * p + 4) * (2 * x1 - x2),
                {
                    "dead stream of p blocks": t ** (2 * p + 2) * (2 * x1 - x2),
                    "the query side alone": t ** (2 * p + 4) * (x1 - x2),
                    "probed at the input of its block": (reading(2 * p), t ** (2 * p + 4) * (2 * x1 - x2)),
                },
            ),
            Prose("The smaller power wins; at k = p + 2 both stay.", r"E\delta^2 \sim t^{\min(4k,\, 4p+8)}"),
            Equation(
                "rate",
                "k = p + 2 − d: the square is t^min times what has a limit",
                square(p + 2 - gap, p),
                t ** exponent(p + 2 - gap, p) * (a + b * t ** (2 * gap)) ** 2,
                {"4p + 8": t ** (4 * p + 8) * (a + b * t ** (2 * gap)) ** 2},
            ),
            Equation(
                "rate",
                "k = p + 2 + d: the square is t^min times what has a limit",
                square(p + 2 + gap, p),
                t ** exponent(p + 2 + gap, p) * (b + a * t ** (2 * gap)) ** 2,
                {"4k": t ** (4 * (p + 2 + gap)) * (b + a * t ** (2 * gap)) ** 2},
            ),
            *(
                Equation(
                    clause,
                    "leading term of the square",
                    _lowest(square(above, below)),
                    right,
                    {
                        "the other route": other**2 * t ** (4 * above if other == a else 4 * below + 8),
                        "both routes": sympy.expand((a + b) ** 2) * t ** exponent(above, below),
                        "an amplitude": sympy.sqrt(right),
                    },
                )
                for clause, above, below, right, other in (
                    ("k < p + 2", 1, 0, a**2 * t**4, b),
                    ("k < p + 2", 2, 1, a**2 * t**8, b),
                    ("k > p + 2", 3, 0, b**2 * t**8, a),
                    ("k > p + 2", 4, 1, b**2 * t**12, a),
                )
            ),
            Equation(
                "k < p + 2",
                "any k = p + 2 − d: the square over t^{4k}, for t → 0",
                (sympy.powsimp(sympy.expand(square(p + 2 - gap, p) / t ** (4 * (p + 2 - gap))))).subs(t, 0),
                _BELOW,
                {"with b": (a + b) ** 2, "b alone": b**2},
            ),
            Equation(
                "k = p + 2",
                "the square, where both routes have the same power",
                square(p + 2, p),
                sympy.expand(_AT * t ** (4 * p + 8)),
                {
                    "squares added": (a**2 + b**2) * t ** (4 * p + 8),
                    "one route": a**2 * t ** (4 * p + 8),
                    "rate 4k for all k": (square(p + 3, p), sympy.expand((a + b) ** 2 * t ** (4 * p + 12))),
                },
            ),
            Equation(
                "k > p + 2",
                "any k = p + 2 + d: the square over t^{4p + 8}, for t → 0",
                (sympy.powsimp(sympy.expand(square(p + 2 + gap, p) / t ** (4 * p + 8)))).subs(t, 0),
                _ABOVE,
                {"with a": (a + b) ** 2, "a alone": a**2},
            ),
        ),
    )


def _lowest(value: Expr) -> Expr:
    """The lowest monomial in t."""
    (power,), coefficient = sympy.Poly(value, t).terms()[-1]
    return coefficient * t**power


def _moments(chain: AttentionChain, p: int, error: bool = True) -> list[float]:
    """E[δ²] at the output of O in block p + 1, for all radii."""
    return [chain.gradient_moment(t, p + 1, _NOISE, error=error) for t in _RADII]


def _coefficient(chain: AttentionChain, p: int, k: int) -> tuple[float, float]:
    """The second moments of both routes at t = 0, E a² and E b²; b needs a block above."""
    through_values = _NOISE * chain.value_route(p + 1).square().sum((-1, -2)).mean().item()
    if k == 0:
        return through_values, 0.0
    return through_values, _NOISE * chain.score_route(p + 1).square().sum((-1, -2)).mean().item()


def measure() -> Experiment:
    from ddtheory.workbench.attention_chain import attention_chain

    rates: list[Check] = []
    coefficients: dict[str, list[Check]] = {"k < p + 2": [], "k = p + 2": [], "k > p + 2": []}
    curves: list[Curve] = []
    for seed, cases in ((3, _CASES), (7, ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (1, 4)))):
        for p, k in cases:
            chain = attention_chain(blocks=p + 1 + k, seed=seed)
            predicted = int(exponent(sympy.Integer(k), sympy.Integer(p)))
            moments = _moments(chain, p)
            a, b = _coefficient(chain, p, k)
            clause = "k < p + 2" if k < p + 2 else "k = p + 2" if k == p + 2 else "k > p + 2"
            kept = {"k < p + 2": a, "k = p + 2": a + b, "k > p + 2": b}[clause]
            assert kept > 0  # a rate with coefficient zero would be vacuous
            others = tuple(rival for rival in (0.0, kept / 2, a if k >= p + 2 else 2 * a, a + b) if rival != kept)
            label = f"seed {seed}, p = {p}, k = {k}"
            near = {predicted - 4, predicted + 4, 4 * k, 4 * p + 8} - {predicted}
            rates.append(rate_check(f"{label}: rate of E[δ²]", predicted, _RADII, moments, rivals=sorted(near)))
            coefficients[clause].append(
                Comparison(
                    f"{label}: coefficient",
                    kept,
                    limit(_RADII, [moment / t**predicted for moment, t in zip(moments, _RADII, strict=True)], 1e-8),
                    others,
                    min(1e-3 * kept, *(abs(rival - kept) for rival in others)),
                    _REASON + "; predicted from the network at t = 0: products of attention matrices, and derivatives "
                    "with respect to scores",
                    "coefficient of a second moment",
                )
            )
            if p == 0 and seed == 3:
                curves.append(Curve(f"E[δ²], p = 0, k = {k}", _RADII, tuple(moments), float(predicted)))
    coefficients["k = p + 2"].append(_together(0, 2))
    drawn = attention_chain(blocks=5, seed=3)
    rates.append(
        rate_check(
            "p = 0, k = 4, labels drawn from the model: rate",
            8,
            _RADII,
            _moments(drawn, 0, error=False),
            rivals=(12, 16),
        )
    )
    saturated = attention_chain(blocks=5, gain=2.0, seed=3)
    small = tuple(2.0**-n for n in range(8, 17))
    rates.append(
        # b is small there, so the crossing from t¹⁶ to t⁸ lies inside a usual window
        rate_check(
            "p = 0, k = 4, live gain 2, whose slope between t = 0.01 and 0.02 is 12.4: rate",
            8,
            small,
            [saturated.gradient_moment(t, 1, _NOISE) for t in small],
            rivals=(12, 16),
        )
    )
    return Experiment(
        "Chains of up to seven blocks of two-head softmax attention without residual stream, width 6, four positions, "
        "16 sequences, seeds 3 and 7; gradient of ½‖f − y‖² at the output of O in block p + 1, noise of variance 0.09.",
        {"amplitude": _amplitudes(), "rate": rates, **coefficients},
        tuple(curves[1:5]),
    )


def _amplitudes() -> list[Check]:
    """J at one dead and one live output, for one sequence and position: the two routes apart from each other."""
    from ddtheory.workbench.attention_chain import attention_chain

    found: list[Check] = []
    for p, k in ((0, 1), (0, 3), (1, 2)):
        chain = attention_chain(blocks=p + 1 + k, seed=3)
        jacobians = [chain.sensitivity(t, p + 1)[1, 0] for t in _RADII]
        for name, place, route, power in (
            ("dead", (0, -1), chain.value_route(p + 1), 2 * k),
            ("live", (0, -2), chain.score_route(p + 1), 2 * p + 4),
        ):
            if power > 2 * p + 4:
                continue  # there the dead output is reached first through the scores and back, at t^{2p+6}
            predicted = float(route[1, 0][place])
            found.append(
                limit_check(
                    f"p = {p}, k = {k}: derivative of a {name} output, over t^{power}",
                    predicted,
                    _RADII,
                    [float(jacobian[place]) / t**power for jacobian, t in zip(jacobians, _RADII, strict=True)],
                    rivals=(0, -predicted, 2 * predicted),
                    relative_error=1e-8,
                    quantity="coefficient of an amplitude",
                )
            )
    return found


def _together(p: int, k: int) -> Comparison:
    """k = p + 2 with the same noise on all outputs: a and b add before the square."""
    from ddtheory.workbench.attention_chain import attention_chain

    chain = attention_chain(blocks=p + 1 + k, seed=3)
    through_values, through_scores = (
        route.sum((-1, -2)) for route in (chain.value_route(p + 1), chain.score_route(p + 1))
    )
    predicted = (through_values + through_scores).square().mean().item()
    apart = (through_values.square() + through_scores.square()).mean().item()
    power = 4 * k
    moments = [chain.sensitivity(t, p + 1).sum((-1, -2)).square().mean().item() / t**power for t in _RADII]
    return Comparison(
        f"p = {p}, k = {k}, the same noise on all outputs: coefficient",
        predicted,
        limit(_RADII, moments, 1e-8),
        (apart, through_values.square().mean().item(), 0),
        1e-3 * predicted,
        _REASON + "; the rivals are the sum of squares, and one route",
        "coefficient of a second moment",
    )


def control() -> Experiment:
    from ddtheory.workbench.attention_chain import attention_chain

    rates: list[Check] = []
    for k in (1, 2, 3, 4):
        chain = attention_chain(blocks=1 + k, follow=(0.0, 1.0, 1.0, 1.0), seed=3)
        rates.append(_rate(f"dead query zero, p = 0, k = {k}", 4 * k, _moments(chain, 0), 8 if k > 2 else 4 * k + 2))
    for k in (3, 4):
        chain = attention_chain(blocks=1 + k, seed=3)
        noiseless = [chain.gradient_moment(t, 1, 0.0) for t in _RADII]
        rates.append(_rate(f"no label noise, p = 0, k = {k}: the live error is t² itself", 12, noiseless, 8))
    alone = attention_chain(blocks=4, positions=1, seed=3)
    rates.append(_rate("one position: the softmax is constant; p = 0, k = 3", 12, _moments(alone, 0), 8))
    stream = replace(attention_chain(blocks=4, gain=0.5, seed=3), residual=True)
    rates.append(_rate("residual stream, p = 0, k = 3", 0, _moments(stream, 0), 8))
    unread = attention_chain(blocks=3, follow=(0.0, 1.0, 1.0, 1.0), seed=3)
    beyond = attention_chain(blocks=4, follow=(0.0, 1.0, 1.0, 1.0), seed=3)
    read = attention_chain(blocks=3, seed=3)
    short = attention_chain(blocks=2, seed=3)
    values, both = _coefficient(unread, 0, 2)[0], sum(_coefficient(read, 0, 2))
    return Experiment(
        "Without the score route the rate is 4k for every k, and the coefficient at k = p + 2 is that of the values "
        "alone; without label noise the error replaces the noise; with a residual stream nothing decays.",
        {
            "amplitude": [
                limit_check(
                    "dead query zero, p = 0, k = 3: derivative of a live output, over t⁴",
                    0,
                    _RADII,
                    [float(beyond.sensitivity(t, 1)[1, 0][0, -2]) / t**4 for t in _RADII],
                    rivals=(float(attention_chain(blocks=4, seed=3).score_route(1)[1, 0][0, -2]),),
                    width=1e-6,
                    quantity="coefficient of an amplitude",
                )
            ],
            "rate": rates,
            "k < p + 2": [
                limit_check(
                    "no label noise, p = 0, k = 1: E[δ²] over t⁴",
                    0,
                    _RADII,
                    [short.gradient_moment(t, 1, 0.0) / t**4 for t in _RADII],
                    rivals=(_coefficient(short, 0, 1)[0],),
                    width=1e-6,
                )
            ],
            "k = p + 2": [
                Comparison(
                    "dead query zero, p = 0, k = 2: coefficient",
                    values,
                    limit(_RADII, [moment / t**8 for moment, t in zip(_moments(unread, 0), _RADII, strict=True)], 1e-8),
                    (both,),
                    1e-3 * values,
                    _REASON + "; the rival has both routes",
                    "coefficient of a second moment",
                )
            ],
            "k > p + 2": [
                limit_check(
                    "dead query zero, p = 0, k = 3: E[δ²] over t⁸",
                    0,
                    _RADII,
                    [moment / t**8 for moment, t in zip(_moments(beyond, 0), _RADII, strict=True)],
                    rivals=(_coefficient(attention_chain(blocks=4, seed=3), 0, 3)[1],),
                    width=1e-6,
                )
            ],
        },
    )


def _rate(label: str, predicted: int, moments: list[float], rival: int) -> Comparison:
    return rate_check(label, predicted, _RADII, moments, rivals=(rival,))
