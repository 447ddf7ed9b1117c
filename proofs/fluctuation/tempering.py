"""Tempered posteriors: β leaves λ and m alone, and moves ν by one formula."""

from __future__ import annotations

from fractions import Fraction

import sympy
from sympy import Expr, Rational, Symbol, latex, symbols

from ddtheory.exact.fluctuation.nu import fluctuation_from_lambda, frozen_fluctuation, singular_fluctuation
from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Curve, Experiment
from ddtheory.verify.proof import AtMost, Equation, Proof, Prose
from ddtheory.workbench import fluctuation_forms as forms
from ddtheory.workbench.evidence import rate
from ddtheory.workbench.fluctuation_checks import averaged_check, by_hand, drawn_check, threshold_check
from ddtheory.workbench.ladder import limit_check

beta, n, a, s, v, u = symbols("beta n a s v u", positive=True)
xi, eta = symbols("xi eta", real=True)
k = Symbol("k", integer=True, positive=True)

_BETAS = (Fraction(1, 2), Fraction(2))
_DATASETS = 4000
_SIZE = 100_000


def threshold(order: Expr | int) -> Expr:
    """λ of one line: 1/(2k), whatever β."""
    return 1 / sympy.Integer(2) / order


def tempered_exponent(noise: Expr, at: Expr) -> Expr:
    """The exponent of the statement: √β ξ v − v²/2."""
    return sympy.sqrt(beta) * noise * at - at**2 / 2


def averaged(log_partition: Expr, temperature: Expr) -> Expr:
    """What the statement averages over ξ: (ξ² − 1) log M(√β ξ)/(2β)."""
    return (xi**2 - 1) * log_partition / (2 * temperature)


_REGULAR = Rational(1, 2)
"""ν of a line of order 1."""


CLAIM = Claim(
    id="thm:tempering",
    title="Tempered posteriors",
    given=(
        r"Let $\beta$ be the inverse temperature of the posterior along one line of order $k$, $v = \sqrt{n\beta A}\, "
        r"s^k$, and $M(\eta) = \int |v|^{1/k - 1} e^{\eta v - v^2/2} dv$ up to a constant."
    ),
    clauses={
        "λ and m": (
            r"$Z$ depends on $n$ and $\beta$ by $n\beta$ only, so the pair $(\lambda, m)$ is that of $\beta = 1$; "
            rf"here $\lambda = {latex(threshold(k))}$."
        ),
        "variance": (
            rf"The posterior has the exponent ${latex(tempered_exponent(xi, v))}$, and $\nu(\beta) = \lim (\beta/2) "
            r"E[V_n] = \tfrac12 E_\xi (\log M)''(\sqrt\beta\,\xi)$."
        ),
        "formula": (
            r"$\nu(\beta) = E_\xi \left[" + latex(averaged(Symbol(r"\log M(\sqrt{\beta}\,\xi)"), beta)) + r"\right]$."
        ),
        "regular": rf"For $k = 1$, $\nu(\beta) = {latex(_REGULAR)}$ at every $\beta$.",
        "singular": (
            r"For $k \ge 2$ it is not: $\nu(\beta)$ tends to $\tfrac12 (\log M)''(0) < \tfrac12$ as $\beta \to 0$, the "
            r"value without noise in the data."
        ),
    },
    source=cite("register2026", "X3"),
    hypotheses=("One scalar parameter, K of exact order k, prior positive at s = 0 and holding both signs of s.",),
    expected=Verdict.CONFIRMED,
    rests_on=("thm:nu_universality",),
    doubts=(
        "The papers name tempered posteriors and give no formula; the one tested here is derived. That V_n tends to "
        "the variance of v over β is measured, not derived."
    ),
)


