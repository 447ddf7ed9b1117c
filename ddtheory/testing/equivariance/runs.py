"""One training in float64: what is seen of the function before every step and after the last."""

from __future__ import annotations

import contextlib
import copy
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ddtheory.errors import InvalidValueError, MeasurementError, shown
from ddtheory.measure.borrowed import borrowed
from ddtheory.testing.equivariance.terms import CLIPPING, SHORT, Wide, present, take_out

Parameters = Mapping[str, Tensor]
Batch = tuple[tuple[Any, ...], Any]
MakeOptimizer = Callable[[nn.Module], Any]

UNIT = 2.0**-52
"""One rounding of float64, relative."""

NUDGE = 1e-8
"""What the control is moved by, relative: no gauge, and far below what anybody would see by eye."""

NO_TERMS: frozenset[str] = frozenset()


@dataclass(frozen=True, eq=False)
class Training:
    """A way to train a model, without its start.

    Attributes:
        model: a copy in float64.
        batches: arguments and targets of each step, over and over.
        loss: outputs and targets to a number.
        softmax: only the softmax of the outputs is the function.
        make_optimizer: a model to an optimiser, or to several that step one after the other.
        steps: how many.
        max_norm: of all gradients together, clipped before each step.
    """

    model: nn.Module
    batches: tuple[Batch, ...]
    loss: Callable[[Tensor, Any], Tensor]
    softmax: bool
    make_optimizer: MakeOptimizer
    steps: int
    max_norm: float | None

    def start(self) -> dict[str, Tensor]:
        return {name: value.detach().clone() for name, value in self.model.named_parameters()}

    def made(self, start: Parameters) -> tuple[nn.Module, tuple[torch.optim.Optimizer, ...]]:
        """A copy of the model with these parameters, and what steps it."""
        model = copy.deepcopy(self.model)
        with torch.no_grad():
            for name, value in model.named_parameters():
                value.copy_(start[name])
        with borrowed("The optimiser cannot be made", "It is called with the model; take its parameters from there."):
            made = self.make_optimizer(model)
        optimizers = tuple(made) if isinstance(made, tuple | list) else (made,)
        if not optimizers or not all(isinstance(each, torch.optim.Optimizer) for each in optimizers):
            raise InvalidValueError(
                f"make_optimizer returned {shown(made)}; it must return a torch.optim.Optimizer, or a list of them."
            )
        own = {id(value) for value in model.parameters()}
        if not held(optimizers) <= own:
            raise InvalidValueError(
                "The optimiser trains tensors that are not parameters of the model that make_optimizer was called "
                "with. Use its argument: the model is copied, and each copy is trained from a start of its own."
            )
        return model, optimizers

    def terms(self) -> frozenset[str]:
        """Names of the terms that the optimiser may have; a cast to fewer digits is seen only by taking it out."""
        with _seeded(0):
            _, optimizers = self.made(self.start())
        return frozenset({SHORT, *present(optimizers), *([CLIPPING] if self.max_norm is not None else [])})

    def run(
        self,
        start: Parameters,
        removed: frozenset[str] = NO_TERMS,
        *,
        seed: int = 0,
        jitter: int | None = None,
        nudge: int | None = None,
    ) -> Tensor:
        """What is seen before each step and after the last, (steps + 1, numbers).

        Args:
            start: parameters by name.
            removed: names of terms that are taken out.
            seed: of everything random.
            jitter: a seed; every parameter is then changed by one rounding at the start and after each step.
            nudge: a seed; every parameter is then changed by `NUDGE`, relative, after the first step.

        Raises:
            InvalidValueError: gradients that are sparse or complex, a step that needs more than a closure.
            MeasurementError: the model, the loss or the optimiser fails, or something is not finite.
        """
        with _seeded(seed):
            model, optimizers = self.made(start)
            take_out(optimizers, removed)
            small = _drawer(jitter)
            seen = []
            if small is not None:
                _changed(model, UNIT, small)
            for step in range(self.steps + 1):
                chosen = step % len(self.batches) if step < self.steps else None
                outputs = [self._outputs(model, batch, index == chosen) for index, batch in enumerate(self.batches)]
                seen.append(torch.cat([self._seen(output).flatten() for output in outputs]))
                if not bool(torch.isfinite(seen[-1]).all()):
                    raise MeasurementError(
                        f"The outputs are not finite after {step} steps. Train with a smaller rate, or fewer steps."
                    )
                if chosen is None:
                    break
                self._step(model, optimizers, chosen, outputs[chosen], removed)
                if small is not None:
                    _changed(model, UNIT, small)
                if nudge is not None and step == 0:
                    _changed(model, NUDGE, _drawer(nudge))
        return torch.stack(seen)

    def _outputs(self, model: nn.Module, batch: Batch, with_gradient: bool) -> Tensor:
        with torch.set_grad_enabled(with_gradient), borrowed(FAILS, ADVICE):
            output = model(*batch[0])
        if not isinstance(output, Tensor) or output.is_complex():
            raise InvalidValueError(f"The model returns {shown(output)}; wrap it so that it returns one real tensor.")
        return output

    def _seen(self, output: Tensor) -> Tensor:
        return output.detach().log_softmax(-1) if self.softmax else output.detach()

    def _step(
        self,
        model: nn.Module,
        optimizers: Sequence[torch.optim.Optimizer],
        chosen: int,
        output: Tensor,
        removed: frozenset[str],
    ) -> None:
        for parameter in model.parameters():
            parameter.grad = None
        self._backward(output, chosen)
        self._ready(model, removed)

        def again() -> Any:
            with torch.enable_grad():
                for parameter in model.parameters():
                    parameter.grad = None
                loss = self._backward(self._outputs(model, self.batches[chosen], True), chosen)
                self._ready(model, removed)
            return loss

        wide = Wide() if SHORT in removed else contextlib.nullcontext()
        for optimizer in optimizers:
            with wide, borrowed("A step of the optimiser fails", "Try it on the model in float64 by itself."):
                optimizer.step(again) if _needs_closure(optimizer) else optimizer.step()

    def _backward(self, output: Tensor, chosen: int) -> Tensor:
        with borrowed("The loss of the outputs and the targets fails", "Give loss=, or targets of the shape it takes."):
            loss = self.loss(output, self.batches[chosen][1])
            if not isinstance(loss, Tensor) or loss.numel() != 1 or loss.is_complex():
                raise InvalidValueError(f"The loss is {shown(loss)}; it must be a tensor of one real number.")
            loss.backward()  # type: ignore[no-untyped-call]
        return loss

    def _ready(self, model: nn.Module, removed: frozenset[str]) -> None:
        for name, parameter in model.named_parameters():
            gradient = parameter.grad
            if gradient is not None and gradient.layout != torch.strided:
                raise InvalidValueError(
                    f"The gradient of {name} is sparse, and a gauge moves whole parameters. Build the embedding with "
                    "sparse=False."
                )
        if self.max_norm is not None and CLIPPING not in removed:
            nn.utils.clip_grad_norm_(model.parameters(), self.max_norm)


