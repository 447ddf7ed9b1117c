"""Routes to (λ, m) that many cells share: closed forms, Newton programmes in resolved coordinates, bounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from ddtheory.cells.shared.truth import Route, Side
from ddtheory.exact.thresholds.intersection import separable_sum
from ddtheory.exact.thresholds.polyhedra.newton import Exponents, monomial_rlct
from ddtheory.values import RLCT

LARGEST_PROGRAMME = 1500
"""Variables × generators; the programme in fractions stays below a few seconds."""


@dataclass(frozen=True)
class Programme:
    """A monomial ideal that is written out only where it is small enough to be solved.

    Attributes:
        generators, variables: how many there are.
        write: makes the exponent vectors of the generators, and the prior exponents of the variables.
    """

    generators: int
    variables: int
    write: Callable[[], tuple[Sequence[Exponents], Sequence[Fraction | int]]]


def closed_form(says: str, pair: Callable[[], RLCT]) -> Route:
    """The published or derived formula."""
    return Route("closed form", says, pair)


def line_routes(order: int) -> tuple[Route, ...]:
    """One dead line of order k: λ = 1/(2k), m = 1."""
    return (
        closed_form("λ = 1/(2k), m = 1 (Watanabe 2009)", lambda: RLCT(Fraction(1, 2 * order))),
        newton("one pure power", [(order,)]),
    )


def with_regular(pair: RLCT, regular: int) -> RLCT:
    """The pair of a block beside `regular` non-degenerate coordinates.

    >>> with_regular(RLCT(Fraction(1, 4)), 2)
    RLCT(lam=Fraction(5, 4), m=1)
    """
    return separable_sum(RLCT(Fraction(regular, 2)), pair) if regular else pair


def newton(
    says: str,
    programme: Programme | Sequence[Exponents],
    prior: Sequence[Fraction | int] = (),
    *,
    regular: int = 0,
    side: Side = Side.EXACT,
) -> Route:
    """The exact Newton programme of a monomial ideal, beside `regular` non-degenerate coordinates."""
    if not isinstance(programme, Programme):
        exponents = programme
        programme = Programme(len(exponents), len(exponents[0]) if exponents else 0, lambda: (exponents, prior))

    def compute() -> RLCT | None:
        if not programme.generators:
            return RLCT(Fraction(regular, 2))
        if programme.generators * programme.variables > LARGEST_PROGRAMME:
            return None
        return with_regular(monomial_rlct(*programme.write()), regular)

    return Route("Newton programme", says, compute, side)


def pure_powers(count: int, power: int) -> Programme:
    """The programme of one pure power of each of so many variables, written out when it is asked for."""
    return Programme(count, count, lambda: ([unit(index, count, power) for index in range(count)], ()))


def unit(position: int, size: int, value: int = 1) -> tuple[int, ...]:
    """The exponent vector of one variable.

    >>> unit(1, 3, 2)
    (0, 2, 0)
    """
    return tuple(value if index == position else 0 for index in range(size))


def product_of_factors(rows: int, hidden: int, columns: int) -> Programme:
    """The programme of B A at B = 0, A = 0 in singular coordinates of A, see `product_exponents`."""
    count = min(hidden, columns)
    return Programme(rows * count, count + rows * count, lambda: product_exponents(rows, hidden, columns))


def product_exponents(rows: int, hidden: int, columns: int) -> tuple[list[tuple[int, ...]], list[int]]:
    """Monomial generators and prior of B A at B = 0, A = 0 in singular coordinates of A, a (hidden, columns) matrix.

    A = U diag(a) V with a_i = s_1 ⋯ s_i, p = min(hidden, columns) of them. The measure has ∏ a_i^{|hidden − columns|}
    ∏_{i<j} |a_i² − a_j²| ≍ ∏ a_i^{|hidden − columns| + 2(p − i)} where the a_i are apart, and the a_i themselves give
    ∏ s_i^{p − i} more. The ideal of the entries of B A is that of the a_i b_{ji} with b = B U.

    Returns:
        exponent vectors in (s_1 … s_p, b_11 … b_{rows p}), and the prior exponents in the same order.

    >>> product_exponents(1, 1, 1)                                     # a·b
    ([(1, 1)], [0, 0])
    """
    count = min(hidden, columns)
    size = count + rows * count
    exponents: list[tuple[int, ...]] = []
    for index in range(count):
        for row in range(rows):
            vector = [int(other <= index) for other in range(count)] + [0] * (rows * count)
            vector[count + row * count + index] = 1
            exponents.append(tuple(vector))
    return exponents, singular_value_prior(hidden, columns) + [0] * (size - count)


def singular_value_prior(rows: int, columns: int) -> list[int]:
    """Prior exponents of s_1 … s_p, where a_i = s_1 ⋯ s_i are the singular values of a (rows, columns) matrix.

    >>> singular_value_prior(2, 2), singular_value_prior(1, 4)         # the norm of 4 entries: r³ dr
    ([3, 0], [3])
    """
    count = min(rows, columns)
    power = [abs(rows - columns) + 2 * (count - index) for index in range(1, count + 1)]
    return [sum(power[index:]) + (count - index - 1) for index in range(count)]


def hidden_units(orders: Sequence[int], hidden: int, outputs: int) -> Programme:
    """The programme of H hidden units at zero, see `hidden_exponents`."""
    size = hidden * outputs
    return Programme(size, hidden + size, lambda: hidden_exponents(orders, hidden, outputs))


def hidden_exponents(orders: Sequence[int], hidden: int, outputs: int) -> tuple[list[tuple[int, ...]], list[int]]:
    """Monomial generators and prior of Σ_i a_i b_i^{m_s}, s = 1 … hidden, at a = b = 0, one input.

    With b_i = t_1 ⋯ t_i elimination leaves c_i ∏_{j ≤ i} t_j^{m_{i−j+1}}, c_i like a_i (one for each output), and the
    measure has ∏ t_j^{hidden − j}.

    Args:
        orders: m_1 < m_2 < …, the orders of the non-zero derivatives of the activation at 0; at least `hidden` of them.

    >>> hidden_exponents((1, 3), 1, 1)                                 # a·b
    ([(1, 1)], [0, 0])
    """
    exponents: list[tuple[int, ...]] = []
    for index in range(hidden):
        powers = [orders[index - j] if j <= index else 0 for j in range(hidden)]
        for output in range(outputs):
            exponents.append((*powers, *unit(index * outputs + output, hidden * outputs)))
    return exponents, [hidden - j - 1 for j in range(hidden)] + [0] * (hidden * outputs)
