"""`ddtheory rlct` as a user meets it; tests/exact has more of its answers."""

from __future__ import annotations

from pathlib import Path

import pytest
from calling import answer, call, is_refused

from ddtheory.exact.thresholds.nodes import CertificateError


def test_exit_code_0_lambda_and_multiplicity() -> None:
    """x²y⁴: λ = min(1/2, 1/4)."""
    result = call("rlct", "x^2*y^4")
    assert result.exit_code == 0 and "λ = 1/4, m = 1" in result.stdout


def test_json() -> None:
    """K ≍ x²y² + z²: 1/2 of the crossing and 1/2 of the square, and the order 2 of the pole stays."""
    found = answer("rlct", "x*y", "z")
    assert (found["lambda"], found["multiplicity"], found["status"]) == ("1", 2, "exact")


def test_an_expression_may_begin_with_a_minus_sign_and_a_mistyped_option_may_not_pass_for_one() -> None:
    assert "λ = 1/2, m = 1" in call("rlct", "-9*x - 38*y^2*z", "--generators").output
    assert call("rlct", "x^2", "--nosuch").exit_code == 2


@pytest.mark.parametrize("arguments", [("x*y",), ("__import__('os')",), ("x^2", "--seconds", "0")])
def test_exit_code_2_bad_input(arguments: tuple[str, ...]) -> None:
    assert is_refused(call("rlct", *arguments))


def test_an_answer_stands_where_its_certificate_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_large(self: object) -> dict[str, object]:
        raise CertificateError("An eliminant has a million digits.")

    monkeypatch.setattr("ddtheory.exact.thresholds.derivation.Derivation.to_json", too_large)
    for options in ([], ["--explain"], ["--json"]):
        result = call("rlct", "x^2*y^2", "--certificate", str(tmp_path / "proof.json"), *options)
        assert result.exit_code == 2
        assert "1/2" in result.stdout and "An eliminant has a million digits" in result.stderr
        assert not (tmp_path / "proof.json").exists()


def test_an_answer_with_numbers_too_long_for_a_certificate(tmp_path: Path) -> None:
    """By weights, 1/2 + 1/4; the coefficient has more bits than a certificate takes, in the next line more digits than
    Python prints, and a float cannot be as large."""
    there = tmp_path / "proof.json"
    result = call("rlct", "x^2 + (10^1900)^2*y^4", "--certificate", str(there))
    assert result.exit_code == 2 and "λ = 3/4, m = 1" in result.stdout
    assert "too long to write down" in result.stderr and not there.exists()
    for expression in ("(x + (10^1900)^2*y)^2 + y^4", "(x^2 + (10^1900)^2*y^2)^2 + y^9*z^2 + z^4"):
        result = call("rlct", expression)
        assert result.exit_code == 0 and "1" + "0" * 7600 in result.stdout


def test_a_certificate_makes_its_folder_and_refuses_to_be_one(tmp_path: Path) -> None:
    assert call("rlct", "x^2", "--certificate", str(tmp_path / "new" / "proof.json")).exit_code == 0
    assert is_refused(call("rlct", "x^2", "--certificate", str(tmp_path / "new")), f"{tmp_path / 'new'} is a folder")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["proof.json"]


def test_parameters() -> None:
    assert "λ = 1/2, m = 1" in call("rlct", "sigma^2*x^2", "--parameter", "sigma:positive").stdout
    assert "λ = 1/2, m = 2" in call("rlct", "sigma^2*x^2").stdout
    refused = call("rlct", "x^2 - a*x*y + y^2", "--parameter", "a:nonzero")
    assert refused.exit_code == 2 and "The pair may depend on the value of a" in refused.stderr
    assert "--parameter a:positive" in call("rlct", "a*x^2").stderr
