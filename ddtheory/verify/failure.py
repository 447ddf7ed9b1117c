"""What an exception says, in one line."""

from __future__ import annotations

import traceback
from pathlib import Path

from ddtheory.extras import EXTRAS, missing
from ddtheory.verify.steps import ProcessEnded


def describe(error: BaseException, file: Path) -> str:
    """The error in one line, with the last line of the claim's file that led to it."""
    if isinstance(error, ModuleNotFoundError) and error.name in EXTRAS:
        return str(missing(error.name, "it"))
    if isinstance(error, ProcessEnded):
        return str(error)
    text = " ".join(f"{type(error).__name__}: {_message(error)}".split()).removesuffix(":")
    if isinstance(error, SyntaxError):  # its text names the file and the line already
        return text
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)]
    return f"{text} ({file.name}, line {lines[-1]})" if lines else text


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as second:  # an exception of others may fail even at this
        return f"its message cannot be printed, that raises {type(second).__name__}"
