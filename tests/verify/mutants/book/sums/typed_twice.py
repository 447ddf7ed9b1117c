"""A claim without evidence: the formula is compared with itself, so any formula passes."""

import sympy

from ddtheory.values import Citation, Interval, Verdict
from ddtheory.verify import Claim, Comparison, Equation, Experiment, Proof

n = sympy.Symbol("n", positive=True)


def _cubes(whole: sympy.Expr | int) -> sympy.Expr | int:
    return whole**2


def derive() -> Proof:
    again = sympy.expand(_cubes(n))
    return Proof("Symbolic in n.", (Equation("sum", "sum of cubes", _cubes(n), again, {"none": 0}),))


def measure() -> Experiment:
    total = _cubes(10)
    check = Comparison("ten", total, Interval(total, total, total), (0.5,), 0.5, "Itself.")
    return Experiment("Ten.", {"sum": (check,)})


CLAIM = Claim(
    id="typed twice",
    title="The sum of cubes",
    clauses={"sum": "$1 + 8 + \\dots + n^3 = n^2 (n + 1)^2 / 4$, or so."},
    source=Citation("An example paper", "2"),
    hypotheses=(),
    expected=Verdict.CONFIRMED,
    derive=derive,
    measure=measure,
    control=measure,
)
