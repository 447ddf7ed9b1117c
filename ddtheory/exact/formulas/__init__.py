"""Closed forms in general sizes, as expressions with their domain; and conjectures from exact small cases.

>>> from ddtheory.exact import formulas
>>> formulas.local_reduced_rank().at(M=5, H=5, N=5, r=2, a=2, b=5)
RLCT(lam=Fraction(25, 2), m=1)
>>> print(formulas.fit({n: n * (n + 1) // 2 for n in range(1, 9)}, names="n"))
conjecture: n**2/2 + n/2, found on 6 cases and right on 2 others
"""

from ddtheory.exact.formulas.closed_forms import crossing as crossing
from ddtheory.exact.formulas.closed_forms import deep_linear as deep_linear
from ddtheory.exact.formulas.closed_forms import hidden_layer as hidden_layer
from ddtheory.exact.formulas.closed_forms import local_reduced_rank as local_reduced_rank
from ddtheory.exact.formulas.closed_forms import reduced_rank as reduced_rank
from ddtheory.exact.formulas.fitting import Conjecture as Conjecture
from ddtheory.exact.formulas.fitting import fit as fit
from ddtheory.exact.formulas.formula import Formula as Formula
from ddtheory.offered import offered as _offered

__dir__ = _offered(globals())
