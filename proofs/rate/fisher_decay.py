"""thm:fisher_decay: the directional Fisher of a direction of order k decays like t^{2(k−1)}."""

from __future__ import annotations

from fractions import Fraction

import sympy
from sympy import Expr, Symbol, latex, symbols

from ddtheory import cells
from ddtheory.exact.orders.ray import leading_term
from ddtheory.references import cite
from ddtheory.values import Interval, Kind, OrderReading, Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Curve, Experiment, Observation
from ddtheory.verify.proof import AtMost, Equation, Proof, Prose
from ddtheory.workbench.evidence import limit, order_check, profile_curve
from ddtheory.workbench.inequality import bound_check
from ddtheory.workbench.ladder import value_check
from ddtheory.workbench.statement import printed

t, sigma, A, M = symbols("t sigma A M", positive=True)
k = Symbol("k", integer=True, positive=True)
a = Symbol("a", real=True)


def leading(order: Expr | int, moment: Expr | int, radius: Expr | float) -> Expr:
    """The leading term of the statement: k² A t^{2(k−1)}."""
    return order**2 * moment * radius ** (2 * (order - 1))


def remainder_bound(order: Expr | int, moment: Expr | int, remainder: Expr | int, radius: Expr | float) -> Expr:
    """The bound of the statement: (k(A + M) + M) t^{2k−1}."""
    return (order * (moment + remainder) + remainder) * radius ** (2 * order - 1)


def balance(order: Expr | int) -> Expr:
    """The limit of t² F/(2K): k²."""
    return order**2


CLAIM = Claim(
    id="thm:fisher_decay",
    title="Fisher rate is 2(k − 1)",
    given=(
        r"Let the score along a unit-speed path be $s_t = k t^{k-1} a + r_t$ with $A = E a^2 \in (0, \infty)$ and "
        r"$E r_t^2 \le M t^{2k}$."
    ),
    clauses={
        "rate": rf"$F(t) = {latex(leading(k, A, t))} + R$",
        "remainder": rf"$|R| \le {latex(remainder_bound(k, A, M, t))}$ for $0 < t < 1$",
        "order of K": rf"$t^2 F / (2K) \to {printed(balance(k))}$ where the log-density expands uniformly",
    },
    source=cite("shirodkar2026dead", "thm:fisher_decay"),
    hypotheses=(
        "The path has unit speed at the point.",
        "The leading score does not vanish: A > 0.",
        "The remainder of the score is O(t^k) in mean square.",
    ),
    expected=Verdict.CONFIRMED,
    uncovered="Moving base measures, products and sums of rates, and reparametrisations.",
    doubts=(
        "log F / log t converges like 1/|log t| and is no estimator; only local slopes are used. That the k of the "
        "score is the k of K is a separate step, which is derived and measured here. The order belongs to the "
        "unit-speed path: the toolkit refuses other speeds."
    ),
)


