"""Normal crossings with prior weights: y = x ∏ w_i^{k_i} + noise, the simplest singularity with a multiplicity."""

from __future__ import annotations

from fractions import Fraction
from math import prod

import sympy

from ddtheory.cells.shared import finite_n
from ddtheory.cells.shared.blocks import all_at_least, axes, outputs_of_one_input, vector
from ddtheory.cells.shared.cell import Cell, Size, SymbolicFace
from ddtheory.cells.shared.families import General, family
from ddtheory.cells.shared.routes import closed_form, newton
from ddtheory.cells.shared.truth import Provenance, Route
from ddtheory.errors import InvalidValueError
from ddtheory.exact import formulas
from ddtheory.exact.fluctuation.nu import fluctuation_from_lambda
from ddtheory.exact.thresholds.intersection import transversal_crossing
from ddtheory.references import cite
from ddtheory.values import RLCT


def _sizes(exponents: tuple[int, ...], prior: tuple[Fraction, ...]) -> dict[str, Fraction | int] | None:
    """Of the closed form, which is for two coordinates."""
    if len(exponents) != 2:
        return None
    weights = prior or (0, 0)
    return {"k": exponents[0], "l": exponents[1], "g": weights[0], "h": weights[1]}


@family(
    {"exponents": (1, 1)},
    {"exponents": (1, 2)},
    {"exponents": (2, 2)},
    {"exponents": (1, 1, 1)},
    {"exponents": (1, 3), "prior": (Fraction(0), Fraction(2))},
    {"exponents": (2, 1), "prior": (Fraction(-1, 2), Fraction(1))},
    general=General(formulas.crossing, _sizes),
)
def normal_crossing(name: str, /, *, exponents: tuple[int, ...] = (1, 1), prior: tuple[Fraction, ...] = ()) -> Cell:
    """y ~ N(∏ w_i^{k_i}, 1) at w = 0: K = ½ ∏ w_i^{2k_i}, prior ∏ |w_i|^{h_i}.

    λ = min (h_i + 1)/(2k_i), m the number of minimisers. ν depends on λ and on whether the mean changes sign only.

    Args:
        exponents: k_i ≥ 1.
        prior: h_i > −1, all 0 when empty.

    Source: Watanabe 2009, Section 4.4.

    Raises:
        InvalidValueError: an exponent below 1, or prior exponents that are too few, too many or not above −1.

    >>> normal_crossing(exponents=(1, 1)).rlct, normal_crossing(exponents=(1, 2)).rlct
    (RLCT(lam=Fraction(1, 2), m=2), RLCT(lam=Fraction(1, 4), m=1))
    """
    all_at_least(exponents, 1, "the exponents")
    weights = tuple(Fraction(h) for h in prior) or (Fraction(0),) * len(exponents)
    if len(weights) != len(exponents) or min(weights) <= -1:
        raise InvalidValueError(
            f"The prior {weights} needs one exponent above −1 for each of {len(exponents)} factors."
        )
    symbols, coordinates = vector("w", "w", len(exponents))
    mean = sympy.Mul(*[w**k for w, k in zip(symbols, exponents, strict=True)])
    rates = [(h + 1) / (2 * k) for k, h in zip(exponents, weights, strict=True)]

    def closed() -> RLCT:
        return RLCT(min(rates), rates.count(min(rates)))

    def zeta() -> RLCT:
        # ∫ ∏ w^{2kz + h} over the unit box is ∏ 1/(2kz + h + 1)
        poles = sorted(-(h + 1) / (2 * k) for k, h in zip(exponents, weights, strict=True))
        return RLCT(-poles[-1], sum(2 * k * poles[-1] + h + 1 == 0 for k, h in zip(exponents, weights, strict=True)))

    return Cell(
        name,
        lambda: SymbolicFace(mean**2 / 2, coordinates, (mean,)),
        axes(symbols),
        cite("watanabe2009", "Section 4.4"),
        lambda seed: outputs_of_one_input(
            lambda w: prod((w[i] ** k for i, k in enumerate(exponents)), start=w.new_ones(())), [0.0] * len(exponents)
        ),
        Size(len(exponents), 1),
        prior={symbol: h for symbol, h in zip(symbols, weights, strict=True) if h},
        provenance=Provenance.PRIMARY,
        routes=(
            closed_form("λ = min (h + 1)/(2k), m = number of minimisers (Watanabe 2009)", closed),
            newton("one monomial generator", [exponents], weights),
            Route("exact zeta function", "∫ ∏ w^{2kz+h} dw = ∏ 1/(2kz + h + 1) on the unit box", zeta),
            Route(
                "typed intersection",
                "transversal crossing of lines of order k with prior |w|^h",
                lambda: transversal_crossing(*map(RLCT, rates)),
            ),
        ),
        fluctuation=lambda digits: fluctuation_from_lambda(
            min(rates), "two" if any(k % 2 for k in exponents) else "one", digits=digits
        ),
        finite=finite_n.crossing([2 * k for k in exponents], weights),
        remark="With m ≥ 2 a sampler at (n, β) should return the finite-n value, far below λ."
        if rates.count(min(rates)) > 1
        else "",
    )
