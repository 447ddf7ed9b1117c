"""Exponential families: the outputs are natural parameters, one independent label for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sympy
from sympy import Expr

from ddtheory.errors import InvalidValueError, UndecidedError
from ddtheory.exact.numbers.zero import sign
from ddtheory.models.laws.law import Comparison
from ddtheory.models.reading import said

if TYPE_CHECKING:
    from torch import Tensor

    from ddtheory.measure import Head

LOG_PARTITIONS: Mapping[str, Callable[[Expr], Expr]] = {
    "bernoulli": lambda eta: sympy.log(1 + sympy.exp(eta)),
    "poisson": lambda eta: sympy.exp(eta),
    "gaussian": lambda eta: eta**2 / 2,
    "exponential": lambda eta: -sympy.log(-eta),
}
"""A of p(y | η) = h(y) exp(ηy − A(η)): minimal families, A'' > 0 on their whole domain (η < 0 for the last)."""

_SAYS = (
    "K = A(η) − A(η*) − A′(η*)(η − η*) for each label, and A″ > 0 where the family is minimal: K ≍ Σ (η − η*)² near η*."
)


@dataclass(frozen=True)
class Natural:
    """p(y | η) = h(y) exp(ηy − A(η)), independent for each output η."""

    family: str
    name: str = "exponential_family"

    @property
    def uniform(self) -> bool:
        return self.family != "exponential"

    def compare(self, outputs: Sequence[Expr], truth: Sequence[Expr]) -> Comparison:
        if self.family == "exponential":
            for value in truth:
                if not _is_negative(value):
                    raise InvalidValueError(
                        f"The true natural parameter {said(value)} of an exponential law must be negative: it is minus "
                        "the rate."
                    )
        return Comparison(tuple(eta - own for eta, own in zip(outputs, truth, strict=True)), _SAYS)

    def divergence(self, outputs: Sequence[Expr], truth: Sequence[Expr]) -> Expr:
        partition, place = LOG_PARTITIONS[self.family], sympy.Dummy("eta", real=True)
        slope = partition(place).diff(place)
        return sympy.Add(
            *[
                partition(eta) - partition(own) - slope.subs(place, own) * (eta - own)
                for eta, own in zip(outputs, truth, strict=True)
            ]
        )

    def head(self) -> Head:
        import torch

        from ddtheory.measure import Bernoulli, ExponentialFamily, Gaussian

        heads: dict[str, Callable[[], Head]] = {
            "bernoulli": Bernoulli,
            "poisson": lambda: ExponentialFamily(torch.exp),
            "gaussian": lambda: Gaussian(1.0),
            "exponential": lambda: ExponentialFamily(lambda eta: -torch.log(-eta)),
        }
        return heads[self.family]()

    def as_head_takes(self, outputs: Tensor) -> Tensor:
        return outputs


def _is_negative(value: Expr) -> bool:
    try:
        return sign(value) < 0
    except UndecidedError:
        return False
