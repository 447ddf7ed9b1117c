"""A one-head softmax attention with a uniform truth: reduced-rank regression of the centred scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy

from ddtheory.cells.shared.blocks import at_least, entry, matrix
from ddtheory.cells.shared.cell import Cell, Size, SymbolicFace
from ddtheory.cells.shared.families import family
from ddtheory.cells.shared.routes import newton, product_of_factors
from ddtheory.cells.shared.truth import Provenance, Route
from ddtheory.exact.thresholds import matrix_products
from ddtheory.references import cite

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from ddtheory.measure import Problem


@family({"tokens": 2, "embedding": 1}, {"tokens": 3, "embedding": 1}, {"tokens": 3, "embedding": 2})
def attention_softmax(name: str, /, *, tokens: int = 3, embedding: int = 2) -> Cell:
    """One softmax head over v tokens, p(j | i) = softmax_j(q_i · k_j) with embeddings of width e, at Q = K = 0.

    The truth is uniform, and softmax does not see a shift of all scores of a row: K ≍ ‖QᵀK (I − 11ᵀ/v)‖², the product
    of a (v, e) and an (e, v − 1) matrix at zero. So (λ, m) is that of reduced-rank regression with v inputs, v − 1
    outputs and e hidden units, whatever the length of the sequence.

    Args:
        tokens: v.
        embedding: e.

    Source: derived here for the real torch head; the germ is that of Aoyagi and Watanabe 2005.

    Raises:
        InvalidValueError: fewer than two tokens or an embedding of width 0.

    >>> attention_softmax(tokens=2, embedding=1).rlct
    RLCT(lam=Fraction(1, 2), m=1)
    """
    at_least(tokens, 2, "The number of tokens")
    at_least(embedding, 1, "The width of the embedding")

    def symbolic() -> SymbolicFace:
        query, query_names = matrix("q", "query", embedding, tokens)
        key, key_names = matrix("k", "key", embedding, tokens)
        scores = query.T * key
        rows = [[scores[i, j] for j in range(tokens)] for i in range(tokens)]
        divergence = sympy.Add(
            *[sympy.log(sympy.Add(*map(sympy.exp, row)) / tokens) - sympy.Add(*row) / tokens for row in rows]
        )
        centred = tuple(row[j] - row[-1] for row in rows for j in range(tokens - 1))
        return SymbolicFace(divergence / tokens, query_names | key_names, centred)

    query, *keys = (
        entry(letter, embedding, tokens, 0, j) for letter, j in (("q", 0), *(("k", j) for j in range(tokens)))
    )
    gauge = {query: 1} | dict.fromkeys(keys, 1)
    return Cell(
        name,
        symbolic,
        {"joint": {query: 1, keys[0]: 1}, "row shift": gauge, "query": {query: 1}},
        cite("aoyagi-watanabe2005", "Main Theorem"),
        lambda seed: _problem(tokens, embedding),
        Size(2 * tokens * embedding, tokens**2),
        provenance=Provenance.SUMMARY,
        routes=(
            Route(
                "reduced-rank regression",
                "the four cases at sizes (v, e, v − 1), rank 0",
                lambda: matrix_products.reduced_rank(tokens, embedding, tokens - 1),
            ),
            newton("singular values of the centred keys", product_of_factors(tokens, embedding, tokens - 1)),
            Route(
                "rank sequences",
                "half the least codimension over sequences of ranks",
                lambda: matrix_products.by_rank_sequences((tokens, embedding, tokens - 1)),
            ),
        ),
    )


def _problem(tokens: int, embedding: int) -> Problem:
    import torch

    from ddtheory.measure import Categorical, Problem

    def model(parameters: Mapping[str, Tensor], one_hot: Tensor) -> Tensor:
        return (one_hot @ parameters["query"].mT) @ parameters["key"]

    truth = {name: torch.zeros(embedding, tokens, dtype=torch.float64) for name in ("query", "key")}
    return Problem(model, truth, torch.eye(tokens, dtype=torch.float64), Categorical())