def derive() -> Proof:
    w = Symbol("w", positive=True)
    likelihood = xi * w - w**2 / 2  # of w = √n s^k at β = 1
    scaled = w * sympy.sqrt(beta)  # v

    # ∫ e^{−nβ s^{2k}} (−log s)^{m−1} ds, in u = nβ s^{2k}
    m = Symbol("m", integer=True, positive=True)

    def evidence(coupling: Expr, *, crossing: Expr | int) -> Expr:
        line = (u / coupling) ** (1 / (2 * k))
        return sympy.exp(-u) * sympy.diff(line, u) * (-sympy.log(line)) ** (crossing - 1)

    both, weighted = evidence(n * beta, crossing=m), evidence(n, crossing=m) * beta
    single = evidence(n * beta, crossing=1)

    cumulants = symbols("l_1:7", real=True)

    def log_partition(at: Expr) -> Expr:
        return sympy.Add(*[value * at ** (power + 1) for power, value in enumerate(cumulants)])

    def curvature(at: Expr) -> Expr:
        return sympy.diff(log_partition(eta), eta, 2).subs(eta, at)

    root = sympy.sqrt(beta) * xi
    # the derivative in ξ of the log-normaliser of e^{β(ξw − w²/2)} is β E w, the next β² Var w
    variance = sympy.diff(log_partition(root), xi, 2) / beta**2
    gaussian = sympy.expand(sympy.integrate(sympy.exp(eta * s - s**2 / 2), (s, -sympy.oo, sympy.oo)))
    quadratic = log_partition(root).subs(dict(zip(cumulants, (0, Rational(1, 2), 0, 0, 0, 0), strict=True)))

    one, two = (forms.coefficient(a, sympy.Integer(order)) for order in (1, 2))
    half_line, line = 1 + one * eta + two * eta**2, 1 + two * eta**2
    j, power = Symbol("j", nonnegative=True), Symbol("q", integer=True, positive=True)
    order = 2 + j

    def growth(at: Expr) -> Expr:
        """E ξ^{2·at + 2} over E ξ^{2·at}."""
        return sympy.expand_func(forms.gaussian_moment(at + 1) / forms.gaussian_moment(at))

    return Proof(
        "Symbolic in k, n, β and m; log M by its first six cumulants, which stay symbolic.",
        (
            Prose(
                "In u = nβ s^{2k} the integral over the line sees n and β by nβ only; at a crossing too, where the "
                "prior of s has the power m − 1 of its logarithm.",
                r"\int e^{-n\beta s^{2k}} (-\log s)^{m-1} ds = Z(n\beta)",
            ),
            Equation(
                "λ and m",
                "n ∂/∂n and β ∂/∂β of the integrand, any m",
                n * sympy.diff(both, n),
                beta * sympy.diff(both, beta),
                {"β in front of the integral": (n * sympy.diff(weighted, n), beta * sympy.diff(weighted, beta))},
            ),
            Equation(
                "λ and m",
                "m = 1: n ∂/∂n of the integrand",
                n * sympy.diff(single, n),
                -threshold(k) * single,
                {"λ = β/(2k)": -beta * threshold(k) * single, "λ = 1/k": -2 * threshold(k) * single},
            ),
            Prose("In v = √β w the tempered exponent is the old one with √β ξ for ξ."),
            Equation(
                "variance",
                "β times the exponent of w",
                beta * likelihood,
                tempered_exponent(xi, scaled),
                {"β ξ v for √β ξ v": tempered_exponent(sympy.sqrt(beta) * xi, scaled), "β = 1": likelihood},
            ),
            Prose("So Var(w) = Var(v)/β, by two derivatives in ξ of the logarithm of the normaliser."),
            Equation(
                "variance",
                "(β/2) Var(w), and half of the curvature of log M at √β ξ",
                beta / 2 * variance,
                curvature(root) / 2,
                {
                    "variance of β log p": (beta**2 / 2 * variance, curvature(root) / 2),
                    "curvature at ξ": curvature(xi) / 2,
                    "half left out": curvature(root),
                },
            ),
            Prose(
                "Two Gaussian integrations by parts take the derivatives off M; they cost a factor β.",
                r"E[(\xi^2 - 1)\, \xi^{2q}] = 2q(2q - 1)\, E[\xi^{2q-2}]",
            ),
            Equation(
                "formula",
                "E[(ξ² − 1) ξ^{2q}] over E[ξ^{2q−2}], every q",
                growth(power) * growth(power - 1) - growth(power - 1),
                sympy.diff(s ** (2 * power), s, 2).subs(s, 1),
                {"ξ² for ξ² − 1": growth(power) * growth(power - 1)},
            ),
            Equation(
                "formula",
                "the mean of (ξ² − 1) log M(√β ξ)/(2β), six cumulants",
                forms.gaussian_mean(averaged(log_partition(root), beta), xi),
                forms.gaussian_mean(curvature(root) / 2, xi),
                {
                    "without 1/β": forms.gaussian_mean(beta * curvature(root) / 2, xi),
                    "ξ² for ξ² − 1": (
                        forms.gaussian_mean(xi**2 * log_partition(root) / (2 * beta), xi),
                        forms.gaussian_mean(curvature(root) / 2, xi),
                    ),
                },
            ),
            Equation(
                "regular",
                "k = 1: M over its value at 0, whose logarithm is η²/2",
                gaussian / gaussian.subs(eta, 0),
                sympy.exp(eta**2 / 2),
                {"e^{η²}": sympy.exp(eta**2)},
            ),
            Equation(
                "regular",
                "k = 1: the formula at log M = η²/2",
                forms.gaussian_mean(averaged(quadratic, beta), xi),
                _REGULAR,
                {
                    "β/2": beta / 2,
                    "without 1/β": (forms.gaussian_mean(beta * averaged(quadratic, beta), xi), Rational(1, 2)),
                },
            ),
            Prose("As β → 0 the curvature is read at 0, from the first two coefficients of M there."),
            Equation(
                "singular",
                "even k: half the curvature at 0, and the frozen value",
                sympy.diff(sympy.log(half_line), eta, 2).subs(eta, 0) / 2,
                forms.frozen(a, "one"),
                {"value of odd k": forms.frozen(a, "two")},
            ),
            Equation(
                "singular",
                "odd k: half the curvature at 0, and the frozen value",
                sympy.gammasimp(sympy.diff(sympy.log(line), eta, 2).subs(eta, 0) / 2),
                forms.frozen(a, "two"),
                {"½": Rational(1, 2), "a": a},
            ),
            AtMost(
                "singular",
                "even k: below the value of odd k",
                forms.frozen(a, "one"),
                forms.frozen(a, "two"),
                slack=(forms.mean_at_zero(a) ** 2 / 2,),
                attained={a: Rational(1, 20)},
                rivals={"half of it": forms.frozen(a, "two") / 2},
            ),
            AtMost(
                "singular",
                "k = 2 + j: twice that value is at most ½, so ν(β) < ½ at small β",
                2 * forms.frozen(1 / order, "two"),
                Rational(1, 2),
                slack=(j / (2 * order),),
                attained={j: 0},
                rivals={"order 1 + j": (2 * forms.frozen(1 / (order - 1), "two"), Rational(1, 2))},
            ),
        ),
    )


