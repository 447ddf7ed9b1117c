"""The conformance kit: is this estimator of the local learning coefficient right, biased or too noisy to tell?

The coefficient is that of Lau et al. 2025, at a given point.

Needs numpy and the exact side; neither torch nor hypothesis, unless an estimator asks for a torch module.
"""

from ddtheory.testing.conformance.catalogue_cells import CatalogueCell as CatalogueCell
from ddtheory.testing.conformance.catalogue_cells import catalogue_cells as catalogue_cells
from ddtheory.testing.conformance.catalogue_cells import from_cell as from_cell
from ddtheory.testing.conformance.cells import ConformanceCell as ConformanceCell
from ddtheory.testing.conformance.cells import GroundTruth as GroundTruth
from ddtheory.testing.conformance.cells import conformance_cells as conformance_cells
from ddtheory.testing.conformance.cells import crossing_sum as crossing_sum
from ddtheory.testing.conformance.check import check_estimator as check_estimator
from ddtheory.testing.conformance.judging import CellResult as CellResult
from ddtheory.testing.conformance.judging import ConformanceVerdict as ConformanceVerdict
from ddtheory.testing.conformance.judging import Rival as Rival
from ddtheory.testing.conformance.posterior import PolynomialPosterior as PolynomialPosterior
from ddtheory.testing.conformance.posterior import Posterior as Posterior
from ddtheory.testing.conformance.reference import metropolis as metropolis
from ddtheory.testing.conformance.reference import quadrature as quadrature
from ddtheory.testing.conformance.report import ConformanceReport as ConformanceReport
from ddtheory.testing.conformance.sweep import SweepResult as SweepResult
from ddtheory.testing.conformance.sweep import sweep as sweep
from ddtheory.testing.conformance.task import BudgetExceededError as BudgetExceededError
from ddtheory.testing.conformance.task import Estimate as Estimate
from ddtheory.testing.conformance.task import EstimationTask as EstimationTask
from ddtheory.testing.conformance.task import Estimator as Estimator
from ddtheory.testing.conformance.task import LossSamples as LossSamples
from ddtheory.testing.conformance.task_result import TaskResult as TaskResult
