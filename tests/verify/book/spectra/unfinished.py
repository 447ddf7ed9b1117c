"""A claim without a control."""

from sympy import symbols

from ddtheory.values import Citation, Verdict
from ddtheory.verify import Claim, Proof

x = symbols("x")

CLAIM = Claim(
    id="lem:unfinished",
    title="A lemma that awaits its measurement",
    statement="$x = x$.",
    source=Citation("An example paper", "Lemma 2"),
    hypotheses=(),
    expected=Verdict.NOT_CHECKED,
    derive=lambda: Proof((), {"trivial": x - x}),
)
