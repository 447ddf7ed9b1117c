r"""Exact finite-n quantities of normal crossings: what a sampler at (n, β) should return, and how far that is from λ.

K = c ∏ |w_i|^{p_i}, prior density φ = ∏ |w_i|^{h_i} (not normalised), t = nβ:

- Z(t) = ∫ e^{−tK} φ, the evidence relative to the truth; F(t) = −log Z(t), nats;
- λ(t) = t E[K] = −d log Z/d log t, the finite-temperature learning coefficient, which a sampler estimates;
- Z(t) = t^{−λ} (C (log t)^{m−1} + …), so F(t) = λ log t − (m − 1) log log t − log C + O(1/log t); the
  remainder is a power of 1/t when m = 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import Any, Literal

from flint import arb

from ddtheory.arguments import in_order
from ddtheory.errors import InvalidValueError, UndecidedError, shown
from ddtheory.exact.finite_n import crossing_law as crossing
from ddtheory.exact.numbers.enclosing import ball, bits, check_digits, deadline, enclosure, rational, to_digits, working
from ddtheory.exact.numbers.given import choice
from ddtheory.exact.thresholds.intersection import separable_sum, transversal_crossing
from ddtheory.shown import Shown
from ddtheory.values import RLCT, Enclosure

MOST_VARIABLES = 1_000
SIDES = {"two": "the box [−1, 1]^d", "one": "[0, 1]^d"}


@dataclass(frozen=True, repr=False)
class FiniteN(Shown):
    """Exact quantities at one t = nβ, as enclosures; nats.

    Attributes:
        n_beta: t = nβ.
        evidence: Z(t) = ∫ e^{−tK} φ.
        free_energy: F(t) = −log Z(t).
        learning_coefficient: λ(t) = t E[K].
        rlct: (λ, m), the limit of λ(t) and the number that governs how slowly it is reached.
        constant: C in Z(t) ~ C t^{−λ} (log t)^{m−1}.
    """

    n_beta: Fraction
    evidence: Enclosure
    free_energy: Enclosure
    learning_coefficient: Enclosure
    rlct: RLCT
    constant: Enclosure

    def __str__(self) -> str:
        return f"nβ = {self.n_beta}, λ(nβ) = {self.learning_coefficient}, λ = {self.rlct.lam}, m = {self.rlct.m}"

    def latex(self) -> str:
        return rf"\lambda({self.n_beta}) = {self.learning_coefficient.latex()},\quad {self.rlct.latex()}"

    def rows(self) -> Mapping[str, str]:
        return {
            "nβ": str(self.n_beta),
            "Z": str(self.evidence),
            "−log Z": str(self.free_energy),
            "λ(nβ)": str(self.learning_coefficient),
            "λ, m": f"{self.rlct.lam}, {self.rlct.m}",
            "C": str(self.constant),
        }

    def summary(self) -> dict[str, Any]:
        """The answer as plain data; an enclosure is its value and its radius.

        Keys: n_beta, evidence, free_energy, learning_coefficient, constant, lambda, multiplicity.
        """
        return {
            "n_beta": str(self.n_beta),
            "evidence": self.evidence.summary(),
            "free_energy": self.free_energy.summary(),
            "learning_coefficient": self.learning_coefficient.summary(),
            "lambda": str(self.rlct.lam),
            "multiplicity": self.rlct.m,
            "constant": self.constant.summary(),
        }

    def expansion(self, digits: int = 30) -> Enclosure:
        """λ log t − (m − 1) log log t − log C: the free energy without its vanishing remainder; t > 1.

        Raises:
            InvalidValueError: t ≤ 1 with m > 1, where log log t has no meaning.
        """
        if self.rlct.m > 1 and self.n_beta <= 1:
            raise InvalidValueError(f"log log t needs t = nβ > 1, got {self.n_beta}.")

        def compute(precision: int) -> arb:
            with working(precision):
                log = ball(self.n_beta).log()
                double = log.log() * (self.rlct.m - 1) if self.rlct.m > 1 else arb(0)
                constant = _as_ball(self.constant).log()
                return ball(self.rlct.lam) * log - double - constant

        return to_digits(compute, min(digits, (self.constant.digits or digits + 2) - 2))

    def separable_sum(self, other: FiniteN) -> FiniteN:
        """K(x) + K'(y) on variables that share nothing: evidences multiply, free energies and λ(t) add.

        Raises:
            InvalidValueError: the two are at different t.
        """
        if self.n_beta != other.n_beta:
            raise InvalidValueError(f"A sum needs both parts at one nβ, got {self.n_beta} and {other.n_beta}.")
        return FiniteN(
            self.n_beta,
            self.evidence * other.evidence,
            self.free_energy + other.free_energy,
            self.learning_coefficient + other.learning_coefficient,
            separable_sum(self.rlct, other.rlct),
            self.constant * other.constant,
        )


def finite_n(
    exponents: Sequence[Any],
    n_beta: Any,
    *,
    prior: Sequence[Any] | None = None,
    scale: Any = 1,
    sided: Literal["one", "two"] = "two",
    variance: Any = None,
    centre: Sequence[Any] | None = None,
    digits: int = 30,
    seconds: float = 60,
) -> FiniteN:
    r"""Z(nβ), F(nβ) and λ(nβ) of the normal crossing K = c ∏ |w_i|^{p_i}, as proven enclosures.

    Args:
        exponents: the powers p_i > 0 of K in |w_i|; K = (xy)² is (2, 2). Rationals are allowed.
        n_beta: t = nβ > 0, a rational.
        prior: exponents h_i > −1 of the prior ∏ |w_i|^{h_i}; all 0 when missing.
        scale: c > 0; scaling K is scaling n.
        sided: the box [−1, 1]^d ("two") or [0, 1]^d ("one"); the evidence differs by 2^d, λ(t) does not.
        variance: None for the box. A rational s² > 0 puts φ = ∏ |w_i|^{h_i} e^{−(w_i − w*_i)²/(2s²)} on ℝ^d ("two") or
            on the positive orthant ("one") instead: a Gaussian prior up to its normalisation, and just as well the
            localisation e^{−γ‖w − w*‖²/2} that samplers add, with γ = 1/s².
        centre: w* of the Gaussian, one rational for each variable; the origin when missing. Away from the zero set
            e^{−nβK} wins over the localisation only when log t is large against γ‖w*‖²/2, and λ(t) is then far from λ.
        digits: significant digits to prove.
        seconds: limit of time.

    Raises:
        UndecidedError: the limit of time, or a Gaussian that costs too many digits (`finite_n_gaussian`).
        InvalidValueError: no variables, a p_i ≤ 0, an h_i ≤ −1 (the posterior cannot be normalised), t, c or s² not
            positive, a centre of the wrong length or without a variance, floats, or digits < 1 or absurd.

    Source: the box by exponential polynomials (`finite_n_crossing`), the Gaussian by a Mellin–Barnes integral
    (`finite_n_gaussian`), both derived there; the constant is Lin 2011, Proposition 5.2.

    >>> found = finite_n((2, 2), 579)  # (xy)², λ = 1/2, m = 2
    >>> f"{float(found.learning_coefficient):.12f}", found.rlct
    ('0.379877174463', RLCT(lam=Fraction(1, 2), m=2))
    """
    go_on = deadline(seconds, "Ask for fewer digits, or allow more seconds.")
    powers, weights = check_crossing(exponents, prior)
    t, c = rational(n_beta, "nβ"), rational(scale, "the scale c of K")
    if t <= 0 or c <= 0:
        raise InvalidValueError(
            f"nβ = {t} and the scale {c} of K must be positive: e^(−nβK) is a tempered likelihood of K ≥ 0."
        )
    digits = check_digits(digits, "The cost grows like digits² for the box.")
    choice(sided, "sided", SIDES)
    if variance is not None:
        from ddtheory.exact.finite_n.gaussian import Gaussian, gaussian_moments
        from ddtheory.exact.finite_n.localised import spread_of

        spread = spread_of(variance)
        given = [0] * len(powers) if centre is None else in_order(centre, "The centre", MOST_VARIABLES)
        place = tuple(rational(value, "a coordinate of the centre") for value in given)
        if len(place) != len(powers):
            raise InvalidValueError(f"The centre has {len(place)} coordinates and K {len(powers)} variables.")
        gaussian = Gaussian(tuple(powers), tuple(weights), spread, place, sided == "one")
        moments, constant = gaussian_moments(gaussian, t * c, c, go_on)
    elif centre is not None:
        raise InvalidValueError("A centre w* belongs to a Gaussian: give its variance s² = 1/γ too.")
    else:
        moments, constant = _box_moments(powers, weights, t * c, c, 2 ** len(powers) if sided == "two" else 1, go_on)
    rates = [(h + 1) / p for p, h in zip(powers, weights, strict=True)]
    rlct = transversal_crossing(*map(RLCT, rates))
    evidence = to_digits(lambda precision: moments(precision)[0], digits)
    return FiniteN(
        t,
        evidence,
        _free_energy(moments, digits),
        to_digits(lambda precision: _ratio(*moments(precision), t * c, precision), digits),
        rlct,
        to_digits(constant, digits),
    )


Moments = Callable[[int], tuple[arb, arb]]
"""Precision in bits → (∫ e^{−τK/c} φ, ∫ (K/c) e^{−τK/c} φ)."""


def _box_moments(
    powers: Sequence[Fraction],
    weights: Sequence[Fraction],
    tau: Fraction,
    scale: Fraction,
    copies: int,
    go_on: Callable[[], None],
) -> tuple[Moments, Callable[[int], arb]]:
    rates = [(h + 1) / p for p, h in zip(powers, weights, strict=True)]
    terms = crossing.density(rates, go_on)
    mass = Fraction(copies) / prod(h + 1 for h in weights)
    cache: dict[int, tuple[arb, arb]] = {}

    def moments(precision: int) -> tuple[arb, arb]:
        if precision not in cache:
            with working(precision + 32):
                zeroth, first = (crossing.laplace(terms, tau, power, precision, go_on) for power in (0, 1))
                cache[precision] = (ball(mass) * zeroth, ball(mass) * first)
        return cache[precision]

    def constant(precision: int) -> arb:
        lead = terms[0]
        with working(precision):
            return (
                ball(mass * lead.coefficients[-1])
                * ball(lead.rate).gamma()
                * (-ball(lead.rate) * ball(scale).log()).exp()
            )

    return moments, constant


def _log(value: arb, precision: int) -> arb:
    with working(precision + 32):
        return -value.log()


def _free_energy(moments: Moments, digits: int) -> Enclosure:
    """−log Z; where Z is 1 the free energy is 0, which has no significant digits, and so many decimals are given."""
    try:
        return to_digits(lambda precision: _log(moments(precision)[0], precision), digits)
    except UndecidedError:
        precision = 2 * bits(digits)
        value = _log(moments(precision)[0], precision)
        if not value.rad() < arb(10) ** -digits:
            raise
        return enclosure(value, digits)


def _ratio(zeroth: arb, first: arb, tau: Fraction, precision: int) -> arb:
    with working(precision + 32):
        return ball(tau) * first / zeroth


def _as_ball(value: Enclosure) -> arb:
    return ball(value.midpoint) + arb(0, ball(value.radius).upper())


def check_crossing(exponents: Sequence[Any], prior: Sequence[Any] | None) -> tuple[list[Fraction], list[Fraction]]:
    """The exponents of K and of the prior as rationals, or the error that says which of them means nothing."""
    for what, given in (("The exponents of K", exponents), ("The prior exponents", prior)):
        if given is not None and (isinstance(given, str) or not isinstance(given, Sequence)):
            raise InvalidValueError(
                f"{what} are {shown(given)}; give one number for each variable, as in (2, 2). For K as an expression "
                "there is finite_n_germ."
            )
    listed = in_order(exponents, "The exponents of K", MOST_VARIABLES)
    powers = [rational(value, f"the exponent of w_{index + 1} in K") for index, value in enumerate(listed)]
    listed = [0] * len(powers) if prior is None else in_order(prior, "The prior exponents", MOST_VARIABLES)
    weights = [rational(value, f"the prior exponent h_{index + 1}") for index, value in enumerate(listed)]
    if not powers:
        raise InvalidValueError("K has no variables. Give one exponent for each, as in finite_n((2, 2), 579).")
    if len(weights) != len(powers):
        raise InvalidValueError(
            f"There are {len(powers)} exponents of K and {len(weights)} of the prior; give one each."
        )
    for index, (power, weight) in enumerate(zip(powers, weights, strict=True), 1):
        if power <= 0:
            raise InvalidValueError(
                f"The exponent {power} of w_{index} in K is not positive. Leave out a variable that K does not contain."
            )
        if weight <= -1:
            raise InvalidValueError(
                f"The prior exponent h_{index} = {weight} is not above −1, so the prior |w|^h has infinite mass at 0 "
                "and the posterior cannot be normalised."
            )
    return powers, weights
