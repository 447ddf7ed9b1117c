"""thm:fisher_decay: the directional Fisher of a direction of order k decays like t^{2(k−1)}."""

from __future__ import annotations

from fractions import Fraction

import sympy
from sympy import Symbol, symbols

from ddtheory import cells
from ddtheory.exact.orders.ray import leading_term
from ddtheory.references import cite
from ddtheory.values import Interval, Kind, OrderReading, Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Curve, Experiment, Observation, Proof, Step
from ddtheory.workbench.evidence import limit, order_check, profile_curve

t, sigma, A, M, w = symbols("t sigma A M w", positive=True)
k = Symbol("k", integer=True, positive=True)
a, r = symbols("a r", real=True)


def derive() -> Proof:
    # the Gaussian curve N(t^k, σ²), where everything is explicit
    mean = t**k
    gaussian_fisher = sympy.diff(mean, t) ** 2 / sigma**2
    gaussian_divergence = mean**2 / (2 * sigma**2)

    # the exponential family θ = t^k with log-partition b: expand b around 0, θ stays symbolic
    theta, b2, b3 = symbols("theta b_2 b_3", real=True)
    log_partition = b2 * theta**2 / 2 + b3 * theta**3 / 6  # constant and linear terms do not enter K
    family_divergence = log_partition
    family_fisher = (k * t ** (k - 1)) ** 2 * sympy.diff(log_partition, theta, 2)
    balance = sympy.expand((t**2 * family_fisher - 2 * k**2 * family_divergence).subs(t, theta ** (1 / k)))
    leading_balance = sympy.powdenest(balance, force=True).coeff(theta, 2)

    # the remainder: |2 a r| ≤ t^k a² + t^{−k} r² by AM–GM with weight t^k, then E r² ≤ M t^{2k}
    cross = k * t ** (k - 1) * (t**k * A + t**-k * M * t ** (2 * k))
    square = M * t ** (2 * k - 1)  # E r² ≤ M t^{2k} ≤ M t^{2k−1} for 0 < t < 1
    bound = (k * (A + M) + M) * t ** (2 * k - 1)

    # K has the same k: with log p_t/p_0 = a t^k + …, K = E[e^d − 1 − d] at d = a t^k
    divergence = leading_term(sympy.exp(a * t**k) - 1 - a * t**k, t)
    return Proof(
        steps=(
            Step(
                "Gaussian curve: the score is k t^{k−1} a with a = (y − t^k)/σ², so F and K are explicit.",
                r"F(t) = \frac{k^2 t^{2k-2}}{\sigma^2}, \quad K(t) = \frac{t^{2k}}{2\sigma^2}, \quad t^2 F = 2k^2 K",
            ),
            Step(
                "Exponential family on θ = t^k: the same balance holds for the leading terms, with A = b''(0).",
                r"F(t) = k^2 t^{2k-2}\, b''(t^k), \quad K(t) = \tfrac12 b''(0) t^{2k} + O(t^{3k})",
            ),
            Step(
                "Remainder: the mixed term is bounded by the inequality of arithmetic and geometric means with weight "
                "t^k, the square by its hypothesis.",
                r"|F - k^2 A t^{2(k-1)}| \le (k(A+M)+M)\, t^{2k-1}",
            ),
            Step(
                "Divergence: where the log-density expands uniformly, K = E[e^d − 1 − d] with d = a t^k + "
                "O(t^{k+1}), so "
                "the k of the score is the k of K.",
                r"K(t) = \tfrac12 A t^{2k} + o(t^{2k})",
            ),
        ),
        residuals={
            "Gaussian: t²F − 2k²K": t**2 * gaussian_fisher - 2 * k**2 * gaussian_divergence,
            "exponential family: leading coefficient of t²F − 2k²K": leading_balance,
            "AM–GM: w a² + r²/w − 2 a r − (√w a − r/√w)²": w * a**2
            + r**2 / w
            - 2 * a * r
            - (sympy.sqrt(w) * a - r / sympy.sqrt(w)) ** 2,
            "remainder bound": cross + square - bound,
            "order of K": divergence.exponent - 2 * k,
            "coefficient of K": divergence.coefficient - a**2 / 2,
        },
        controls={
            "t²F − 2kK (k for k²)": t**2 * gaussian_fisher - 2 * k * gaussian_divergence,
            "rate 2k for 2(k − 1)": sympy.simplify(gaussian_fisher / t ** (2 * k)).subs({k: 2, sigma: 1}) - 4,
        },
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
    checks: list[Check] = []
    curves: list[Curve] = []
    for cell, direction, order in cases:
        profile = reading.fisher_along(cell.problem(), cell.torch_direction(direction))
        found = reading.order(profile)
        checks.append(order_check(f"{cell.name} along {direction}", order, found))
        checks.append(_coefficient(cell, direction, order, profile.radii, profile.fisher, profile.fisher_floor))
        curves.append(profile_curve(profile, cell.name, order, found.window))
    checks.append(order_check("mean (t³, w), basis rotated, direction carried along", 3, _rotated(carried=True)))
    return Experiment(
        "Directional Fisher of torch models by one forward-mode derivative a radius, float64. Gaussian, Bernoulli and "
        "Poisson heads, and one hidden unit at zero with four activations.",
        tuple(checks),
        tuple(curves),
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


def control() -> Experiment:
    from ddtheory import measure as reading
    from ddtheory.errors import DirectionError

    time = Symbol("t", real=True)
    cubic = cells.mean_map([time**3], name="mean t³, leading score zero at k = 2")
    rough = cells.mean_map(
        [time**2, sympy.Rational(2, 3) * time ** sympy.Rational(3, 2)], name="score remainder t^{1/2}"
    )
    gauge = cells.node_death("tanh")
    cubic_reading = reading.order(reading.fisher_along(cubic.problem(), cubic.torch_direction("t")))
    rough_reading = reading.order(reading.fisher_along(rough.problem(), rough.torch_direction("t")))
    gauge_reading = reading.order(reading.fisher_along(gauge.problem(), gauge.torch_direction("outer")))

    line = cells.gaussian_location(1)
    try:
        reading.arc(line.problem(), lambda s: {"t": (s**2).reshape(1)})
        speed = "accepted"
    except DirectionError:
        speed = "refused"
    return Experiment(
        "A = 0 (the mean t³ read as k = 2); a remainder of order t^{1/2} in place of t^k; a flat direction; an "
        "axis that is "
        "kept while the basis turns; and a path θ = s² that is not of unit speed, which would turn a regular direction "
        "into k = 2.",
        (
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
            Observation("the path θ = s²", "refused", speed, "orders are defined for unit speed only"),
        ),
    )


CLAIM = Claim(
    id="thm:fisher_decay",
    title="Fisher rate is 2(k − 1)",
    statement=(
        r"Let the score along a unit-speed path be $s_t = k t^{k-1} a + r_t$ with $A = E a^2 \in (0, \infty)$ and "
        r"$E r_t^2 \le M t^{2k}$. Then $F(t) = k^2 A t^{2(k-1)} + R$ with $|R| \le (k(A+M)+M)\, t^{2k-1}$ for "
        r"$0 < t < 1$, and $t^2 F / (2K) \to k^2$ where the log-density expands uniformly."
    ),
    source=cite("shirodkar2026dead", "thm:fisher_decay"),
    hypotheses=(
        "The path has unit speed at the point.",
        "The leading score does not vanish: A > 0.",
        "The remainder of the score is O(t^k) in mean square.",
    ),
    expected=Verdict.CONFIRMED,
    derive=derive,
    measure=measure,
    control=control,
    doubts=(
        "log F / log t converges like 1/|log t| and is no estimator; only local slopes are used. That the k of "
        "the score "
        "is the k of K is a separate step, which is derived and measured here. The order belongs to the "
        "unit-speed path: "
        "the toolkit refuses other speeds."
    ),
)
