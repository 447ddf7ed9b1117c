"""The steps that run code of a book: a file is read, a witness is called. Such code may end its process.

A process that is watched, see `apart`, tells each step before it takes it. A step that ended two processes is not taken
again, and a witness that has answered is not called again, when the work is begun anew in another process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

READING = "reading"

Step = tuple[Path, str]
"""A file, and what is done: READING, or the name of a witness."""


class ProcessEnded(Exception):
    """A step is not taken, because it ended the process that took it."""


@dataclass
class Memory:
    """What processes before this one have found out.

    Attributes:
        ended: how a step ended its process.
        answers: what witnesses answered.
    """

    ended: dict[Step, str] = field(default_factory=dict[Step, str])
    answers: dict[Step, Any] = field(default_factory=dict[Step, Any])
    _suspected: set[Step] = field(default_factory=set[Step])

    def blame(self, step: Step, ending: str) -> None:
        """A process ended at this step: for the second time, it did not do so by chance."""
        if step in self._suspected:
            self.ended[step] = ending
        self._suspected.add(step)


_memory = Memory()
_tell: Callable[[Step | None, Any], None] | None = None


def watch(memory: Memory, tell: Callable[[Step | None, Any], None] | None = None) -> None:
    """From now on this process knows what others found out.

    Args:
        memory: what they found.
        tell: called with (step, None) before a step, with (step, its answer) after a witness, and with (None, None)
            after any other step.
    """
    global _memory, _tell
    _memory, _tell = memory, tell


def ended() -> Mapping[Step, str]:
    """The steps that ended a process."""
    return _memory.ended


def answered(step: Step) -> Any:
    """What a witness answered in a process before this one; None where it was not asked."""
    return _memory.answers.get(step)


def keep(step: Step, answer: Any) -> None:
    """Tells whoever watches what a witness answered."""
    if _tell is not None:
        _tell(step, answer)


@contextmanager
def taken(step: Step) -> Iterator[None]:
    """In the block, code of the book runs.

    Raises:
        ProcessEnded: it has ended a process.
    """
    if step in _memory.ended:
        raise ProcessEnded(f"its code ended the process ({_memory.ended[step]}) while {_doing(step[1])}")
    if _tell is not None:
        _tell(step, None)
    try:
        yield
    finally:
        if _tell is not None:
            _tell(None, None)


def _doing(name: str) -> str:
    return "the file was read" if name == READING else f"{name} ran"
