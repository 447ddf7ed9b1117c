"""For other people's tests: kits for estimators and optimisers, and hypothesis strategies for objects of the theory.

`check_estimator` runs an estimator of the local learning coefficient on cells whose exact answer is known.
`check_equivariance` says which gauges of a model an optimiser respects; it needs torch.

Strategies: one function an object, plural names, keyword-only bounds. Every strategy shrinks to the simplest model:
order 1, one coordinate, coefficient 1. Names are loaded when they are first used, so that importing this package loads
neither sympy nor torch; a strategy loads them when it draws something that needs them.

With hypothesis installed, `hypothesis.strategies.from_type` knows the values of the package without any import.
"""

import contextlib
from typing import Any

import lazy_loader

from ddtheory.extras import missing

# First of all: importing hypothesis registers our types, which imports the modules of this package. Were one of them
# the first to import hypothesis, it would be imported in the middle of its own import.
with contextlib.suppress(ImportError):
    import hypothesis as _hypothesis

    del _hypothesis

_load, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> Any:
    try:
        return _load(name)
    except ModuleNotFoundError as error:
        if error.name != "hypothesis":
            raise
        raise missing("hypothesis", f"ddtheory.testing.{name}") from error
