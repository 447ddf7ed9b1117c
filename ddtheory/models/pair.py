"""From generators to (λ, m): one derivation, or two that bound it where the generators are not known to be all."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sympy
from sympy import Expr, Symbol

from ddtheory.errors import DDTheoryError, NotAnalyticError, UndecidedError
from ddtheory.exact.thresholds.analytic.jets import jet
from ddtheory.exact.thresholds.derivation import Derivation
from ddtheory.exact.thresholds.nodes import Bound
from ddtheory.exact.thresholds.rlct import rlct
from ddtheory.models.generators import Generators
from ddtheory.models.remainders import remainders
from ddtheory.models.units import expanded
from ddtheory.shown import Shown
from ddtheory.values import RLCT

_ORDERS = (3, 4, 6, 8, 10)


@dataclass(frozen=True, repr=False)
class ModelPair(Shown):
    """(λ, m) of a model at a true parameter, with the way from the model to it.

    Attributes:
        generators: of the divergence, with the proof that K ≍ Σ f².
        derivation: of the pair of the generators; a bound from below where they are not complete.
        above: where the generators are not complete, a derivation for an ideal that contains all of them, if there is.
    """

    generators: Generators
    derivation: Derivation
    above: Derivation | None = None

    def __post_init__(self) -> None:
        """Two proven bounds that exclude each other are a mistake of this package, and no answer."""
        super().__post_init__()
        lower, upper = self.lower, self.upper
        crossed = lower.value == upper.value and lower.m is not None and upper.m is not None and lower.m < upper.m
        if lower.value > upper.value or crossed:
            raise UndecidedError(
                f"The bounds contradict each other: (λ, m) from {_value(lower)}, {lower.m} up to {_value(upper)}, "
                f"{upper.m}. One of them is wrong; please report this model. Its generators alone are in .generators()."
            )

    @property
    def lower(self) -> Bound:
        """A proven lower bound on (λ, m) in the order of dominance."""
        return self.derivation.lower

    @property
    def upper(self) -> Bound:
        """A proven upper bound on (λ, m) in the order of dominance; λ = ∞ where there is none."""
        if self.generators.complete:
            return self.derivation.upper
        return Bound(math.inf, 1) if self.above is None else self.above.upper

    @property
    def status(self) -> str:
        """Whether the bounds meet: `exact`, or else `bounds`."""
        return "exact" if self.lower == self.upper and self.lower.m is not None else "bounds"

    @property
    def rlct(self) -> RLCT | None:
        """(λ, m) when it is exact, else None."""
        if self.status != "exact" or not isinstance(self.lower.value, Fraction):
            return None
        return RLCT(self.lower.value, self.lower.m or 1)

    @property
    def open(self) -> str:
        """What is not decided; empty when the pair is exact."""
        if self.status == "exact":
            return ""
        return self.generators.open or self.derivation.open

    @property
    def checked(self) -> bool:
        """Whether the independent checker accepts the certificates, which begin with the generators."""
        return self.derivation.checked and (self.above is None or self.above.checked)

    def explain(self) -> str:
        """From the model to the generators, and from them to the pair."""
        lines = ["From the model to generators:", self.generators.explain(), ""]
        if self.generators.complete:
            return "\n".join([*lines, self.derivation.explain()])
        lines += ["From below, by these generators:", self.derivation.explain()]
        if self.above is not None:
            lines += ["", "From above, by an ideal that contains all generators:", self.above.explain()]
        return "\n".join([*lines, "", f"Together: {self}"])

    def summary(self) -> dict[str, Any]:
        """The answer as plain data: that of the derivation, with the generators and what is open about them."""
        found = self.derivation.summary()
        bounds = {name: {"lambda": _value(b), "multiplicity": b.m} for name, b in self._bounds().items()}
        pair = self.rlct
        return {
            "lambda": str(pair.lam) if pair else None,
            "multiplicity": pair.m if pair else None,
            "status": self.status,
            **bounds,
            "open": self.open,
            "generators": [str(entry) for entry in self.generators.expressions],
            "linear": [str(entry) for entry in self.generators.linear],
            "proof": list(self.generators.proof),
            "complete": self.generators.complete,
            "rules": found["rules"],
            "assumed": found["assumed"],
            "checked": self.checked,
        }

    def _bounds(self) -> dict[str, Bound]:
        return {"lower": self.lower, "upper": self.upper}

    def __str__(self) -> str:
        pair = self.rlct
        if pair is not None:
            return f"λ = {pair.lam}, m = {pair.m}"
        if self.lower.value == self.upper.value:
            return f"λ = {_value(self.lower)}, m is open"
        return f"{_value(self.lower)} ≤ λ ≤ {_value(self.upper)}"

    def latex(self) -> str:
        pair = self.rlct
        if pair is not None:
            return pair.latex()
        return rf"{_value(self.lower)} \le \lambda \le {_value(self.upper)}".replace("∞", r"\infty")

    def rows(self) -> Mapping[str, str]:
        found = {
            "λ, m": str(self),
            "status": self.status,
            "generators": str(self.generators),
            "rules": ", ".join(self.derivation.rules),
            "open": self.open,
        }
        return {name: text for name, text in found.items() if text}


def _value(bound: Bound) -> str:
    return "∞" if bound.is_infinite else str(bound.value)


def complete_pair(found: Generators, at: Mapping[str, Expr], seconds: float, **options: Any) -> ModelPair:
    """The pair of generators that are all of them."""
    if found.linear:
        whole = sympy.Add(*[f**2 for f in found.expressions], *found.linear)
        return ModelPair(found, rlct(whole, seconds=seconds, **occurring([whole], at, options)))
    listed = list(found.expressions)
    return ModelPair(found, rlct(generators=listed, seconds=seconds, **occurring(listed, at, options)))


def bounded_pair(
    generators: Callable[[int], Generators],
    functions: Sequence[Expr],
    coordinates: Sequence[Symbol],
    at: Mapping[str, Expr],
    seconds: float,
    **options: Any,
) -> ModelPair:
    """The pair of generators of which only some are known, between two bounds that are tightened while there is time.

    With I_N ⊂ I the ideal of the coefficients up to degree N, λ(I) ≥ λ(I_N). With J generated by the Taylor polynomials
    of degree M − 1 in the parameters, I ⊂ J + R, R the monomials that may stand in the remainder, and λ(I) ≤ λ(J + R):
    see `remainders`.

    Args:
        generators: N → those up to degree N.
        functions: the functions of parameters and inputs whose ideal is asked for.
    """
    end = time.monotonic() + seconds
    below: list[tuple[Generators, Derivation]] = []
    above: list[Derivation] = []
    trouble: DDTheoryError | None = None
    for order in _ORDERS:
        left = end - time.monotonic()
        if below and left < seconds / 8:
            break
        patience = max(left, 1) / 4
        found = generators(order)
        if found.expressions:  # else the first coefficients vanish, and say nothing
            try:
                listed = list(found)
                below.append((found, rlct(generators=listed, seconds=patience, **occurring(listed, at, options))))
            except (NotAnalyticError, UndecidedError) as error:
                trouble = error
        larger = _above(functions, coordinates, at, order, patience, options)
        above += [] if larger is None else [larger]
        if below:
            best = ModelPair(
                *max(below, key=lambda one: (one[1].lower.value, -(one[1].lower.m or math.inf))),
                min(above, key=lambda one: (one.upper.value, -(one.upper.m or 0)), default=None),
            )
            if best.status == "exact":
                break
    if not below:
        raise trouble or UndecidedError(
            f"All coefficients of degree ≤ {_ORDERS[-1]} in the inputs vanish, so there are no bounds. Give points as "
            "inputs, or check that the model depends on its parameters."
        )
    return best


def _above(
    functions: Sequence[Expr],
    parameters: Sequence[Symbol],
    at: Mapping[str, Expr],
    order: int,
    seconds: float,
    options: Mapping[str, Any],
) -> Derivation | None:
    """A derivation for J + R; None where the Taylor polynomials are not found, or there is none that is not 0."""
    steps = {w: at.get(w.name, sympy.Integer(0)) for w in parameters}
    there = {w: w + step for w, step in steps.items()}
    back = {w: w - step for w, step in steps.items()}
    try:
        moved = [function.subs(there, simultaneous=True) for function in functions]
        larger = [f for function in moved for f in _by_function(function, parameters, order - 1)]
        larger += {f: None for function in moved for f in remainders(function, parameters, order)}
        listed = [f.subs(back, simultaneous=True) for f in larger]
        if not listed:  # no Taylor polynomial and no remainder: nothing is known from above
            return None
        return rlct(generators=listed, seconds=seconds, **occurring(listed, at, options))
    except (NotAnalyticError, UndecidedError):
        return None


def _by_function(function: Expr, parameters: Sequence[Symbol], degree: int) -> Iterator[Expr]:
    """q_k of the Taylor polynomial Σ q_k(w) ψ_k(x), where the ψ_k are products of functions of the inputs."""
    found: dict[Expr, Expr] = {}
    for monomial, coefficient in jet(function, parameters, degree).items():
        power = sympy.Mul(*[w**n for w, n in zip(parameters, monomial, strict=True)])
        for term in sympy.Add.make_args(expanded(coefficient)):
            constant, own = term.as_independent(*term.free_symbols, as_Add=False) if term.free_symbols else (term, 1)
            found[own] = found.get(own, sympy.Integer(0)) + constant * power
    yield from (entry for entry in found.values() if entry != 0)


def occurring(listed: Sequence[Expr], at: Mapping[str, Expr], options: Mapping[str, Any]) -> dict[str, Any]:
    """The point, prior, boundary and constants of what occurs: other parameters are flat, and change no pair."""
    names = {symbol.name for entry in listed for symbol in entry.free_symbols}
    found: dict[str, Any] = {"at": {name: value for name, value in at.items() if name in names}}
    if prior := {name: h for name, h in (options.get("prior") or {}).items() if name in names}:
        found["prior"] = prior
    if sides := [name for name in options.get("nonnegative") or () if name in names]:
        found["nonnegative"] = sides
    if held := [symbol for symbol in options.get("parameters") or () if symbol.name in names]:
        found["parameters"] = held
    return found
