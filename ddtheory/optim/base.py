"""What the optimisers share: parameters by name, gauges, pieces, and the calls that torch expects."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ddtheory.errors import InvalidValueError
from ddtheory.gauges import Gauge, Group
from ddtheory.optim.doors import check_gradients, given_gauges, named_parameters, setting
from ddtheory.optim.pieces import order, plan


class GaugeOptimizer(torch.optim.Optimizer):
    """An optimiser that is told the gauges of a model.

    Attributes:
        gauges: those with which a step commutes.
        gauges_left: those that were found on the model, and that it does not respect.
    """

    def __init__(
        self,
        model: nn.Module | Iterable[tuple[str, Tensor]],
        defaults: dict[str, Any],
        gauges: Any,
        inputs: Any,
        softmax: bool,
        usable: frozenset[Group],
    ) -> None:
        self._named = named_parameters(model)
        self.gauges, self.gauges_left = given_gauges(model, self._named, gauges, inputs, softmax, usable)
        shapes = {name: tuple(value.shape) for name, value in self._named.items()}
        if inputs is not None:
            together = self._together(self.gauges, shapes)
            self.gauges_left += tuple(gauge for gauge in self.gauges if gauge not in together)
            self.gauges = together
        self._acting = self._merged(self.gauges)
        self._pieces = plan(self._acting, shapes)
        self._order = order(self._pieces, len(self._acting))
        self._of = {name: [piece for piece in self._pieces if piece.parameter == name] for name in self._named}
        super().__init__(list(self._named.values()), defaults)
        self.param_groups[0]["gauges"] = self._described()

    def _together(self, gauges: tuple[Gauge, ...], shapes: Mapping[str, tuple[int, ...]]) -> tuple[Gauge, ...]:
        """Those of the gauges that were found which one step can respect, the first ones of several that clash."""
        kept: tuple[Gauge, ...] = ()
        for gauge in gauges:
            try:
                acting = self._merged((*kept, gauge))
                order(plan(acting, shapes), len(acting))
            except InvalidValueError:
                continue
            kept = (*kept, gauge)
        return kept

    def _described(self) -> tuple[str, ...]:
        """All that says how the gauges act, as plain text, which every way of keeping a state keeps."""
        return tuple(repr((gauge.group.value, gauge.channels, gauge.blocks, gauge.legs)) for gauge in self.gauges)

    def _merged(self, gauges: tuple[Gauge, ...]) -> tuple[Gauge, ...]:
        """The gauges as they act together."""
        return gauges

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Refused after construction: the gauges of new parameters are not known."""
        if self.param_groups:
            raise InvalidValueError("Parameters cannot be added later. Build a new optimiser for the whole model.")
        super().add_param_group(param_group)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Resumes from what `state_dict` gave.

        Raises:
            InvalidValueError: it was saved by an optimiser with other gauges.
        """
        groups = state_dict.get("param_groups") if isinstance(state_dict, Mapping) else None
        if not groups or tuple(groups[0].get("gauges", ())) != self._described():
            raise InvalidValueError(
                "The state was saved with other gauges, or by another optimiser. Build this one with the same gauges."
            )
        super().load_state_dict(state_dict)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step; a closure is called first, with gradients on, and its loss returned.

        Raises:
            InvalidValueError: a gradient is sparse or complex; the rate or the decay has become no number ≥ 0.
            MeasurementError: a gradient is not finite; a block has become zero. Nothing has moved in any of these.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for each in ("lr", "weight_decay"):  # which schedulers change
            setting(each, self.param_groups[0][each], 0.0)
        gradients = {n: value.grad for n, value in self._named.items() if value.grad is not None and value.numel()}
        if gradients:
            check_gradients(gradients)
            self._step({name: self._named[name] for name in gradients})
        return loss

    @abstractmethod
    def _step(self, moving: Mapping[str, Tensor]) -> None:
        """Moves the parameters that have a gradient."""

    def _centred(self, name: str, value: Tensor) -> Tensor:
        """The values without what a shift adds."""
        shift = self._of[name][0].shift
        return value.detach() if shift is None else value.detach() - value.detach().mean(shift, keepdim=True)
