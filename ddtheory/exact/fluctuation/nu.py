r"""The singular fluctuation ν of one dead line, enclosed by ball arithmetic to as many digits as asked.

Normalisation. ν(β) is the limit of (β/2) E[V_n], V_n the functional variance Σ_i Var_post(log p(x_i|θ)) of the
posterior at inverse temperature β (Watanabe 2009, Section 6.3); nats. Regular models have ν = d/2 at
every β.

Along one line on which K vanishes to order k, with prior density |s|^h, let a = (h + 1)/k. In the variable
v = √(nβA) s^k the posterior tends to |v|^{a−1} exp(√β ξ v − v²/2) with ξ ~ N(0, 1), and V_n → Var(v)/β, so

  ν(β) = ½ E_ξ Var(v) = (1/(2β)) E_ξ[(ξ² − 1) log M(√β ξ)],

the second by two Gaussian integrations by parts, (log M)'' = Var. λ = a/2 does not depend on β.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from flint import arb

from ddtheory.errors import InvalidValueError
from ddtheory.exact.fluctuation.partition import Sided, mean_at_zero
from ddtheory.exact.fluctuation.quadrature import log_partition_moment
from ddtheory.exact.numbers.enclosing import ball, check_digits, rational, to_digits, working
from ddtheory.exact.numbers.given import choice, whole_number
from ddtheory.values import Enclosure

_LARGEST = Fraction(10**250)
_COST = (
    "The cost grows with digits^2 and faster: 30 digits take milliseconds, 200 a third of a second, 500 three seconds, "
    "1000 twelve, on one core of 2026."
)


def singular_fluctuation(
    k: int, *, prior_exponent: Any = 0, beta: Any = 1, sided: Sided = "two", digits: int = 30
) -> Enclosure:
    r"""The singular fluctuation ν of one line of order k, K ~ ½A s^{2k}, as a proven enclosure.

    ν = ½ E_ξ Var(v) over the density |v|^{a−1} exp(√β ξ v − v²/2), a = (h + 1)/k; see the module for the normalisation.

    Args:
        k: the KL order of the line.
        prior_exponent: h in the prior |s|^h, a rational above −1; it acts by a = (h + 1)/k only.
        beta: inverse temperature, a positive rational; 1 is Bayes.
        sided: "two" when the prior holds both signs of s, "one" when s ≥ 0. For even k the two agree: v = s^k ≥ 0.
        digits: significant decimal digits to prove.

    Raises:
        InvalidValueError: k is not a positive integer, h ≤ −1, β ≤ 0, `sided` is neither, or digits < 1 or absurd.

    Source: Shirodkar 2026, Dead Directions, thm:nu_universality; Watanabe 2009, Section 6.3. Closed forms and error
    bound are derived here.

    >>> singular_fluctuation(1).contains(Fraction(1, 2))  # regular
    True
    >>> nu = singular_fluctuation(2, digits=50)
    >>> str(nu)[:42], nu.radius < Fraction(1, 10**50)
    ('0.1729732674341603342775731091409818353673', True)
    """
    k = whole_number(
        k,
        "k",
        advice="The order of an analytic K is whole: K ~ c s^(2k). For another exponent give λ itself to "
        "fluctuation_from_lambda.",
    )
    h = rational(prior_exponent, "the prior exponent h")
    if h <= -1:
        raise InvalidValueError(
            f"The prior exponent h = {h} is not above −1, so the prior |s|^h has infinite mass at 0 and the posterior "
            "cannot be normalised."
        )
    _check_sided(sided)
    return fluctuation_from_lambda((h + 1) / (2 * k), "two" if sided == "two" and k % 2 else "one", beta, digits)


def fluctuation_from_lambda(lam: Any, sided: Sided = "two", beta: Any = 1, digits: int = 30) -> Enclosure:
    r"""The singular fluctuation that belongs to a learning coefficient λ, on a half-line or on a line.

    A realisable model with a scalar feature, f = x·g(w), has the ν of its λ(K), "one"-sided when g keeps its sign and
    "two"-sided when {0 < g < ε} and {−ε < g < 0} have volumes with the same leading term, whatever the number of
    parameters and the multiplicity. A product of powers on a symmetric box is one or the other. g = x² − y³ is neither:
    it changes sign, λ = 5/12, but its volumes are as √3 to 1, and its ν is not a value of this function.

    Raises:
        InvalidValueError: λ ≤ 0, β ≤ 0, `sided` is neither, or digits < 1 or absurd.

    >>> f"{float(fluctuation_from_lambda('1/4', 'two')):.12f}"
    '0.348687383314'
    """
    exponent = 2 * rational(lam, "the learning coefficient λ")
    if exponent <= 0:
        raise InvalidValueError(f"λ = {exponent / 2} is not positive: |v|^(2λ−1) cannot be normalised at v = 0.")
    temperature = rational(beta, "the inverse temperature β")
    if temperature <= 0:
        raise InvalidValueError(f"The inverse temperature β = {temperature} is not positive. β = 1 is Bayes.")
    for what, value in (("λ", exponent), ("β", temperature)):
        if not _LARGEST**-1 < value < _LARGEST:
            raise InvalidValueError(
                f"{what} is outside 10^±{len(str(_LARGEST)) - 1}, where step sizes are no floats any more."
            )
    _check_sided(sided)
    digits = check_digits(digits, _COST)

    def compute(precision: int) -> arb:
        moment = log_partition_moment(exponent, sided, temperature, precision)
        with working(precision + 40):
            return moment / (2 * ball(temperature))

    smaller = max(exponent.denominator // exponent.numerator, temperature.denominator // temperature.numerator, 1)
    return to_digits(compute, digits, guard=8 + smaller.bit_length())  # ν is about a for small a


def frozen_fluctuation(lam: Any, sided: Sided = "two", digits: int = 30) -> Enclosure:
    r"""½ Var(v) at ξ = 0, the value without noise in the data: λ, minus (Γ(λ + ½)/Γ(λ))² when one-sided.

    In the scale of thm:nu_universality, η^k = v/√2: η^{2k} ~ Gamma(λ, 1) at Z = 0. It does not depend on β.

    Raises:
        InvalidValueError: λ ≤ 0, `sided` is neither, or digits < 1 or absurd.

    >>> frozen_fluctuation("1/4", "two").midpoint
    Fraction(1, 4)
    >>> f"{float(frozen_fluctuation('1/4', 'one')):.12f}"
    '0.135763354739'
    """
    exponent = 2 * rational(lam, "the learning coefficient λ")
    if exponent <= 0:
        raise InvalidValueError(f"λ = {exponent / 2} is not positive: |v|^(2λ−1) cannot be normalised at v = 0.")
    _check_sided(sided)
    digits = check_digits(digits)
    if sided == "two":
        return Enclosure(exponent / 2)

    def compute(precision: int) -> arb:
        with working(precision):
            return frozen_ball(exponent)

    return to_digits(compute, digits)


def frozen_ball(a: Fraction) -> arb:
    """½ (a − c²), c = √2 Γ((a+1)/2)/Γ(a/2), at the working precision: the one-sided frozen value."""
    return (ball(a) - mean_at_zero(a) ** 2) / 2


def _check_sided(sided: str) -> None:
    choice(sided, "sided", {"two": "both signs", "one": "a half-line"})
