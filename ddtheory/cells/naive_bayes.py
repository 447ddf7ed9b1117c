"""Naive Bayes with a hidden binary class and binary features, at full independence."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING

import sympy
from sympy import Rational, Symbol

from ddtheory.cells.shared import probabilities
from ddtheory.cells.shared.blocks import at_least, matrix
from ddtheory.cells.shared.cell import Cell
from ddtheory.cells.shared.families import family
from ddtheory.cells.shared.routes import closed_form, newton
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
    pairs = [tuple(int(k in pair) for k in range(features)) for pair in itertools.combinations(range(features), 2)]

    def interior() -> RLCT:
        return RLCT(Fraction(3 * features, 4), 2 if features == 2 else 1)

    def closed() -> RLCT:
        return RLCT(Fraction(features + 1, 2), 3 if features == 2 else 1)

    first, second = ({shifts[0, i].name: 1, shifts[1, i].name: -1} for i in (0, 1))
    return Cell(
        name,
        probabilities.divergence(p, truth),
        names | {share: "share[0]"},
        {
            "two apart": first | second,
            "one apart": first,
            "together": {shifts[0, 0].name: 1, shifts[1, 0].name: 1},
            "share": {"s": 1},
        },
        cite("rusakov-geiger2005", "Theorem 4"),
        lambda seed: probabilities.problem(
            lambda parameters: _torch_table(parameters, features), {"share": (1,), "feature": (2, features)}
        ),
        generators=tuple(entry - Rational(1, 2**features) for entry in p),
        provenance=Provenance.PRIMARY,
        routes=(
            closed_form("3n/4, m = 2 for n = 2", interior),
            newton("regular means beside the products u_i u_j", pairs, regular=features),
        ),
        elsewhere=(
            closed_form("(n + 1)/2, m = 3 for n = 2", closed),
            newton("regular means beside s u_i u_j, at s = 0", [(1, *pair) for pair in pairs], regular=features),
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
