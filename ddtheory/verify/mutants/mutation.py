"""One change of one file, as a splice of its text."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType

from ddtheory.verify.mutants.source import Site


@dataclass(frozen=True)
class Mutation:
    """A change of a file: the text between two places gives way to another.

    Attributes:
        kind: a name of the table of kinds.
        start: where the text that gives way begins, in characters.
        end: where it ends.
        replacement: what stands there instead.
        step: line and column of the smallest part of the program around it that may run or be passed over.
        runs_at_import: whether that part runs when the file is read.
        line: the line on which the change begins.
        before: the lines that change, as one line with single spaces.
        after: the same lines changed.
    """

    kind: str
    start: int
    end: int
    replacement: str
    step: tuple[int, int]
    runs_at_import: bool
    line: int
    before: str
    after: str

    @classmethod
    def of(cls, site: Site, kind: str, start: int, end: int, replacement: str) -> Mutation:
        """The change with the lines that it changes."""
        source = site.source
        text = source.text
        first = text.rfind("\n", 0, start) + 1
        last = text.find("\n", end)
        after = text[first:start] + replacement + text[end : last if last >= 0 else None]
        return cls(
            kind,
            start,
            end,
            replacement,
            site.step,
            site.runs_at_import,
            source.line_of(start),
            source.lines(start, end),
            " ".join(after.split()),
        )

    def apply(self, text: str) -> str:
        """The whole text, changed."""
        return text[: self.start] + self.replacement + text[self.end :]


def is_python(text: str) -> bool:
    """Whether a text can be parsed at all."""
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


def same_program(first: str, second: str) -> bool:
    """Whether two texts compile to the same instructions, lines and columns aside.

    >>> same_program("x = 2 + 1", "x = 3"), same_program("x = 2", "x = 3")
    (True, False)
    """
    return list(_instructions(compile(first, "", "exec"))) == list(_instructions(compile(second, "", "exec")))


def _instructions(code: CodeType) -> Iterator[object]:
    yield code.co_code
    yield (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars, code.co_exceptiontable)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _instructions(constant)
        else:
            yield repr(constant)  # tells 1 from 1.0 and 0.0 from −0.0
