"""thm:bridge_attn_backward: two routes carry the gradient through an attention block, each with amplitude t²."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Curve, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.evidence import limit
from ddtheory.workbench.ladder import limit_check, rate_check
from ddtheory.workbench.statement import printed

if TYPE_CHECKING:
    from ddtheory.workbench.attention_chain import AttentionChain

_RADII = tuple(2.0**-n for n in range(4, 13))
_NOISE = 0.09
_REASON = "exact mean over the noise, forward-mode derivatives, extrapolated to t = 0; the only error is truncation"


def amplitude(radius: Expr, values: Expr, scores: Expr) -> Expr:
    """The leading term of J along one gradient: t² (g_V + g_Q)."""
    return radius**2 * (values + scores)


def of_squares(values: Expr, scores: Expr) -> Expr:
    """What independent noise leaves of the square of the sum: g_V² + g_Q²."""
    return values**2 + scores**2


def second_moment(radius: Expr, square: Expr) -> Expr:
    """The second moment of the gradient to leading order, from that of (g_V + g_Q)ᵀδ: t⁴ times it."""
    return radius**4 * square


_T, _VALUES, _SCORES = symbols("t g_V g_Q")


CLAIM = Claim(
    id="thm:bridge_attn_backward",
    title="An attention block has backward rate 2",
    given=(
        r"Let the dead channel enter the Q, K, V and O of a softmax attention block through single entries $t$, and "
        r"$J$ be the derivative of its outputs by the dead input of one position."
    ),
    clauses={
        "routes": (
            f"$J = {printed(amplitude(_T, _VALUES, _SCORES))} + O(t^4)$: $g_V$, through V and O, is the attention "
            "to the position and ends in the "
            r"dead output; $g_Q$, through the scores, is a softmax derivative and ends in live ones."
        ),
        "rate": (
            r"The second moment of the gradient $J^\top \delta$ is "
            rf"${printed(second_moment(_T, sympy.Symbol('q')))}$ to "
            "leading order."
        ),
        "coefficient": rf"Its coefficient is $q = E (({printed(amplitude(1, _VALUES, _SCORES))})^\top \delta)^2$.",
        "independent": (
            "Noise that is independent on dead and live outputs makes it $E "
            f"({printed(of_squares(_VALUES, _SCORES))})$ "
            "times its variance."
        ),
    },
    source=cite("shirodkar2026dead", "thm:bridge_attn_backward"),
    hypotheses=("No residual stream around the block.", "g_V + g_Q is not zero in mean square."),
    expected=Verdict.CONFIRMED,
    rests_on=("thm:bridge_attn",),
    doubts=(
        "“Routes carry t²” is assumed in the register's model. In the real block both coefficients are computed from "
        "the network at t = 0 and found in the measurement; they never cancel in mean square against independent "
        "noise, since one route ends in the dead output and the other in live ones. Along a single gradient they can."
    ),
)


def derive() -> Proof:
    t, first, other, share = symbols("t x_1 x_2 a", positive=True)
    s1, s2, alpha = symbols("s_1 s_2 alpha", real=True)
    v, q, noise, mixed = symbols("g_V g_Q v rho", real=True)
    # two positions; row 1 has scores s_1 + t² x_1² and s_2 + t² x_1 x_2, and the live value read there differs by 1
    e1, e2 = sympy.exp(s1 + t**2 * first**2), sympy.exp(s2 + t**2 * first * other)
    entry = e1 / (e1 + e2)
    dead = t**2 * (entry * first + (1 - entry) * other)
    through_scores = sympy.diff(entry, first)
    through_values = sympy.diff(dead, first) - t**2 * (first - other) * through_scores
    itself = entry.subs(t, 0)

    def lowest(value: Expr) -> Expr:
        """Orders 0 to 2 of a function of t."""
        return sum((sympy.diff(value, t, n).subs(t, 0) * t**n / sympy.factorial(n) for n in range(3)), sympy.Integer(0))

    softmax = sympy.diag(share, 1 - share) - sympy.Matrix([share, 1 - share]) * sympy.Matrix([[share, 1 - share]])
    ones = sympy.ones(2, 1)
    scores = symbols("z_1 z_2", real=True)
    masses = [sympy.exp(score) for score in scores]
    jacobian = sympy.Matrix([[sympy.diff(mass / sum(masses), score) for score in scores] for mass in masses])
    row = sympy.Matrix(masses) / sum(masses)
    d1, d2 = symbols("delta_1 delta_2", real=True)
    square = sympy.expand((t**2 * v * d1 + t**2 * q * d2) ** 2)

    def averaged(cross: Expr | int) -> Expr:
        """E over δ_1 on the dead and δ_2 on a live output, of variance v each and covariance `cross`."""
        return noise * (square.coeff(d1, 2) + square.coeff(d2, 2)) + cross * square.coeff(d1, 1).coeff(d2, 1)

    return Proof(
        "Two positions with any scores at t = 0 and any dead inputs, one live channel whose values differ by 1; the "
        "second moment for one dead and one live output.",
        (
            Prose(
                "Through V and O: the dead output reads t² times the attention row.",
                r"\partial\,\text{out}_i / \partial x_j = t^2 a_{ij} + O(t^4)",
            ),
            Equation(
                "routes",
                "derivative of the dead output of position 1 by its own dead input, to order t²",
                lowest(sympy.diff(dead, first)),
                t**2 * itself,
                {"the other position": t**2 * (1 - itself), "t": t * itself, "not normalised": t**2 * sympy.exp(s1)},
            ),
            Equation(
                "routes",
                "the same without what comes through the scores, exactly at every t",
                through_values,
                t**2 * entry,
                {
                    "with what comes through the scores": (sympy.diff(dead, first), t**2 * entry),
                    "at t = 0": t**2 * itself,
                },
            ),
            Prose(
                "Through the scores: t² times a softmax derivative, which reaches the live outputs at that order and "
                "the dead one only at t⁴.",
                r"\partial a_{11} / \partial x_1 = t^2 a_{11} a_{12} (2 x_1 - x_2)",
            ),
            Equation(
                "routes",
                "derivative of the attention entry by the dead input, exactly at every t",
                through_scores,
                entry * (1 - entry) * t**2 * (2 * first - other),
                {
                    "only the query side of the score": entry * (1 - entry) * t**2 * (first - other),
                    "only the key side": entry * (1 - entry) * t**2 * first,
                    "without 1 − a": entry * t**2 * (2 * first - other),
                },
            ),
            Equation(
                "routes",
                "Jacobian of the softmax",
                jacobian,
                sympy.diag(*row) - row * row.T,
                {"the row alone": sympy.diag(*row), "with a plus sign": sympy.diag(*row) + row * row.T},
            ),
            Equation(
                "routes",
                "it kills constants: (diag(a) − aaᵀ + α) 1 = α 1",
                (softmax + alpha * sympy.eye(2)) * ones,
                alpha * ones,
                {"without aaᵀ": ((sympy.diag(share, 1 - share) + alpha * sympy.eye(2)) * ones, alpha * ones)},
            ),
            Prose(
                "Along one gradient δ the amplitudes add; against independent noise on both outputs their squares do.",
                r"\delta_x = t^2 (g_V + g_Q) + O(t^4), \qquad E \delta_x^2 = t^4\,(E g_V^2 + E g_Q^2) + \dots",
            ),
            Equation(
                "rate",
                "second moment of the leading term, noise of covariance ρ v between dead and live output",
                averaged(mixed * noise),
                second_moment(t, noise * (v**2 + 2 * mixed * v * q + q**2)),
                {"t²": t**2 * noise * (v**2 + 2 * mixed * v * q + q**2)},
            ),
            Equation(
                "coefficient",
                "equal noise on both outputs, ρ = 1: the square of the sum",
                averaged(noise),
                second_moment(t, noise * amplitude(1, v, q) ** 2),
                {
                    "the sum of the squares": t**4 * noise * (v**2 + q**2),
                    "opposite noise": (averaged(-noise), t**4 * noise * (v + q) ** 2),
                },
            ),
            Equation(
                "independent",
                "independent noise, ρ = 0: the sum of the squares",
                averaged(0),
                second_moment(t, noise * of_squares(v, q)),
                {
                    "amplitudes added under independent noise": t**4 * noise * (v + q) ** 2,
                    "one route": t**4 * noise * v**2,
                },
            ),
        ),
    )


def measure() -> Experiment:
    from ddtheory.workbench.attention_chain import attention_chain

    routes: list[Check] = []
    rates: list[Check] = []
    coefficients: list[Check] = []
    independent: list[Check] = []
    curves: list[Curve] = []
    for heads, seed, follow in (
        (1, 1, (1.0, 1.0, 1.0, 1.0)),
        (2, 2, (1.0, 1.0, 1.0, 1.0)),
        (3, 3, (2.0, 0.7, 1.5, 0.8)),
    ):
        chain = attention_chain(blocks=1, heads=heads, seed=seed, follow=follow)
        routes += _routes(chain, f"{heads} heads")
        value, score = (
            _NOISE * route.square().sum((-1, -2)).mean().item()
            for route in (chain.value_route(0), chain.score_route(0))
        )
        assert value > 0 and score > 0  # a rate with coefficient zero would be vacuous
        moments = [chain.gradient_moment(t, 0, _NOISE) for t in _RADII]
        rates.append(rate_check(f"{heads} heads: rate of E[δ²] at the dead input", 4, _RADII, moments, rivals=(8,)))
        independent.append(
            Comparison(
                f"{heads} heads: coefficient, independent noise",
                value + score,
                limit(_RADII, [moment / t**4 for moment, t in zip(moments, _RADII, strict=True)], 1e-9),
                (value, score),
                1e-4 * (value + score),
                _REASON + "; predicted from attention matrices and score derivatives at t = 0; the rivals are one "
                "route without the other",
                "coefficient of a second moment",
            )
        )
        coefficients.append(_correlated(chain, f"{heads} heads"))
        curves.append(Curve(f"E[δ²] at the input, {heads} heads", _RADII, tuple(moments), 4.0))
    return Experiment(
        "One block of softmax attention with one, two or three heads, with three of unequal entries, width 6, four "
        "positions, sixteen sequences, one seed each; gradient of ½‖f − y‖² with noise of variance 0.09, averaged in "
        "closed form, or the same noise on all outputs.",
        {"routes": routes, "rate": rates, "coefficient": coefficients, "independent": independent},
        tuple(curves),
    )


def _routes(chain: AttentionChain, label: str) -> list[Check]:
    """J/t² at one entry of the dead output and one of a live output, against both routes at t = 0."""
    values, scores = chain.value_route(0)[1, 0], chain.score_route(0)[1, 0]  # of position 1, first sequence
    jacobians = [chain.sensitivity(t, 0)[1, 0] for t in _RADII]
    found: list[Check] = []
    for name, place in (("dead", (0, -1)), ("live", (0, -2))):
        predicted, other = float((values + scores)[place]), float(values[place] - scores[place])
        found.append(
            limit_check(
                f"{label}: derivative of a {name} output by the dead input of another position, over t²",
                predicted,
                _RADII,
                [float(jacobian[place]) / t**2 for jacobian, t in zip(jacobians, _RADII, strict=True)],
                rivals=(0, 2 * predicted, *(() if other == predicted else (other,))),
                quantity="coefficient of an amplitude",
            )
        )
    return found


def _correlated(chain: AttentionChain, label: str) -> Comparison:
    """Noise that is the same on all outputs: the amplitudes of both routes add before the square."""
    values, scores = (route.sum((-1, -2)) for route in (chain.value_route(0), chain.score_route(0)))
    predicted = (values + scores).square().mean().item()
    apart = (values.square() + scores.square()).mean().item()
    moments = [chain.sensitivity(t, 0).sum((-1, -2)).square().mean().item() / t**4 for t in _RADII]
    return Comparison(
        f"{label}: coefficient, the same noise on all outputs",
        predicted,
        limit(_RADII, moments, 1e-9),
        (apart, values.square().mean().item(), 0),
        1e-4 * predicted,
        _REASON + "; the rivals are the sum of squares, and one route",
        "coefficient of a second moment",
    )


def control() -> Experiment:
    import torch

    from ddtheory.workbench.attention_chain import attention_chain

    chain = attention_chain(blocks=1, seed=2)
    leading = (chain.value_route(0) + chain.score_route(0))[1, 0]
    generator = torch.Generator().manual_seed(8)
    gradient = torch.randn(leading.shape, generator=generator, dtype=torch.float64)
    balanced = gradient - leading * (gradient * leading).sum() / leading.square().sum()
    amplitudes = {
        name: [abs((chain.sensitivity(t, 0)[1, 0] * delta).sum().item()) for t in _RADII]
        for name, delta in (("any", gradient), ("balanced", balanced))
    }
    stream = replace(chain, residual=True)
    passed = [stream.gradient_moment(t, 0, _NOISE) for t in _RADII]
    unread = replace(chain, follow=(0.0, 1.0, 1.0, 1.0))
    value = _NOISE * chain.value_route(0).square().sum((-1, -2)).mean().item()
    score = _NOISE * chain.score_route(0).square().sum((-1, -2)).mean().item()
    moments = [unread.gradient_moment(t, 0, _NOISE) / t**4 for t in _RADII]
    return Experiment(
        "Along a single output gradient with g_Q = −g_V the leading amplitude cancels; a stream around the block "
        "passes everything; and without dead entries of Q only the route through V and O is left.",
        {
            "routes": [
                limit_check(
                    "dead entries of Q zero: derivative of a live output by the dead input, over t²",
                    0,
                    _RADII,
                    [float(unread.sensitivity(t, 0)[1, 0][0, -2]) / t**2 for t in _RADII],
                    rivals=(float(chain.score_route(0)[1, 0][0, -2]),),
                    width=1e-6,
                    quantity="coefficient of an amplitude",
                )
            ],
            "coefficient": [
                rate_check(
                    "any gradient: amplitude rate",
                    2,
                    _RADII,
                    amplitudes["any"],
                    quantity="rate of an amplitude",
                ),
                rate_check(
                    "g_Q = −g_V: amplitude rate",
                    4,
                    _RADII[:6],
                    amplitudes["balanced"][:6],
                    quantity="rate of an amplitude",
                ),
            ],
            "rate": [rate_check("residual stream: rate of E[δ²]", 0, _RADII, passed, rivals=(4,))],
            "independent": [
                limit_check(
                    "dead entries of Q zero: coefficient", value, _RADII, moments, rivals=(value + score, score)
                )
            ],
        },
    )
