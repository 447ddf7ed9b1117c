"""Code of others, a model, a head, a loader: whatever it raises leaves as one sentence."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from ddtheory.errors import DDTheoryError, MeasurementError

LONGEST = 300


@contextmanager
def borrowed(what: str, advice: str) -> Generator[None]:
    """Run code that is not ours: an error in it becomes "what: first line of the error. advice".

    Raises:
        MeasurementError: whatever else is raised inside, as its cause.
    """
    try:
        yield
    except DDTheoryError:
        raise
    except Exception as error:
        raise MeasurementError(f"{what}: {first_line(error)} {advice}") from error


def first_line(error: Exception) -> str:
    """The first line of a message, since torch lists kernels and stacks below it; it ends like a sentence."""
    try:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    except Exception:  # an error that cannot be printed is still an error
        lines = []
    line = lines[0] if lines else type(error).__name__
    shown = line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
    return shown if shown[-1] in ".!?…" else f"{shown}."
