"""Germs of ideals and the tree of nodes, as read from a certificate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

from ddtheory.certify import strict_json
from ddtheory.certify.bounds import Bounds
from ddtheory.certify.fields import Field
from ddtheory.certify.limits import DEEPEST, MOST_VARIABLES, spend, within
from ddtheory.certify.polyhedra import Polyhedron
from ddtheory.certify.polynomials import Exponent, Polynomial, equal, on
from ddtheory.certify.refusal import Refused, require


@dataclass(frozen=True)
class Germ:
    """The ideal ⟨generators⟩ near 0 with prior ∏|x_i|^{prior_i}, on x_i ≥ 0 where nonnegative_i; over ℚ or a field."""

    variables: tuple[str, ...]
    generators: tuple[Polynomial, ...]
    prior: tuple[Fraction, ...]
    nonnegative: tuple[bool, ...]
    field: Field | None = None

    @property
    def dimension(self) -> int:
        return len(self.variables)

    @property
    def tau(self) -> tuple[Fraction, ...]:
        """h + 1."""
        return tuple(h + 1 for h in self.prior)

    @property
    def exponents(self) -> frozenset[Exponent]:
        return frozenset(exponent for generator in self.generators for exponent in generator)

    @cached_property
    def polyhedron(self) -> Polyhedron:
        """The Newton polyhedron of all exponents."""
        return Polyhedron.of(self.exponents)

    def is_free(self, index: int) -> bool:
        """Neither prior weight nor boundary: any coordinate may take the place of this one."""
        return self.prior[index] == 0 and not self.nonnegative[index]

    def on(self, kept: Sequence[int], generators: Sequence[Polynomial]) -> Germ:
        """In some of the variables, with generators that use no others."""
        return Germ(
            tuple(self.variables[i] for i in kept),
            tuple(on(generator, kept) for generator in generators),
            tuple(self.prior[i] for i in kept),
            tuple(self.nonnegative[i] for i in kept),
            self.field,
        )

    def with_generators(self, generators: Sequence[Polynomial]) -> Germ:
        return replace(self, generators=tuple(generators))

    def difference(self, other: Germ) -> str:
        """What distinguishes two germs, empty when they are the same."""
        if self.dimension != other.dimension:
            return "the number of variables"
        for what in ("variables", "prior", "nonnegative", "field"):
            if getattr(self, what) != getattr(other, what):
                return f"the {what}"
        if len(self.generators) != len(other.generators):
            return "the number of generators"
        for number, (mine, theirs) in enumerate(zip(self.generators, other.generators, strict=True)):
            if not equal(mine, theirs):
                return f"generator {number}"
        return ""


@dataclass(frozen=True)
class Node:
    """One application of a rule, with what it claims.

    Attributes:
        path: where in the certificate it stands.
        parameters: variables whose value is arbitrary: the claim is the dominating pair over all these points.
        one_signed: there is one generator, and it is known (or assumed at the root) not to change sign.
    """

    path: str
    rule: str
    germ: Germ
    claim: Bounds
    data: Mapping[str, Any]
    children: tuple[Node, ...]
    parameters: frozenset[int] = frozenset()
    one_signed: bool = False

    @cached_property
    def generator(self) -> Polynomial:
        """The only generator."""
        require(len(self.germ.generators) == 1, "the rule is for one generator")
        return self.germ.generators[0]

    def have(self, *needed: str, optional: Sequence[str] = ()) -> Mapping[str, Any]:
        """The data, with these entries and no unknown ones."""
        return strict_json.entries(self.data, "data", needed, optional)

    def polynomials(self, value: Any, what: str, length: int | None = None) -> list[Polynomial]:
        """A list of polynomials in the variables of the germ."""
        return [self.polynomial(entry, f"an entry of {what}") for entry in strict_json.items(value, what, length)]

    def polynomial(self, value: Any, what: str) -> Polynomial:
        return strict_json.polynomial(value, what, self.germ.dimension, self.germ.field)

    def renumbered(self, kept: Sequence[int]) -> frozenset[int]:
        """The parameters among the kept variables, by their new places."""
        return frozenset(place for place, index in enumerate(kept) if index in self.parameters)

    def only_child(self) -> Node:
        require(len(self.children) == 1, f"the rule has one child, not {len(self.children)}")
        return self.children[0]

    def must_be(self, germ: Germ, parameters: frozenset[int] = frozenset()) -> None:
        """Refuse unless this child is the germ that the rule leads to."""
        what = germ.difference(self.germ)
        require(not what, f"the child at {self.path} is not the germ that the rule leads to: {what} differs")
        require(self.parameters == parameters, f"the child at {self.path} has other parameters than the rule leaves")


class Malformed(Exception):
    """Something that cannot be read, and where."""

    def __init__(self, path: str, rule: str, reason: str) -> None:
        super().__init__(reason)
        self.path, self.rule, self.reason = path, rule, reason


def read_germ(value: Any) -> Germ:
    found = strict_json.entries(value, "a germ", ("variables", "generators", "prior", "nonnegative", "field"))
    names = tuple(
        strict_json.text(name, "the name of a variable") for name in strict_json.items(found["variables"], "variables")
    )
    require(len(set(names)) == len(names), "two variables have one name")
    within(len(names), MOST_VARIABLES, "variables")
    over = strict_json.field(found["field"])
    prior = tuple(strict_json.rationals(found["prior"], "the prior", len(names)))
    require(all(h > -1 for h in prior), "a prior exponent is not above −1")
    sides = strict_json.items(found["nonnegative"], "nonnegative", len(names))
    return Germ(
        names,
        tuple(
            strict_json.polynomial(generator, f"generator {number}", len(names), over)
            for number, generator in enumerate(strict_json.items(found["generators"], "generators"))
        ),
        prior,
        tuple(strict_json.truth(side, "an entry of nonnegative") for side in sides),
        over,
    )


def read_node(value: Any, path: str, one_signed: bool, keeps_sign: frozenset[str], depth: int = 0) -> Node:
    """The tree below a node; `keeps_sign` are the rules that hand a generator of one sign on to their child."""
    rule = value.get("rule") if isinstance(value, Mapping) else None
    name = rule if isinstance(rule, str) else ""
    try:
        spend()
        within(depth, DEEPEST, "steps below each other: the derivation is too deep")
        found = strict_json.entries(
            value, "a node", ("rule", "germ", "lower", "upper", "data", "children"), ("parameters", "says")
        )
        strict_json.text(rule, "the name of a rule")
        germ = read_germ(found["germ"])
        claim = Bounds(strict_json.bound(found["lower"], "lower"), strict_json.bound(found["upper"], "upper"))
        parameters = frozenset(strict_json.indices(found.get("parameters", []), "parameters", germ.dimension))
        children = strict_json.items(found["children"], "children")
    except Refused as refused:
        raise Malformed(path, name, str(refused)) from None
    one_signed = one_signed and len(germ.generators) == 1
    return Node(
        path,
        name,
        germ,
        claim,
        found["data"],
        tuple(
            read_node(child, f"{path}/children/{k}", one_signed and name in keeps_sign, keeps_sign, depth + 1)
            for k, child in enumerate(children)
        ),
        parameters,
        one_signed,
    )
