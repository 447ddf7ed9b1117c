"""The two matrix products of an attention head, V–O and Q–K, each at zero: reduced-rank regression again."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from ddtheory.cells.shared import finite_n
from ddtheory.cells.shared.blocks import at_least, entry, matrix, squares
from ddtheory.cells.shared.cell import Cell, Size, SymbolicFace
from ddtheory.cells.shared.families import family
from ddtheory.cells.shared.routes import newton, product_of_factors
from ddtheory.cells.shared.truth import Provenance, Route
from ddtheory.errors import unknown
from ddtheory.exact.thresholds import matrix_products
from ddtheory.references import cite

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from ddtheory.measure import Problem

_KINDS = ("value-output", "query-key")


@family(
    {"kind": "value-output", "width": 2, "head": 1},
    {"kind": "value-output", "width": 3, "head": 2},
    {"kind": "query-key", "width": 2, "head": 2},
    {"kind": "query-key", "width": 3, "head": 1},
)
def attention_product(name: str, /, *, kind: str = "value-output", width: int = 2, head: int = 1) -> Cell:
    """One product of an attention head at zero, the rest of the head fixed: λ of reduced-rank regression.

    value-output: y = O V Σ_j a_j x_j + N(0, I) with uniform attention a; the mean tokens are the unit vectors and
    K = ‖OV‖²/(2d). query-key: the scores y_ij = x_iᵀ QᵀK x_j + N(0, 1) over the unit vectors as tokens, K = ‖QᵀK‖²/2.
    Both are the product of a (d, h) and an (h, d) matrix.

    Args:
        kind: "value-output" or "query-key".
        width: d, the width of the stream.
        head: h, the width of the head.

    Source: Aoyagi and Watanabe 2005 for the germ; Shirodkar 2026, Dead Directions, thm:bridge_attn for the head.

    Raises:
        UnknownNameError: no such product.
        InvalidValueError: a size below 1.

    >>> attention_product(kind="query-key", width=2, head=2).rlct
    RLCT(lam=Fraction(3, 2), m=1)
    """
    if kind not in _KINDS:
        raise unknown("attention product", kind, _KINDS)
    at_least(width, 1, "The width")
    at_least(head, 1, "The width of the head")
    values = kind == "value-output"

    def symbolic() -> SymbolicFace:
        if values:
            right, right_names = matrix("v", "value", head, width)
            left, left_names = matrix("o", "output", width, head)
            product = tuple(left * right)
        else:
            right, right_names = matrix("k", "key", head, width)
            left, left_names = matrix("q", "query", head, width)
            product = tuple(left.T * right)
        return SymbolicFace(squares(product, width if values else 1), right_names | left_names, product)

    one, other = (entry(letter, head, width, 0, 0) for letter in ("vo" if values else "kq"))
    return Cell(
        name,
        symbolic,
        {"joint": {one: 1, other: 1}, "one factor": {one: 1}},
        cite("aoyagi-watanabe2005", "Main Theorem"),
        lambda seed: _value_output(width, head) if values else _query_key(width, head),
        Size(2 * width * head, width**2),
        provenance=Provenance.DERIVATION,
        routes=(
            Route(
                "reduced-rank regression",
                "the four cases at sizes (d, h, d), rank 0",
                lambda: matrix_products.reduced_rank(width, head, width),
            ),
            newton("singular values of one factor", product_of_factors(width, head, width)),
            Route(
                "rank sequences",
                "half the least codimension over sequences of ranks",
                lambda: matrix_products.by_rank_sequences((width, head, width)),
            ),
        ),
        localised=finite_n.product_of_width_two(width, width, Fraction(1, 2 * width if values else 2))
        if head == 2 and width >= 2
        else None,
    )


def _value_output(width: int, head: int) -> Problem:
    import torch

    from ddtheory.measure import Gaussian, Problem

    def model(parameters: Mapping[str, Tensor], tokens: Tensor) -> Tensor:
        blind = torch.zeros(*tokens.shape[:2], head, dtype=tokens.dtype)
        values = tokens @ parameters["value"].mT
        attended = torch.nn.functional.scaled_dot_product_attention(blind, blind, values)
        return (attended @ parameters["output"].mT)[:, -1]

    truth = {
        "value": torch.zeros(head, width, dtype=torch.float64),
        "output": torch.zeros(width, head, dtype=torch.float64),
    }
    means, apart = torch.eye(width, dtype=torch.float64), torch.ones(width, width, dtype=torch.float64)
    tokens = torch.stack([means + apart, means - apart], dim=1)
    return Problem(model, truth, tokens, Gaussian(1.0))


def _query_key(width: int, head: int) -> Problem:
    import torch

    from ddtheory.measure import Gaussian, Problem

    def model(parameters: Mapping[str, Tensor], tokens: Tensor) -> Tensor:
        queries, keys = tokens @ parameters["query"].mT, tokens @ parameters["key"].mT
        return queries @ keys.mT

    truth = {name: torch.zeros(head, width, dtype=torch.float64) for name in ("query", "key")}
    return Problem(model, truth, torch.eye(width, dtype=torch.float64).unsqueeze(0), Gaussian(1.0))