def derive() -> Proof:
    # the Gaussian curve N(t^k, σ²), where everything is explicit
    mean = t**k
    gaussian_fisher = sympy.diff(mean, t) ** 2 / sigma**2
    gaussian_divergence = mean**2 / (2 * sigma**2)

    # the exponential family θ = t^k with log-partition b: expand b around 0, θ stays symbolic
    theta, b2, b3 = symbols("theta b_2 b_3", real=True)
    log_partition = b2 * theta**2 / 2 + b3 * theta**3 / 6  # constant and linear terms do not enter K
    family_fisher = (k * t ** (k - 1)) ** 2 * sympy.diff(log_partition, theta, 2)

    def first_order(value: Expr) -> Expr:
        """The coefficient of θ² = t^{2k}, the first that does not vanish."""
        return sympy.powdenest(sympy.expand(value.subs(t, theta ** (1 / k))), force=True).coeff(theta, 2)

    # the remainder: E r² = M t^{2k} x² with 0 ≤ x ≤ 1, and |E ar| ≤ √(A E r²) by Cauchy and Schwarz
    y, z = symbols("y z", nonnegative=True)
    radius, share = 1 / (1 + z), 1 / (1 + y)  # t and x, so that 1 − t and 1 − x have a sign by their form
    size = M * radius ** (2 * k) * share**2
    largest = 2 * k * radius ** (k - 1) * sympy.sqrt(A * size) + size
    scale = radius ** (2 * k - 1)

    # K has the same k: with log p_t/p_0 = a t^k + …, K = E[e^d − 1 − d] at d = a t^k
    divergence = leading_term(sympy.exp(a * t**k) - 1 - a * t**k, t)
    return Proof(
        "Symbolic in k, A, M, σ and the log-partition up to third order; the remainder for every r, the leading term "
        "on the Gaussian curve and on exponential families θ = t^k.",
        (
            Prose(
                "Gaussian curve: the score is k t^{k−1} a with a = (y − t^k)/σ², so F and K are explicit.",
                r"F(t) = \frac{k^2 t^{2k-2}}{\sigma^2}, \quad K(t) = \frac{t^{2k}}{2\sigma^2}",
            ),
            Equation(
                "rate",
                "Gaussian curve: F is its leading term, with A = 1/σ²",
                gaussian_fisher,
                leading(k, sigma**-2, t),
                {
                    "rate 2k for 2(k − 1)": t**2 * leading(k, sigma**-2, t),
                    "k for k²": leading(k, sigma**-2, t) / k,
                },
            ),
            Equation(
                "order of K",
                "Gaussian curve: t²F = 2k²K",
                t**2 * gaussian_fisher,
                2 * balance(k) * gaussian_divergence,
                {"k for k²": 2 * k * gaussian_divergence},
            ),
            Prose(
                "Exponential family on θ = t^k: the same balance holds for the leading terms, with A = b''(0).",
                r"F(t) = k^2 t^{2k-2}\, b''(t^k), \quad K(t) = \tfrac12 b''(0) t^{2k} + O(t^{3k})",
            ),
            Equation(
                "order of K",
                "exponential family: leading coefficients of t²F and of 2k²K",
                first_order(t**2 * family_fisher),
                first_order(2 * balance(k) * log_partition),
                {"k for k²": first_order(2 * k * log_partition)},
            ),
            Prose(
                "Remainder: F − k² A t^{2(k−1)} = 2k t^{k−1} E[ar] + E r², with E r² = M t^{2k} x², x ≤ 1, and "
                "|E ar| ≤ √(A E r²) by Cauchy and Schwarz.",
                r"|R| \le 2k t^{k-1} \sqrt{A M} t^k x + M t^{2k} x^2",
            ),
            AtMost(
                "remainder",
                "with t = 1/(1 + z) and x = 1/(1 + y): the largest value of |R| and its bound",
                largest,
                remainder_bound(k, A, M, radius),
                slack=(
                    k * scale * (sympy.sqrt(A) - sympy.sqrt(M) * share) ** 2,
                    k * scale * M * sympy.factor(1 - share**2),
                    scale * M * sympy.factor(1 - radius * share**2),
                ),
                attained={A: 1, M: 1, y: 0, z: 0, k: 2},
                rivals={"M/2 for M": remainder_bound(k, A, M / 2, radius)},
            ),
            Prose(
                "Divergence: where the log-density expands uniformly, K = E[e^d − 1 − d] with d = a t^k + O(t^{k+1}), "
                "so the k of the score is the k of K.",
                r"K(t) = \tfrac12 A t^{2k} + o(t^{2k})",
            ),
            Equation(
                "order of K",
                "leading term of e^d − 1 − d at d = a t^k",
                divergence.coefficient * t**divergence.exponent,
                a**2 * t ** (2 * k) / 2,
                {"a² for a²/2": a**2 * t ** (2 * k), "order k for 2k": a**2 * t**k / 2},
            ),
        ),
    )


