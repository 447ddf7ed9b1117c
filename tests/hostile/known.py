"""Findings that are known and not mended yet, by room. A test runs each: one that is mended has to leave this list."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from bait import BAITS
from commands import Command, run
from judging import Finding
from recipes import recipes
from running import CAPS, call, in_child, own_folder
from surface import public


@dataclass(frozen=True)
class Known:
    """A kind of finding.

    Attributes:
        subject: pattern of the function or verb.
        what: pattern of what is wrong, as a finding says it.
        shown_by: a case that shows it: (function, argument, bait), or a command.
    """

    subject: str
    what: str
    shown_by: tuple[str, str, str] | Command

    @property
    def name(self) -> str:
        return f"{self.subject}: {self.what}"

    def matches(self, told: str, finding: Finding) -> bool:
        subject = told.partition("(")[0]
        what = "code ran" if finding.code_ran else finding.what
        return finding.is_bad and fnmatchcase(subject, self.subject) and fnmatchcase(what, self.what)

    def run(self) -> tuple[str, Finding]:
        """The case that shows it."""
        if isinstance(self.shown_by, Command):
            return str(self.shown_by), run(self.shown_by, CAPS)
        function, argument, bait = self.shown_by
        return f"{function}({argument}: {bait})", with_bait(function, argument, bait)


def with_bait(function: str, argument: str, bait: str) -> Finding:
    """The first valid call of a function, with this bait for one argument."""
    with own_folder() as folder:

        def work() -> Finding:
            return call(public()[function], {**recipes()[function][0](), argument: BAITS[bait]()})

        return in_child(work, folder)


def known_as(told: str, finding: Finding) -> str:
    """The name of the known kind that a finding is of; empty when there is none."""
    return next((known.name for known in KNOWN if known.matches(told, finding)), "")


KNOWN = [
    # a loop of links where a file is to be written
    Known(
        "ddtheory cells",
        "prints a traceback: Error: a Runtime*",
        Command("cells", ["swiglu", "--gallery", "loop"]),
    ),
    # values that are refused when they are used, and not where they are made
    Known("ddtheory.testing.*", "cannot be shown*", ("ddtheory.testing.Estimate", "value", "10^400")),
    Known(
        "ddtheory.cells.SymbolicFace", "cannot be shown*", ("ddtheory.cells.SymbolicFace", "generators", "a deep list")
    ),
    Known("ddtheory.verify.Proof", "*", ("ddtheory.verify.Proof", "controls", "a mapping that throws")),
    # mappings of the caller that raise while they are read
    Known("ddtheory.certify.check", "Thrown*", ("ddtheory.certify.check", "certificate", "a mapping that throws")),
    Known(
        "ddtheory.measure.*",
        "Thrown*",
        ("ddtheory.measure.kronecker_factors_of_all", "parameters", "a mapping that throws"),
    ),
    Known(
        "ddtheory.testing.check_estimator", "Unicode*", ("ddtheory.testing.check_estimator", "keep", "a lone surrogate")
    ),
    # families whose sizes have no bound yet
    Known("ddtheory.cells.*", "more than 20 s*", ("ddtheory.cells.arrangement", "dimension", "a thousand")),
]
