"""The germ of a deep linear network at a checkpoint: the ranks of all partial products say which one it is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import pairwise

import torch
from sympy import Expr, Matrix, Symbol, eye, zeros
from torch import Tensor

from ddtheory.exact.thresholds.matrix_products import at_factorisation, deep_linear
from ddtheory.measure.matrices.factor import RANK_TOLERANCE
from ddtheory.measure.matrices.gram import Spectrum
from ddtheory.reads.germ import Germ
from ddtheory.reads.rank import Rank
from ddtheory.references import cite


def product_germ(weights: Sequence[Tensor], inputs: Tensor) -> Germ | str:
    r"""The germ of K ≍ ‖W_L ⋯ W_1 X − C‖², or why there is none.

    Weights are a representation of the quiver • → • → ⋯ → •, so a change of basis in every layer makes all of them
    matrices of zeros and ones, and which ones the ranks of W_j ⋯ W_i say (Gabriel). K at the checkpoint and at that
    normal form differ by linear coordinates. Where the inputs span q < H_0 dimensions, W_1 acts on those alone.

    Args:
        weights: W_1 … W_L, (H_l, H_{l−1}).
        inputs: (samples, H_0), those with weight 0 left out.
    """
    seen = matrix_rank([inputs])
    if not seen.clear or not seen.certain:
        return f"the rank of the inputs is {seen}"
    span = torch.linalg.svd(inputs, full_matrices=False).Vh[: seen.certain].mT
    factors = [weights[0] @ span, *weights[1:]]
    widths = [factors[0].shape[1], *(factor.shape[0] for factor in factors)]
    ranks: dict[tuple[int, int], int] = {(node, node): width for node, width in enumerate(widths)}
    for start in range(len(factors)):
        for stop in range(start + 1, len(widths)):
            found = matrix_rank(factors[start:stop])
            if not found.clear:
                return f"the rank of the product of layers {start} to {stop - 1} is {found}"
            ranks[start, stop] = found.certain
    layers = normal_form(widths, ranks)
    whole = ranks[0, len(factors)]
    says = (
        f"deep linear, widths {widths}, ranks {[ranks[k, k + 1] for k in range(len(factors))]}, of the product {whole}"
    )
    form, source = None, None
    if len(factors) == 2:
        form = at_factorisation(*widths, rank=whole, rank_first=ranks[0, 1], rank_second=ranks[1, 2])
        source = cite("aoyagi-watanabe2005", "Main Theorem, at the ranks of the factors")
    elif all(ranks[k, k + 1] == whole for k in range(len(factors))):
        form, source = deep_linear(widths, whole), cite("aoyagi2024", "Theorem 2")
    return Germ(says, generators(layers), form, source)


def matrix_rank(factors: Sequence[Tensor]) -> Rank:
    """The rank of W_j ⋯ W_i; what is rounding is told by the norms of the factors, which may cancel."""
    product = reduce(lambda below, above: above @ below, factors)
    values = torch.linalg.svdvals(product)
    size = 1.0
    for factor in factors:
        size *= float(torch.linalg.matrix_norm(factor, 2))
    cut = RANK_TOLERANCE * torch.finfo(product.dtype).eps * size
    kept = [float(value) ** 2 for value in values if float(value) > cut]
    left_out = float(values[len(kept)]) if len(kept) < len(values) else 0.0
    separation = kept[-1] / max(left_out, cut / RANK_TOLERANCE) ** 2 if kept else 1.0
    return Rank(Spectrum(tuple(kept), len(values) - len(kept), cut**2, separation), len(values))


def normal_form(widths: Sequence[int], ranks: dict[tuple[int, int], int]) -> list[Matrix]:
    """Matrices of zeros and ones with these ranks of all partial products.

    An interval [i, j] is a vector that layers i … j share; there are r_ij − r_{i−1,j} − r_{i,j+1} + r_{i−1,j+1} of it.
    """
    last = len(widths) - 1

    def rank(start: int, stop: int) -> int:
        return ranks.get((start, stop), 0)

    intervals = [
        (start, stop)
        for start in range(last + 1)
        for stop in range(start, last + 1)
        for _ in range(rank(start, stop) - rank(start - 1, stop) - rank(start, stop + 1) + rank(start - 1, stop + 1))
    ]
    at = [[number for number, (i, j) in enumerate(intervals) if i <= node <= j] for node in range(last + 1)]
    layers = []
    for below, above in pairwise(at):
        layer = zeros(len(above), len(below))
        for column, number in enumerate(below):
            if number in above:
                layer[above.index(number), column] = 1
        layers.append(layer)
    return layers


def generators(layers: Sequence[Matrix]) -> tuple[Expr, ...]:
    """The entries of the product of all moved layers, without those of the product at rest."""

    def times(factors: Sequence[Matrix]) -> Matrix:
        return reduce(lambda below, above: above * below, factors, eye(layers[0].cols))

    moved = [
        layer + Matrix(*layer.shape, lambda i, j, k=k: Symbol(f"w{k}_{i}_{j}")) for k, layer in enumerate(layers, 1)
    ]
    return tuple(entry.expand() for entry in times(moved) - times(layers))
