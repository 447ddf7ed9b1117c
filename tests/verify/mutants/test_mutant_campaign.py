"""A book with one claim whose evidence is good and one that compares a formula with itself: the tool must say so."""

from __future__ import annotations

import json
import multiprocessing
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ddtheory.errors import BookError
from ddtheory.verify import Entry, load, select
from ddtheory.verify.mutants import campaign, draw, harmless
from ddtheory.verify.mutants.campaign import Fate
from ddtheory.verify.mutants.command import main
from ddtheory.verify.mutants.draw import Mutant
from ddtheory.verify.mutants.files import Place, file_of, library
from ddtheory.verify.mutants.kept import Kept
from ddtheory.verify.mutants.kinds import KINDS, mutations
from ddtheory.verify.mutants.trial import Answer

BOOK = Path(__file__).parent / "book"
FORMULAS = [part for kind in ("exponent", "sign", "count") for part in ("--kind", kind)]

Invoke = Callable[..., Result]


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return Path(shutil.copytree(BOOK, tmp_path / "book", ignore=shutil.ignore_patterns("__pycache__")))


@pytest.fixture
def invoke(book: Path, tmp_path: Path) -> Invoke:
    def run(*arguments: str) -> Result:
        kept = str(tmp_path / "kept.jsonl")
        return CliRunner().invoke(main, ["--book", str(book), "--keep", kept, "--jobs", "2", *FORMULAS, *arguments])

    return run


