"""A claim that the measurement contradicts."""

from fractions import Fraction

from sympy import symbols

from ddtheory.values import Citation, Interval, Verdict
from ddtheory.verify import Claim, Comparison, Equation, Experiment, Proof

x = symbols("x")


def _rate(predicted: Fraction, measured: Interval) -> Experiment:
    return Experiment(
        "A Gram matrix of width 64.",
        {
            "rate": (
                Comparison(
                    "rate", predicted, measured, (Fraction(3, 2),), 0.2, "Spread over seeds.", "rate of a spectrum"
                ),
            )
        },
    )


CLAIM = Claim(
    id="prop:spectrum",
    title="The smallest eigenvalue decays like the square root",
    clauses={"rate": r"The smallest positive eigenvalue decays as $\lambda_{\min}(t) \asymp t^{1/2}$."},
    source=Citation("An example paper", "Proposition 9"),
    hypotheses=("The activations are in general position.",),
    expected=Verdict.REFUTED,
    derive=lambda: Proof("Symbolic in x.", (Equation("rate", "trivial", x, x, {"shifted": x + 1}),)),
    measure=lambda: _rate(Fraction(1, 2), Interval(1.0, 0.95, 1.05)),
    control=lambda: _rate(Fraction(2), Interval(2.0, 1.95, 2.05)),
    titled="The rate is universal.",
)
