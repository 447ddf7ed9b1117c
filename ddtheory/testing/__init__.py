"""Hypothesis strategies for the objects of the theory: orders, learning coefficients, models of known order.

One function an object, plural names, keyword-only bounds. Every strategy shrinks to the simplest model: order 1, one
coordinate, coefficient 1. Importing this package loads neither sympy nor torch; a strategy loads them when it draws
something that needs them.

With hypothesis installed, `hypothesis.strategies.from_type` knows `RLCT` and `Interval` without any import.
"""

try:
    import hypothesis as _hypothesis
except ImportError as error:  # pragma: no cover - the extra is installed wherever the tests run
    raise ImportError(
        "ddtheory.testing needs hypothesis, which is an optional extra: pip install 'ddtheory[testing]'."
    ) from error

from ddtheory.testing.directions import Rotation as Rotation
from ddtheory.testing.directions import directions as directions
from ddtheory.testing.directions import rotations as rotations
from ddtheory.testing.hidden import HiddenDivergence as HiddenDivergence
from ddtheory.testing.hidden import hidden_divergences as hidden_divergences
from ddtheory.testing.laws import InputLaw as InputLaw
from ddtheory.testing.laws import input_laws as input_laws
from ddtheory.testing.models import KnownCell as KnownCell
from ddtheory.testing.models import mean_map_cells as mean_map_cells
from ddtheory.testing.numbers import coefficients as coefficients
from ddtheory.testing.numbers import intervals as intervals
from ddtheory.testing.numbers import orders as orders
from ddtheory.testing.numbers import rlcts as rlcts
from ddtheory.testing.units import Activation as Activation
from ddtheory.testing.units import activations as activations
from ddtheory.testing.units import dead_unit_cells as dead_unit_cells

del _hypothesis
