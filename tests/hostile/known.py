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


_CLI = [
    Known("ddtheory *", "a pipe was replaced*", Command("rlct", ["x^2*y^4", "--certificate", "pipe"])),
    Known(
        "ddtheory *", "prints a traceback: Error: a RuntimeError*", Command("cells", ["swiglu", "--gallery", "loop"])
    ),
    Known("ddtheory *", "prints a traceback: Error: a OSError*", Command("prove", ["--book", "9" * 400])),
]

_CELLS = [
    Known("ddtheory.cells.*", "Thrown*", ("ddtheory.cells.naive_bayes", "features", "an integer that throws")),
    Known("ddtheory.cells.*", "TypeError*", ("ddtheory.cells.find", "name", "a set of code")),
    Known("ddtheory.cells.*", "ValueError*", ("ddtheory.cells.naive_bayes", "features", "10^5000")),
    Known("ddtheory.cells.*", "AttributeError*", ("ddtheory.cells.find_text", "parameters", "endless text")),
    Known("ddtheory.cells.*", "RecursionError*", ("ddtheory.cells.latent_forest", "edges", "a deep list")),
    Known("ddtheory.cells.*", "code ran", ("ddtheory.cells.hidden_layer", "activation", "a spy by name")),
    Known(
        "ddtheory.cells.*", "a refusal that is not plain*", ("ddtheory.cells.semiregular", "singular", "a long name")
    ),
    Known("ddtheory.cells.*", "more than 20 s*", ("ddtheory.cells.factor_analysis", "covariates", "a billion")),
    Known("ddtheory.cells.*", "more memory*", ("ddtheory.cells.semiregular", "singular", "a billion")),
]

_PLOTS = [
    Known("ddtheory.plots.finite_temperature", "*", ("ddtheory.plots.finite_temperature", "crossings", "seven")),
    Known("ddtheory.plots.fluctuation", "*", ("ddtheory.plots.fluctuation", "largest", "blank text")),
    Known("ddtheory.plots.landscape", "*", ("ddtheory.plots.landscape", "order", "seven")),
    Known("ddtheory.plots.newton_polygon", "*", ("ddtheory.plots.newton_polygon", "source", "seven")),
    Known("ddtheory.plots.rate", "*", ("ddtheory.plots.rate", "profiles", "seven")),
    Known("ddtheory.plots.verdicts", "*", ("ddtheory.plots.verdicts", "results", "seven")),
]

_TESTING = [
    Known("ddtheory.testing.*", "cannot be shown*", ("ddtheory.testing.Estimate", "value", "10^400")),
    Known("ddtheory.testing.*", "Thrown*", ("ddtheory.testing.intervals", "max_magnitude", "unprintable text")),
    Known("ddtheory.testing.*", "TypeError*", ("ddtheory.testing.InputLaw", "points", "seven")),
    Known("ddtheory.testing.*", "ValueError*", ("ddtheory.testing.orders", "min_value", "10^5000")),
    Known("ddtheory.testing.*", "RecursionError*", ("ddtheory.testing.LayerShape", "widths", "a deep list")),
    Known("ddtheory.testing.*", "a refusal that is not*", ("ddtheory.testing.LayerShape", "rank", "a long product")),
    Known("ddtheory.testing.*", "more than 20 s*", ("ddtheory.testing.rlcts", "max_denominator", "a billion")),
    Known("ddtheory.testing.*", "more memory*", ("ddtheory.testing.directions", "moving", "a range of a billion")),
    Known(
        "ddtheory.testing.check_estimator", "Unicode*", ("ddtheory.testing.check_estimator", "keep", "a lone surrogate")
    ),
]

_VERIFY = [
    Known("ddtheory.verify.*", "Thrown*", ("ddtheory.verify.load", "folder", "an object that throws")),
    Known("ddtheory.verify.*", "TypeError*", ("ddtheory.verify.load", "folder", "seven")),
    Known("ddtheory.verify.*", "OSError*", ("ddtheory.verify.select", "folder", "a long product")),
    Known("ddtheory.verify.*", "AttributeError*", ("ddtheory.verify.run", "entries", "a list of code")),
    Known("ddtheory.verify.*", "code ran", ("ddtheory.verify.load", "folder", "a list with a spy")),
]

_THRESHOLDS = [Known("ddtheory.rlct", "TypeError: *not callable", ("ddtheory.rlct", "progress", "not a number"))]

KNOWN = [*_CLI, *_CELLS, *_PLOTS, *_TESTING, *_VERIFY, *_THRESHOLDS]
