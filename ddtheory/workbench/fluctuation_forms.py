r"""Closed forms of the renormalised posterior in sympy: the partition function, its mean and its variance.

The density is |v|^{a−1} exp(ηv − v²/2), v ∈ ℝ or v ≥ 0, normalised so that M(0) = 1. The power series
M(η) = Σ c_n η^n has the moments of the density at η = 0 in its coefficients, c_n = E_0[v^n]/n!, and obeys
(n + 2)(n + 1) c_{n+2} = (n + a) c_n, that is M'' = ηM' + aM.
"""

from __future__ import annotations

import sympy
from sympy import Expr, Rational, Symbol, gamma, hyper, sqrt

from ddtheory.exact.fluctuation.partition import Sided


def partition(a: Expr, eta: Expr, sided: Sided = "two") -> Expr:
    """M(η), M(0) = 1: 1F1(a/2; 1/2; η²/2), plus c η 1F1((a+1)/2; 3/2; η²/2) on a half-line.

    The half-line form is e^{η²/4} D_{−a}(−η) up to its value at 0 (DLMF 12.7.12–12.7.13, 12.4.1).

    >>> a, eta = sympy.symbols("a eta", positive=True)
    >>> sympy.simplify(sympy.hyperexpand(partition(sympy.Integer(1), eta)))  # N(0, 1)
    exp(eta**2/2)
    """
    z = eta**2 / 2
    even = hyper((a / 2,), (Rational(1, 2),), z)
    if sided == "two":
        return even
    return even + mean_at_zero(a) * eta * hyper(((a + 1) / 2,), (Rational(3, 2),), z)


def mean_at_zero(a: Expr) -> Expr:
    """c = √2 Γ((a+1)/2)/Γ(a/2), the mean of the half-line density at η = 0."""
    return sqrt(2) * gamma((a + 1) / 2) / gamma(a / 2)


def mean(a: Expr, eta: Expr, sided: Sided = "two") -> Expr:
    """m(η) = M'(η)/M(η)."""
    variable = Symbol("eta_", real=True)
    function = partition(a, variable, sided)
    return (sympy.diff(function, variable) / function).subs(variable, eta)


def variance(a: Expr, eta: Expr, sided: Sided = "two") -> Expr:
    """Var_η(v) = a + m(η − m), by the Riccati equation of the mean."""
    first = mean(a, eta, sided)
    return a + first * (eta - first)


def coefficient(a: Expr, n: Expr) -> Expr:
    """c_n of M(η) = Σ c_n η^n on the half-line; on the line the even ones are the same and the odd ones vanish.

    >>> sympy.simplify(coefficient(sympy.Integer(1), sympy.Integer(2)))  # E v²/2 of the half-normal law
    1/2
    """
    return 2 ** (n / 2) * gamma((n + a) / 2) / (gamma(a / 2) * gamma(n + 1))


def frozen(a: Expr, sided: Sided = "two") -> Expr:
    """½ Var_0(v): a/2 on the line, a/2 − (Γ((a+1)/2)/Γ(a/2))² on the half-line.

    >>> frozen(sympy.Rational(1, 2), "two")
    1/4
    """
    if sided == "two":
        return a / 2
    return (a - mean_at_zero(a) ** 2) / 2


def gaussian_moment(order: Expr) -> Expr:
    """E ξ^{2·order} = 2^order Γ(order + ½)/√π for ξ ~ N(0, 1).

    >>> gaussian_moment(sympy.Integer(2))
    3
    """
    return 2**order * gamma(order + Rational(1, 2)) / sqrt(sympy.pi)


def gaussian_mean(polynomial: Expr, xi: Symbol) -> Expr:
    """E_ξ of a polynomial in ξ ~ N(0, 1), power by power.

    >>> xi, c = Symbol("xi", real=True), Symbol("c")
    >>> gaussian_mean(xi**4 + c * xi**3 + c * xi**2, xi)
    c + 3
    """
    terms = sympy.Poly(sympy.expand(polynomial), xi).terms()
    return sympy.Add(*[value * gaussian_moment(Rational(power, 2)) for (power,), value in terms if power % 2 == 0])
