from . import cells as cells
from . import errors as errors
from . import exact as exact
from . import measure as measure
from . import plots as plots
from . import verify as verify
from .exact import kl_order as kl_order
from .exact import parse_expression as parse_expression
from .exact.intersection import separable_sum as separable_sum
from .exact.intersection import transversal_crossing as transversal_crossing
from .exact.intersection import union as union
from .values import RLCT as RLCT
from .values import Arc as Arc
from .values import Citation as Citation
from .values import Interval as Interval
from .values import Kind as Kind
from .values import KLOrder as KLOrder
from .values import OrderReading as OrderReading
from .values import ReadingStatus as ReadingStatus
from .values import Verdict as Verdict

__version__: str