def measure() -> Experiment:
    from ddtheory import measure as reading

    cases: list[tuple[cells.Cell, str, int]] = [
        *((cells.gaussian_location(order), "t", order) for order in (1, 2, 3, 4, 5)),
        *(
            (cells.exponential_curve(family, order), "t", order)
            for family in ("bernoulli", "poisson")
            for order in (2, 3)
        ),
        (cells.node_death("tanh"), "joint", 2),
        (cells.node_death("silu"), "joint", 2),
        (cells.node_death("square"), "joint", 3),
        (cells.node_death("cube"), "joint", 4),
    ]
    rates: list[Check] = []
    coefficients: list[Check] = []
    curves: list[Curve] = []
    for cell, direction, order in cases:
        profile = reading.fisher_along(cell.problem(), cell.torch_direction(direction))
        found = reading.order(profile)
        rates.append(order_check(f"{cell.name} along {direction}", order, found))
        coefficients.append(_coefficient(cell, direction, order, profile.radii, profile.fisher, profile.fisher_floor))
        curves.append(profile_curve(profile, cell.name, order, found.window))
    rates.append(order_check("mean (t³, w), basis rotated, direction carried along", 3, _rotated(carried=True)))
    remainders = [_remainder(order, size) for order in (1, 2, 3) for size in (Fraction(1, 2), Fraction(1), Fraction(2))]
    return Experiment(
        "Directional Fisher of torch models by one forward-mode derivative a radius, float64. Gaussian, Bernoulli and "
        "Poisson heads, and one hidden unit at zero with four activations. The remainder on means whose r is a "
        "multiple of a, at radii up to 0.99: there Cauchy and Schwarz is an equality.",
        {"rate": rates, "order of K": coefficients, "remainder": remainders},
        tuple(curves),
    )


def _remainder(order: int, size: Fraction) -> Check:
    """|F − k² A t^{2(k−1)}| over its bound, for the score (k t^{k−1} + √M t^k) a with A = 1 and E r² = M t^{2k}."""
    import torch

    from ddtheory import measure as reading

    time = Symbol("t", real=True)
    root = sympy.sqrt(sympy.Rational(size.numerator, size.denominator))
    cell = cells.mean_map([time**order + root * time ** (order + 1) / (order + 1)], name="worst case")
    radii = torch.linspace(0.05, 0.99, 48, dtype=torch.float64).tolist()
    profile = reading.fisher_along(cell.problem(), cell.torch_direction("t"), radii)
    ratios = [
        abs(fisher - leading(order, 1, radius)) / float(remainder_bound(order, 1, size, radius))
        for radius, fisher in zip(profile.radii, profile.fisher, strict=True)
    ]
    return bound_check(
        f"k = {order}, A = 1, M = {size}: |F − k²At^(2(k−1))| over its bound, largest over 0.05 ≤ t ≤ 0.99",
        max(ratios),
        reason="rounding; r is a multiple of a",
    )


def _rotated(carried: bool) -> OrderReading:
    """A direction of order 3 beside a live one, in a basis rotated by 3-4-5: carried along, or the axis kept."""
    import torch

    from ddtheory import measure as reading

    time, live = symbols("t w", real=True)
    cell = cells.mean_map([time**3, live], name="mean (t³, w)")
    problem = cell.problem()
    basis = torch.tensor([[0.6, -0.8], [0.8, 0.6]], dtype=torch.float64)
    direction = problem.flat(cell.torch_direction("t"))
    moved = problem.in_basis(basis)
    return reading.order(reading.fisher_along(moved, basis @ direction if carried else direction))


def _coefficient(
    cell: cells.Cell, direction: str, order: int, radii: tuple[float, ...], fisher: tuple[float, ...], floor: float
) -> Comparison:
    """F/t^{2(k−1)} → 2k²c, c the exact leading coefficient of K; c ≠ 0, or the rate would be vacuous."""
    exact = cell.kl_order(direction).fisher_leading
    assert exact is not None and exact.is_positive
    kept = [(t, f / t ** (2 * (order - 1))) for t, f in zip(radii, fisher, strict=True) if f > 1e6 * floor]
    found = limit([t for t, _ in kept], [value for _, value in kept])
    half_width = 1e-6 * float(exact)
    measured = Interval(
        found.estimate, min(found.lower, found.estimate - half_width), max(found.upper, found.estimate + half_width)
    )
    rivals = tuple(
        Fraction(str(exact)) * ratio for ratio in (Fraction(1, 2), Fraction(2), Fraction(1, order), order) if ratio != 1
    )
    return Comparison(
        f"{cell.name}: coefficient of F",
        exact,
        measured,
        rivals,
        1e-2 * float(exact),
        "extrapolated to t = 0, with a relative half width of at least 1e-6; factors 2 and k are the usual errors",
        "coefficient",
    )


