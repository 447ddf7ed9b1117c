"""Pairs (λ, m) of the families as papers print them, or as one line by hand gives them."""

from __future__ import annotations

from fractions import Fraction

from cell_recipes import later

from ddtheory import cells
from ddtheory.values import RLCT


def pair(lam: str, m: int) -> RLCT:
    return RLCT(Fraction(lam), m)


# Published or derived by hand, typed in from the sources and not from the code.
PUBLISHED = [
    # Aoyagi and Watanabe 2005 and Aoyagi 2024, values for r = 0, 1, …
    (later(cells.reduced_rank, inputs=1, hidden=1, outputs=1), pair("1/2", 2)),
    (later(cells.reduced_rank, inputs=1, hidden=1, outputs=1, rank=1), pair("1/2", 1)),
    (later(cells.reduced_rank, inputs=2, hidden=1, outputs=2), pair("1", 2)),
    (later(cells.reduced_rank, inputs=3, hidden=2, outputs=3, rank=1), pair("7/2", 2)),
    (later(cells.reduced_rank, inputs=10, hidden=4, outputs=5, rank=2), pair("16", 1)),
    (later(cells.reduced_rank, inputs=10, hidden=5, outputs=5, rank=5), pair("25", 1)),
    (later(cells.deep_linear, widths=(3, 3, 3, 3)), pair("3", 1)),
    (later(cells.deep_linear, widths=(3, 3, 3, 3), rank=2), pair("9/2", 3)),
    (later(cells.deep_linear, widths=(4, 4, 4, 4), rank=1), pair("13/2", 1)),
    (later(cells.deep_linear, widths=(3, 2, 3, 2, 3)), pair("2", 4)),
    # local pairs at factorisations that are not of least rank
    (later(cells.reduced_rank, rank_first=1), pair("3/2", 1)),
    (later(cells.reduced_rank, rank_first=2), pair("2", 1)),
    (later(cells.reduced_rank, rank=1, rank_first=2), pair("2", 1)),
    # Aoyagi 2009: tanh, H = 1 … 4
    *((later(cells.hidden_layer, hidden=h), value) for h, value in enumerate(
        (pair("1/2", 2), pair("2/3", 1), pair("5/6", 1), pair("1", 2)), 1)),
    # Arnold, Gusein-Zade and Varchenko 1988, halved
    (later(cells.simple_singularity, kind="A", index=2), pair("5/12", 1)),
    (later(cells.simple_singularity, kind="D", index=5), pair("5/16", 1)),
    (later(cells.simple_singularity, kind="E", index=7), pair("5/18", 1)),
    # O69 of the registry: the line w_1 = 1 is a smooth zero set of a square
    (later(cells.line_and_point), pair("1/2", 1)),
    (later(cells.line_and_point, order=5), pair("1/2", 1)),
    (later(cells.brieskorn, powers=(2, 2), signs=(1, -1)), pair("1/2", 2)),
    (later(cells.brieskorn, powers=(2, 2, 2)), pair("3/4", 1)),
    (later(cells.brieskorn, powers=(2, 2, 2), signs=(1, 1, -1)), pair("1/2", 1)),
    # hyperplanes: 2/n and 1/3, halved
    (later(cells.arrangement, kind="braid", dimension=4), pair("1/4", 1)),
    (later(cells.arrangement, kind="signed", dimension=3), pair("1/6", 1)),
    # 2-minors of 3 × 4: (6, 2), halved
    (later(cells.minors, rows=3, columns=4, size=2), pair("3", 2)),
    # Lin 2011, Theorem 4.23, interior stratum Ω_m000: (6, 2), halved
    (later(cells.contingency_table, rows=3, columns=3), pair("3", 2)),
    # Zwiernik 2011: 3n/4; quartet (3, 1); two observed nodes with two hidden ones between them
    (later(cells.naive_bayes, features=4), pair("3", 1)),
    (later(cells.latent_forest, edges=("1-a", "2-a", "a-b", "3-b", "4-b")), pair("3", 1)),
    (later(cells.latent_forest, edges=("1-a", "a-b", "b-2")), pair("3/2", 3)),
    # factor analysis: 3n/4 for one factor; (4, 2) regular beside ⟨Λ_i · Λ_j⟩; m = n at n = k + 1 as in Aoyagi 2010
    (later(cells.factor_analysis, covariates=3, factors=1), pair("9/4", 1)),
    (later(cells.factor_analysis, covariates=4, factors=2), pair("4", 1)),
    (later(cells.factor_analysis, covariates=3, factors=2), pair("3", 3)),
    (later(cells.factor_analysis, covariates=4, factors=3), pair("5", 4)),
    # nonnegative 2 × 2 × 2: 2 and not the 3/2 of real factors
    (later(cells.nonnegative_factorisation), pair("2", 3)),
    (later(cells.swiglu), pair("1/2", 3)),
    (later(cells.mixture, components=2), pair("3/4", 1)),
    (later(cells.superposition), pair("3/4", 1)),
    # products of a (v, e) and an (e, w) matrix at zero, as in Aoyagi and Watanabe 2005: sizes (2, 2, 2) and (3, 2, 2);
    # (‖a‖‖b‖)² in two and two coordinates is a crossing of (1, 1) and (1, 1), beside one regular pair of coordinates
    (later(cells.attention_product, kind="query-key", width=2, head=2), pair("3/2", 1)),
    (later(cells.attention_softmax, tokens=3, embedding=2), pair("2", 2)),
    (later(cells.topic_model, words=3, documents=3, topics=2), pair("2", 2)),
    # monomials: min (h + 1)/(2k), and sums of pure powers: Σ 1/(2k)
    (later(cells.gaussian_location, 3), pair("1/6", 1)),
    (later(cells.exponential_curve, "poisson", 2), pair("1/4", 1)),
    (later(cells.isolated, orders=(1, 2)), pair("3/4", 1)),
    (later(cells.mixture_fixed), pair("1/2", 2)),
    (later(cells.node_death, "square"), pair("1/4", 1)),
    (later(cells.normal_crossing, exponents=(1, 3), prior=(0, 2)), pair("1/2", 2)),
    (later(cells.semiregular, regular=2, singular=1, degree=2), pair("5/4", 1)),
    # regular but for a gauge: half of what is left, 3 − 1 and 2 · 5 − 1
    (later(cells.normalisation, kind="layer", width=3), pair("1", 1)),
    (later(cells.superposition_polygon, corners=5), pair("9/2", 1)),
]  # fmt: skip
