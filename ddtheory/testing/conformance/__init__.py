"""The conformance kit: is this estimator of the local learning coefficient right, biased or too noisy to tell?

The coefficient is that of Lau et al. 2025, at a given point.

Needs numpy and the exact side; neither torch nor hypothesis, unless an estimator asks for a torch module.
"""

from typing import TYPE_CHECKING, Any

from ddtheory.testing.conformance.analytic_posterior import AnalyticPosterior
from ddtheory.testing.conformance.catalogue_cells import (
    CatalogueCell,
    catalogue_cells,
    from_cell,
    restricted,
    restricted_cells,
)
from ddtheory.testing.conformance.cells import ConformanceCell, GroundTruth, conformance_cells, crossing_sum
from ddtheory.testing.conformance.check import check_estimator
from ddtheory.testing.conformance.jax_face import JaxPosterior
from ddtheory.testing.conformance.judging import CellResult, ConformanceVerdict, Rival
from ddtheory.testing.conformance.posterior import PolynomialPosterior, Posterior
from ddtheory.testing.conformance.reference import metropolis, quadrature
from ddtheory.testing.conformance.report import ConformanceReport
from ddtheory.testing.conformance.settings import Closeness, SettingResult, SettingsReport, compare_settings
from ddtheory.testing.conformance.sweep import SweepResult, sweep
from ddtheory.testing.conformance.task import BudgetExceededError, Estimate, EstimationTask, Estimator, LossSamples
from ddtheory.testing.conformance.task_result import TaskResult

if TYPE_CHECKING:
    from ddtheory.testing.conformance.random_points import FiniteNEstimate, finite_n_estimate

__all__ = [
    "AnalyticPosterior",
    "BudgetExceededError",
    "CatalogueCell",
    "CellResult",
    "Closeness",
    "ConformanceCell",
    "ConformanceReport",
    "ConformanceVerdict",
    "Estimate",
    "EstimationTask",
    "Estimator",
    "FiniteNEstimate",
    "GroundTruth",
    "JaxPosterior",
    "LossSamples",
    "PolynomialPosterior",
    "Posterior",
    "Rival",
    "SettingResult",
    "SettingsReport",
    "SweepResult",
    "TaskResult",
    "catalogue_cells",
    "check_estimator",
    "compare_settings",
    "conformance_cells",
    "crossing_sum",
    "finite_n_estimate",
    "from_cell",
    "metropolis",
    "quadrature",
    "restricted",
    "restricted_cells",
    "sweep",
]


def __dir__() -> list[str]:
    """The names above; the modules that they come from are not public."""
    return sorted(__all__)


def __getattr__(name: str) -> Any:
    """What reads expressions loads sympy, and an estimator is checked without it."""
    if name not in ("FiniteNEstimate", "finite_n_estimate"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from ddtheory.testing.conformance import random_points

    return getattr(random_points, name)
