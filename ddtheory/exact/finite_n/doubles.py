"""Integrals over two coordinates with a proven error: the integral over the second is a function of a complex first."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from flint import acb, arb

from ddtheory.errors import UndecidedError

Integrand: TypeAlias = Callable[[acb], Callable[[acb, bool], acb]]
"""x ↦ ((y, analytic) ↦ f(x, y)); where analytic, not finite unless f is analytic on these balls."""
Ends: TypeAlias = tuple[int, int]

_FEWEST, _PER_BIT = 200, 10  # evaluations along the second: where x is a wide ball more of them gain nothing
_EVALUATIONS = 20_000


def double(
    integrand: Integrand, first: Ends, second: Ends, bits: int, precision: int, go_on: Callable[[], None]
) -> arb:
    """∫∫ f dy dx over a rectangle, to about 2^{−bits} or to the relative precision; f is real on it.

    Raises:
        UndecidedError: raised by `go_on`, which is called at every evaluation.
    """
    absolute, relative = arb(2) ** -bits, arb(2) ** -precision

    def along(x: acb, analytic_in_x: bool) -> acb:
        of_second = integrand(x)

        def at(y: acb, analytic_in_y: bool) -> acb:
            try:
                go_on()
            except UndecidedError:  # no exception passes through FLINT: it is raised again as soon as that returns
                return acb(0)
            return of_second(y, analytic_in_x or analytic_in_y)

        return acb.integral(
            at, *map(acb, second), abs_tol=absolute, rel_tol=relative, eval_limit=_FEWEST + _PER_BIT * precision
        )

    found = acb.integral(along, *map(acb, first), abs_tol=absolute, rel_tol=relative, eval_limit=_EVALUATIONS)
    go_on()
    return found.real
