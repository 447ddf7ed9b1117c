"""A line of zeros and a worse point beside it: where a localised posterior is pulled away from its pin."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from ddtheory.cells.shared import finite_n
from ddtheory.cells.shared.blocks import all_at_least, axes, outputs_of_one_input, vector
from ddtheory.cells.shared.cell import Cell, Size, SymbolicFace
from ddtheory.cells.shared.families import family
from ddtheory.cells.shared.routes import closed_form, newton, unit
from ddtheory.cells.shared.truth import Provenance
from ddtheory.references import cite
from ddtheory.values import RLCT

if TYPE_CHECKING:
    from torch import Tensor


@family({}, {"order": 3})
def line_and_point(name: str, /, *, order: int = 2) -> Cell:
    """y ~ N((w_1 − 1)(w_1² + w_2²)^k, 1) at w = (1, 0), on the line of zeros w_1 = 1: K = ½ (w_1 − 1)² ‖w‖^{4k}.

    At the point K is a square times a unit, (1/2, 1). At the origin K ~ ½ ‖w‖^{4k}, (1/(2k), 1), which rules without a
    pin. With γ around (1, 0) and k = 2 this is the problem O69: for which γ_n does one see 1/2?

    Args:
        order: k ≥ 2; for k = 1 both loci have λ = 1/2.

    Source: open problem O69 of the registry MAIS; the pairs by one line each.

    Raises:
        InvalidValueError: an order below 2.

    >>> cell = line_and_point()
    >>> cell.rlct, cell.global_truth.rlct
    (RLCT(lam=Fraction(1, 2), m=1), RLCT(lam=Fraction(1, 4), m=1))
    """
    all_at_least((order,), 2, "the order")
    (u, v), coordinates = vector("w", "w", 2)
    mean = u * ((1 + u) ** 2 + v**2) ** order

    def outputs(w: Tensor) -> Tensor:
        return (w[0] - 1) * (w[0] ** 2 + w[1] ** 2) ** order

    return Cell(
        name,
        lambda: SymbolicFace(mean**2 / 2, coordinates, (mean,)),
        axes((u, v)),
        cite("levine2026", "O69", verified=False),
        lambda seed: outputs_of_one_input(outputs, [1.0, 0.0]),
        Size(2, 1),
        provenance=Provenance.DERIVATION,
        routes=(
            closed_form("a square times a unit", lambda: RLCT(Fraction(1, 2))),
            newton("u² on a line", [(1, 0)]),
        ),
        elsewhere=(
            closed_form(
                "‖w‖^{4k} at the origin: λ = 2/(4k), below the 1/2 of the line", lambda: RLCT(Fraction(1, 2 * order))
            ),
            newton("w_1^{2k} and w_2^{2k}", [unit(index, 2, 2 * order) for index in range(2)]),
        ),
        finite=finite_n.polynomial(mean**2 / 2),
        remark="A sampler that is not pinned tightly enough finds the origin: 1/(2k) and not 1/2.",
    )
