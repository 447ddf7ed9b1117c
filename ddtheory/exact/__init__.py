"""Exact derivations: sympy, and ball arithmetic where a sign must be proven. Never measures anything."""

from ddtheory.exact.numbers.parse import parse_expression as parse_expression
from ddtheory.exact.orders.ray import kl_order as kl_order
from ddtheory.exact.orders.ray import leading_term as leading_term
