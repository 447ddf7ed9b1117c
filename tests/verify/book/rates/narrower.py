"""A claim that holds for linear networks only, although its title says all networks."""

from sympy import symbols

from ddtheory.values import Citation, Interval, Verdict
from ddtheory.verify import TITLE, Claim, Comparison, Equation, Experiment, Observation, Proof, Prose


def derive() -> Proof:
    x, y = symbols("x y")
    return Proof(
        "Symbolic in x and y.",
        (
            Prose("Expand the square.", r"(x + y)^2 = x^2 + 2xy + y^2"),
            Equation("order", "expansion", (x + y) ** 2, x**2 + 2 * x * y + y**2, {"no mixed term": x**2 + y**2}),
        ),
    )


def _order(predicted: int, rival: int) -> Experiment:
    measured = Interval(predicted + 0.01, predicted - 0.02, predicted + 0.03)
    return Experiment(
        "A linear network of depth three.",
        {"order": (Comparison("order", predicted, measured, (rival,), 0.2, "Slope over two decades."),)},
    )


CLAIM = Claim(
    id="prop:depth_order",
    title="The order equals the depth",
    clauses={"order": "For a linear network of depth $L$ the origin has order $k = L$."},
    source=Citation("An example paper", "Proposition 5"),
    hypotheses=("The activation is the identity.",),
    expected=Verdict.NARROWER,
    derive=derive,
    measure=lambda: _order(3, 2),
    control=lambda: _order(2, 3),
    counterexample=lambda: Experiment(
        "A network with activation $x^2$.",
        {TITLE: (Observation("kind of the direction", "flat", "flat", "Squares vanish to second order already."),)},
    ),
    rests_on=("thm:fisher_decay",),
    titled="Every network of depth $L$ has order $k = L$ at the origin.",
    doubts="The register doubts the step from linear to general activations; the doubt was right.",
)
