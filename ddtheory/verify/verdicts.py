"""Turns what the witnesses say into a verdict, by rules that are stated here and nowhere else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ddtheory.shown import Shown, counted
from ddtheory.values import Citation, Verdict
from ddtheory.verify.book import Entry, below, transitive_assumptions
from ddtheory.verify.claim import TITLE, Outcome, WitnessName
from ddtheory.verify.findings import CheckFinding, EquationFinding, ExperimentFinding, ProofFinding, worst

WORST_FIRST = (Verdict.REFUTED, Verdict.INCONCLUSIVE, Verdict.NOT_CHECKED, Verdict.NARROWER, Verdict.CONFIRMED)

MEANING: Mapping[Verdict, str] = {
    Verdict.CONFIRMED: "every witness agrees, and the control fails as predicted",
    Verdict.NARROWER: "true under the stated hypotheses, false as titled",
    Verdict.REFUTED: "a witness contradicts the statement",
    Verdict.INCONCLUSIVE: "the evidence cannot tell the claim from a rival",
    Verdict.NOT_CHECKED: "a witness is missing or could not run",
}

GLYPH: Mapping[Verdict, str] = {
    Verdict.CONFIRMED: "✓",
    Verdict.NARROWER: "⊂",
    Verdict.REFUTED: "✗",
    Verdict.INCONCLUSIVE: "?",
    Verdict.NOT_CHECKED: "○",
}


SUPPORT_GLYPH: Mapping[str, str] = {
    "derived, measured": "■",
    "only derived": "◧",
    "only measured": "◨",
    "unsupported": "□",
}

_NOUN: Mapping[WitnessName, str] = {
    "derive": "the derivation",
    "measure": "the measurement",
    "control": "the control",
    "counterexample": "the counterexample",
}


@dataclass(frozen=True, repr=False)
class WitnessResult(Shown):
    """What one witness said, and how long it took. `error` says why it could not run."""

    name: WitnessName
    outcome: Outcome
    proof: ProofFinding | None = None
    experiment: ExperimentFinding | None = None
    error: str = ""
    seconds: float = 0.0

    @property
    def items(self) -> tuple[EquationFinding | CheckFinding, ...]:
        """Everything in it that can fail."""
        return (
            *(self.proof.equations if self.proof else ()),
            *(self.experiment.checks if self.experiment else ()),
        )

    @property
    def note(self) -> str:
        """What decided the outcome, in one clause."""
        finding = self.proof or self.experiment
        return finding.note if finding else self.error

    def __str__(self) -> str:
        return f"{self.name} {self.outcome.value}{f': {self.note}' if self.note else ''}"

    def rows(self) -> Mapping[str, str]:
        clauses = Counter(item.clause for item in self.items)
        found = {"witness": self.name, "outcome": self.outcome.value, "note": self.note}
        return {name: text for name, text in found.items() if text} | {
            f"clause “{clause}”": counted(count, "item") for clause, count in clauses.items()
        }


@dataclass(frozen=True)
class Record:
    """What the book says of a claim, without its functions.

    `file` is relative to the book, and `foundations` are all claims and outside
    facts on which the claim rests, directly or through others; `below` are the claims among them, each with its verdict
    on record, or None where the book has no such claim.
    """

    id: str
    chapter: str
    file: str
    title: str
    given: str
    clauses: Mapping[str, str]
    source: Citation
    hypotheses: tuple[str, ...]
    titled: str
    holds: str
    uncovered: str
    doubts: str
    rests_on: tuple[str, ...]
    assumes: tuple[Citation, ...]
    foundations: tuple[str, ...]
    below: Mapping[str, Verdict | None]
    expected: Verdict

    @property
    def headline(self) -> str:
        """What stands at the head of a claim: its title, or what holds of it where the title says too much."""
        return self.holds or self.title

    @classmethod
    def of(cls, entry: Entry) -> Record:
        claim = entry.claim
        return cls(
            id=claim.id,
            chapter=entry.chapter,
            file=entry.path.relative_to(entry.book).as_posix(),
            title=claim.title,
            given=claim.given,
            clauses=dict(claim.clauses),
            source=claim.source,
            hypotheses=claim.hypotheses,
            titled=claim.titled,
            holds=claim.holds,
            uncovered=claim.uncovered,
            doubts=claim.doubts,
            rests_on=claim.rests_on,
            assumes=claim.assumes,
            foundations=tuple(sorted(transitive_assumptions(claim.id, entry.book))),
            below={
                name: other.expected if other else None for name, other in sorted(below(claim.id, entry.book).items())
            },
            expected=claim.expected,
        )


@dataclass(frozen=True, repr=False)
class ClauseResult(Shown):
    """What stands behind one clause of a statement: the worst outcome of what derives, measures and attacks it.

    `rivals` counts the wrong formulas that its derivation excludes. An identity has no hypothesis that a control could
    break, and is attacked by these alone.
    """

    name: str
    text: str
    derived: Outcome
    measured: Outcome
    attacked: Outcome
    rivals: int = 0

    @property
    def support(self) -> str:
        """By which ways it is supported, in two words at most."""
        found = [self.derived is not Outcome.MISSING, self.measured is not Outcome.MISSING]
        return {(True, True): "derived, measured", (True, False): "only derived", (False, True): "only measured"}.get(
            (found[0], found[1]), "unsupported"
        )

    @property
    def by_rivals_only(self) -> bool:
        """Whether no control attacks it, but its derivation excludes wrong formulas."""
        return self.attacked is Outcome.MISSING and self.rivals > 0

    def __str__(self) -> str:
        return f"{self.name}: {self.support}"

    def rows(self) -> Mapping[str, str]:
        return {
            "clause": self.name,
            "says": self.text,
            "derived": self.derived.value,
            "measured": self.measured.value,
            "attacked": "by rivals only" if self.by_rivals_only else self.attacked.value,
        }


def of_clauses(clauses: Mapping[str, str], witnesses: Iterable[WitnessResult]) -> tuple[ClauseResult, ...]:
    """The clauses of a statement, each with what its witnesses make of it."""
    found: dict[tuple[str, str], list[Outcome]] = {}
    rivals: Counter[str] = Counter()
    for witness in witnesses:
        for item in witness.items:
            found.setdefault((witness.name, item.clause), []).append(item.outcome)
            if isinstance(item, EquationFinding):
                rivals[item.clause] += sum(rival.holds is False for rival in item.rivals)

    def outcome(witness: str, name: str) -> Outcome:
        outcomes = found.get((witness, name))
        return worst(outcomes) if outcomes else Outcome.MISSING

    return tuple(
        ClauseResult(
            name, text, outcome("derive", name), outcome("measure", name), outcome("control", name), rivals[name]
        )
        for name, text in clauses.items()
    )


@dataclass(frozen=True, repr=False)
class WeakFoundation(Shown):
    """A claim on which another rests, and that does not stand today: refuted, moved, not run, …"""

    id: str
    state: str

    def __str__(self) -> str:
        return f"rests on {self.id}, {self.state}"

    def rows(self) -> Mapping[str, str]:
        return {"rests on": self.id, "which is": self.state}


@dataclass(frozen=True, repr=False)
class ClaimResult(Shown):
    """Today's verdict on a claim.

    Attributes:
        record: what the book says of it.
        verdict: what its own witnesses make of it.
        reason: why, in one sentence.
        witnesses: what each of them said.
        ran: False when a witness, or the whole claim, could not run.
        interrupted: the run ended before the claim did.
        weak: the claims on which it rests, directly or through others, that do not stand in this run.
    """

    record: Record
    verdict: Verdict
    reason: str
    witnesses: tuple[WitnessResult, ...]
    ran: bool = True
    interrupted: bool = False
    weak: tuple[WeakFoundation, ...] = ()

    @property
    def clauses(self) -> tuple[ClauseResult, ...]:
        """The clauses of the statement, each with what derives, measures and attacks it."""
        return of_clauses(self.record.clauses, self.witnesses)

    @property
    def expected(self) -> Verdict:
        return self.record.expected

    @property
    def moved(self) -> bool:
        """Whether today's verdict differs from the one on record; what did not run has none, and has not moved."""
        return self.ran and self.verdict is not self.expected

    @property
    def as_recorded(self) -> bool:
        """Whether everything ran, the verdict is the one on record, and so it is for what it rests on."""
        return self.ran and not self.moved and not self.weak

    @property
    def seconds(self) -> float:
        return sum(witness.seconds for witness in self.witnesses)

    @classmethod
    def not_run(cls, entry: Entry, reason: str) -> ClaimResult:
        """The result of a claim whose worker failed."""
        return cls(Record.of(entry), Verdict.NOT_CHECKED, reason, (), ran=False)

    @classmethod
    def cut_off(cls, entry: Entry) -> ClaimResult:
        """The result of a claim that had not finished when the run was interrupted."""
        reason = "interrupted before it finished"
        return cls(Record.of(entry), Verdict.NOT_CHECKED, reason, (), ran=False, interrupted=True)

    def __str__(self) -> str:
        moved = f", moved from {self.expected.value}" if self.moved else ""
        return f"{self.record.id}: {self.verdict.value}{moved}: {self.reason}"

    def rows(self) -> Mapping[str, str]:
        found = {"claim": self.record.id, "title": self.record.title, "verdict": self.verdict.value}
        found |= {"moved from": self.expected.value} if self.moved else {}
        found |= {"because": self.reason, "rests on": "; ".join(f"{weak.id}, {weak.state}" for weak in self.weak)}
        clauses = {f"clause “{clause.name}”": clause.support for clause in self.clauses}
        return {name: text for name, text in (found | clauses).items() if text}


