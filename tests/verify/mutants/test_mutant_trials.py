"""What a claim reaches, what a changed file does to it, and that nothing is written where it lies."""

from __future__ import annotations

import builtins
import multiprocessing
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ddtheory.errors import BookError
from ddtheory.verify.mutants import processes
from ddtheory.verify.mutants.files import digest_of_package, library
from ddtheory.verify.mutants.processes import Ending, is_late
from ddtheory.verify.mutants.reach import MARK, marked
from ddtheory.verify.mutants.trial import Answer, Trial

BOOK = Path(__file__).parent / "book"
SQUARES = BOOK / "sums" / "squares.py"

PROGRAM = '''"""Documentation."""
from __future__ import annotations

def first(n):
    """Documented."""
    if n > 1:
        return n
    elif n > 0:
        return 1
    return [k for k in range(2)]

def second():
    return 2

class Third:
    x = 3

    def fourth(self):
        return 4
value = first(1)
'''


def test_marks_are_called_where_parts_run(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: set[tuple[str, int]] = set()
    monkeypatch.setattr(builtins, MARK, lambda file, line, column: seen.add((file, line)), raising=False)
    names: dict[str, object] = {"__name__": "a"}
    exec(marked(PROGRAM, "a name", "a.py"), names)
    assert seen == {("a name", line) for line in (4, 6, 8, 9, 12, 15, 16, 18, 20)}
    assert names["value"] == 1
    assert names["__doc__"] == "Documentation."


@pytest.mark.parametrize(
    ("text", "columns", "value"),
    [
        ("x = 1 if y else 2", [0, 16], 2),
        ("x = 5 and y or 3", [0, 10, 15], 3),
        ("x = (lambda: 4) and 0", [0, 20], 0),
        ("x = (lambda: 4)()", [0, 13], 4),
        ("x = [6 for _ in ()]", [0], []),
        ("x = {7: 8 for _ in (1,)}", [0, 8], {7: 8}),
    ],
)
def test_parts_of_expressions_keep_their_value(
    text: str, columns: list[int], value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: set[int] = set()
    monkeypatch.setattr(builtins, MARK, lambda file, line, column: seen.add(column), raising=False)
    names: dict[str, object] = {"y": 0}
    exec(marked(text, "a", "a.py"), names)
    assert (sorted(seen), names["x"]) == (columns, value)


def run(*trials: Trial, limit: float = 300.0, jobs: int = 1) -> list[Ending]:
    found: dict[int, Ending] = {}
    processes.run_all([(trial, limit) for trial in trials], jobs, lambda index, ending: found.update({index: ending}))
    return [found[index] for index in range(len(trials))]


def changed(old: str, new: str, file: Path = SQUARES, claim: str = "squares") -> Trial:
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1, old
    return Trial(claim, BOOK, changed={file: text.replace(old, new)})


@pytest.mark.long
def test_a_claim_as_it_is_and_changed() -> None:
    before = SQUARES.read_text(encoding="utf-8")
    untouched = Trial("squares", BOOK, watched={"squares.py": SQUARES})
    as_it_is, again, wrong, raises, broken, dead = run(
        untouched,
        untouched,
        changed("* (2 * n + 1)", "* (2 * n - 1)"),
        changed("sum(k**power", "sum(k / (power - power)"),
        changed('symbols("n i"', 'symbols("n"'),
        changed("total = sum", "import os; os._exit(5); total = sum"),
        jobs=2,
    )
    assert isinstance(as_it_is, Answer) and isinstance(again, Answer)
    assert (as_it_is.verdict, as_it_is.as_recorded, as_it_is.broken) == ("confirmed", True, "")
    assert (as_it_is.findings, as_it_is.reached) == (again.findings, again.reached)
    lines = before.splitlines()
    ran = {lines[line - 1][column:].split(" ")[0] for line, column in as_it_is.reached["squares.py"]}
    assert ran == {"import", "from", "n,", "def", "return", "total", "k**power", "found", "formula", "CLAIM"}
    assert isinstance(wrong, Answer)
    assert (wrong.verdict, wrong.ran, wrong.as_recorded) == ("refuted", True, False)
    assert wrong.findings != as_it_is.findings
    assert isinstance(raises, Answer)
    assert (raises.verdict, raises.ran, raises.as_recorded) == ("not checked", False, False)
    assert isinstance(broken, Answer)
    assert "cannot unpack" in broken.broken and not broken.as_recorded
    assert dead == "the process ended with 5"
    assert SQUARES.read_text(encoding="utf-8") == before


def test_a_claim_that_is_on_record_as_not_checked_and_raises_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "book" / "chapter" / "open.py"
    file.parent.mkdir(parents=True)
    file.write_text(SQUARES.read_text(encoding="utf-8").replace("Verdict.CONFIRMED", "Verdict.NOT_CHECKED"))
    (found,) = run(
        Trial("squares", file.parents[1], changed={file: file.read_text().replace("total = sum", "total = no")})
    )
    assert isinstance(found, Answer)
    assert (found.verdict, found.ran, found.as_recorded) == ("not checked", False, False)


def test_where_nothing_forks_processes_are_spawned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multiprocessing, "get_all_start_methods", lambda: ["spawn"])
    (found,) = run(changed("* (2 * n + 1)", "* (2 * n - 1)"))
    assert isinstance(found, Answer) and found.verdict == "refuted"


@pytest.mark.long
def test_what_is_kept_of_the_files_as_they_lie_says_nothing_of_a_change(tmp_path: Path) -> None:
    """In fresh processes: the one that forks others has the environment of its start."""
    code = (
        "import sys; from pathlib import Path; from ddtheory.verify.mutants.trial import Trial, run; "
        f"file = Path({str(SQUARES)!r}); text = file.read_text(encoding='utf-8'); "
        "changed = {file: text.replace('* (2 * n + 1)', sys.argv[1])} if len(sys.argv) > 1 else {}; "
        f"print(run(Trial('squares', Path({str(BOOK)!r}), changed=changed)).verdict, file=sys.__stdout__)"
    )
    for argument, verdict in (([], "confirmed"), (["* (2 * n - 1)"], "refuted")):
        done = subprocess.run(
            [sys.executable, "-c", code, *argument],
            env=os.environ | {"DDTHEORY_KEEP": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == verdict
    assert not list(tmp_path.iterdir())


@pytest.mark.long
def test_a_claim_that_does_not_end_is_stopped() -> None:
    endless, fine = run(
        changed("    total = sum", "    while True:\n        pass\n    total = sum"),
        changed("the first ten", "the first of ten"),
        limit=10.0,
        jobs=2,
    )
    assert is_late(endless)
    assert isinstance(fine, Answer) and fine.as_recorded


@pytest.mark.skipif(sys.platform == "win32", reason="the limit is on the clock there")
def test_a_claim_that_only_waits_is_not_late() -> None:
    """A limit on the clock would stop it, as it would stop whatever runs beside others."""
    (fine,) = run(changed("    total = sum", "    __import__('time').sleep(4)\n    total = sum"), limit=3.0)
    assert isinstance(fine, Answer) and fine.as_recorded and fine.seconds < 3


ORPHANS = """
import sys
from pathlib import Path
from ddtheory.verify.mutants.processes import run_all
from ddtheory.verify.mutants.trial import Trial

if __name__ == "__main__":
    file, mark = Path(sys.argv[1]), sys.argv[2]
    write = f"Path({mark!r}).write_text(str(os.getpid()))"
    endless = f"import os, time; from pathlib import Path; {write}\\nwhile True: time.sleep(0.1)"
    run_all([(Trial("squares", file.parents[1], changed={file: endless}), 600.0)], 1, print)
"""


@pytest.mark.long
def test_a_trial_leaves_with_the_process_that_asked_for_it(tmp_path: Path) -> None:
    script, mark = tmp_path / "script.py", tmp_path / "mark"
    script.write_text(ORPHANS)
    parent = subprocess.Popen([sys.executable, str(script), str(SQUARES), str(mark)])
    while not mark.exists() or not mark.read_text():
        assert parent.poll() is None
        time.sleep(0.1)
    parent.kill()
    parent.wait()
    while _lives(int(mark.read_text())):
        time.sleep(0.1)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_no_trial_begins_after_the_end() -> None:
    found: list[int] = []
    processes.run_all([(changed("385, 384", "386, 384"), 60.0)], 1, lambda index, _: found.append(index), until=0.0)
    assert found == []


def test_a_file_that_the_claim_does_not_import_is_a_mistake_of_ours() -> None:
    other = BOOK / "sums" / "absent.py"
    with pytest.raises(RuntimeError, match="does not import the changed file"):
        run(Trial("squares", BOOK, changed={other: "x = 1"}))


def test_a_claim_that_is_not_there_is_refused() -> None:
    with pytest.raises(LookupError, match="squares"):
        run(Trial("square", BOOK))


LIBRARY_CLAIM = """
from ddtheory.values import Citation, Verdict
from ddtheory.verify import Claim, Equation, Experiment, Proof
from ddtheory.workbench.ladder import count_check, value_check

AT_IMPORT = value_check("one", 1, 1.0, rivals=(2,))

def measure():
    return Experiment("Two.", {"c": (count_check("two", 2, 2, rivals=(1,), reason="Counted."),)})

CLAIM = Claim(id="library", title="t", clauses={"c": "s"}, source=Citation("p", "1"), hypotheses=(),
              expected=Verdict.CONFIRMED, control=measure)

def derive():
    return Proof("s", (Equation("c", "one", 1, 1, {"two": 2}),))
"""


def test_the_library_under_a_claim_is_watched_and_changed(tmp_path: Path) -> None:
    file = tmp_path / "book" / "chapter" / "library.py"
    file.parent.mkdir(parents=True)
    file.write_text(LIBRARY_CLAIM, encoding="utf-8")
    places = library()
    ladder = places["ddtheory/workbench/ladder.py"]
    old = "Interval.around(float(measured), 0.0)"
    assert ladder.text.count(old) == 1
    wrong = ladder.text.replace(old, "Interval.around(float(-measured), 0.0)")
    watched = {name: place.path for name, place in places.items()}
    as_it_is, other = run(
        Trial("library", tmp_path / "book", watched=watched),
        Trial("library", tmp_path / "book", changed={ladder.path: wrong}),
    )
    assert isinstance(as_it_is, Answer) and as_it_is.as_recorded
    ran = [ladder.text.splitlines()[line - 1][column:] for line, column in as_it_is.reached[ladder.name]]
    assert [line[:17] for line in ran] == ["return Comparison"]  # and nothing that an import ran
    assert isinstance(other, Answer) and other.verdict == "refuted"


def test_what_judges_is_not_changed() -> None:
    names = set(library())
    assert "ddtheory/workbench/ladder.py" in names and "ddtheory/measure/setting/problem.py" in names
    assert not [name for name in names if name.split("/")[1] in ("verify", "values.py", "errors.py", "certify")]


def test_the_digest_of_the_package_is_that_of_its_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "proofs").mkdir()
    (tmp_path / "a.py").write_text("x = 1")
    (tmp_path / "proofs" / "b.py").write_text("y = 1")
    monkeypatch.setattr("ddtheory.verify.mutants.files.PACKAGE", tmp_path)
    first = digest_of_package()
    (tmp_path / "proofs" / "b.py").write_text("y = 2")
    assert digest_of_package() == first
    (tmp_path / "a.py").write_text("x = 2")
    assert digest_of_package() != first


def test_a_book_that_cannot_be_read_is_broken(tmp_path: Path) -> None:
    (found,) = run(Trial("squares", tmp_path))
    assert isinstance(found, Answer) and "no claims" in found.broken
    assert issubclass(BookError, Exception)