def measure() -> Experiment:
    import numpy as np

    from ddtheory.workbench.measurements.line_posterior import Line, expected, posterior_moments, simulate

    regular: list[Check] = []
    formula: list[Check] = []
    for order in (1, 2, 3):
        plain = float(singular_fluctuation(order))
        for temperature in _BETAS:
            exact = float(singular_fluctuation(order, beta=temperature))
            found = simulate(Line(order, beta=float(temperature)), _SIZE, datasets=_DATASETS, seed=order)
            rivals = (exact * float(temperature), exact / float(temperature)) + ((plain,) if order > 1 else ())
            (formula if order > 1 else regular).append(
                drawn_check(
                    f"(β/2) E[V_n], k = {order}, β = {temperature}",
                    exact,
                    found.nu,
                    rivals,
                    reason=(
                        f"{_DATASETS} data sets at n = {_SIZE}; the rivals are ν at β = 1 and one factor β too many or "
                        "too few"
                    ),
                    width=0.025,
                )
            )
    # the same by quadrature over data sets: V_n against half the curvature of log M, which is Var(v)
    variances: list[Check] = []
    for order in (2, 3):
        for temperature in _BETAS:
            line, size = Line(order, beta=float(temperature)), 1e8
            half = size / 2 * expected(line, size, lambda moments, _xi: moments.variance)
            variances.append(
                averaged_check(
                    f"½ E Var(v), v = √(nβ) s^k, n = 10⁸, k = {order}, β = {temperature}",
                    float(singular_fluctuation(order, beta=temperature)),
                    float(temperature) * half,
                    (half, float(singular_fluctuation(order))),
                    reason="The rivals are ½ E Var(√n s^k), and β = 1",
                )
            )
    huge = tuple(10.0**power for power in (16, 24, 32, 48, 64, 96, 128, 192))
    thresholds: list[Check] = []
    curves: list[Curve] = []
    for temperature in (Fraction(1, 2), Fraction(1), Fraction(2)):
        wrong = Fraction(1, 4) * temperature if temperature != 1 else Fraction(1, 2)
        check, curve = threshold_check(
            f"k = 2, β = {temperature}",
            Line(2, beta=float(temperature)),
            Fraction(str(threshold(2))),
            (wrong, Fraction(1, 8)),
        )
        thresholds.append(check)
        curves.append(curve)
        crossing = Line(2, beta=float(temperature), coordinates=2)
        logs = [float(np.log(size)) for size in huge]
        lifted = [
            float(np.exp(posterior_moments(crossing, size, np.zeros(1)).log_evidence[0] + log / 4))
            for size, log in zip(huge, logs, strict=True)
        ]
        found_rate = rate([1 / log for log in logs], lifted)
        thresholds.append(
            Comparison(
                f"power of log n in Z at a crossing of two lines, k = 2, β = {temperature}: m − 1",
                1,
                Interval(-found_rate.estimate, -found_rate.upper - 1e-3, -found_rate.lower + 1e-3),
                (0, 2),
                0.1,
                "local slopes of n^{1/4} Z in log n, n = 10¹⁶ to 10¹⁹², extrapolated",
                "m − 1",
            )
        )
    return Experiment(
        "y = s^k + ε, the posterior at inverse temperature β by quadrature; the crossing is y = w_1² w_2² + ε.",
        {
            "λ and m": thresholds,
            "variance": [*variances, *by_hand(Fraction(2)), *by_hand(Fraction(1, 4))],
            "formula": formula,
            "regular": regular,
            "singular": _small(),
        },
        tuple(curves),
    )


