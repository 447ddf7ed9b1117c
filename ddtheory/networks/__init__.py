"""Orders in networks: reads a torch module and derives what vanishes how fast along a path, before any measurement."""

from ddtheory.extras import need as _need
from ddtheory.offered import offered as _offered

_need("torch", "ddtheory.networks")

from ddtheory.networks.orders import network_orders as network_orders
from ddtheory.networks.result import LayerOrders as LayerOrders
from ddtheory.networks.result import NetworkOrders as NetworkOrders
from ddtheory.networks.result import Valuations as Valuations

__dir__ = _offered(globals())
