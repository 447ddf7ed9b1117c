"""A claim with evidence: whatever is changed in a formula, its verdict moves."""

import sympy

from ddtheory.values import Citation, Interval, Verdict
from ddtheory.verify import Claim, Comparison, Equation, Experiment, Proof

n, i = sympy.symbols("n i", integer=True, positive=True)


def derive() -> Proof:
    total = sympy.summation(i**2, (i, 1, n))
    formula = n * (n + 1) * (2 * n + 1) / 6
    return Proof("Symbolic in n.", (Equation("sum", "sum of squares", total, formula, {"cubes": formula**2}),))


def _total(power: int, predicted: int, rival: int) -> Experiment:
    total = sum(k**power for k in range(1, 11))
    found = Comparison("the first ten", predicted, Interval(total, total, total), (rival,), 0.5, "Counted.")
    return Experiment("Whole numbers.", {"sum": (found,)})


def measure() -> Experiment:
    return _total(2, 385, 384)


def control() -> Experiment:
    return _total(3, 3025, 385)


CLAIM = Claim(
    id="squares",
    title="The sum of squares",
    clauses={"sum": "$1 + 4 + \\dots + n^2 = n (n + 1) (2n + 1) / 6$."},
    source=Citation("An example paper", "1"),
    hypotheses=(),
    expected=Verdict.CONFIRMED,
    derive=derive,
    measure=measure,
    control=control,
)
