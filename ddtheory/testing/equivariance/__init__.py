"""The test of equivariance: does this optimiser see which representative of a gauge orbit it starts from?

Needs torch.
"""

from ddtheory.extras import need as _need
from ddtheory.offered import offered as _offered

_need("torch", "ddtheory.testing.check_equivariance")

from ddtheory.testing.equivariance.check import check_equivariance as check_equivariance
from ddtheory.testing.equivariance.judging import EquivarianceVerdict as EquivarianceVerdict
from ddtheory.testing.equivariance.report import EquivarianceReport as EquivarianceReport
from ddtheory.testing.equivariance.result import GaugeResult as GaugeResult
from ddtheory.testing.equivariance.result import Removal as Removal

__dir__ = _offered(globals())
