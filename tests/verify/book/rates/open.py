"""A claim whose reading is too wide to exclude the rival, and one check of which is too wide."""

from sympy import symbols

from ddtheory.values import Citation, Interval, Verdict
from ddtheory.verify import Claim, Comparison, Equation, Experiment, Proof

x = symbols("x")


def _reading(measured: Interval, predicted: int, rival: int) -> Experiment:
    check = Comparison("order", predicted, measured, (rival,), 3.0, "Two decades.")
    return Experiment("A small model.", {"order": (check,)})


CLAIM = Claim(
    id="conj:open",
    title="An order that cannot be read",
    clauses={"order": "The order is $2$."},
    source=Citation("An example paper", "Conjecture 1"),
    hypotheses=(),
    expected=Verdict.INCONCLUSIVE,
    derive=lambda: Proof("Symbolic in x.", (Equation("order", "trivial", x, x, {"shifted": x + 1}),)),
    measure=lambda: _reading(Interval(2.4, 1.6, 3.2), 2, 3),
    control=lambda: _reading(Interval(1.0, 0.9, 1.1), 1, 2),
    rests_on=("prop:depth_order",),
)
