"""All factorisations of a matrix by the ranks of their partial products, with the pair of each."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import islice, pairwise

from ddtheory.arguments import as_float, as_integer, in_order
from ddtheory.errors import InvalidValueError, UndecidedError, shown
from ddtheory.exact.strata.chains import Chain, Network, across, chains
from ddtheory.exact.strata.table import Strata, Stratum, by_dominance, whole
from ddtheory.exact.thresholds.matrix_products import deep_linear
from ddtheory.exact.thresholds.nodes import Bound, best_lower, best_upper, in_sum
from ddtheory.exact.thresholds.rlct import rlct

_MOST = 1_000
_WIDEST = 10**9
_MOST_VARIABLES = 40  # of a germ that is derived
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def of_matrix_product(sizes: Iterable[int], rank: int = 0, *, names: Sequence[str] = (), seconds: float = 20) -> Strata:
    """The factorisations M_1 M_2 ⋯ M_L = C of a matrix of rank r, by the ranks of all partial products M_i ⋯ M_j.

    K ≍ ‖M_1 ⋯ M_L − C‖². Points with equal ranks differ by changes of bases that keep C, so they share one pair; the
    codimension of a stratum is the number of extensions of intervals plus r(n_0 + n_L − r). Across an orbit the germ
    has q = Σ_k (ρ_k − ρ_{k−1}) σ_{k−1} regular directions, σ_k = rank M_1 ⋯ M_k and ρ_k = rank M_{k+1} ⋯ M_L, and
    beside them products of matrices at zero along the paths of extensions:

    - where these form one line, the pair is that of a product of smaller matrices at zero (closed form);
    - else it lies between the pairs of orbits in its closure and those whose closure it is in, and
      λ ≤ codim/2 of the whole set there; where m is still open, the germ is derived.

    Every closure contains the orbit at which all ranks are r, so that one dominates.

    Args:
        sizes: n_0 … n_L; M_k has n_{k−1} rows and n_k columns.
        rank: r of C.
        names: of the matrices; A, B, C, … where none are given.
        seconds: for all germs that are derived. Reaching it leaves bounds.

    Source: Abeasis and Del Fra 1985 (orbits and closures); Aoyagi 2024, Theorem 2 (products at zero).

    Raises:
        InvalidValueError: sizes or a rank that no product has, more than 1000 strata, or a wrong number of names.

    >>> table = of_matrix_product((2, 2, 2))
    >>> [(stratum.name, stratum.dimension, str(stratum.rlct.lam)) for stratum in table.strata][:3]
    [('rank A = 0, rank B = 0', 0, '3/2'), ('rank A = 0, rank B = 1', 3, '3/2'), ('rank A = 1, rank B = 0', 3, '3/2')]
    >>> table.rlct
    RLCT(lam=Fraction(3, 2), m=1)
    """
    widths, r, letters = read_product(sizes, rank, names)
    patience = as_float(seconds, "seconds")
    if not 0 < patience < math.inf:
        raise InvalidValueError(f"seconds is {shown(seconds)}; give a positive number.")
    if max(widths) > _WIDEST:
        raise InvalidValueError(f"A matrix has {shown(max(widths))} rows or columns, and at most {_WIDEST} are read.")
    if len(widths) > 2 and max(min(pair) for pair in pairwise(widths)) - r >= _MOST:  # the ranks of one matrix alone
        raise _too_many()
    orbits = list(islice(chains(widths, r), _MOST + 1))
    if len(orbits) > _MOST:
        raise _too_many()
    shift = r * (widths[0] + widths[-1] - r)
    weights = sum(n * m for n, m in pairwise(widths))
    found = _by_order(orbits, [_closed(orbit) for orbit in orbits], shift)
    found = _derived(orbits, found, patience)
    rows = [
        Stratum(
            _named(orbit, letters),
            weights - orbit.codimension - shift,
            lower,
            upper,
            why,
            ranks=_ranks(orbit, letters),
        )
        for orbit, (lower, upper, why) in zip(orbits, found, strict=True)
    ]
    lower, upper = whole(rows)
    open_ = [row.name for row in rows if row.rlct is None]
    return Strata(
        f"factorisations {' '.join(letters)} of a matrix of rank {r}, sizes {' × '.join(map(str, widths))}",
        tuple(by_dominance(rows, lambda row: tuple(row.ranks.values()))),
        f"on every compact domain with a factorisation whose factors all have rank {r} in its interior, with a "
        "positive prior",
        lower,
        upper,
        (),
        f"the multiplicity where {'; '.join(open_)}" if open_ else "",
    )


def _too_many() -> InvalidValueError:
    return InvalidValueError(f"There are more than {_MOST} strata; a table of them helps nobody. Ask for less.")


def read_product(sizes: object, rank: object, names: object) -> tuple[tuple[int, ...], int, tuple[str, ...]]:
    """Sizes, rank and names that a product of matrices has.

    Raises:
        InvalidValueError: there is no such product, or there are not as many names as matrices.
    """
    listed = [as_integer(size) for size in in_order(sizes, "sizes", most=27)]
    widths = tuple(size for size in listed if size is not None and size >= 1)
    if len(widths) < 2 or len(widths) < len(listed):
        raise InvalidValueError(f"sizes is {shown(sizes)}; give n_0 … n_L, at least two positive integers.")
    r = as_integer(rank)
    if r is None or not 0 <= r <= min(widths):
        raise InvalidValueError(f"A product of matrices with sizes {shown(widths)} cannot have rank {shown(rank)}.")
    count = len(widths) - 1
    letters = in_order(names, "names", most=27) or list(_LETTERS[:count])
    if not all(isinstance(name, str) and name.isidentifier() for name in letters):
        raise InvalidValueError(f"names is {shown(names)}; a name of a matrix is a word, such as A.")
    if len(letters) != count or len(set(letters)) != count:
        raise InvalidValueError(f"names is {shown(names)}; sizes ask for {count} matrices, with different names.")
    return widths, r, tuple(map(str, letters))


def _ranks(orbit: Chain, letters: Sequence[str]) -> dict[str, int]:
    """By the name of the partial product; the rank of the whole is the same for all, so one matrix alone has it."""
    partial = {pair: n for pair, n in orbit.ranks.items() if pair != (0, orbit.last) or orbit.last == 1}
    return {"".join(letters[start:end]): number for (start, end), number in partial.items()}


def _named(orbit: Chain, letters: Sequence[str]) -> str:
    return ", ".join(f"rank {name} = {number}" for name, number in _ranks(orbit, letters).items())


_Known = tuple[Bound, Bound, str]


def _closed(orbit: Chain) -> _Known | None:
    """By the closed form, where the germ is regular directions beside products of matrices at zero."""
    network = across(orbit)
    parts = network.parts()
    products = [part.as_product() for part in parts]
    if any(product is None for product in products):
        return None
    pairs = [deep_linear(product) for product in products if product is not None]
    pair = in_sum([Bound(Fraction(network.regular, 2), 1), *(Bound(entry.lam, entry.m) for entry in pairs)])
    told = "".join(f", beside {' × '.join(map(str, product))} at zero" for product in products if product is not None)
    return pair, pair, f"{network.regular} regular directions{told}"


def _by_order(orbits: Sequence[Chain], closed: Sequence[_Known | None], shift: int) -> list[_Known]:
    """Bounds from orbits below and above: a neighbourhood of a point has points of all orbits above its own."""
    known = [(orbit, entry[0]) for orbit, entry in zip(orbits, closed, strict=True) if entry is not None]
    found: list[_Known] = []
    for orbit, entry in zip(orbits, closed, strict=True):
        if entry is not None:
            found.append(entry)
            continue
        codimension = min(other.codimension for other in orbits if orbit.is_below(other)) + shift
        lower = best_lower([pair for other, pair in known if other.is_below(orbit)])
        smooth = Bound(Fraction(codimension, 2), 1)
        upper = best_upper([smooth, *(pair for other, pair in known if orbit.is_below(other))])
        found.append((lower, upper, "between the pairs of strata in its closure and half the codimension of the set"))
    return found


def _derived(orbits: Sequence[Chain], found: Sequence[_Known], seconds: float) -> list[_Known]:
    """The germs that are open still, derived while there is time; equal ones once, those with few variables first."""
    end = time.monotonic() + seconds
    pairs: dict[tuple[str, ...], tuple[Bound, Bound]] = {}
    result = list(found)
    open_ = [(across(orbit), i) for i, orbit in enumerate(orbits) if found[i][0] != found[i][1]]
    for network, i in sorted(open_, key=lambda entry: sum(map(_variables, entry[0].parts()))):
        parts = [_part(part, pairs, end) for part in network.parts()]
        regular = Bound(Fraction(network.regular, 2), 1)
        lower = best_lower([found[i][0], in_sum([regular, *(low for low, _ in parts)])])
        upper = best_upper([found[i][1], in_sum([regular, *(high for _, high in parts)])])
        upper = replace(upper, m=upper.m or 1)
        why = "derived by rlct from the products along the paths" if lower == upper else found[i][2]
        result[i] = (lower, upper, f"{network.regular} regular directions; {why}")
    return result


def _variables(part: Network) -> int:
    return sum(part.numbers[one] * part.numbers[other] for one, onward in part.arrows.items() for other in onward)


def _part(part: Network, pairs: dict[tuple[str, ...], tuple[Bound, Bound]], end: float) -> tuple[Bound, Bound]:
    sizes = part.as_product()
    if sizes is not None:
        pair = deep_linear(sizes)
        return (Bound(pair.lam, pair.m),) * 2
    entries = tuple(part.entries())
    left = end - time.monotonic()
    if entries not in pairs and left > 0 and _variables(part) <= _MOST_VARIABLES:
        try:
            derivation = rlct(generators=list(entries), seconds=min(left, max(left / 4, 1)))
            pairs[entries] = derivation.lower, derivation.upper
        except UndecidedError:
            pass
    return pairs.get(entries, (Bound(Fraction(0)), Bound(math.inf, 1)))
