"""Which monomials may stand in the remainder of a Taylor polynomial of a function D of the parameters w, at 0.

All of degree M and more, and among these only such as D allows: where D vanishes identically on w_i = 0, i ∈ S, every
monomial of D has a factor w_i, i ∈ S. With T the smallest sets that meet every such S, the monomials lie in
Σ_T w_T·m^{M−|T|}, and ⟨w_j^r⟩ has the integral closure m^r, so that w_T·w_j^{M−|T|} bound the pair as well.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

import sympy
from sympy import Expr, Integer, Symbol

_MOST_PARAMETERS = 8  # of which all subsets are looked at


def remainders(function: Expr, parameters: Sequence[Symbol], order: int) -> list[Expr]:
    """Monomials with an integral closure that contains the remainder of D of some order.

    >>> a, b, c, x = sympy.symbols("a b c x", real=True)
    >>> remainders(a * sympy.tanh(b * x + c), [a, b, c], 4)
    [a**3*b, a*b**3, a*b*c**2, a**3*c, a*b**2*c, a*c**3]
    """
    occurring = [w for w in parameters if w in function.free_symbols]
    found: dict[Expr, None] = {}
    for factors in _meeting(_vanishing(function, occurring), occurring):
        rest = max(order - len(factors), 0)
        found |= {sympy.Mul(*factors) * w**rest: None for w in occurring}
    return list(found)


def _vanishing(function: Expr, parameters: Sequence[Symbol]) -> list[frozenset[Symbol]]:
    """The smallest sets of parameters whose vanishing is seen to make the function vanish."""
    found: list[frozenset[Symbol]] = []
    sizes = range(1, len(parameters) + 1) if len(parameters) <= _MOST_PARAMETERS else (1,)
    for chosen in itertools.chain.from_iterable(itertools.combinations(parameters, size) for size in sizes):
        if not any(known <= set(chosen) for known in found):
            value = function.subs(dict.fromkeys(chosen, Integer(0)), simultaneous=True)
            if value == 0 or sympy.expand(value) == 0:
                found.append(frozenset(chosen))
    return found


def _meeting(sets: Sequence[frozenset[Symbol]], parameters: Sequence[Symbol]) -> Iterable[tuple[Symbol, ...]]:
    """The smallest sets that meet all of these; the empty one where there is none to meet."""
    forced = {w for one in sets if len(one) == 1 for w in one}
    unmet = [one for one in sets if not one & forced]
    choice = [w for w in parameters if any(w in one for one in unmet)]  # at most `_MOST_PARAMETERS`, by `_vanishing`
    found: list[set[Symbol]] = []
    for size in range(len(choice) + 1):
        for chosen in map(set, itertools.combinations(choice, size)):
            if all(one & chosen for one in unmet) and not any(smaller <= chosen for smaller in found):
                found.append(chosen)
    return [tuple(w for w in parameters if w in chosen | forced) for chosen in found]
