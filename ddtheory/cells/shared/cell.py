"""What a cell is: one singular model with two faces that are built independently of each other.

The symbolic face is K in coordinates; the torch face is a problem that can be measured. A test ties them: K
estimated on the torch face must equal the symbolic K near the point. Beside them stands what is known of (λ, m) at
that very point, and over the whole parameter space where that is another pair.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ddtheory.cells.shared.truth import Provenance, Route, Truth, establish
from ddtheory.errors import DirectionError, InvalidValueError, NotADivergenceError, unknown
from ddtheory.exact.numbers.given import whole_number
from ddtheory.exact.numbers.zero import is_zero
from ddtheory.exact.orders.ray import kl_order
from ddtheory.extras import need
from ddtheory.fields import require, require_each, require_mapping
from ddtheory.shown import Shown
from ddtheory.values import RLCT, Citation, Enclosure, Kind, KLOrder

if TYPE_CHECKING:
    from sympy import Expr, Symbol
    from torch import Tensor

    from ddtheory.cells.shared.sampling import Sample
    from ddtheory.exact.thresholds.derivation import Derivation
    from ddtheory.measure import Problem

_ENTRY = re.compile(r"(?P<parameter>.+?)\[(?P<index>\d+(?:,\d+)*)\]")


class Relation(StrEnum):
    """How the symbolic K stands to the K of the torch face."""

    EQUAL = "equal"
    ASYMPTOTIC = "asymptotically equal"  # the ratio tends to 1 at the point
    BELOW = "below"  # the symbolic K is nowhere larger than that of the torch face


@dataclass(frozen=True)
class SymbolicFace:
    """K in coordinates, which are shifts from θ0.

    Attributes:
        divergence: K in nats.
        coordinates: coordinate symbol → the entry of a torch parameter that it shifts: "b" (all of a parameter of one
            element) or "first.weight[0,2]".
        generators: f_i with K ≍ Σ f_i² near the point; empty when K itself is all there is.
    """

    divergence: Expr
    coordinates: Mapping[Symbol, str]
    generators: tuple[Expr, ...] = ()

    def __post_init__(self) -> None:
        from sympy import Expr, Symbol

        require(self, Expr, "divergence")
        require_each(self, Expr, "generators")
        require_mapping(self, Symbol, str, "coordinates")


@dataclass(frozen=True)
class Size:
    """How large a symbolic face is, known before it is written out.

    Attributes:
        coordinates: how many there are.
        terms: of the sum that K is: one for an output, or for an outcome.
    """

    coordinates: int
    terms: int

    def __post_init__(self) -> None:
        for name in ("coordinates", "terms"):
            object.__setattr__(self, name, whole_number(getattr(self, name), name, least=0))


_FEW = 6  # coordinates of a K that is shown as a formula

_MANY = 200
"""Of coordinates or terms: with more K takes seconds to write out, and then minutes."""


@dataclass(frozen=True, repr=False)
class Cell(Shown):
    """A constructed singular model, at its true parameter θ0 = 0 in the cell's coordinates.

    Attributes:
        name: the family and its arguments, e.g. "gaussian_location(k=2)".
        symbolic: makes the symbolic face; called when somebody first asks for `divergence`, `coordinates` or
            `generators`.
        directions: named directions that people ask about, by coordinate name.
        source: where the model is studied.
        build: seed → the torch face.
        size: of the symbolic face, in families where it grows.
        prior: exponents h of a prior ∏ |w|^h, 0 where missing.
        boundary: coordinates that the model confines to ≥ 0.
        relation: how `divergence` stands to the K of the torch face.
        routes: the ways to (λ, m) at the point, see `truth`.
        elsewhere: the ways to the pair over the whole parameter space, where it is known to be another one.
        provenance: how the closed form was obtained.
        fluctuation: digits → ν at β = 1, where it is known.
        finite: (nβ, digits) → the exact finite-temperature learning coefficient, where it is computable.
        localised: (nβ, γ, digits) → the same on all of ℝ^d under e^{−γ‖w − θ0‖²/2}, where it is computable.
        statistic: (outputs at the truth, generator) → labels, for heads whose labels cannot be drawn from the outputs.
        remark: a trap, or what the cell is good for.
    """

    name: str
    symbolic: Callable[[], SymbolicFace]
    directions: Mapping[str, Mapping[str, int]]
    source: Citation
    build: Callable[[int], Problem]
    size: Size | None = None
    prior: Mapping[Symbol, Fraction | int] = field(default_factory=dict["Symbol", "Fraction | int"])
    boundary: tuple[Symbol, ...] = ()
    relation: Relation = Relation.EQUAL
    routes: tuple[Route, ...] = ()
    elsewhere: tuple[Route, ...] = ()
    provenance: Provenance = Provenance.DERIVATION
    fluctuation: Callable[[int], Enclosure] | None = None
    finite: Callable[[Any, int], Enclosure] | None = None
    localised: Callable[[Any, Any, int], Enclosure] | None = None
    statistic: Callable[[Tensor, Any], Tensor] | None = None
    remark: str = ""
    family: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def __post_init__(self) -> None:
        require(self, str, "name")
        object.__setattr__(self, "name", str.__str__(self.name))
        if not self.name:
            raise InvalidValueError("The cell has no name. Give it one: messages, tables and exports call it by it.")

    def __str__(self) -> str:
        return self.name

    def latex(self) -> str:
        """K where it is short, and (λ, m), as LaTeX without dollars."""
        from sympy import latex

        sign = {Relation.EQUAL: "=", Relation.ASYMPTOTIC: r"\sim", Relation.BELOW: r"\geq"}[self.relation]
        divergence = "" if self.dimension > _FEW else rf"K {sign} {latex(self.divergence)},\quad "
        if self.rlct is not None:
            return divergence + self.rlct.latex()
        lower, upper = (str(bound.lam) if bound else other for bound, other in self._bounds("0", r"\infty"))
        return divergence + rf"{lower} \le \lambda \le {upper}"

    def rows(self) -> Mapping[str, str]:
        if self.rlct is not None:
            pair = f"{self.rlct.lam}, {self.rlct.m}  ({self.truth.status.value})"
        else:
            pair = " … ".join(str(bound.lam) if bound else other for bound, other in self._bounds("0", "∞"))
        formula = {"K": self._repr_latex_()} if self.dimension <= _FEW else {}
        found = {"cell": self.name, **formula, "λ, m": pair, "source": str(self.source), "remark": self.remark}
        return {name: text for name, text in found.items() if text}

    def _bounds(self, below: str, above: str) -> Iterator[tuple[RLCT | None, str]]:
        """The bounds on λ, each with what stands for one that is not known."""
        yield self.truth.lower, below
        yield self.truth.upper, above

    @cached_property
    def face(self) -> SymbolicFace:
        """The symbolic face, made once."""
        return self.symbolic()

    @property
    def divergence(self) -> Expr:
        """K in nats, in the coordinates."""
        return self.face.divergence

    @property
    def coordinates(self) -> Mapping[Symbol, str]:
        """Coordinate symbol → the entry of a torch parameter that it shifts."""
        return self.face.coordinates

    @property
    def generators(self) -> tuple[Expr, ...]:
        """f_i with K ≍ Σ f_i² near the point; empty when K itself is all there is."""
        return self.face.generators

    @property
    def dimension(self) -> int:
        """How many coordinates there are; where the family knows, nothing is written out for it."""
        return len(self.coordinates) if self.size is None else self.size.coordinates

    @property
    def large(self) -> bool:
        """Whether the symbolic face takes long to write out, and is not shown unless it is asked for."""
        return self.size is not None and max(self.size.coordinates, self.size.terms) > _MANY

    @cached_property
    def truth(self) -> Truth:
        """(λ, m) at the point of the torch face, with the routes that agree on it.

        Raises:
            UndecidedError: the routes contradict each other.
        """
        return establish(self.name, self.routes)

    @cached_property
    def global_truth(self) -> Truth:
        """(λ, m) over the whole parameter space, the dominating pair of all true parameters.

        It is the pair at the point for cells that record no other.

        Raises:
            UndecidedError: the routes contradict each other.
        """
        return establish(f"{self.name}, globally", self.elsewhere) if self.elsewhere else self.truth

    @property
    def rlct(self) -> RLCT | None:
        """(λ, m) at the point, None when only bounds are known."""
        return self.truth.rlct

    def derivation(self, seconds: float = 20) -> Derivation:
        """(λ, m) of the symbolic face by the general machine of `exact.threshold`, or its bounds, with a certificate.

        It knows nothing of the routes: it is a third opinion, for cells of few coordinates.
        """
        from ddtheory.exact.thresholds.rlct import rlct

        prior = {symbol: Fraction(h) for symbol, h in self.prior.items()} or None
        if self.generators:
            return rlct(generators=self.generators, prior=prior, nonnegative=self.boundary, seconds=seconds)
        return rlct(self.divergence, prior=prior, nonnegative=self.boundary, seconds=seconds)

    def singular_fluctuation(self, digits: int = 15) -> Enclosure:
        """The singular fluctuation ν at β = 1.

        Raises:
            InvalidValueError: it is not known for this cell.
        """
        if self.fluctuation is None:
            raise InvalidValueError(f"The singular fluctuation of {self.name} is not known in closed form.")
        return self.fluctuation(digits)

    def finite_n(self, n_beta: Any, digits: int = 6, *, localisation: Any = None) -> Enclosure:
        """λ(nβ) = nβ E[K] under a uniform prior (or the cell's own |w|^h) on the box of half width 1 around the point.

        It is this number, and not λ, that a sampler at (n, β) estimates.

        Args:
            localisation: γ, for e^{−γ‖w − θ0‖²/2} on ℝ^d in place of the box.

        Raises:
            InvalidValueError: it cannot be computed exactly for this cell.
        """
        if localisation is not None:
            if self.localised is None:
                raise InvalidValueError(f"The exact value of {self.name} under a localisation is not computable here.")
            return self.localised(n_beta, localisation, digits)
        if self.finite is None:
            raise InvalidValueError(
                f"The exact finite-n value of {self.name} is not computable here: K must be a normal crossing, a sum "
                "of them on separate variables, or a polynomial in at most three variables."
            )
        return self.finite(n_beta, digits)

    def problem(self, seed: int = 0) -> Problem:
        """The torch face: model, true parameter, data and head, in float64.

        Raises:
            MissingExtraError: torch is not installed.
        """
        need("torch", f"The torch face of {self.name}")
        return self.build(seed)

    def sample(self, count: int, seed: int = 0) -> Sample:
        """Draws inputs and labels from the true model, for estimators that need data; see `sampling.draw`."""
        from ddtheory.cells.shared.sampling import draw

        return draw(self.problem(seed), count, seed, self.statistic)

    def kl_order(self, along: str | Mapping[str, Any], *, arc: bool = True) -> KLOrder:
        """The exact order of K along a direction, given by its name in the cell or by components.

        Raises:
            UnknownNameError: the cell has no direction of that name.
        """
        components, parameters = self._components(along), self.divergence.free_symbols - set(self.coordinates)
        if arc:
            return kl_order(self.divergence, components, parameters=parameters)
        return self._order_on_ray(components, parameters)

    def _order_on_ray(self, components: Mapping[str, Any], parameters: set[Symbol]) -> KLOrder:
        """The order along the ray alone, from K as a function of one variable: models with a hundred stay quick."""
        import sympy

        time = sympy.Symbol("tau", real=True)
        steps = {symbol: time * components.get(symbol.name, 0) for symbol in self.coordinates}
        on_ray = self.divergence.xreplace(steps)  # all at once, and much faster than subs
        if time not in on_ray.free_symbols:
            if is_zero(on_ray):
                return KLOrder(Kind.FLAT, None, None, None, "K does not contain the coordinates that move.")
            raise NotADivergenceError(f"K of {self.name} is {on_ray} at the point, not 0.")
        found = kl_order(on_ray, {time: 1}, parameters=parameters & on_ray.free_symbols, arc=False)
        if found.leading is None:
            return found
        exponent = 2 * sympy.sympify(found.k)
        norm = sympy.sqrt(sympy.Add(*[sympy.sympify(value) ** 2 for value in components.values()]))
        return replace(found, leading=sympy.simplify(found.leading / norm**exponent))

    def torch_direction(self, along: str | Mapping[str, Any]) -> dict[str, Any]:
        """The same direction for the torch face: parameter name → tensor, unit length up to the caller's measure."""
        truth = self.problem().truth
        return self._fill({name: value.new_zeros(value.shape) for name, value in truth.items()}, along)

    def torch_point(self, point: Mapping[str, float]) -> dict[str, Tensor]:
        """The torch parameters at a point given in coordinates: θ0 shifted by them."""
        moved = {name: value.clone() for name, value in self.problem().truth.items()}
        return self._fill(moved, point)

    def _fill(self, tensors: dict[str, Tensor], along: str | Mapping[str, Any]) -> dict[str, Tensor]:
        names = {symbol.name: entry for symbol, entry in self.coordinates.items()}
        touched: set[str] = set()
        for name, value in self._components(along).items():
            if name not in names:
                raise DirectionError(f"{self.name} has no coordinate {name}; it has {', '.join(sorted(names))}.")
            parameter, index = _entry(names[name])
            touched.add(parameter)
            tensors[parameter][index] += float(value)
        return {name: tensors[name] for name in tensors if name in touched}

    def _components(self, along: str | Mapping[str, Any]) -> Mapping[str, Any]:
        if not isinstance(along, str):
            return {str(name): value for name, value in along.items()}
        if along not in self.directions:
            raise unknown(f"direction of {self.name}", along, self.directions)
        return self.directions[along]


def _entry(name: str) -> tuple[str, Any]:
    """The parameter and the index of an entry.

    >>> _entry("first.weight[0,2]"), _entry("b")
    (('first.weight', (0, 2)), ('b', Ellipsis))
    """
    found = _ENTRY.fullmatch(name)
    if found is None:
        return name, ...
    return found["parameter"], tuple(int(part) for part in found["index"].split(","))
