"""Naive Bayes with a hidden binary class and binary features, at full independence."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from fractions import Fraction
from math import comb
from typing import TYPE_CHECKING

import sympy
from sympy import Rational, Symbol

from ddtheory.cells.shared import probabilities
from ddtheory.cells.shared.blocks import at_least, entry, matrix
from ddtheory.cells.shared.cell import Cell, Size, SymbolicFace
from ddtheory.cells.shared.families import family
from ddtheory.cells.shared.routes import Programme, closed_form, newton
from ddtheory.cells.shared.truth import Provenance
from ddtheory.references import cite
from ddtheory.values import RLCT

if TYPE_CHECKING:
    from torch import Tensor


@family({"features": 2}, {"features": 3}, {"features": 4})
def naive_bayes(name: str, /, *, features: int = 3) -> Cell:
    """A hidden fair class and n binary features, at independent fair features: p(x) = Σ_c s_c ∏ p(x_i | c).

    With u_i the difference of feature i between the classes, the covariances are s(1 − s) u_i u_j and the means are
    regular: at the interior point s = ½, λ = 3n/4, m = 1 (n ≥ 3), and 3/2, m = 2 for n = 2. Over the closed domain a
    deterministic class, s ∈ {0, 1}, is deeper: λ = (n + 1)/2, m = 1 (n ≥ 3), and 3/2, m = 3 for n = 2.

    Args:
        features: n ≥ 2.

    Source: Rusakov and Geiger 2005, Theorem 4 (closed domain); Zwiernik 2011 (interior).

    Raises:
        InvalidValueError: fewer than two features.

    >>> model = naive_bayes(features=3)
    >>> model.rlct, model.global_truth.rlct
    (RLCT(lam=Fraction(9, 4), m=1), RLCT(lam=Fraction(2, 1), m=1))
    """
    at_least(features, 2, "The number of features")

    def symbolic() -> SymbolicFace:
        share = Symbol("s", real=True)
        shifts, names = matrix("p", "feature", 2, features)
        shares = (Rational(1, 2) + share, Rational(1, 2) - share)
        p = [
            sympy.Add(
                *[
                    shares[c] * sympy.Mul(*[Rational(1, 2) + (2 * x - 1) * shifts[c, i] for i, x in enumerate(outcome)])
                    for c in range(2)
                ]
            )
            for outcome in itertools.product((0, 1), repeat=features)
        ]
        truth = [Rational(1, 2**features)] * 2**features
        centred = tuple(value - Rational(1, 2**features) for value in p)
        return SymbolicFace(probabilities.divergence(p, truth), names | {share: "share[0]"}, centred)

    count = comb(features, 2)

    def pairs() -> list[tuple[int, ...]]:
        chosen = itertools.combinations(range(features), 2)
        return [tuple(int(k in pair) for k in range(features)) for pair in chosen]

    inner = Programme(count, features, lambda: (pairs(), ()))
    outer = Programme(count, features + 1, lambda: ([(1, *pair) for pair in pairs()], ()))

    def interior() -> RLCT:
        return RLCT(Fraction(3 * features, 4), 2 if features == 2 else 1)

    def closed() -> RLCT:
        return RLCT(Fraction(features + 1, 2), 3 if features == 2 else 1)

    first, second = ({entry("p", 2, features, c, i): 1 - 2 * c for c in range(2)} for i in range(2))
    return Cell(
        name,
        symbolic,
        {
            "two apart": first | second,
            "one apart": first,
            "together": dict.fromkeys(first, 1),
            "share": {"s": 1},
        },
        cite("rusakov-geiger2005", "Theorem 4"),
        lambda seed: probabilities.problem(
            lambda parameters: _torch_table(parameters, features), {"share": (1,), "feature": (2, features)}
        ),
        Size(2 * features + 1, 2**features),
        provenance=Provenance.PRIMARY,
        routes=(
            closed_form("3n/4, m = 2 for n = 2", interior),
            newton("regular means beside the products u_i u_j", inner, regular=features),
        ),
        elsewhere=(
            closed_form("(n + 1)/2, m = 3 for n = 2", closed),
            newton("regular means beside s u_i u_j, at s = 0", outer, regular=features),
        ),
        remark="(n + 1)/2 is the value of a deterministic class; in the interior the value is 3n/4.",
    )


def _torch_table(parameters: Mapping[str, Tensor], features: int) -> Tensor:
    import torch

    on = 0.5 + parameters["feature"]
    table = torch.cat([0.5 + parameters["share"], 0.5 - parameters["share"]]).reshape(2, 1)
    for i in range(features):
        pair = torch.stack([1 - on[:, i], on[:, i]], dim=1)
        table = (table.unsqueeze(2) * pair.unsqueeze(1)).reshape(2, -1)
    return table.sum(dim=0, keepdim=True)
