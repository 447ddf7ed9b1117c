"""A claim that holds: the directional Fisher of an order-k direction decays like t^{2(k-1)}."""

from sympy import Symbol, diff

from ddtheory.references import cite
from ddtheory.values import Citation, Interval, Verdict
from ddtheory.verify import Claim, Comparison, Curve, Equation, Experiment, Proof, Prose

RADII = tuple(10 ** (-index / 4) for index in range(12))


def derive() -> Proof:
    k = Symbol("k", integer=True, positive=True)
    t, c = Symbol("t", positive=True), Symbol("c", positive=True)
    distance = t**k
    return Proof(
        "Symbolic in k, t and c.",
        (
            Prose("Along the ray the mean moves by $t^k$.", r"K(\theta_0 + t u) = c\, t^{2k} + o(t^{2k})"),
            Prose(
                "Differentiate once and square.", r"F(t) = 2 c \left(\frac{d}{dt} t^k\right)^2 = 2 k^2 c\, t^{2(k-1)}"
            ),
            Equation(
                "rate",
                "Fisher and its closed form",
                2 * c * diff(distance, t) ** 2,
                2 * k**2 * c * t ** (2 * k - 2),
                {"rate one order off": 2 * k**2 * c * t ** (2 * k)},
            ),
        ),
    )


def measure() -> Experiment:
    return Experiment(
        "One hidden unit, $K = \\frac{1}{2} (a b)^2$, along $a = b$, float64.",
        checks={
            "rate": (
                Comparison(
                    label="order $k$ along $a = b$",
                    predicted=2,
                    measured=Interval(2.0004, 1.998, 2.003),
                    rivals=(1, 3),
                    max_width=0.1,
                    reason="Spread of the local slopes over the window; neighbouring orders are 1 apart.",
                ),
                Comparison(
                    label="coefficient $2k^2c$",
                    predicted=3,
                    measured=Interval(3.01, 2.97, 3.05),
                    rivals=(1, 4),
                    max_width=0.5,
                    reason="Intercept of the fit at the middle of the window.",
                    quantity="coefficient",
                ),
            )
        },
        curves=(Curve("directional Fisher", RADII, tuple(3 * t**2 + 2 * t**3 for t in RADII), 2.0, (0.005, 0.1)),),
    )


def control() -> Experiment:
    return Experiment(
        "A regular direction, which breaks the hypothesis $k \\geq 2$.",
        checks={
            "rate": (
                Comparison(
                    label="order $k$ of a regular direction",
                    predicted=1,
                    measured=Interval(1.0, 0.999, 1.001),
                    rivals=(2,),
                    max_width=0.1,
                    reason="As in the measurement.",
                ),
            )
        },
        curves=(Curve("regular direction", RADII, tuple(4.0 + t for t in RADII), 0.0, (0.005, 0.1)),),
    )


CLAIM = Claim(
    id="thm:fisher_decay",
    title="Fisher decay rate along a dead direction",
    given=r"Let $K(\theta_0 + t u) = c\,t^{2k} + o(t^{2k})$ with $c > 0$.",
    clauses={"rate": r"The directional Fisher is $$F(t) = 2k^2 c\, t^{2(k-1)} + o\left(t^{2(k-1)}\right).$$"},
    source=Citation("An example paper", "Theorem 3", "https://example.org/paper"),
    hypotheses=("$K$ is analytic at $\\theta_0$.", "$u$ has unit length and $k$ is finite."),
    expected=Verdict.CONFIRMED,
    derive=derive,
    measure=measure,
    control=control,
    assumes=(cite("watanabe2009", "Theorem 6.7"),),
)
