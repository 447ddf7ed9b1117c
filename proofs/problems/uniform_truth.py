"""MAIS:O67:uniform: softmax attention at zero under the uniform truth is reduced-rank regression."""

from __future__ import annotations

import itertools
from fractions import Fraction

import sympy
from sympy import Matrix, Rational, symbols

from ddtheory.exact.thresholds.matrix_products import deep_linear, reduced_rank
from ddtheory.references import cite
from ddtheory.values import RLCT, Interval, Verdict
from ddtheory.verify.claim import Check, Claim, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.certified import certified, pair_row
from ddtheory.workbench.ladder import slope_check

_SMALLEST = (1, 2)
"""The pair for two tokens of width two."""


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
            rf"$0$: ${_SMALLEST}$ for $v = e = 2$."
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


class _Model:
    """Softmax attention in symbols, and Ū, the columns of U less the last one."""

    def __init__(self, tokens: int, width: int) -> None:
        self.tokens = tokens
        self.embedding = Matrix(tokens, width, symbols(f"x:{tokens * width}", real=True))
        # e^{score} of a token seen from the last one: any positive numbers, as the identity is linear in EU
        self.weight = Matrix(tokens, tokens, symbols(f"w:{tokens**2}", positive=True))
        self.out = Matrix(width, tokens, symbols(f"u:{width * tokens}", real=True))

    @property
    def product(self) -> Matrix:
        """E Ū."""
        last = self.out.col(self.tokens - 1)
        return self.embedding * Matrix.hstack(*[self.out.col(c) - last for c in range(self.tokens - 1)])

    def differences(self, string: tuple[int, ...]) -> list[sympy.Expr]:
        """The logits of a string less the last of them, by a softmax over its positions."""
        raw = [self.weight[string[-1], token] for token in string]
        read = sum(
            (w * self.embedding.row(t) for w, t in zip(raw, string, strict=True)), start=self.embedding.row(0) * 0
        )
        logits = read * self.out / sum(raw)
        return [logits[c] - logits[self.tokens - 1] for c in range(self.tokens - 1)]

    def cofactors(self, string: tuple[int, ...], *, counts: bool = True, scores: bool = True) -> list[sympy.Expr]:
        """n_t e^{s_t}/Σ n e^s for each token t, with or without the n and the s."""
        found = [string.count(t) if counts else int(t in string) for t in range(self.tokens)]
        parts = [n * (self.weight[string[-1], t] if scores else sympy.Integer(1)) for t, n in enumerate(found)]
        return [part / sum(parts) for part in parts]


def derive() -> Proof:
    strings = [string for length in (1, 2, 3) for string in itertools.product(range(2), repeat=length)]
    small = _Model(2, 3)
    differences = Matrix([small.differences(string) for string in strings])
    alone = [number for number, string in enumerate(strings) if len(set(string)) == 1]

    def combined(**other: bool) -> Matrix:
        return Matrix([small.cofactors(string, **other) for string in strings]) * small.product

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
                "are analytic functions: n_t e^{s_t} over their sum, s_t the score of token t, n_t its count. So the "
                "differences of E_aU, over all tokens a, generate."
            ),
            Equation(
                "ideal",
                f"v = 2, e = 3, T ≤ 3: differences of the logits of all {len(strings)} strings, position by position, "
                "against cofactors by counts and scores times EŪ",
                differences,
                combined(),
                {"counts left out": combined(counts=False), "scores left out": combined(scores=False)},
            ),
            Equation(
                "ideal",
                f"of these the {len(alone)} strings of one token, against the rows of EŪ",
                differences.extract(alone, list(range(differences.cols))),
                Matrix([small.product.row(strings[number][0]) for number in alone]),
                {"the other token": Matrix([small.product.row(1 - strings[number][0]) for number in alone])},
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
                Matrix([_SMALLEST]),
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
