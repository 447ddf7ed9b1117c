"""`ddtheory certify` as a user meets it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from calling import answer, call, running


@pytest.fixture
def proof(tmp_path: Path) -> Path:
    file = tmp_path / "proof.json"
    assert "λ = 1, m = 1" in call("rlct", "(x + y^2)^2 + z^2", "--certificate", str(file)).stdout
    return file


def test_exit_code_0_accepted(proof: Path) -> None:
    assert answer("certify", str(proof))["accepted"] is True


def test_it_says_what_was_proved(proof: Path) -> None:
    first, *others = call("certify", str(proof)).stdout.splitlines()
    assert first.startswith("accepted: (λ, m) = (1, 1); ")
    assert others == [
        "K = x^2 + z^2 + 2*x*y^2 + y^4",
        "near x = y = z = 0",
        "prior: 1",
        "domain: no boundary",
        "proven as well: K >= 0 near the point",
    ]


def test_exit_code_1_a_changed_certificate_is_rejected(proof: Path) -> None:
    proof.write_text(json.dumps(json.loads(proof.read_text(encoding="utf-8")) | {"lambda": "3/4"}), encoding="utf-8")
    result = call("certify", str(proof))
    assert result.exit_code == 1 and "3/4" in result.stdout


def test_exit_code_2_no_certificate(tmp_path: Path) -> None:
    (tmp_path / "text.json").write_text("[]")
    for name in ("none.json", "text.json"):
        result = call("certify", str(tmp_path / name))
        assert result.exit_code == 2 and "Traceback" not in result.output


def test_exit_code_2_a_limit_is_reached(proof: Path) -> None:
    """A constant to the power 10^12 needs more than any limit; and the limits are arguments."""
    germ = {"variables": ["x"], "prior": ["0"], "nonnegative": [False], "field": None, "generators": [[[[0], "3"]]]}
    bounds = {"lower": ["infinity", 1], "upper": ["infinity", 1]}
    leaf = {"germ": germ, **bounds, "rule": "unit", "data": {}, "children": []}
    root = {**leaf, "rule": "power", "data": {"exponent": 10**12, "unit": [[[0], "1"]]}, "children": [leaf]}
    claim = {**bounds, "lambda": "infinity", "multiplicity": 1}
    top = {"format": "ddtheory-derivation/1", "hypotheses": [], "derivation": root, "status": "exact", **claim}
    proof.write_text(json.dumps({**top, "input": {"kind": "generators", "germ": germ, "at": ["0"]}}), encoding="utf-8")
    result = call("certify", str(proof), "--seconds", "5", "--memory", "200")
    assert result.exit_code == 2 and "not decided: limit of 100000 bits of one number reached" in result.stdout
    result = call("certify", str(proof), "--seconds", "0")
    assert result.exit_code == 2 and "seconds=0.0 is no positive number" in result.output


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_any_terminal_can_show_it(proof: Path, encoding: str) -> None:
    command = [sys.executable, "-m", "ddtheory.cli", "certify", str(proof)]
    ended = subprocess.run(command, capture_output=True, env={**os.environ, "PYTHONIOENCODING": encoding})
    assert ended.returncode == 0 and ended.stdout.startswith(b"accepted: (lambda, m) = (1, 1)"), ended.stderr


def test_it_runs_on_the_standard_library_alone(proof: Path) -> None:
    loaded = running("certify", str(proof))
    assert "ddtheory.certify.check" in loaded
    assert not loaded & {"sympy", "flint", "torch", "numpy", "rich", "ddtheory.exact"}