def judge(witnesses: Sequence[WitnessResult], clauses: Mapping[str, str], titled: str) -> tuple[Verdict, str]:
    """The verdict on a claim, and the sentence that says why. The first rule that applies decides.

    1. A witness could not run: not checked.
    2. The derivation or the measurement contradicts the statement: refuted.
    3. One of derivation, measurement and control is missing, a clause is neither derived nor measured, or a witness
       names a clause that is not there: not checked.
    4. The control does not fail as predicted, or a witness is inconclusive: inconclusive.
    5. A counterexample is declared: narrower when it stands, inconclusive when it does not.
    6. Otherwise: confirmed.
    """
    by_name = {witness.name: witness for witness in witnesses}
    for witness in by_name.values():
        if witness.outcome is Outcome.RAISED:
            return Verdict.NOT_CHECKED, f"{_NOUN[witness.name]} could not run: {witness.error}"
    claimed: tuple[WitnessName, ...] = ("derive", "measure")
    for name in claimed:
        if by_name[name].outcome is Outcome.CONTRADICTS:
            return Verdict.REFUTED, f"{_NOUN[name]} contradicts the statement: {by_name[name].note}"
    missing = [name for name in ("derive", "measure", "control") if by_name[name].outcome is Outcome.MISSING]
    if missing:
        return Verdict.NOT_CHECKED, f"no witness: {', '.join(missing)}"
    strange = [name for witness in witnesses for name in named(witness) if name not in _allowed(witness, clauses)]
    if strange:
        return Verdict.NOT_CHECKED, f"a witness speaks of the clause “{strange[0]}”, which the statement does not have"
    unsupported = [clause.name for clause in of_clauses(clauses, witnesses) if clause.support == "unsupported"]
    if unsupported:
        return Verdict.NOT_CHECKED, f"neither derived nor measured: the clause “{unsupported[0]}”"
    control = by_name["control"]
    if control.outcome is not Outcome.AGREES:
        return (
            Verdict.INCONCLUSIVE,
            f"the control did not fail as predicted, so the check cannot discriminate ({control.note})",
        )
    for name in claimed:
        if by_name[name].outcome is Outcome.INCONCLUSIVE:
            return Verdict.INCONCLUSIVE, f"{_NOUN[name]} is inconclusive: {by_name[name].note}"
    return _judge_title(by_name["counterexample"], titled)


