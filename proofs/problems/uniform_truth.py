"""MAIS:O67:uniform: softmax attention at zero under the uniform truth is reduced-rank regression."""

from __future__ import annotations

import itertools
from fractions import Fraction

import sympy
from sympy import Matrix, Rational, Symbol, symbols

from ddtheory.exact.thresholds.matrix_products import deep_linear, reduced_rank
from ddtheory.references import cite
from ddtheory.values import RLCT, Interval, Verdict
from ddtheory.verify.claim import Check, Claim, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.certified import certified, pair_row
from ddtheory.workbench.ladder import slope_check

CLAIM = Claim(
    id="MAIS:O67:uniform",
    title="Softmax attention under the uniform truth",
    given=(
        r"Let $K$ be the divergence of one-head softmax attention with $v$ tokens, length $T$ and width $e$, as in "
        r"MAIS:O67, from uniform labels, at $E = Q = U = 0$."
    ),
    clauses={
        "ideal": (
            r"$K \asymp \|E \bar U\|^2$ for every $T$, with $\bar U$ of size $e \times (v - 1)$ the differences of the "
            r"columns of $U$: attention drops out."
        ),
        "pair": (
            r"The pair is that of reduced-rank regression with $v$ outputs, $v - 1$ inputs, $e$ hidden units and rank "
            r"$0$: $(1, 2)$ for $v = e = 2$."
        ),
    },
    source=cite("levine2026", "Open problem MAIS-O67"),
    hypotheses=("The prior is positive at 0, and all strings are inputs.",),
    expected=Verdict.CONFIRMED,
    assumes=(cite("aoyagi-watanabe2005", "Main Theorem"),),
)

_SIZES = ((2, 1), (2, 2), (2, 3), (3, 1), (3, 2), (4, 1))
"""Tokens and widths of the certified cases."""


def _product(tokens: int, width: int) -> list[sympy.Expr]:
    """The entries of E Ū."""
    left, right = symbols(f"x:{tokens * width}"), symbols(f"u:{width * (tokens - 1)}")
    return [sympy.expand(f) for f in Matrix(tokens, width, left) * Matrix(width, tokens - 1, right)]


def derive() -> Proof:
    first, second = Matrix(symbols("x_1 x_2")), Matrix(symbols("y_1 y_2"))
    out, score = Matrix(symbols("u_1 u_2")), Symbol("delta", real=True)
    weight = 1 / (1 + sympy.exp(-score))
    mixed = (weight * first + (1 - weight) * second).dot(out)
    pairs = [certified(generators=_product(*size)) for size in _SIZES]
    formulas = [deep_linear((count, width, count - 1)) for count, width in _SIZES]
    others = [deep_linear((count, width, count)) for count, width in _SIZES]

    def rows(found: list[RLCT]) -> Matrix:
        return Matrix([pair_row(pair) for pair in found])

    return Proof(
        "The ideal for two tokens of a string, of any score; pairs by derivations that the checker accepts.",
        (
            Prose(
                "A string of one token has the logits E_aU; every other string has a mean of them, with weights that "
                "are analytic functions. So the differences of E_aU, over all tokens a, generate."
            ),
            Equation(
                "ideal",
                "the logit of a string of two tokens, against the logits of each alone",
                mixed,
                weight * first.dot(out) + (1 - weight) * second.dot(out),
                {"weights 1/2": (first.dot(out) + second.dot(out)) / 2, "the first alone": first.dot(out)},
            ),
            Equation(
                "pair",
                f"(v, e) = {_SIZES}: λ and m of EŪ, against the closed form for v outputs and v − 1 inputs",
                rows(pairs),
                rows(formulas),
                {"v inputs": rows(others), "m = 1": Matrix([[row[0], 1] for row in rows(pairs).tolist()])},
            ),
            Equation(
                "pair",
                "v = e = 2: λ and m",
                rows([reduced_rank(1, 2, 2)]),
                Matrix([[1, 2]]),
                {"λ = 3/2, as with v inputs": Matrix([[Rational(3, 2), 1]])},
            ),
        ),
    )


def _slope(tokens: int, length: int, level: float, seed: int) -> Interval:
    """log₄ V(4ε)/V(ε) at width 1, in the cube [−1, 1]^d, for the exact divergence from uniform labels."""
    import numpy as np

    from ddtheory.workbench.measurements.volume_slope import volume_slope

    strings = list(itertools.product(range(tokens), repeat=length))

    def divergence(w: np.ndarray) -> np.ndarray:
        embedding, query, out = w[:tokens], w[tokens], w[tokens + 1 :]
        total = np.zeros(w.shape[1])
        for string in strings:
            raw = np.array([embedding[string[-1]] * query * embedding[t] for t in string])
            weights = np.exp(raw) / np.exp(raw).sum(0)
            logits = sum(weights[i] * embedding[t] for i, t in enumerate(string)) * out
            total += np.log(np.exp(logits).sum(0)) - logits.mean(0) - np.log(tokens)
        return total / len(strings)

    return volume_slope(divergence, [(-1.0, 1.0)] * (2 * tokens + 1), level, samples=2_000_000, seed=seed)


def _check(label: str, predicted: Fraction, found: Interval, *rivals: Fraction) -> Check:
    return slope_check(label, predicted, found, *rivals, draws="draws at each of two levels")


def measure() -> Experiment:
    half = Fraction(1, 2)
    found = {length: _slope(2, length, 1e-7, seed=length) for length in (2, 3)}
    return Experiment(
        "Volumes of the exact divergence of the softmax model at v = 2 and e = 1, whose pair is (1/2, 1).",
        {
            "pair": [
                _check(f"v = 2, e = 1, T = {length}", half, reading, Fraction(1, 3), Fraction(1))
                for length, reading in found.items()
            ],
            "ideal": [_check("v = 2, e = 1, T = 3", half, found[3], Fraction(1, 3), Fraction(1))],
        },
    )


def control() -> Experiment:
    from ddtheory.workbench.measurements.linear_attention import slope_at_zero

    third = Fraction(1, 3)
    found = slope_at_zero(2, 2, 1, 1e-10, seed=5)
    return Experiment(
        "Without the softmax of the scores attention does not drop out: linear attention has 1/3 here.",
        {
            name: (_check("v = T = 2, e = 1, scores in the place of their softmax", third, found, Fraction(1, 2)),)
            for name in ("ideal", "pair")
        },
    )
