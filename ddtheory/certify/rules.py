"""All rules by name: importing a module of rules registers them."""

from ddtheory.certify import rules_blowup as rules_blowup
from ddtheory.certify import rules_closed_forms as rules_closed_forms
from ddtheory.certify import rules_families as rules_families
from ddtheory.certify import rules_ideals as rules_ideals
from ddtheory.certify import rules_newton as rules_newton
from ddtheory.certify import rules_products as rules_products
from ddtheory.certify import rules_toric as rules_toric
from ddtheory.certify.registry import RULES as RULES