def named(witness: WitnessResult) -> tuple[str, ...]:
    """The clauses of which a witness speaks, each once."""
    return tuple(dict.fromkeys(item.clause for item in witness.items))


def _allowed(witness: WitnessResult, clauses: Mapping[str, str]) -> set[str]:
    return {*clauses, TITLE} if witness.name == "counterexample" else {*clauses}


def _judge_title(counterexample: WitnessResult, titled: str) -> tuple[Verdict, str]:
    if counterexample.outcome is Outcome.MISSING:
        return Verdict.CONFIRMED, "every witness agrees, and the control fails as predicted"
    if counterexample.outcome is not Outcome.AGREES:
        return Verdict.INCONCLUSIVE, f"the declared counterexample does not stand: {counterexample.note}"
    if not titled:
        return (
            Verdict.INCONCLUSIVE,
            "a counterexample stands, but the claim does not say what its title claims beyond the statement",
        )
    return Verdict.NARROWER, f"holds as stated, not as titled: {counterexample.note}"


def proof_as_recorded(outcome: Outcome, expected: Verdict) -> bool:
    """Whether a proof alone is compatible with the verdict on record."""
    allowed = {
        Verdict.CONFIRMED: {Outcome.AGREES},
        Verdict.NARROWER: {Outcome.AGREES},
        Verdict.REFUTED: {Outcome.AGREES, Outcome.CONTRADICTS, Outcome.MISSING},
        Verdict.INCONCLUSIVE: {Outcome.AGREES, Outcome.INCONCLUSIVE},
        Verdict.NOT_CHECKED: {Outcome.AGREES, Outcome.MISSING},
    }
    return outcome in allowed[expected]


_STANDS = (Verdict.CONFIRMED, Verdict.NARROWER)


def weighed(results: Sequence[ClaimResult]) -> tuple[ClaimResult, ...]:
    """The results of one run, each with those of its foundations that do not stand in it."""
    today = {result.record.id: result for result in results}
    return tuple(replace(result, weak=tuple(_weak(result.record, today))) for result in results)


def _weak(record: Record, today: Mapping[str, ClaimResult]) -> Iterator[WeakFoundation]:
    for name, on_record in record.below.items():
        state = _weakness(today.get(name), on_record)
        if state and name != record.id:
            yield WeakFoundation(name, state)


def _weakness(found: ClaimResult | None, on_record: Verdict | None) -> str:
    """Why a claim cannot carry another; empty where it stands."""
    if on_record is None:
        return "which is not in the book"
    if found is None or found.interrupted:
        return "not run" if on_record in _STANDS else f"not run, {on_record.value} on record"
    if not found.ran:
        return "which could not run"
    if found.moved:
        return f"{found.verdict.value}, moved from {found.expected.value}"
    return "" if found.verdict in _STANDS else found.verdict.value


def worst_first(results: Iterable[ClaimResult]) -> tuple[ClaimResult, ...]:
    """What needs attention first: moved verdicts, what could not run, then the worst verdicts.

    Within equals, what rests on a weak foundation comes first; then the order of the book decides.
    """
    return tuple(
        sorted(
            results,
            key=lambda result: (
                not result.moved,
                result.ran or result.interrupted,
                WORST_FIRST.index(result.verdict),
                not result.weak,
            ),
        )
    )
