"""A read described by a file: where the model is, its weights and inputs as numbers, and the question."""

from __future__ import annotations

import importlib
import re
import sys
import tomllib
from collections.abc import Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from ddtheory.errors import InvalidValueError, place, shown, unknown
from ddtheory.extras import need
from ddtheory.measure.borrowed import borrowed
from ddtheory.measure.heads.heads import Bernoulli, Categorical, Gaussian, Head
from ddtheory.reads.loading import made_in, only_numbers, with_weights

KEYS: Mapping[str, tuple[type, ...]] = {
    "model": (str,),
    "arguments": (dict,),
    "weights": (str,),
    "inputs": (str,),
    "head": (str, dict),
    "n": (int,),
    "output": (str, int),
    "batch_size": (int,),
    "mask": (str,),
    "per": (str,),
}
"""The keys of a description, and what they hold."""

_IN_WORDS: Mapping[type, str] = {str: "a text", dict: "a table", int: "a whole number"}

_NEEDED = ("model", "inputs", "head")


def described(file: Path) -> dict[str, Any]:
    """The arguments of `read` that a TOML file describes; n among them, where the file says it.

    `model` is package.module:name, a class or function that is called with `arguments` and returns a torch module; the
    module is imported, as python would from the folder of the file. `weights` and `inputs` are safetensors files, which
    hold numbers and names only, beside the description. One tensor of inputs is given by its place, several by their
    names. `head` is "categorical", "bernoulli", or a table as in {gaussian = 0.25}, with the variance.

    Raises:
        InvalidValueError: no TOML, a key that is missing, unknown or of another type, a file of another format.
        UnknownNameError: no such name in the module, or no such head.
        MeasurementError: the module cannot be imported, or what it names fails.
    """
    entries = _entries(file)
    model = _made(str(entries["model"]), entries.get("arguments", {}), file)
    found: dict[str, Any] = {"model": model, "inputs": _inputs(file.parent / entries["inputs"])}
    found["head"] = _head(entries["head"])
    found |= {key: entries[key] for key in ("n", "output", "batch_size", "mask", "per") if key in entries}
    return with_weights(found, file.parent / entries["weights"]) if "weights" in entries else found


def _entries(file: Path) -> Mapping[str, Any]:
    try:
        text = file.read_text("utf-8-sig")  # with or without a mark of the encoding
        entries = tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidValueError(f"{place(file)} cannot be read: {error}.") from None
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise InvalidValueError(f"{place(file)} is no TOML: {error}.") from None
    for key, value in entries.items():
        if key not in KEYS:
            raise unknown(f"key of a description{_line_of(key, file, text)}", key, KEYS)
        if not isinstance(value, KEYS[key]) or isinstance(value, bool):
            raise InvalidValueError(
                f"{key} = {shown(value)}{_line_of(key, file, text)} is of another type than {key} has: "
                f"{' or '.join(_IN_WORDS[each] for each in KEYS[key])}."
            )
    for key in _NEEDED:
        if key not in entries:
            raise InvalidValueError(f"{place(file)} has no key {key}. It needs {', '.join(_NEEDED)}.")
    return entries


def _line_of(key: str, file: Path, text: str) -> str:
    """Where a key stands in its file, as far as its text says it.

    >>> _line_of("n", Path("net.toml"), "model = 'a:b'\\n'n' = 3")
    ' in line 2 of net.toml'
    """
    spelled = re.compile(rf"""\s*\[?\s*["']?{re.escape(key)}["']?\s*[=.\]]""")
    lines = [number for number, line in enumerate(text.splitlines(), 1) if spelled.match(line)]
    return f" in line {lines[0]} of {place(file)}" if lines else f" in {place(file)}"


def _made(where: str, arguments: Mapping[str, Any], file: Path) -> nn.Module:
    """The module that package.module:name makes, in evaluation mode."""
    name, _, attribute = where.partition(":")
    if not all(part.isidentifier() for part in (*name.split("."), attribute)):
        raise InvalidValueError(f"The model {shown(where)} names nothing to import. Give it as package.module:name.")
    folder = str(file.absolute().parent)
    sys.path.insert(0, folder)
    try:
        advice = f"Try python -m {name} in {place(folder)}."
        with borrowed(f"The module {name} cannot be imported", advice), redirect_stdout(sys.stderr):
            module = importlib.import_module(name)
        make = getattr(module, attribute, None)
        if not callable(make):
            raise unknown(f"class or function in {name}", attribute, made_in(module))
        advice = "It is called with the arguments of the description, by name."
        with borrowed(f"{where} fails", advice), redirect_stdout(sys.stderr):
            made = make(**arguments)
    finally:
        sys.path.remove(folder)
    if not isinstance(made, nn.Module):
        raise InvalidValueError(f"{where} makes {shown(made)}; a description needs a torch module.")
    return made.eval()


def _inputs(file: Path) -> Tensor | dict[str, Tensor]:
    only_numbers(file)
    need("safetensors", "Loading inputs")
    from safetensors.torch import load_file

    with borrowed(f"The inputs in {place(file)} cannot be loaded", "Save them by safetensors.torch.save_file."):
        found = load_file(file)
    if not found:
        raise InvalidValueError(f"{place(file)} holds no tensor, and a read is on data.")
    return next(iter(found.values())) if len(found) == 1 else found


def _head(head: str | Mapping[str, Any]) -> Head:
    heads: dict[str, Head] = {"categorical": Categorical(), "bernoulli": Bernoulli()}
    if isinstance(head, str) and head in heads:
        return heads[head]
    if isinstance(head, Mapping) and list(head) == ["gaussian"]:
        return Gaussian(head["gaussian"])
    names = [head] if isinstance(head, str) else list(head)
    if len(names) == 1 and names[0] != "gaussian" and (isinstance(head, str) or names[0] not in heads):
        raise unknown("head", names[0], [*heads, "gaussian"])
    if isinstance(head, Mapping) and len(names) == 1 and names[0] in heads:
        raise InvalidValueError(f'The head {names[0]} has no variance; write it as a text, head = "{names[0]}".')
    raise InvalidValueError(f"The head is {shown(head)}; a Gaussian is written with its variance, {{gaussian = 1.0}}.")
