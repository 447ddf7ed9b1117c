"""Reads a torch module by running its forward code on jets: every torch operation is met on the way."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from ddtheory.errors import InvalidValueError, UndecidedError
from ddtheory.networks.attention import INSTEAD
from ddtheory.networks.operations import HOMONYMS, OPERATIONS
from ddtheory.networks.tape import Jet, Tape, jet
from ddtheory.networks.terms import Terms, finite


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ABOUT_SHAPE = _words(
    "shape size dim ndim ndimension numel nelement dtype device is_cuda is_nested requires_grad layout is_sparse "
    "is_floating_point is_complex __len__ stride is_contiguous element_size is_quantized is_meta is_mkldnn itemsize "
    "get_device __repr__ __hash__ names zeros_like ones_like full_like empty_like new_zeros new_ones new_full "
    "new_empty new_tensor"
)
_DEPENDS_ON_DATA = _words(
    "__bool__ __int__ __float__ __index__ item tolist numpy __gt__ __lt__ __ge__ __le__ __eq__ __ne__ gt lt ge le eq "
    "ne any all allclose equal isnan nonzero argmax argmin topk sort __contains__ __iter__ sign"
)
_IN_PLACE = ("__iadd__", "__isub__", "__imul__", "__itruediv__", "__idiv__", "__ipow__", "__setitem__")


class Reader(TorchFunctionMode):
    """While it is active, what torch is asked to do with jets or with parameters is done by a rule."""

    def __init__(self, model: nn.Module, along: Mapping[int, tuple[str, Terms]]) -> None:
        super().__init__()
        self.tape = Tape()
        self.outputs: dict[str, list[Jet]] = {}
        self._parameters = {key: jet(terms, parameter=name) for key, (name, terms) in along.items()}
        self._places: list[str] = []
        for name, module in model.named_modules():
            place = f"{name or 'the model'} ({type(module).__name__})"
            module.register_forward_pre_hook(lambda _module, _args, place=place: self._places.append(place))
            module.register_forward_hook(lambda _module, _args, output, name=name: self._leave(name, output))

    def _leave(self, name: str, output: Any) -> None:
        self._places.pop()
        if isinstance(output, tuple) and output:
            output = output[0]  # torch.nn.MultiheadAttention returns its weights beside the output
        if name and isinstance(output, Jet):
            self.outputs.setdefault(name, []).append(output)

    def __torch_function__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        name = _name(function)
        keywords = dict(kwargs or {})
        if name in _ABOUT_SHAPE or not self._concerns((args, keywords)):
            return function(*args, **keywords)
        rule = self._rule(name)
        named = [keywords.pop(key) for key in ("input", "other") if key in keywords]
        arguments, keywords = self._known((*args, *named)), self._known(keywords)
        try:
            inspect.signature(rule).bind(self.tape, *arguments, **keywords)
        except TypeError as error:
            raise self._unknown_arguments(name, error) from None
        try:
            result = rule(self.tape, *arguments, **keywords)
        except InvalidValueError as error:
            raise InvalidValueError(f"In {self.place}, {name!r}: {error}") from None
        except (TypeError, IndexError) as error:
            raise self._unknown_arguments(name, error) from error
        for made in result if isinstance(result, tuple) else (result,):
            if isinstance(made, Jet) and not finite(made.terms):
                raise InvalidValueError(
                    f"In {self.place}, {name!r} has no finite value at t = 0: the model leaves its domain there, or "
                    "overflows. Give coefficients for which it has one."
                )
        return result

    @property
    def place(self) -> str:
        return self._places[-1] if self._places else "the model"

    def _rule(self, name: str) -> Callable[..., Any]:
        if name in _DEPENDS_ON_DATA:
            raise UndecidedError(
                f"{self.place} looks at the value of an activation or a parameter ({name!r}), so which operations run "
                f"depends on data. The calculus follows one fixed graph. {INSTEAD}"
            )
        if name in _IN_PLACE or (name.endswith("_") and not name.endswith("__")):
            raise InvalidValueError(
                f"{self.place} works in place ({name!r}), which overwrites a quantity whose order is asked for. "
                "Write x = x + y instead of x += y, and build activations with inplace=False."
            )
        if name not in OPERATIONS:
            raise UndecidedError(
                f"The calculus of orders does not know the operation {name!r}, used in {self.place}. {INSTEAD}"
            )
        return OPERATIONS[name].rule

    def _unknown_arguments(self, name: str, error: Exception) -> UndecidedError:
        return UndecidedError(
            f"The calculus of orders does not know {name!r} with these arguments, used in {self.place} ({error}). "
            f"{INSTEAD}"
        )

    def _concerns(self, value: Any) -> bool:
        if isinstance(value, Jet) or (isinstance(value, Tensor) and id(value) in self._parameters):
            return True
        if isinstance(value, Mapping):
            value = tuple(value.values())
        return isinstance(value, list | tuple) and any(self._concerns(item) for item in value)

    def _known(self, value: Any) -> Any:
        """Parameters replaced by their jets."""
        if isinstance(value, Tensor):
            return self._parameters.get(id(value), value)
        if isinstance(value, Mapping):
            return {key: self._known(item) for key, item in value.items()}
        if isinstance(value, list | tuple) and type(value) in (list, tuple):
            return type(value)(self._known(item) for item in value)
        return value


def _name(function: Any) -> str:
    """What torch calls a function; where it calls two by one name, the longer name of the table."""
    if function in HOMONYMS:
        return HOMONYMS[function]
    name: str = getattr(function, "__name__", repr(function))
    return str(function.__self__.__name__) if name == "__get__" else name
