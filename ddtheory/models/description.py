"""A model described in a file of TOML: data only, each entry checked by the function that makes the model."""

from __future__ import annotations

import inspect
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ddtheory.arguments import in_order, path_of
from ddtheory.errors import DDTheoryError, InvalidValueError, UnknownNameError, place, shown, unknown
from ddtheory.exact.numbers.given import expression_of
from ddtheory.models.factorisation import Factorisation, matrix_product
from ddtheory.models.inputs import GENERIC
from ddtheory.models.kinds import exponential_family, finite, gaussian, hidden, logits, mixture, regression
from ddtheory.models.model import Model
from ddtheory.models.pair import ModelPair
from ddtheory.shown import Shown


def _named_product(names: Any, sizes: Any, rank: Any = 0) -> Factorisation:
    """`matrix_product`, of which a file cannot give the names one by one."""
    return matrix_product(*in_order(names, "names", most=27), sizes=sizes, rank=rank)


KINDS: Mapping[str, Callable[..., Model]] = {
    made.__name__: made for made in (regression, logits, exponential_family, finite, mixture, hidden, gaussian)
} | {matrix_product.__name__: _named_product}
"""The functions that a description may name as its kind."""

_QUESTION = ("at", "prior", "nonnegative", "constants")
_WORDS = ("kind", "family", "nonnegative", "constants")  # texts that are no expressions
_LARGEST = 1_000_000
_DEEPEST = 6


@dataclass(frozen=True, repr=False)
class Description(Shown):
    """A model, and the question that its file asks.

    Attributes:
        model: the model.
        question: the arguments of `Model.rlct` that the file gives: at, prior, nonnegative, constants.
    """

    model: Model
    question: Mapping[str, Any] = field(default_factory=dict)

    def rlct(self, seconds: float = 20) -> ModelPair:
        """(λ, m), as `Model.rlct` has it."""
        return self.model.rlct(**self.question, seconds=seconds)

    def __str__(self) -> str:
        return str(self.model)

    def latex(self) -> str:
        return self.model.latex()

    def rows(self) -> Mapping[str, str]:
        return self.model.rows()


def load(path: Any) -> Description:
    """The model that a file of TOML describes.

    The key `kind` names a function of this room, such as "regression", and the other keys are its arguments; `at`,
    `prior`, `nonnegative` and `constants` belong to the question. Numbers are numbers or text such as "1/2"; nothing is
    evaluated.

    Raises:
        InvalidValueError: no such file, no TOML, or an entry that is missing, unknown or refused; it is named.
        UnknownNameError: no such kind.
    """
    file = path_of(path, "The description")
    try:
        if file.exists() and not file.is_file():
            raise InvalidValueError(f"{place(file)} is no file. Give a file of TOML.")  # a pipe would never end
        if file.stat().st_size > _LARGEST:
            raise InvalidValueError(f"{place(file)} has more than {_LARGEST} bytes; a description is a page of text.")
        text = file.read_text(encoding="utf-8-sig")  # some editors begin a file with a mark of its encoding
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text in UTF-8"
        raise InvalidValueError(f"{place(file)} cannot be read: {why}.") from None
    try:
        return described(text)
    except UnknownNameError:
        raise
    except DDTheoryError as error:
        raise type(error)(f"{place(file)}: {error}") from None


def described(text: str) -> Description:
    """The model that a text of TOML describes; see `load`.

    >>> described('kind = "regression"\\nmean = "a*b"\\ntruth = 0').rlct().rlct
    RLCT(lam=Fraction(1, 2), m=2)
    >>> described('kind = "regression"\\nmean = "a*b"\\ntruth = 0\\nvarience = 2')
    Traceback (most recent call last):
    ddtheory.errors.InvalidValueError: The key varience is not known. A regression has the keys mean, truth, inputs, ...
    """
    if not isinstance(text, str):
        raise InvalidValueError(f"The description is {shown(text)}; give text of TOML.")
    try:
        entries = tomllib.loads(str.__str__(text))
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise InvalidValueError(f"The description is no TOML: {error}.") from None
    if "kind" not in entries:
        raise InvalidValueError(f'The key kind is missing. Give one of {", ".join(KINDS)}, as in kind = "regression".')
    kind = entries.pop("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise unknown("kind of model", kind, KINDS)
    make = KINDS[kind]
    arguments = inspect.signature(make).parameters
    known = [*arguments, *_QUESTION]
    for key, value in entries.items():
        if key not in known:
            raise InvalidValueError(
                f"The key {shown(key).strip(chr(39))} is not known. A {kind} has the keys {', '.join(known)}."
            )
        if key not in _WORDS:
            _refuse_no_data(value, key, 0)
    missing = [name for name, one in arguments.items() if one.default is inspect.Parameter.empty if name not in entries]
    if missing:
        raise InvalidValueError(f"The key {missing[0]} is missing. A {kind} has the keys {', '.join(known)}.")
    question = {key: entries.pop(key) for key in _QUESTION if key in entries}
    return Description(make(**entries), question)


def _refuse_no_data(value: Any, key: str, depth: int) -> None:
    """Refuse what is neither a number, an expression, nor a list or table of them; the key is named."""
    if depth > _DEEPEST:
        raise InvalidValueError(f"The key {key} is nested too deeply.")
    if isinstance(value, Mapping):
        for name, entry in value.items():
            _refuse_no_data(entry, f"{key}.{name}", depth + 1)
    elif isinstance(value, list):
        for index, entry in enumerate(value, 1):
            _refuse_no_data(entry, f"{key}[{index}]", depth + 1)
    elif isinstance(value, bool) or not isinstance(value, str | int | float):
        raise InvalidValueError(f"The key {key} is {shown(value)}; give a number, or an expression as text.")
    elif not (key.startswith("inputs.") and value == GENERIC):
        try:
            expression_of(value, key)
        except DDTheoryError as error:
            raise type(error)(f"The key {key}: {error}") from None
