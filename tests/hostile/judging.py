"""What became of a case, and the table of all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """How a case ended. The last two fail the attack."""

    ANSWER = "answers"
    REFUSAL = "refusals"
    CALLERS_OWN = "errors of the caller's own functions"
    STOPPED = "ended by the signal that was sent"
    OVERRUN = "overruns"
    TRACEBACK = "tracebacks"


BAD = (Outcome.OVERRUN, Outcome.TRACEBACK)


@dataclass(frozen=True)
class Finding:
    """What became of one case.

    Attributes:
        outcome: how it ended.
        what: the message, or what is wrong.
        place: file and innermost function of the package that an error came through.
        details: the last lines of the traceback, or the output of the command.
        code_ran: a bait that is code was run.
    """

    outcome: Outcome
    what: str = ""
    place: str = ""
    details: str = ""
    code_ran: bool = False

    @property
    def is_bad(self) -> bool:
        return self.code_ran or self.outcome in BAD

    def document(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def read(cls, document: dict[str, Any]) -> Finding:
        return cls(**{**document, "outcome": Outcome(document["outcome"])})


@dataclass
class Tally:
    """The counts of a run, and what went wrong in it."""

    outcomes: dict[str, Counter[Outcome]] = field(default_factory=dict)
    code_runs: Counter[str] = field(default_factory=Counter)
    bad: list[tuple[str, str, Finding]] = field(default_factory=list)

    def add(self, room: str, case: str, told: str, finding: Finding) -> None:
        """Counts a case."""
        self.outcomes.setdefault(room, Counter())[finding.outcome] += 1
        self.code_runs[room] += finding.code_ran
        if finding.is_bad:
            self.bad.append((case, told, finding))

    def merge(self, other: Tally) -> None:
        for room, counts in other.outcomes.items():
            self.outcomes.setdefault(room, Counter()).update(counts)
        self.code_runs.update(other.code_runs)
        self.bad += other.bad

    def total(self, outcome: Outcome) -> int:
        return sum(counts[outcome] for counts in self.outcomes.values())

    @property
    def cases(self) -> int:
        return sum(sum(counts.values()) for counts in self.outcomes.values())

    def table(self) -> str:
        """The counts by room, and in all."""
        columns = [*(outcome.value for outcome in Outcome), "code runs"]
        heads = ["answers", "refusals", "caller's", "stopped", "overruns", "tracebacks", "code runs"]
        rows = [
            [room, *(str(self.outcomes[room][outcome]) for outcome in Outcome), str(self.code_runs[room])]
            for room in sorted(self.outcomes)
        ]
        rows.append(["in all", *(str(self.total(outcome)) for outcome in Outcome), str(self.code_runs.total())])
        width = max(len(row[0]) for row in rows)
        assert len(heads) == len(columns)
        lines = ["  ".join(["".ljust(width), *heads])]
        lines += [
            "  ".join(
                [row[0].ljust(width), *(cell.rjust(len(head)) for cell, head in zip(row[1:], heads, strict=True))]
            )
            for row in rows
        ]
        return "\n".join(lines)


def kinds(bad: Iterable[tuple[str, str, Finding]]) -> dict[tuple[str, str, str], list[tuple[str, str, Finding]]]:
    """Bad cases by what is wrong: the subject, the kind of error, the place."""
    found: dict[tuple[str, str, str], list[tuple[str, str, Finding]]] = {}
    for case, told, finding in bad:
        what = "code ran" if finding.code_ran else finding.what.partition(":")[0][:80]
        found.setdefault((told.partition("(")[0], what, finding.place), []).append((case, told, finding))
    return found
