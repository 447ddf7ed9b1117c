"""The command line as a user meets it: exit codes, one-line errors, JSON on standard output and nothing else."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ddtheory.cli import main
from ddtheory.verify import book

EXAMPLE = Path(__file__).parents[1] / "verify" / "book"

SLOW_CLAIM = """
import time
from ddtheory.values import Citation, Verdict
from ddtheory.verify import Claim
CLAIM = Claim("{name}", "{name}", "x", Citation("p"), (), Verdict.NOT_CHECKED, derive=lambda: time.sleep({seconds}))
"""


@pytest.fixture
def in_example(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book, "locate", lambda: EXAMPLE)


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_verify_prints_a_table_and_one_closing_line(in_example: None) -> None:
    result = call("verify", "--jobs", "1")
    assert result.exit_code == 0
    assert "⊂ narrower" in result.stdout
    closing = result.stdout.strip().splitlines()[-1]
    assert closing.startswith("1 refuted, 1 inconclusive, 1 not checked, 1 narrower, 1 confirmed · 0 moved")


def test_verify_json_is_alone_on_standard_output(in_example: None) -> None:
    result = call("verify", "thm:fisher_decay", "--json")
    report = json.loads(result.stdout)
    assert report["schema"] == "ddtheory.report/1"
    assert [claim["id"] for claim in report["claims"]] == ["thm:fisher_decay"]
    assert "1 confirmed" in result.stderr


def test_verify_writes_the_report(in_example: None, tmp_path: Path) -> None:
    result = call("verify", "spectra", "--jobs", "1", "--out", str(tmp_path / "out"))
    assert result.exit_code == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["report.html", "report.json"]
    assert f"report: {tmp_path / 'out' / 'report.html'}" in result.stdout


def test_an_unwritable_folder_is_refused_before_any_work(
    in_example: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr("ddtheory.verify.runner.run", lambda *_: pytest.fail("work was done"))
    result = call("verify", "--out", str(tmp_path / "file" / "out"))
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: Cannot write to")
    assert result.stderr.count("\n") == 1


def test_verify_list_runs_nothing(in_example: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ddtheory.verify.runner.run", lambda *_: pytest.fail("work was done"))
    assert "prop:depth_order  rates    narrower" in call("verify", "--list").stdout
    listed = json.loads(call("verify", "--list", "--json").stdout)
    assert listed[0]["id"] == "thm:fisher_decay"


def test_an_unknown_claim_gets_the_nearest_names(in_example: None) -> None:
    for verb in ("verify", "prove"):
        result = call(verb, "thm:fisher_decy")
        assert result.exit_code == 2
        assert "Did you mean thm:fisher_decay" in result.stderr
        assert "Traceback" not in result.stderr


def test_a_moved_verdict_is_exit_code_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "chapter").mkdir()
    source = (EXAMPLE / "spectra" / "refuted.py").read_text(encoding="utf-8")
    moved = source.replace("expected=Verdict.REFUTED", "expected=Verdict.CONFIRMED")
    (tmp_path / "chapter" / "moved.py").write_text(moved, encoding="utf-8")
    monkeypatch.setattr(book, "locate", lambda: tmp_path)
    result = call("verify")
    assert result.exit_code == 1
    assert "moved from" in result.stdout


def test_a_witness_that_cannot_run_is_exit_code_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "chapter").mkdir()
    (tmp_path / "chapter" / "broken.py").write_text(SLOW_CLAIM.format(name="broken", seconds="'x'"))
    monkeypatch.setattr(book, "locate", lambda: tmp_path)
    assert call("verify").exit_code == 2
    assert call("prove").exit_code == 2


def test_prove_prints_steps_and_residuals(in_example: None) -> None:
    result = call("prove", "thm:fisher_decay", "prop:depth_order")
    assert result.exit_code == 0
    assert "1. Along the ray the mean moves by $t^k$." in result.stdout
    assert "control “rate one order off”: does not vanish" in result.stdout


def test_prove_json(in_example: None) -> None:
    found = json.loads(call("prove", "--json", "rates").stdout)
    assert found["thm:fisher_decay"]["derivation"]["residuals"][0]["vanishes"] is True


def test_order_json() -> None:
    result = call("order", "x^2 + y^4/2", "--along", "y=1", "--json")
    found = json.loads(result.stdout)
    assert {key: found[key] for key in ("k", "kind", "rate", "arc_k", "leading")} == {
        "k": 2,
        "kind": "dead",
        "rate": 2,
        "arc_k": 2,
        "leading": "1/2",
    }
    assert found["arc"]["proven"] is True


def test_order_with_a_symbolic_exponent_and_without_arcs() -> None:
    arguments = ("order", "x^2 + y^(2*k)", "--along", "y=1", "--parameter", "k:positive-integer", "--no-arc")
    found = json.loads(call(*arguments, "--json").stdout)
    assert (found["k"], found["rate"], found["arc"]) == ("k", "2*k - 2", None)
    assert "k        k" in call(*arguments).stdout


def test_order_of_a_flat_direction_has_nulls() -> None:
    found = json.loads(call("order", "(x*y)^2", "--along", "x=1", "--json").stdout)
    assert (found["kind"], found["k"], found["rate"], found["leading"]) == ("flat", None, None, None)


@pytest.mark.parametrize(
    "arguments",
    [
        ("__import__('os')", "--along", "x=1"),
        ("x^2", "--along", "x"),
        ("x^2", "--along", "x=0"),
        ("x^2 + 1", "--along", "x=1"),
        ("x^2", "--along", "x=1", "--parameter", "k:purple"),
    ],
)
def test_order_refuses_bad_input_in_one_line(arguments: tuple[str, ...]) -> None:
    result = call("order", *arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("verb", ["verify", "prove", "order"])
def test_every_verb_shows_an_example(verb: str) -> None:
    text = call(verb, "--help").stdout
    assert "Example" in text
    assert f"ddtheory {verb} " in text


def test_help_loads_nothing_heavy() -> None:
    program = (
        "import sys; from ddtheory.cli import main; import ddtheory.verify\n"
        "try: main(['verify', '--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'sympy', 'torch', 'matplotlib', 'numpy', 'jinja2'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


@pytest.mark.skipif(os.name != "posix", reason="process groups")
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_ctrl_c_keeps_the_report_and_leaves_no_process(tmp_path: Path, jobs: str) -> None:
    chapter = tmp_path / "book" / "chapter"
    chapter.mkdir(parents=True)
    markers = [tmp_path / name for name in ("first", "second")][: int(jobs)]
    for name in ("first", "second"):
        seconds = f"open({str(tmp_path / name)!r}, 'w').write(str(__import__('os').getpid())) and 60"
        (chapter / f"{name}.py").write_text(SLOW_CLAIM.format(name=name, seconds=seconds))
    program = (
        "from pathlib import Path; from ddtheory.verify import book; from ddtheory.cli import main\n"
        f"book.locate = lambda: Path({str(chapter.parent)!r})\n"
        f"main(['verify', '--jobs', '{jobs}', '--out', {str(tmp_path / 'out')!r}])"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 30
    while not all(marker.exists() and marker.read_text() for marker in markers) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the parent and to its workers
    out, err = process.communicate(timeout=30)
    assert process.returncode == 2
    assert "interrupted" in out
    assert "Traceback" not in err
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert report["summary"]["interrupted"] is True
    for marker in markers:
        with pytest.raises(ProcessLookupError):
            os.kill(int(marker.read_text()), 0)


def test_a_certificate_is_written_accepted_and_rejected_when_it_is_changed(tmp_path: Path) -> None:
    proof = tmp_path / "proof.json"
    written = CliRunner().invoke(main, ["rlct", "(x + y^2)^2 + z^2", "--certificate", str(proof)])
    assert written.exit_code == 0 and "λ = 1, m = 1" in written.output
    accepted = CliRunner().invoke(main, ["certify", str(proof), "--json"])
    assert accepted.exit_code == 0 and json.loads(accepted.output)["accepted"] is True
    changed = json.loads(proof.read_text(encoding="utf-8")) | {"lambda": "3/4"}
    proof.write_text(json.dumps(changed), encoding="utf-8")
    rejected = CliRunner().invoke(main, ["certify", str(proof)])
    assert rejected.exit_code == 1 and "3/4" in rejected.output
    missing = CliRunner().invoke(main, ["certify", str(tmp_path / "none.json")])
    assert missing.exit_code == 2


def test_an_expression_may_begin_with_a_minus_sign_and_a_mistyped_option_may_not_pass_for_one() -> None:
    assert "λ = 1/2, m = 1" in CliRunner().invoke(main, ["rlct", "-9*x - 38*y^2*z", "--generators"]).output
    assert CliRunner().invoke(main, ["rlct", "x^2", "--nosuch"]).exit_code == 2
