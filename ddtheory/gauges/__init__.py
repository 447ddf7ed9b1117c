"""Gauges: moves of the parameters of a network that leave its function where it is, exactly.

One table, `RULES`: a row says which parameters move together, by which group, and under which hypothesis the function
stays. `find_gauges` proposes gauges from the operations that a torch module runs, and keeps those that it has measured.
"""

from ddtheory.extras import need as _need
from ddtheory.offered import offered as _offered

_need("torch", "ddtheory.gauges")

from ddtheory.gauges.finding import FoundGauges as FoundGauges
from ddtheory.gauges.finding import RefusedGauge as RefusedGauge
from ddtheory.gauges.finding import find_gauges as find_gauges
from ddtheory.gauges.finding import measured as measured
from ddtheory.gauges.gauge import Centre as Centre
from ddtheory.gauges.gauge import Gauge as Gauge
from ddtheory.gauges.gauge import Group as Group
from ddtheory.gauges.gauge import Kernel as Kernel
from ddtheory.gauges.gauge import Leg as Leg
from ddtheory.gauges.gauge import Taker as Taker
from ddtheory.gauges.moving import Motion as Motion
from ddtheory.gauges.moving import moved as moved
from ddtheory.gauges.moving import spoiled as spoiled
from ddtheory.gauges.table import RULES as RULES
from ddtheory.gauges.table import GaugeRule as GaugeRule

__dir__ = _offered(globals())
