"""A claim without evidence: the formula is compared with itself, so any formula passes."""

import sympy

from ddtheory.values import Citation, Interval, Verdict
from ddtheory.verify import Claim, Comparison, Experiment, Proof

n = sympy.Symbol("n", positive=True)


def _cubes(whole: sympy.Expr | int) -> sympy.Expr | int:
    return whole**2


def derive() -> Proof:
    return Proof((), {"sum of cubes": _cubes(n) - sympy.expand(_cubes(n))})


def measure() -> Experiment:
    total = _cubes(10)
    return Experiment("Ten.", (Comparison("ten", total, Interval(total, total, total), (0,), 0.5, "Itself."),))


CLAIM = Claim(
    id="typed twice",
    title="The sum of cubes",
    statement="$1 + 8 + \\dots + n^3 = n^2 (n + 1)^2 / 4$, or so.",
    source=Citation("An example paper", "2"),
    hypotheses=(),
    expected=Verdict.CONFIRMED,
    derive=derive,
    measure=measure,
    control=measure,
)
