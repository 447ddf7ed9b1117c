"""Learning coefficients of products of matrices, W_L ⋯ W_1 = C, by three derivations that share nothing.

K = ‖W_L ⋯ W_1 − C‖²/2 with r = rank C, over the reals, with a positive prior. `deep_linear` is the closed form;
`by_rank_sequences` and `by_elementary_divisors` are combinatorial and serve as its checks. All three are *global*: the
dominating pair over all factorisations of C. `at_factorisation` is the pair at one point with two factors.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cache

from ddtheory.errors import InvalidValueError
from ddtheory.values import RLCT


def deep_linear(widths: Sequence[int], rank: int = 0) -> RLCT:
    """Deep linear network of any depth at a true map of given rank; widths H_0 … H_L, input first.

    With M_s = H_s − r there is a set 𝓜 of ℓ + 1 indices, S = Σ_𝓜 M_s, such that max_𝓜 M_s < min_{outside} M_s,
    S ≥ ℓ max_𝓜 M_s and S < ℓ min_{outside} M_s. With a = S − (⌈S/ℓ⌉ − 1)ℓ:

    λ = [r(H_0 + H_L) − r²]/2 + a(ℓ − a)/(4ℓ) − (ℓ(ℓ − 1)/4)(S/ℓ)² + ½ Σ_{i<j ∈ 𝓜} M_i M_j,  m = a(ℓ − a) + 1.

    So 2λ = r(H_0 + H_L) − r² + e_2(M_s) − e_2(parts), with the elementary symmetric function e_2 of M_s in 𝓜, and of S
    cut into ℓ integers that differ by at most 1: it is an integer, and half of it is λ at any depth. That it is the
    codimension of the set of true parameters is a comparison with `by_rank_sequences`, no theorem of the source.

    Source: Aoyagi 2024, Definition 3 and Theorem 2. (A restatement in the literature prints a(ℓ − a)
    without the + 1, which would give a regular model multiplicity 0.)

    Raises:
        InvalidValueError: fewer than two widths, a width below 1, or a rank that no product can have.

    >>> deep_linear((2, 2, 2), rank=1), deep_linear((4, 4, 4, 4), rank=3)
    (RLCT(lam=Fraction(2, 1), m=2), RLCT(lam=Fraction(8, 1), m=3))
    """
    _check(widths, rank)
    base = Fraction(rank * (widths[0] + widths[-1]) - rank**2, 2)
    gaps = sorted(width - rank for width in widths)
    if gaps[0] == 0:
        return RLCT(base, 1)  # a factor of full rank r: the set of solutions is smooth
    # the set is a prefix of the sorted gaps; ties across its boundary give the same value
    for size in range(2, len(gaps) + 1):
        layers = size - 1
        total = sum(gaps[:size])
        if total >= layers * gaps[size - 1] and (size == len(gaps) or total < layers * gaps[size]):
            break
    mean = Fraction(total, layers)
    remainder = total - (-(-total // layers) - 1) * layers
    products = Fraction(total**2 - sum(gap**2 for gap in gaps[:size]), 2)
    core = Fraction(remainder * (layers - remainder), 4 * layers) - Fraction(layers * (layers - 1), 4) * mean**2
    return RLCT(base + core + products / 2, remainder * (layers - remainder) + 1)


def reduced_rank(inputs: int, hidden: int, outputs: int, rank: int = 0) -> RLCT:
    """Reduced-rank regression, two layers, in the four cases of its first derivation.

    Source: Aoyagi and Watanabe 2005, Main Theorem.

    Raises:
        InvalidValueError: as in `deep_linear`.

    >>> reduced_rank(10, 4, 5, rank=2)
    RLCT(lam=Fraction(16, 1), m=1)
    """
    _check((inputs, hidden, outputs), rank)
    m, h, n, r = inputs, hidden, outputs, rank
    if n + r <= m + h and m + r <= n + h and h + r <= m + n:
        doubled = -((h + r) ** 2) - m**2 - n**2 + 2 * (h + r) * (m + n) + 2 * m * n
        odd = (m + h + n + r) % 2
        return RLCT(Fraction(doubled + odd, 8), 1 + odd)
    if m + h < n + r:
        return RLCT(Fraction(h * m - h * r + n * r, 2))
    if n + h < m + r:
        return RLCT(Fraction(h * n - h * r + m * r, 2))
    return RLCT(Fraction(m * n, 2))


def by_rank_sequences(widths: Sequence[int], rank: int = 0) -> RLCT:
    """The same pair by minimising a codimension over rank sequences d_0 = R_0 ≥ R_1 ≥ … ≥ R_L = 0, d_s = H_s − r.

    λ = r(H_0 + H_L − r)/2 + ½ min Σ_k (R_{k−1} − R_k)(d_k − R_k), and m is the length of the longest chain, in the
    componentwise order, among the minimising sequences. λ is half the codimension of the fibre of the product map;
    agreement with `deep_linear` on all small cases is a test.

    Raises:
        InvalidValueError: as in `deep_linear`.

    >>> by_rank_sequences((3, 3, 3, 3), rank=1)
    RLCT(lam=Fraction(4, 1), m=3)
    """
    _check(widths, rank)
    reduced = tuple(width - rank for width in widths)

    @cache
    def least(layer: int, current: int) -> tuple[int, tuple[tuple[int, ...], ...]]:
        """Smallest codimension from this layer on, with every sequence that attains it."""
        if layer == len(reduced) - 1:
            return current * reduced[layer], ((0,),)
        best: tuple[int, tuple[tuple[int, ...], ...]] | None = None
        for following in range(min(current, reduced[layer]) + 1):
            rest, sequences = least(layer + 1, following)
            cost = (current - following) * (reduced[layer] - following) + rest
            extended = tuple((following, *sequence) for sequence in sequences)
            if best is None or cost < best[0]:
                best = (cost, extended)
            elif cost == best[0]:
                best = (cost, best[1] + extended)
        assert best is not None
        return best

    codimension, sequences = least(1, reduced[0])
    base = Fraction(rank * (widths[0] + widths[-1] - rank), 2)
    return RLCT(base + Fraction(codimension, 2), _longest_chain(sequences))


def by_elementary_divisors(inputs: int, hidden: int, outputs: int, rank: int = 0) -> RLCT:
    """The same pair for two layers, by arcs: the first factor has elementary divisors t^{c_i}.

    With m̃ = M − r, h̃ = H − r, ñ = N − r and c_i = |m̃ − h̃| + 2i − 1 for i = 1 … min(m̃, h̃):
    λ = [r(M + N) − r²]/2 + ½ Σ_i min(ñ, c_i), m = 1 + #{i : c_i = ñ}.

    Raises:
        InvalidValueError: as in `deep_linear`.

    >>> by_elementary_divisors(2, 2, 2, rank=1)
    RLCT(lam=Fraction(2, 1), m=2)
    """
    _check((inputs, hidden, outputs), rank)
    m, h, n = inputs - rank, hidden - rank, outputs - rank
    divisors = [abs(m - h) + 2 * i - 1 for i in range(1, min(m, h) + 1)]
    base = Fraction(rank * (inputs + outputs) - rank**2, 2)
    return RLCT(base + Fraction(sum(min(n, c) for c in divisors), 2), 1 + divisors.count(n))


def at_factorisation(inputs: int, hidden: int, outputs: int, *, rank: int, rank_first: int, rank_second: int) -> RLCT:
    """The *local* pair at a factorisation B A = C with two factors: A is (H, M) of rank a, B is (N, H) of rank b.

    Up to q = M a + b N − a b regular directions the point is the zero map of reduced-rank regression with sizes
    p = N − b, n = M − a and hidden h = H − a − b + r: λ = (q + min_t c_t)/2 with c_t = hn + t(p − h − n) + t², and m is
    the number of minimisers t. It is at least the global pair, so an estimator that samples near a trained network may
    rightly report more than the global value.

    Args:
        rank: r = rank(BA); rank_first: a; rank_second: b. Sylvester: a + b − H ≤ r ≤ min(a, b).

    Source: derived here; its minimum over all strata is the global pair in every case that the tests enumerate.

    Raises:
        InvalidValueError: no pair of matrices has these ranks.

    >>> at_factorisation(5, 5, 5, rank=2, rank_first=2, rank_second=5)      # B invertible: smooth, codimension 25
    RLCT(lam=Fraction(25, 2), m=1)
    >>> deep_linear((5, 5, 5), rank=2)                                      # the global pair is smaller
    RLCT(lam=Fraction(23, 2), m=2)
    """
    _check((inputs, hidden, outputs), rank)
    a, b = rank_first, rank_second
    if not (max(0, a + b - hidden) <= rank <= min(a, b) and a <= min(hidden, inputs) and b <= min(hidden, outputs)):
        raise InvalidValueError(
            f"No matrices of shapes ({hidden}, {inputs}) and ({outputs}, {hidden}) have ranks {a} and {b} and a "
            f"product of rank {rank}: Sylvester's inequality a + b − H ≤ r ≤ min(a, b) fails, or a rank exceeds a size."
        )
    regular = inputs * b + a * outputs - a * b
    rows, columns, middle = outputs - b, inputs - a, hidden - a - b + rank
    costs = [middle * columns + t * (rows - middle - columns) + t**2 for t in range(min(middle, columns) + 1)]
    smallest = min(costs)
    return RLCT(Fraction(regular + smallest, 2), costs.count(smallest))


def _longest_chain(sequences: tuple[tuple[int, ...], ...]) -> int:
    longest: dict[tuple[int, ...], int] = {}
    for sequence in sorted(sequences):  # lexicographic order refines the componentwise one
        below = [longest[other] for other in longest if all(x <= y for x, y in zip(other, sequence, strict=True))]
        longest[sequence] = 1 + max(below, default=0)
    return max(longest.values())


def _check(widths: Sequence[int], rank: int) -> None:
    if len(widths) < 2 or any(not isinstance(width, int) or width < 1 for width in widths):
        raise InvalidValueError(f"Widths are at least two positive integers, input first; got {tuple(widths)}.")
    if not isinstance(rank, int) or not 0 <= rank <= min(widths):
        raise InvalidValueError(f"A product of matrices with widths {tuple(widths)} cannot have rank {rank!r}.")
