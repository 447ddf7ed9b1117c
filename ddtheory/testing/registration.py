"""What hypothesis loads through its entry point, so that `from_type` knows the values of this package."""

from __future__ import annotations


def register() -> None:
    """Registers strategies for the values that have one canonical strategy.

    These are `RLCT`, `Interval` and `Enclosure`, and from `ddtheory.testing` `KnownGerm`, `KnownCell`,
    `HiddenDivergence`, `HiddenGerm`, `LayerShape`, `Rotation` (of the plane), `InputLaw` and `Activation`. Called by
    hypothesis itself as soon as it is imported; loads neither sympy, numpy nor torch.
    """
    from hypothesis import strategies as st

    from ddtheory.testing.germs import KnownGerm, known_germs
    from ddtheory.testing.hidden import HiddenDivergence, hidden_divergences
    from ddtheory.testing.known_pairs import HiddenGerm, germs_with_known_pairs
    from ddtheory.testing.laws import InputLaw, input_laws
    from ddtheory.testing.models import KnownCell, mean_map_cells
    from ddtheory.testing.numbers import enclosures, intervals, rlcts
    from ddtheory.testing.shapes import LayerShape, layer_shapes
    from ddtheory.testing.units import Activation, activations, dead_unit_cells
    from ddtheory.testing.vectors import Rotation, rotations
    from ddtheory.values import RLCT, Enclosure, Interval

    st.register_type_strategy(RLCT, rlcts())
    st.register_type_strategy(Interval, intervals())
    st.register_type_strategy(Enclosure, enclosures())
    st.register_type_strategy(KnownGerm, known_germs())
    st.register_type_strategy(KnownCell, mean_map_cells() | dead_unit_cells())
    st.register_type_strategy(HiddenDivergence, hidden_divergences())
    st.register_type_strategy(HiddenGerm, germs_with_known_pairs())
    st.register_type_strategy(LayerShape, layer_shapes())
    st.register_type_strategy(Rotation, rotations(2))
    st.register_type_strategy(InputLaw, input_laws())
    st.register_type_strategy(Activation, activations())
