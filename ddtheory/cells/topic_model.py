"""Latent Dirichlet allocation as a model of word counts: stochastic matrix factorisation at a single true topic."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING

import sympy
from sympy import Rational

from ddtheory.cells.shared import probabilities
from ddtheory.cells.shared.blocks import at_least, entry, matrix
from ddtheory.cells.shared.cell import Cell, Size, SymbolicFace
from ddtheory.cells.shared.families import family
from ddtheory.cells.shared.routes import newton, product_of_factors, with_regular
from ddtheory.cells.shared.truth import Provenance, Route
from ddtheory.exact.thresholds import matrix_products
from ddtheory.references import cite
from ddtheory.values import RLCT

if TYPE_CHECKING:
    from torch import Tensor


@family(
    {"words": 3, "documents": 2, "topics": 2},
    {"words": 2, "documents": 3, "topics": 2},
    {"words": 3, "documents": 3, "topics": 2},
    {"words": 3, "documents": 3, "topics": 3},
)
def topic_model(name: str, /, *, words: int = 3, documents: int = 2, topics: int = 2) -> Cell:
    """p(word | document d) = Σ_k θ_dk φ_k(word) with M words, N documents, H topics, at uniform θ and φ.

    With the mean document as M − 1 regular directions, the centred documents are the product of an (N − 1, H − 1) and
    an (H − 1, M − 1) matrix at zero: λ = λ_RRR(M − 1, N − 1, H − 1; 0) + (M − 1)/2 with the same m, and this equals
    λ_RRR(M, N, H; 1) − N/2 (r = 0).

    Source: Hayashi 2021 (latent Dirichlet allocation); at an interior point of the simplices.

    Raises:
        InvalidValueError: fewer than two words, documents or topics.

    >>> topic_model(words=3, documents=3, topics=2).rlct
    RLCT(lam=Fraction(2, 1), m=2)
    """
    for value, what in ((words, "words"), (documents, "documents"), (topics, "topics")):
        at_least(value, 2, f"The number of {what}")

    def symbolic() -> SymbolicFace:
        shares, share_names = matrix("t", "shares", documents, topics - 1)
        laws, law_names = matrix("f", "topics", topics, words - 1)
        mixtures = [probabilities.law(list(shares.row(d)), topics) for d in range(documents)]
        vocabulary = [probabilities.law(list(laws.row(k)), words) for k in range(topics)]
        tables = [
            [sympy.Add(*[mixture[k] * vocabulary[k][w] for k in range(topics)]) for w in range(words)]
            for mixture in mixtures
        ]
        uniform = [Rational(1, words)] * words
        return SymbolicFace(
            sympy.Add(*[probabilities.divergence(table, uniform) for table in tables]) / documents,
            share_names | law_names,
            tuple(value - Rational(1, words) for table in tables for value in table),
        )

    def share(document: int) -> str:
        return entry("t", documents, topics - 1, document, 0)

    def topic(index: int) -> str:
        return entry("f", topics, words - 1, index, 0)

    m, n, h = words - 1, documents - 1, topics - 1

    def shifted() -> RLCT:
        pair = matrix_products.reduced_rank(words, topics, documents, 1)
        return RLCT(pair.lam - Fraction(documents, 2), pair.m)

    return Cell(
        name,
        symbolic,
        {
            "topic and share": {share(0): 1, topic(0): 1, share(1): -1, topic(topics - 1): -1},
            "all topics": {topic(k): 1 for k in range(topics)},
            "share": {share(0): 1},
        },
        cite("hayashi2021", "Theorem 3", verified=False),
        lambda seed: probabilities.problem(
            lambda parameters: _torch_table(parameters, topics, words),
            {"shares": (documents, topics - 1), "topics": (topics, words - 1)},
            documents,
        ),
        Size(documents * (topics - 1) + topics * (words - 1), documents * words),
        provenance=Provenance.CODE,
        routes=(
            Route(
                "centred product",
                "λ_RRR(M − 1, N − 1, H − 1; 0) + (M − 1)/2",
                lambda: with_regular(matrix_products.reduced_rank(m, h, n), m),
            ),
            Route("shifted rank", "λ_RRR(M, N, H; 1) − N/2 (the code of Hayashi 2021)", shifted),
            newton(
                "singular values of the centred shares, beside M − 1 regular directions",
                product_of_factors(m, h, n),
                regular=m,
            ),
        ),
    )


def _torch_table(parameters: Mapping[str, Tensor], topics: int, words: int) -> Tensor:
    return probabilities.laws(parameters["shares"], topics) @ probabilities.laws(parameters["topics"], words)