@pytest.mark.long
def test_good_evidence_kills_every_change_and_an_empty_check_none(invoke: Invoke, tmp_path: Path) -> None:
    done = invoke("--sample", "100", "--json")
    assert done.exit_code == 1, done.output
    changes = json.loads(done.stdout)["changes"]
    fates = {
        claim: {each["fate"] for each in changes if each["claim"] == claim} for claim in ("squares", "typed twice")
    }
    assert fates["squares"] <= {"killed", "raised"} and len(changes) >= 10
    (survivors,) = [[each for each in changes if each["fate"] == "survived"]]
    assert {(each["before"], each["after"], each["claim"]) for each in survivors} == {
        ("return whole**2", "return whole**1", "typed twice"),
        ("return whole**2", "return whole**3", "typed twice"),
    }
    assert not [each for each in changes if each["claim"] == "typed twice" and each not in survivors]
    assert "- return whole**2\n  + return whole**3" in done.stderr
    (row,) = [
        line.split() for line in done.stderr.splitlines() if line.startswith("typed twice") and line.endswith("%")
    ]
    assert row == ["typed", "twice", "2", "2", "0", "%"]
    lines = (tmp_path / "kept.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(changes) + 2  # and the two claims as they are


@pytest.mark.long
def test_a_second_run_goes_on_where_the_first_ended(
    invoke: Invoke, book: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []
    whole = Kept.put
    monkeypatch.setattr(
        Kept, "put", lambda self, key, ending, about: (ran.append(about), whole(self, key, ending, about))
    )
    first = invoke("typed twice", "--sample", "2", "--json")
    assert len(ran) == 3 and ran[0] == "typed twice"
    ran.clear()
    assert invoke("typed twice", "--sample", "2", "--json").stdout == first.stdout
    assert ran == []
    file = book / "sums" / "typed_twice.py"
    file.write_text(file.read_text(encoding="utf-8").replace("or so", "or not"), encoding="utf-8")
    invoke("typed twice", "--sample", "2")
    assert len(ran) == 3


SHARED = """
from ddtheory.values import Citation, Interval, Verdict
from ddtheory.verify import Claim, Comparison, Equation, Experiment, Proof
from ddtheory.workbench.ladder import count_check, value_check

def measure():
    return Experiment("S.", {{"c": ({check},)}})

def derive():
    return Proof("s", (Equation("c", "one", 1, 1, {{"two": 2}}),))

CLAIM = Claim(id={id!r}, title="t", clauses={{"c": "s"}}, source=Citation("p", "1"), hypotheses=(),
              expected=Verdict.CONFIRMED, control=measure)
"""


@pytest.mark.long
def test_a_change_of_the_library_is_shown_to_other_claims_that_reach_it(tmp_path: Path) -> None:
    """At zero a slack has no sign, so the first claim is blind; the second sees it; the third does not come by."""
    book = tmp_path / "book"
    (book / "chapter").mkdir(parents=True)
    for name, check in {
        "blind": "value_check('a', 0, 0.0, rivals=(1,))",
        "seeing": "value_check('b', 2, 2.0, rivals=(3,))",
        "elsewhere": "count_check('c', 2, 2, rivals=(1,), reason='r')",
    }.items():
        (book / "chapter" / f"{name}.py").write_text(SHARED.format(id=name, check=check), encoding="utf-8")
    places = library()
    place = places["ddtheory/workbench/ladder.py"]
    (change,) = [
        each for each in mutations(place.text) if each.kind == "sign" and "-(error * max(abs(measured)" in each.after
    ]
    (first, *_) = entries = [entry for name in ("blind", "seeing", "elsewhere") for entry in select([name], book)]
    found = _campaign(entries, [Mutant(first.claim.id, place, change)])
    assert [(each.fate, each.seen_by) for each in found.judged] == [(Fate.RAISED, "seeing")]
    found = _campaign(entries[::2], [Mutant(first.claim.id, place, change)])
    assert [(each.fate, each.seen_by) for each in found.judged] == [(Fate.SURVIVED, "")]


def _campaign(entries: Sequence[Entry], mutants: Sequence[Mutant]) -> campaign.Result:
    """A campaign whose draw is known."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(draw, "drawn", lambda candidates, count, seed: [each for each in mutants if each in candidates])
        return campaign.run(campaign.Plan(tuple(entries), 100), Kept(None), lambda stage, total: lambda done: None)


@pytest.mark.long
def test_an_interrupt_keeps_what_is_finished(invoke: Invoke, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    whole = Kept.put

    def put(self: Kept, key: str, ending: Answer, about: str) -> None:
        whole(self, key, ending, about)
        if "typed_twice.py" in about:
            raise KeyboardInterrupt

    monkeypatch.setattr(Kept, "put", put)
    done = invoke("typed twice", "--sample", "2", "--json")
    assert (done.exit_code, json.loads(done.stdout)["interrupted"]) == (2, True)
    assert len((tmp_path / "kept.jsonl").read_text(encoding="utf-8").splitlines()) == 2
    assert multiprocessing.active_children() == []
    monkeypatch.undo()
    assert len(json.loads(invoke("typed twice", "--sample", "2", "--json").stdout)["changes"]) == 2


def accept(book: Path, **changes: str) -> None:
    entry = {
        "claim": "typed twice",
        "file": "book/sums/typed_twice.py",
        "line": "return whole**2",
        "becomes": "return whole**3",
        "reason": "An example.",
    } | changes
    lines = "".join(f"{name} = {json.dumps(value)}\n" for name, value in entry.items())
    with (book / harmless.FILE).open("a", encoding="utf-8") as stream:
        stream.write(f"[[harmless]]\n{lines}\n")


@pytest.mark.long
def test_accepted_survivors_leave_the_rate(invoke: Invoke, book: Path) -> None:
    accept(book)
    one = invoke("typed twice", "--sample", "2", "--json")
    assert one.exit_code == 1
    found = json.loads(one.stdout)
    assert (found["rate"], sorted(each["accepted"] for each in found["changes"])) == (0.0, ["", "An example."])
    accept(book, becomes="return whole**1", claim="typed twice")
    both = invoke("typed twice", "--sample", "2", "--json")
    assert (json.loads(both.stdout)["rate"], both.exit_code) == (None, 2)  # nothing is left that could be judged


@pytest.mark.long
@pytest.mark.parametrize(
    ("width", "fate", "accepted"),
    [
        ("0.5", "killed", ""),  # ten times that reaches the rival at distance 1
        ("0.1", "survived", campaign.WIDER),
        ("max(0.1, idle(error=0.002))", "survived", ""),  # 0.02 is not felt
    ],
)
def test_a_wider_tolerance_is_accepted_only_where_it_is_felt_and_excludes_all_rivals(
    invoke: Invoke, book: Path, width: str, fate: str, accepted: str
) -> None:
    file = book / "sums" / "squares.py"
    text = file.read_text(encoding="utf-8")
    given = text.replace(", 0.5,", f", {width},") + "\n\ndef idle(error: float) -> float:\n    return error\n"
    file.write_text(given, encoding="utf-8")
    done = invoke("squares", "--sample", "9", "--kind", "width", "--json")
    (found,) = [each for each in json.loads(done.stdout)["changes"] if each["kind"] == "width"]
    assert (found["fate"], found["accepted"]) == (fate, accepted), done.stderr


@pytest.mark.long
@pytest.mark.parametrize("stale", [{"becomes": "return whole**4"}, {"claim": "typed once"}, {"file": "no.py"}])
def test_an_accepted_survivor_that_matches_nothing_fails(invoke: Invoke, book: Path, stale: dict[str, str]) -> None:
    accept(book, **stale)
    done = invoke("squares", "--sample", "1", "--floor", "0", "--json")
    assert done.exit_code == 1, done.output
    assert len(json.loads(done.stdout)["out_of_date"]) == 1
    assert "no change matches it" in done.stderr


@pytest.mark.long
def test_an_accepted_survivor_that_is_seen_by_now_fails(invoke: Invoke, book: Path) -> None:
    file, before = "book/sums/squares.py", "total = sum(k**power for k in range(1, 11))"
    accept(book, claim="squares", file=file, line=before, becomes=before.replace("power for", "(power + 1) for"))
    done = invoke("squares", "--sample", "100", "--floor", "0", "--json")
    assert (done.exit_code, len(json.loads(done.stdout)["out_of_date"])) == (1, 1)


@pytest.mark.parametrize(
    ("claim", "becomes", "accepted"),
    [("c", "x = 3", True), ("", "x = 3", True), ("d", "x = 3", False), ("c", "x = 1", False)],
)
def test_what_an_accepted_survivor_is_about(claim: str, becomes: str, accepted: bool) -> None:
    mutant = next(each for each in mutants("book", "x = 2") if each.mutation.after == "x = 3")
    assert harmless.Harmless("book.py", "x = 2", becomes, "Why.", claim).accepts(mutant) is accepted


@pytest.mark.parametrize("entry", [{"reason": " "}, {"seed": "1"}])
def test_an_accepted_survivor_without_a_reason_is_refused(invoke: Invoke, book: Path, entry: dict[str, str]) -> None:
    accept(book, **entry)
    done = invoke("squares", "--sample", "1")
    assert (done.exit_code, "an entry needs" in done.stderr) == (2, True)


def test_a_list_that_is_no_toml_is_refused(book: Path) -> None:
    (book / harmless.FILE).write_text("harmless = [")
    with pytest.raises(BookError, match="cannot be read"):
        harmless.read(book)


def test_a_claim_that_moved_before_anything_is_changed_is_refused(invoke: Invoke, book: Path) -> None:
    file = book / "sums" / "squares.py"
    file.write_text(file.read_text(encoding="utf-8").replace("2, 385, 384", "2, 386, 384"), encoding="utf-8")
    done = invoke("squares", "--sample", "1")
    assert done.exit_code == 2
    assert "squares has another verdict than the one on record before anything is changed" in done.stderr


def test_an_unknown_claim_is_refused(invoke: Invoke) -> None:
    done = invoke("square")
    assert (done.exit_code, "Did you mean squares" in done.stderr) == (2, True)


def test_no_time_is_no_success(invoke: Invoke) -> None:
    done = invoke("squares", "--sample", "3", "--minutes", "1e-9")
    assert done.exit_code == 2


# --- the draw -------------------------------------------------------------------------------------------------------


def mutants(room: str, text: str, count: int = 1) -> list[Mutant]:
    place = Place(Path(f"{room}.py"), f"{room}.py", room)  # type: ignore[arg-type]
    object.__setattr__(place, "__dict__", {**place.__dict__, "text": text})
    return [Mutant("c", place, change) for change in mutations(text)] * count


def test_the_draw_is_seeded_and_without_repetition() -> None:
    text = "\n".join(f"x{n} = a{n} + {n + 2}" for n in range(20))
    candidates = mutants("book", text)
    first = draw.drawn(candidates, 30, seed=1)
    assert draw.drawn(candidates, 30, seed=1) == first != draw.drawn(candidates, 30, seed=2)
    assert len(set(first)) == len(first) == 30
    assert set(draw.drawn(candidates, 10_000, seed=1)) == set(candidates)


def test_no_kind_and_no_room_crowds_out_another() -> None:
    many = mutants("book", "\n".join(f"x{n} = f({n + 2})" for n in range(200)) + "\ny = a.T + b**2\n")
    few = mutants("library", "x = a + b")
    found = [draw.drawn([*many, *few], 1, seed)[0] for seed in range(200)]
    rooms = sum(each.place.room == "library" for each in found) / 200
    constants = sum(each.mutation.kind == "constant" for each in found) / 200
    assert 0.06 < rooms < 0.24  # 1 in 7
    assert 0.12 < constants < 0.32  # 6/7 of 1 in 4, although 400 of 406 changes are constants


def test_the_claims_of_a_draw() -> None:
    entries = load(BOOK)
    assert set(draw.claims(entries, 100, 0)) == set(entries)
    assert len(draw.claims(entries, 1, 0)) == 1
    assert len({draw.claims(entries, 1, seed)[0].claim.id for seed in range(20)}) == 2


def test_only_what_is_reached_is_changed() -> None:
    (squares, _) = load(BOOK)
    place = file_of(squares)
    place_of = dict(enumerate(place.text.splitlines(), 1))
    (line,) = [n for n, text in place_of.items() if "total = sum" in text]
    column = place_of[line].index("k**power")
    found = draw.mutants(squares, {place.name: ((line, column),)}, {}, ("exponent", "sign", "setting"))
    assert {each.mutation.before for each in found} == {"total = sum(k**power for k in range(1, 11))"}
    assert {each.mutation.kind for each in found} == {"exponent"}  # the range stands outside the element


def test_a_library_file_that_was_only_imported_is_left_alone() -> None:
    (squares, _) = load(BOOK)
    (first, *_) = mutants("library", "SIZE = f(2, a)\ndef f(x):\n    return x + 1\ndef g(x):\n    return x + 1\n")
    library = {"library.py": first.place}
    assert draw.mutants(squares, {}, library, KINDS) == ()
    called = draw.mutants(squares, {"library.py": ((3, 4),)}, library, KINDS)
    assert {each.mutation.line for each in called} == {1, 3}


# --- what is kept ---------------------------------------------------------------------------------------------------


def test_kept_endings_read_back_and_a_torn_line_is_ignored(tmp_path: Path) -> None:
    file = tmp_path / "kept.jsonl"
    answer = Answer("confirmed", True, True, "ν = ½", "abc", 1.5, "", {"a.py": ((1, 2), (3, 0))})
    first = Kept(file)
    first.put("1", answer, "about")
    first.put("2", "time", "about")
    with file.open("a", encoding="utf-8") as stream:
        stream.write('{"key": "3", "end')
    again = Kept(file)
    assert (again.get("1"), again.get("2"), again.get("3")) == (answer, "time", None)
