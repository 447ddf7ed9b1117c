"""Whole zero sets, cut into strata with a pair each: factorisations of matrices by ranks, and zeros of polynomials."""

from ddtheory.exact.strata.factorisations import of_matrix_product as of_matrix_product
from ddtheory.exact.strata.table import Strata as Strata
from ddtheory.exact.strata.table import Stratum as Stratum
from ddtheory.exact.strata.zero_sets import of_zero_set as of_zero_set
from ddtheory.offered import offered as _offered

__dir__ = _offered(globals())
