"""`ddtheory model`: answers, refusals and exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from calling import answer, call, running

from ddtheory import certify

FOLDER = Path(__file__).parents[2] / "examples" / "models"


def test_exit_code_0_and_the_pair() -> None:
    result = call("model", str(FOLDER / "tanh.toml"))
    assert result.exit_code == 0 and "λ = 2/3, m = 1" in result.stdout
    assert "checked: accepted" in result.stdout


def test_the_answer_as_json() -> None:
    found = answer("model", str(FOLDER / "impossible.toml"))
    assert (found["lambda"], found["multiplicity"], found["status"]) == ("1", 2, "exact")
    assert found["linear"] == ["a*b"] and found["complete"] and found["checked"]


def test_another_true_parameter_and_its_certificate(tmp_path: Path) -> None:
    proof = tmp_path / "proof.json"
    found = answer("model", str(FOLDER / "teacher.toml"), "--at", "a1=1,b1=1", "--certificate", str(proof))
    assert (found["lambda"], found["multiplicity"]) == ("3/2", 2)  # of the file: 5/4
    assert certify.check(json.loads(proof.read_text("utf-8"))).accepted


def test_generators_and_the_way_to_them() -> None:
    assert "f1 = " in call("model", str(FOLDER / "coins.toml"), "--generators").stdout
    found = answer("model", str(FOLDER / "tanh.toml"), "--generators")
    assert found["expressions"] == ["a1*b1 + a2*b2", "a1*b1**3 + a2*b2**3"]
    told = call("model", str(FOLDER / "tanh.toml"), "--explain").stdout
    assert "Newton's identities" in told and "κ = 4/3" in told


def test_bounds_say_what_is_open(tmp_path: Path) -> None:
    path = tmp_path / "mixed.toml"
    path.write_text('kind = "regression"\nmean = "a*tanh(b*x) + c*sin(d*x)"\ntruth = 0\ninputs = {x = "generic"}')
    result = call("model", str(path), "--seconds", "3")
    assert result.exit_code == 0 and "≤ λ ≤" in result.stdout and "not proven" in result.stdout
    refused = call("model", str(path), "--seconds", "3", "--certificate", str(tmp_path / "proof.json"))
    assert refused.exit_code == 2 and "no one certificate" in refused.output and not (tmp_path / "proof.json").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind = 'regression'\nmean = 'a*'\ntruth = 0", "The key mean"),
        ("kind = 'regression'\nmean = 'a'\ntruth = 0\nextra = 1", "The key extra is not known"),
        ("kind = 'regression'\nmean = ['a', 'a']\ntruth = [0, 1]", "found no true one"),
    ],
)
def test_exit_code_2_where_the_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text, encoding="utf-8")
    result = call("model", str(path))
    assert result.exit_code == 2 and message in result.output and "Traceback" not in result.output
    assert call("model", str(tmp_path / "nowhere.toml")).exit_code == 2


def test_help_loads_nothing_heavy() -> None:
    assert not running("model", "--help") & {"sympy", "torch", "matplotlib"}


def test_all_true_parameters_as_a_table() -> None:
    told = call("model", str(FOLDER / "factors.toml"), "--strata").stdout
    assert told.splitlines()[:2] == [
        "rank A  rank B  dimension  λ  m  status",
        "1       1       3          2  2  exact",
    ]
    found = answer("model", str(FOLDER / "polynomial.toml"), "--strata")
    assert (found["lambda"], found["multiplicity"], len(found["strata"])) == ("3/4", 2, 3)


@pytest.mark.parametrize(
    ("form", "start"), [("text", "rank A"), ("latex", r"\begin{array}"), ("csv", "stratum,rank A"), ("html", "<table>")]
)
def test_the_table_of_strata_in_every_form(form: str, start: str) -> None:
    assert call("model", str(FOLDER / "factors.toml"), "--strata", "--format", form).stdout.startswith(start)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--strata", "--at", "a1=1"], "about all true parameters"),
        (["--strata", "--explain"], "about all true parameters"),
        (["--format", "csv"], "--format is that of the table"),
        (["--strata", "--format", "csv", "--json"], "--format is that of the table"),
    ],
)
def test_options_that_do_not_go_with_strata_are_refused(options: list[str], message: str) -> None:
    refused = call("model", str(FOLDER / "teacher.toml"), *options)
    assert refused.exit_code == 2
    assert message in refused.stderr


def test_a_boundary_is_not_cut() -> None:
    refused = call("model", str(FOLDER / "impossible.toml"), "--strata")
    assert refused.exit_code == 2
    assert "--strata knows no nonnegative, which the file gives" in refused.stderr


def test_what_is_assumed_of_constants_is_printed_and_strata_refuse_them(tmp_path: Path) -> None:
    file = tmp_path / "constant.toml"
    file.write_text('kind = "regression"\nmean = "c*a*b"\ntruth = 0\nconstants = ["c:generic"]\n')
    assert "Generic constants: c ≠ 0" in call("model", str(file)).stdout
    assert answer("model", str(file))["assumed"] == ["c != 0"]
    refused = call("model", str(file), "--strata")
    assert refused.exit_code == 2 and "--strata knows no constants" in refused.output
