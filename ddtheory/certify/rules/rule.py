"""The rules by name. A rule looks at one node, trusts the claims of its children, and says what follows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ddtheory.certify.bounds import Bounds
from ddtheory.certify.germs import Node

Check = Callable[[Node], Bounds]


@dataclass(frozen=True)
class Rule:
    """A rule: its docstring states the mathematical hypothesis and the source.

    Attributes:
        check: refuses, or returns the bounds that follow from the data and the claims of the children.
        keeps_sign: a generator that does not change sign leads to one that does not.
        parametric: the rule is sound when some variables stand for arbitrary values.
    """

    name: str
    check: Check
    keeps_sign: bool = False
    parametric: bool = False


RULES: dict[str, Rule] = {}


def rule(name: str, *, keeps_sign: bool = False, parametric: bool = False) -> Callable[[Check], Check]:
    """Register a rule under its name in the format."""

    def register(check: Check) -> Check:
        RULES[name] = Rule(name, check, keeps_sign, parametric)
        return check

    return register
