"""All rules by name: importing a module of rules registers them."""

from ddtheory.certify.rules import blow_ups as blow_ups
from ddtheory.certify.rules import closed_forms as closed_forms
from ddtheory.certify.rules import ideals as ideals
from ddtheory.certify.rules import jets as jets
from ddtheory.certify.rules import newton as newton
from ddtheory.certify.rules import point_families as point_families
from ddtheory.certify.rules import products as products
from ddtheory.certify.rules import ranks as ranks
from ddtheory.certify.rules import saddles as saddles
from ddtheory.certify.rules import toric as toric
from ddtheory.certify.rules import transversal as transversal
from ddtheory.certify.rules.rule import RULES as RULES
