"""A network from a Python file of somebody's own, and its weights from a file that runs no code."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, redirect_stdout
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from ddtheory.arguments import pairs_of
from ddtheory.errors import InvalidValueError, MeasurementError, place, shown, unknown
from ddtheory.extras import need
from ddtheory.measure.borrowed import borrowed
from ddtheory.measure.setting.modules import ModuleFunction
from ddtheory.measure.setting.problem import Problem

ARGUMENTS = ("model", "inputs", "head", "n", "output", "batch_size", "weights", "mask", "per")
"""What a function may return by name: the arguments of `read`."""


def made_by(where: str) -> dict[str, Any]:
    """What FILE.py:function makes, as arguments of `read`. The file is run: that is what its name is given for.

    Raises:
        InvalidValueError: the text is not FILE.py:function, there is no such file, or what is returned is no network.
        UnknownNameError: the file has no such function.
        MeasurementError: the file or the function fails.
    """
    name, _, function = where.rpartition(":")
    path = Path(name)
    if path.suffix != ".py" or not function.isidentifier():
        raise InvalidValueError(
            f"{place(where)} does not name a function of a Python file. Give it as FILE.py:make_problem."
        )
    if not os.path.isfile(path):  # a name that no system takes is no error here
        raise InvalidValueError(f"There is no file {place(path)}.")
    module = _run(path)
    make = getattr(module, function, None)
    if not callable(make):
        raise unknown(f"function in {place(path)}", function, made_in(module))
    what = f"{function} of {place(path)}"
    with _staying(what), _aside(), borrowed(f"{what} fails", "It is called without arguments."):
        made = make()
    if isinstance(made, Problem):
        return {"model": made}
    if not isinstance(made, Mapping):
        raise InvalidValueError(
            f"{function} returns {shown(made)}; return a measure.Problem, or the arguments of read by name, as in "
            "{'model': …, 'inputs': …, 'head': …}."
        )
    found = dict(pairs_of(made, f"What {function} returns"))
    for key in found:
        if key not in ARGUMENTS:
            raise unknown(f"argument of read, which {function} returns,", key, ARGUMENTS)
    if "model" not in found:
        raise InvalidValueError(f"{function} returns no model. Return it under the name 'model'.")
    return found


def made_in(module: ModuleType) -> list[str]:
    """The functions and classes that a file defines itself, or all that it has where it defines none."""
    public = {name: value for name, value in vars(module).items() if callable(value) and not name.startswith("_")}
    own = [name for name, value in public.items() if getattr(value, "__module__", None) == module.__name__]
    return own or list(public)


def _aside() -> AbstractContextManager[Any]:
    """What the file prints goes to standard error: standard output belongs to the reading."""
    return redirect_stdout(sys.stderr)


@contextmanager
def _staying(what: str) -> Iterator[None]:
    """Refuse to leave where somebody's code calls exit: nothing has been read then."""
    try:
        yield
    except SystemExit as error:
        raise MeasurementError(
            f"{what} calls exit({error.code if error.code is not None else ''}), so nothing is read. Put what ends the "
            'script under if __name__ == "__main__".'
        ) from None


def _run(path: Path) -> Any:
    """The module of a file, beside which it finds what it imports."""
    spec = importlib.util.spec_from_file_location(f"ddtheory_read_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    sys.path.insert(0, str(path.absolute().parent))
    try:
        with _staying(place(path)), _aside(), borrowed(f"{place(path)} cannot be run", "Try python on it."):
            spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(path.absolute().parent))
    return module


def only_numbers(file: Path) -> None:
    """Refuse every format but safetensors.

    Raises:
        InvalidValueError: the file has another one.
    """
    if file.suffix != ".safetensors":
        raise InvalidValueError(
            f"{place(file)} is refused, since only safetensors files are sure to hold numbers and names alone, while "
            "pickles, such as .pt, .pth, .bin and .ckpt, can run code when they are loaded."
        )


def with_weights(made: Mapping[str, Any], file: Path) -> dict[str, Any]:
    """The same with the weights of a safetensors file, which holds numbers and names only.

    Raises:
        InvalidValueError: another format, such as a pickle, which can run code; or no module to load them into.
        MeasurementError: the file cannot be read, or is that of another model.
    """
    only_numbers(file)
    need("safetensors", "Loading weights")
    from safetensors.torch import load_model

    model = made["model"]
    inner = model.model if isinstance(model, Problem) else model
    module = inner.module if isinstance(inner, ModuleFunction) else inner
    if not isinstance(module, nn.Module):
        raise InvalidValueError(f"The model is {shown(model)}, and weights need a torch module to be loaded into.")
    with borrowed(f"The weights in {place(file)} cannot be loaded", "They must be those of this model, all of them."):
        load_model(module, file)
    if isinstance(model, Problem):
        assert isinstance(inner, ModuleFunction)
        model = replace(model, truth=inner.truth())
    return {**made, "model": model}
