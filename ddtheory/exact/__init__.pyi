from . import formulas as formulas
from . import strata as strata
from .numbers.parse import parse_expression as parse_expression
from .orders.ray import kl_order as kl_order
from .orders.ray import leading_term as leading_term