def _as_a_path(power: int) -> str:
    """Whether θ = s^power is taken for a path of unit speed."""
    from ddtheory import measure as reading
    from ddtheory.errors import DirectionError

    try:
        reading.arc(cells.gaussian_location(1).problem(), lambda s: {"t": (s**power).reshape(1)})
    except DirectionError:
        return "refused"
    return "accepted"


def control() -> Experiment:
    from ddtheory import measure as reading

    time = Symbol("t", real=True)
    cubic = cells.mean_map([time**3], name="mean t³, leading score zero at k = 2")
    rough = cells.mean_map(
        [time**2, sympy.Rational(2, 3) * time ** sympy.Rational(3, 2)], name="score remainder t^{1/2}"
    )
    gauge = cells.node_death("tanh")
    cubic_reading = reading.order(reading.fisher_along(cubic.problem(), cubic.torch_direction("t")))
    cubic_profile = reading.fisher_along(cubic.problem(), cubic.torch_direction("t"), [0.05])
    balance = 0.05**2 * cubic_profile.fisher[0] / (2 * cubic_profile.divergence[0])
    left = reading.fisher_along(rough.problem(), rough.torch_direction("t"), [0.01]).fisher[0] - 4 * 0.01**2
    rough_reading = reading.order(reading.fisher_along(rough.problem(), rough.torch_direction("t")))
    gauge_reading = reading.order(reading.fisher_along(gauge.problem(), gauge.torch_direction("outer")))

    return Experiment(
        "A = 0 (the mean t³ read as k = 2); a remainder of order t^{1/2} in place of t^k; a flat direction; an axis "
        "that is kept while the basis turns; and a path θ = s² that is not of unit speed, which would turn a regular "
        "direction into k = 2.",
        {
            "rate": (
                order_check("A = 0: the order is 3, not 2", 3, cubic_reading, rivals=(2,)),
                Comparison(
                    "E r² = t instead of t^{2k}: slope of F is 1, so the slope reading is 1 + 1/2",
                    Fraction(3, 2),
                    rough_reading.readings["slope"],
                    (1, 2),
                    0.5,
                    "local slopes extrapolated to t = 0",
                    "slope reading of k",
                ),
                Observation(
                    "E r² = t: no whole order is reported",
                    "no order",
                    "no order" if rough_reading.k is None else f"k = {rough_reading.k}",
                    "the readings agree on no whole number",
                ),
                Observation(
                    "outer weight of a dead unit: K ≡ 0 along it",
                    Kind.FLAT.value,
                    gauge_reading.kind.value if gauge_reading.kind else gauge_reading.status.value,
                    "Fisher and divergence are rounding at every radius",
                ),
                order_check(
                    "mean (t³, w), basis rotated, axis kept: another direction", 1, _rotated(carried=False), rivals=(3,)
                ),
                *(
                    Observation(f"the path θ = {name}", expected, _as_a_path(power), "orders are for unit speed only")
                    for name, power, expected in (("s", 1, "accepted"), ("s²", 2, "refused"))
                ),
            ),
            "remainder": (
                value_check(
                    "E r² = t: R at t = 1/100, k = 2, A = 1",
                    0.01,
                    left,
                    rivals=(0, float(remainder_bound(2, 1, 1, 0.01))),
                    error=1e-9,
                    reason="rounding; the rival is the bound with M = 1, two thousand times smaller",
                ),
            ),
            "order of K": (
                value_check(
                    "A = 0, the mean t³ read as k = 2: t²F/(2K) at t = 1/20",
                    9,
                    balance,
                    rivals=(4,),
                    error=1e-9,
                    reason="rounding; the rival is k²",
                    quantity="k²",
                ),
            ),
        },
    )