def _small() -> list[Check]:
    """(β/2) E[V_n] for β → 0 at nβ = 10⁸, and at single β against ν at the others."""
    from ddtheory.workbench.measurements.line_posterior import Line, expected

    temperatures = [0.02 / 2**step for step in range(8)]
    checks: list[Check] = [
        limit_check(
            f"(β/2) E[V_n] for β → 0 at nβ = 10⁸, k = {order}",
            frozen_fluctuation(Fraction(1, 2 * order), "two" if order % 2 else "one").midpoint,
            temperatures,
            [expected(Line(order, beta=value), 1e8 / value) for value in temperatures],
            rivals=(Fraction(1, 2), float(singular_fluctuation(order))),
            quantity="ν",
            relative_error=1e-6,
        )
        for order in (2, 3)
    ]
    values = {
        temperature: float(singular_fluctuation(2, beta=temperature))
        for temperature in (Fraction(1, 4), Fraction(1, 2), Fraction(1), Fraction(2))
    }
    checks += [
        averaged_check(
            f"(β/2) E[V_n], k = 2, β = {temperature}, n = 10⁸",
            value,
            expected(Line(2, beta=float(temperature)), 1e8),
            (*(other for other in values.values() if other != value), 0.5),
            reason="the rivals are the values at the other β, and ½",
        )
        for temperature, value in values.items()
    ]
    return checks


def control() -> Experiment:

    from ddtheory.workbench.measurements.line_posterior import Line, expected, simulate

    # the wrong functional variance: of the tempered log-likelihood β log p, whose half is β ν(β)
    order, temperature = 2, Fraction(1, 4)
    exact = singular_fluctuation(order, beta=temperature)
    found = simulate(Line(order, beta=float(temperature)), _SIZE, datasets=_DATASETS, seed=5)
    scaled = Interval(*(float(temperature) * value for value in (found.nu.estimate, found.nu.lower, found.nu.upper)))
    # a prior on one side only
    half_line = float(fluctuation_from_lambda(Fraction(1, 2), "one", 2))
    one_sided = expected(Line(1, beta=2.0, one_sided=True), 1e8)
    half_cube = float(frozen_fluctuation(Fraction(1, 6), "one"))
    temperatures = [0.02 / 2**step for step in range(8)]
    vanishing, _ = threshold_check(
        "prior |s|, k = 2, β = 2",
        Line(2, beta=2.0, prior_exponent=1.0),
        Fraction(1, 2),
        (Fraction(1, 4), Fraction(1)),
    )
    return Experiment(
        "The variance of β log p in place of log p is off by a factor β. A prior on s ≥ 0 only, and a prior |s| that "
        "vanishes at the singular point: other values.",
        {
            "formula": [
                drawn_check(
                    "(β²/2) E[V_n], k = 2, β = 1/4",
                    float(exact * temperature),
                    scaled,
                    (float(exact),),
                    reason=f"{_DATASETS} data sets",
                    quantity="βν",
                )
            ],
            "regular": [
                averaged_check(
                    "k = 1, β = 2, prior on s ≥ 0 only: (β/2) E[V_n] at n = 10⁸",
                    half_line,
                    one_sided,
                    (0.5, float(singular_fluctuation(1, sided="one"))),
                    reason="the rivals are ½, and the half-line at β = 1",
                )
            ],
            "singular": [
                limit_check(
                    "k = 3, prior on s ≥ 0 only: (β/2) E[V_n] for β → 0 at nβ = 10⁸",
                    half_cube,
                    temperatures,
                    [expected(Line(3, beta=value, one_sided=True), 1e8 / value) for value in temperatures],
                    rivals=(Fraction(1, 6),),
                    quantity="ν",
                    relative_error=1e-6,
                )
            ],
            "λ and m": [vanishing],
            "variance": [
                averaged_check(
                    "k = 3, β = 2, prior on s ≥ 0 only: ½ E Var(v) at n = 10⁸",
                    float(fluctuation_from_lambda(Fraction(1, 6), "one", 2)),
                    expected(Line(3, beta=2.0, one_sided=True), 1e8),
                    (float(singular_fluctuation(3, beta=2)),),
                    reason="the rival is the line",
                )
            ],
        },
    )
