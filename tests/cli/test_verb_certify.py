"""`ddtheory certify` as a user meets it."""

from __future__ import annotations

import json
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


def test_exit_code_1_a_changed_certificate_is_rejected(proof: Path) -> None:
    proof.write_text(json.dumps(json.loads(proof.read_text(encoding="utf-8")) | {"lambda": "3/4"}), encoding="utf-8")
    result = call("certify", str(proof))
    assert result.exit_code == 1 and "3/4" in result.stdout


def test_exit_code_2_no_certificate(tmp_path: Path) -> None:
    (tmp_path / "text.json").write_text("[]")
    for name in ("none.json", "text.json"):
        result = call("certify", str(tmp_path / name))
        assert result.exit_code == 2 and "Traceback" not in result.output


def test_it_runs_on_the_standard_library_alone(proof: Path) -> None:
    loaded = running("certify", str(proof))
    assert "ddtheory.certify.check" in loaded
    assert not loaded & {"sympy", "flint", "torch", "numpy", "rich", "ddtheory.exact"}
