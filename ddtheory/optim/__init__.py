"""Optimisers of torch that commute with the gauges of a model, so that no choice of representative is seen.

`DDCAdam` has Adam inside, `DDCMuon` an orthogonalised momentum. Both are told the gauges, by `gauges=`, or find and
measure them on a batch, by `inputs=`.
"""

from ddtheory.extras import need as _need
from ddtheory.offered import offered as _offered

_need("torch", "ddtheory.optim")

from ddtheory.optim.adam import DDCAdam as DDCAdam
from ddtheory.optim.muon import DDCMuon as DDCMuon
from ddtheory.optim.survival import UnitDeathWarning as UnitDeathWarning
from ddtheory.optim.survival import largest_surviving_decay as largest_surviving_decay

__dir__ = _offered(globals())
