"""A claim without a control."""

from sympy import symbols

from ddtheory.values import Citation, Verdict
from ddtheory.verify import Claim, Equation, Proof

x = symbols("x")

CLAIM = Claim(
    id="lem:unfinished",
    title="A lemma that awaits its measurement",
    clauses={"identity": "$x = x$."},
    source=Citation("An example paper", "Lemma 2"),
    hypotheses=(),
    expected=Verdict.NOT_CHECKED,
    derive=lambda: Proof("Symbolic in x.", (Equation("identity", "trivial", x, x, {"shifted": x + 1}),)),
)
