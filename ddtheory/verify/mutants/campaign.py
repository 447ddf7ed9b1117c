"""Tries changes on claims: first every claim as it is, then each change, in a process of its own."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from time import monotonic

from ddtheory.errors import BookError
from ddtheory.verify.book import Entry, load
from ddtheory.verify.mutants import draw, files
from ddtheory.verify.mutants.draw import Mutant
from ddtheory.verify.mutants.files import Place, digest, file_of
from ddtheory.verify.mutants.harmless import Harmless, out_of_date
from ddtheory.verify.mutants.kept import Kept
from ddtheory.verify.mutants.kinds import KINDS
from ddtheory.verify.mutants.mutation import same_program
from ddtheory.verify.mutants.processes import Ending, is_late, run_all
from ddtheory.verify.mutants.trial import Answer, Trial

ELSEWHERE = 3
"""A change of the library that one claim does not see is shown to this many others that reach it."""

WIDER = "Some comparison is ten times as wide, and every one still excludes all its rivals, as it must to agree."
"""Why a wider tolerance that was felt is harmless; one that was not felt may be idle, and is judged like any change."""

_PATIENCE, _START = 4, 30
"""A changed claim may work this many times as long as it did unchanged, and these seconds more."""

_FIRST_LIMIT = 600


class Fate(StrEnum):
    """What became of a change."""

    KILLED = "killed"  # the verdict moved
    RAISED = "raised"  # a witness could not run: seen too, but by accident
    TIMED_OUT = "timed out"  # as good as killed: `verify` would not have ended
    SURVIVED = "survived"
    BROKEN = "broken"  # the changed file could not be imported
    EQUIVALENT = "equivalent"  # the same program


SEEN = (Fate.KILLED, Fate.RAISED, Fate.TIMED_OUT)
"""What `verify` would not have passed over."""


@dataclass(frozen=True)
class Judged:
    """A change and what became of it.

    Attributes:
        mutant: the change, under the claim for which it was drawn.
        fate: what became of it.
        note: the sentence that says so.
        seen_by: the claim whose verdict moved; empty when none did.
        unchanged: for a survivor, whether the witnesses found the same to the last digit.
        accepted: for a survivor, why it is harmless; empty when nobody said so.
    """

    mutant: Mutant
    fate: Fate
    note: str = ""
    seen_by: str = ""
    unchanged: bool = False
    accepted: str = ""

    @property
    def counted(self) -> bool:
        """Whether it enters the rate."""
        judged = self.fate is Fate.SURVIVED or self.fate in SEEN
        return judged and not self.accepted and KINDS[self.mutant.mutation.kind].counted


@dataclass(frozen=True)
class Result:
    """What a campaign found.

    Attributes:
        judged: the changes that were tried, in the order of the draw.
        not_run: the drawn changes for which no time was left.
        out_of_date: accepted survivors that no change matches, or that are seen by now.
    """

    judged: tuple[Judged, ...]
    not_run: tuple[Mutant, ...] = ()
    out_of_date: tuple[Harmless, ...] = ()
    interrupted: bool = False

    @property
    def rate(self) -> float | None:
        """The share of counted changes that were seen; None when there were none."""
        return rate(self.judged)


def rate(judged: Sequence[Judged]) -> float | None:
    """The share of the counted changes that were seen; None when there are none."""
    counted = [each for each in judged if each.counted]
    return sum(each.fate is not Fate.SURVIVED for each in counted) / len(counted) if counted else None


@dataclass(frozen=True)
class Plan:
    """What to try.

    Attributes:
        entries: the claims to draw from.
        sample: how many changes.
        seed: of the draw.
        kinds: of change.
        jobs: processes at the same time.
        seconds: after which no trial begins.
        accepted: survivors that are known to be harmless.
    """

    entries: tuple[Entry, ...]
    sample: int
    seed: int = 0
    kinds: Collection[str] = tuple(name for name, kind in KINDS.items() if kind.counted)
    jobs: int = 1
    seconds: float = math.inf
    accepted: tuple[Harmless, ...] = ()


Tell = Callable[[str, int], Callable[[str], None]]
"""Called with a name and the number of parts when a stage begins; what it gives is called with each finished part."""


def run(plan: Plan, kept: Kept, tell: Tell) -> Result:
    """Runs a plan.

    Raises:
        BookError: a claim that was not changed has another verdict than the one on record.
    """
    return _Campaign(plan, kept, tell).run()


class _Campaign:
    def __init__(self, plan: Plan, kept: Kept, tell: Tell) -> None:
        self._plan, self._kept, self._tell = plan, kept, tell
        self._until = monotonic() + plan.seconds
        self._library: Mapping[str, Place] = files.library()
        self._package = files.digest_of_package()
        self._entries = {entry.claim.id: entry for entry in plan.entries}
        self._as_it_is: dict[str, Answer] = {}
        self._mutants: tuple[Mutant, ...] = ()
        self._judged: dict[Mutant, Judged] = {}

    def run(self) -> Result:
        interrupted = False
        try:
            self._work()
        except KeyboardInterrupt:
            interrupted = True
        return Result(
            tuple(self._judged[mutant] for mutant in self._mutants if mutant in self._judged),
            tuple(mutant for mutant in self._mutants if mutant not in self._judged),
            self._out_of_date(),
            interrupted,
        )

    def _work(self) -> None:
        chosen = draw.claims(self._plan.entries, self._plan.sample, self._plan.seed)
        self._read_unchanged(chosen)
        self._mutants = self._draw([entry for entry in chosen if entry.claim.id in self._as_it_is])
        for mutant in self._mutants:
            if same_program(mutant.place.text, mutant.mutation.apply(mutant.place.text)):
                self._judged[mutant] = Judged(mutant, Fate.EQUIVALENT, "the same program")
        self._try("changes", [(each, each.claim_id) for each in self._mutants if each not in self._judged])
        for turn in range(ELSEWHERE):
            unseen = [mutant for mutant, found in self._judged.items() if found.fate is Fate.SURVIVED]
            others = [(mutant, others[turn]) for mutant in unseen if len(others := self._elsewhere(mutant)) > turn]
            self._try("survivors under another claim", others)

    def _read_unchanged(self, chosen: Sequence[Entry]) -> None:
        tasks = []
        for entry in chosen:
            watched = {place.name: place.path for place in (file_of(entry), *self._library.values())}
            trial = Trial(entry.claim.id, entry.book, watched=watched)
            tasks.append((trial, _FIRST_LIMIT, self._key(entry, ""), entry.claim.id))

        def keep(index: int, ending: Ending) -> None:
            claim_id = chosen[index].claim.id
            if not isinstance(ending, Answer) or not ending.as_recorded:
                why = ending.reason if isinstance(ending, Answer) else ending
                raise BookError(
                    f"{claim_id} has another verdict than the one on record before anything is changed: {why}. "
                    f"Run `ddtheory verify {claim_id}` first."
                )
            self._as_it_is[claim_id] = ending

        self._run("claims as they are", tasks, keep)

    def _draw(self, chosen: Sequence[Entry]) -> tuple[Mutant, ...]:
        share = math.ceil(self._plan.sample / max(1, len(chosen)))
        groups = []
        for entry in chosen:
            reached = self._as_it_is[entry.claim.id].reached
            candidates = draw.mutants(entry, reached, self._library, self._plan.kinds)
            groups.append(draw.drawn(candidates, share, self._plan.seed))
        return draw.in_turns(groups)[: self._plan.sample]

    def _elsewhere(self, mutant: Mutant) -> list[str]:
        """Other claims of this run that reach the change: first those that use most of its file, and the quickest."""
        if mutant.place.room == "book":
            return []
        found = [
            (-len(answer.reached[mutant.place.name]), answer.seconds, claim_id)
            for claim_id, answer in self._as_it_is.items()
            if claim_id != mutant.claim_id and draw.is_reached(mutant.place, mutant.mutation, answer.reached)
        ]
        return [claim_id for *_, claim_id in sorted(found)]

    def _try(self, stage: str, pairs: Sequence[tuple[Mutant, str]]) -> None:
        tasks = []
        for mutant, claim_id in pairs:
            entry, text = self._entries[claim_id], mutant.mutation.apply(mutant.place.text)
            trial = Trial(claim_id, entry.book, changed={mutant.place.path: text})
            limit = _START + _PATIENCE * self._as_it_is[claim_id].seconds
            about = f"{claim_id} {mutant.place.name}:{mutant.mutation.line} {mutant.mutation.after}"
            tasks.append((trial, limit, self._key(entry, digest(mutant.place.name, text)), about))

        def keep(index: int, ending: Ending) -> None:
            mutant, claim_id = pairs[index]
            found = self._judge(mutant, claim_id, ending)
            if mutant not in self._judged or found.fate is not Fate.SURVIVED:
                self._judged[mutant] = found

        self._run(stage, tasks, keep)

    def _judge(self, mutant: Mutant, claim_id: str, ending: Ending) -> Judged:
        if is_late(ending):
            return Judged(mutant, Fate.TIMED_OUT, "did not end in time", claim_id)
        if not isinstance(ending, Answer):
            return Judged(mutant, Fate.RAISED, ending, claim_id)
        if ending.broken:
            return Judged(mutant, Fate.BROKEN, ending.broken)
        if not ending.as_recorded:
            fate = Fate.KILLED if ending.ran else Fate.RAISED
            return Judged(mutant, fate, f"{ending.verdict}: {ending.reason}", claim_id)
        accepted = next((each.reason for each in self._plan.accepted if each.accepts(mutant)), "")
        unchanged = ending.findings == self._as_it_is[claim_id].findings
        if mutant.mutation.kind == "width" and not unchanged:
            accepted = accepted or WIDER
        return Judged(mutant, Fate.SURVIVED, ending.verdict, unchanged=unchanged, accepted=accepted)

    def _run(
        self,
        stage: str,
        tasks: Sequence[tuple[Trial, float, str, str]],
        keep: Callable[[int, Ending], None],
    ) -> None:
        """Runs what is not known yet, and hands over (place in the list, ending)."""
        done = self._tell(stage, len(tasks)) if tasks else None
        unknown: list[int] = []

        def tell(index: int, ending: Ending) -> None:
            keep(index, ending)
            if done is not None:
                done(tasks[index][3])

        for index, (_, _, key, _) in enumerate(tasks):
            known = self._kept.get(key)
            if known is None:
                unknown.append(index)
            else:
                tell(index, known)

        def answered(number: int, ending: Ending) -> None:
            index = unknown[number]
            self._kept.put(tasks[index][2], ending, tasks[index][3])
            tell(index, ending)

        run_all([tasks[index][:2] for index in unknown], self._plan.jobs, answered, self._until)

    def _key(self, entry: Entry, change: str) -> str:
        beside = sorted(path for path in entry.path.parent.rglob("*") if path.is_file() and path.suffix in _DATA)
        data = [path.read_text(encoding="utf-8") for path in beside]
        return digest(self._package, entry.claim.id, file_of(entry).text, *data, change)

    def _out_of_date(self) -> tuple[Harmless, ...]:
        accepted = self._plan.accepted
        seen = {
            each
            for each in accepted
            for found in self._judged.values()
            if each.accepts(found.mutant) and found.fate in SEEN
        }
        stale = set(out_of_date(load(self._plan.entries[0].book), accepted, self._library))
        return tuple(each for each in accepted if each in seen | stale)


_DATA = frozenset({".json", ".csv", ".toml", ".txt"})