FAILS = "The model fails on the data, in float64"
ADVICE = "Give pairs of inputs and targets; inputs are a tensor, or a tuple of the arguments of the model."


def held(optimizers: Sequence[torch.optim.Optimizer]) -> set[int]:
    """Identities of the tensors that optimisers train."""
    groups = [group for optimizer in optimizers for group in optimizer.param_groups]
    return {id(parameter) for group in groups for parameter in group["params"]}


def _needs_closure(optimizer: torch.optim.Optimizer) -> bool:
    """Whether a step cannot be made without a closure, as that of LBFGS.

    Raises:
        InvalidValueError: a step needs more than that.
    """
    needed = [
        parameter.name
        for parameter in inspect.signature(optimizer.step).parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    ]
    if needed in ([], ["closure"]):
        return bool(needed)
    raise InvalidValueError(
        f"A step of {type(optimizer).__name__} needs {', '.join(needed)}; only an optimiser whose step needs nothing, "
        "or a closure, can be tested. Wrap it."
    )


@contextlib.contextmanager
def _seeded(seed: int) -> Any:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield


def _drawer(seed: int | None) -> torch.Generator | None:
    return None if seed is None else torch.Generator().manual_seed(seed)


def _changed(model: nn.Module, size: float, generator: torch.Generator | None) -> None:
    """Every entry of every parameter, by plus or minus a relative size."""
    with torch.no_grad():
        for parameter in model.parameters():
            signs = 1 - 2 * torch.randint(0, 2, parameter.shape, generator=generator)
            parameter.mul_(1 + size * signs.to(parameter))
