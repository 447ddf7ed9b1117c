"""A loss is no head: a head is the law of the label, and which law is meant by a loss is said here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from torch import nn

from ddtheory.errors import InvalidValueError
from ddtheory.measure.doors import shown
from ddtheory.measure.heads.head import Head

METHODS = ("whitened", "divergence")

LOSSES: Mapping[type, str] = {
    nn.CrossEntropyLoss: "Categorical(), with the classes along the last axis of the outputs",
    nn.MSELoss: "Gaussian(variance=…), with the variance of the noise",
    nn.BCEWithLogitsLoss: "Bernoulli(), with logits as outputs",
    nn.BCELoss: "Bernoulli(), with logits as outputs: leave out the last sigmoid",
    nn.NLLLoss: "Categorical(), with the classes along the last axis of the outputs; log-probabilities are logits too",
    nn.PoissonNLLLoss: "ExponentialFamily(torch.exp), with logarithms of rates as outputs",
    nn.GaussianNLLLoss: "Gaussian(variance=…) if the variance is known; a learned one needs a head of your own",
}
"""Losses of torch by the head that has them for its negative log-likelihood, up to a constant and a factor."""


def as_head(value: object) -> Head:
    """The object itself if it has the two methods of a head.

    Raises:
        InvalidValueError: it has not; for a loss of torch, the head that is meant by it is named.
    """
    loss = value if isinstance(value, type) else type(value)
    if meant := next((head for known, head in LOSSES.items() if issubclass(loss, known)), None):
        raise InvalidValueError(
            f"{loss.__name__} is a loss, and a head is wanted: the law of the label given the outputs. Give "
            f"ddtheory.measure.{meant}."
        )
    if isinstance(value, type):
        raise InvalidValueError(f"The head is the class {value.__name__}; give an instance of it: {value.__name__}().")
    if all(callable(getattr(value, method, None)) for method in METHODS):
        return cast("Head", value)
    kind = f"{type(value).__name__}, a loss or another module," if isinstance(value, nn.Module) else shown(value)
    raise InvalidValueError(
        f"The head is {kind} without the methods `whitened` and `divergence`. Give the law of the label, such as "
        "ddtheory.measure.Gaussian() for a squared loss or ddtheory.measure.Categorical() for a cross-entropy."
    )
