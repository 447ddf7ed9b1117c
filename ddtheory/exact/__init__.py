"""Exact derivations: sympy, and ball arithmetic where a sign must be proven. Never measures anything."""

from ddtheory.exact.order import kl_order as kl_order
from ddtheory.exact.order import leading_term as leading_term
from ddtheory.exact.parse import parse_expression as parse_expression
