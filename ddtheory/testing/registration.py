"""What hypothesis loads through its entry point, so that `from_type` knows the values of this package."""

from __future__ import annotations


def register() -> None:
    """Registers strategies for `RLCT` and `Interval`. Called by hypothesis itself; loads neither sympy nor torch."""
    from hypothesis import strategies as st

    from ddtheory.testing.numbers import intervals, rlcts
    from ddtheory.values import RLCT, Interval

    st.register_type_strategy(RLCT, rlcts())
    st.register_type_strategy(Interval, intervals())
