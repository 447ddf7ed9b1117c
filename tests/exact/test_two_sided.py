"""The two-sided pair: {|f| < ε} at a zero of a function that is no minimum."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy
from click.testing import CliRunner

import ddtheory as dd
from ddtheory import certify
from ddtheory.cli import main
from ddtheory.errors import DDTheoryError, InvalidValueError, NotADivergenceError
from ddtheory.values import RLCT

# f, what else, the pair of |f| and where it comes from
PAIRS: list[tuple[str, dict[str, Any], RLCT]] = [
    ("x", {}, RLCT(Fraction(1), 1)),  # an interval of length 2ε
    ("x*y", {}, RLCT(Fraction(1), 2)),  # 4ε(1 − log ε) on the square
    ("x^3", {}, RLCT(Fraction(1, 3), 1)),
    ("x^2 - y^3", {}, RLCT(Fraction(5, 6), 1)),  # Arnold: A_2
    ("x^2 - y^4", {}, RLCT(Fraction(3, 4), 1)),  # A_3
    ("x^2 - y^2", {"nonnegative": ["x"]}, RLCT(Fraction(1), 2)),
    ("x^2 - y^2 - z^2", {}, RLCT(Fraction(1), 1)),
    ("(x - 1)*(y + 2)", {"at": {"x": 1, "y": -2}}, RLCT(Fraction(1), 2)),
    ("x^2 + y^2 + z^2", {}, RLCT(Fraction(3, 2), 1)),  # of one sign: as without the option
    ("-x^2 - y^2", {}, RLCT(Fraction(1), 1)),
    ("(x + y^2)^2 + z^4", {}, RLCT(Fraction(3, 4), 1)),
]


@pytest.mark.parametrize(("f", "more", "pair"), PAIRS)
def test_pairs_of_functions(f: str, more: dict[str, Any], pair: RLCT) -> None:
    found = dd.rlct(f, two_sided=True, **more)
    assert found.rlct == pair
    assert found.checked, found.objection
    assert found.hypotheses == ()
    assert "two-sided" in str(found) and found.summary()["two_sided"] is True


def test_it_is_twice_the_pair_of_the_square() -> None:
    for f in ("x^2 - y^3", "x*y*(x - y)", "x*y + z^5"):
        both, square = dd.rlct(f, two_sided=True).rlct, dd.rlct(generators=[f]).rlct
        assert both is not None and square is not None
        assert (both.lam, both.m) == (2 * square.lam, square.m)


def test_a_saddle_of_a_network() -> None:
    A, B = sympy.Matrix(3, 2, sympy.symbols("a:6")), sympy.Matrix(2, 3, sympy.symbols("b:6"))
    loss = sympy.expand(sum(entry**2 for entry in B * A - sympy.diag(2, 1)) / 2 - sympy.Rational(5, 2))
    found = dd.rlct(loss, two_sided=True)
    assert found.rlct == RLCT(Fraction(1), 1) and found.checked


def test_the_certificate_says_what_it_proves() -> None:
    found = dd.rlct("x^2 - y^4", two_sided=True)
    certificate = found.to_json()
    report = certify.check(json.dumps(certificate))
    assert report.accepted and report.statement is not None
    assert (report.lam, report.multiplicity) == (Fraction(3, 4), 1)
    assert (report.hypotheses, report.proven) == ((), ())
    assert report.statement.kind == "two-sided" and "two-sided, of |f| with f = x^2 - y^4" in str(report)
    certificate["input"]["kind"] = "generators"
    assert not certify.check(certificate).accepted
    certificate["input"]["kind"] = "divergence"
    assert not certify.check(certificate).accepted


def test_no_step_may_use_a_sign() -> None:
    """x² + y² − z² is no sum of squares: what is true of K ≥ 0 alone is refused by the checker."""
    split = dd.rlct("x^2 + 2*x*y^2 + y^4 + y^6").to_json()
    split["input"]["kind"] = "two-sided"
    report = certify.check(split)
    assert not report.accepted and "known not to change sign" in str(report)


@pytest.mark.parametrize("f", ["x^2 - y^4", "x^2*y - y^5 + x^6", "x^3", "(x^2 - y^3)*(x^2 + y^2)"])
def test_without_the_option_both_signs_are_refused_and_it_is_named(f: str) -> None:
    with pytest.raises(NotADivergenceError, match=r"two_sided=True \(--two-sided\)"):
        dd.rlct(f)


BAD: list[tuple[dict[str, Any], type[DDTheoryError], str]] = [
    ({"generators": ["x", "y"], "two_sided": True}, InvalidValueError, "about one function f"),
    ({"divergence": "x*y", "two_sided": 1}, InvalidValueError, "two_sided is 1; give True or False"),
    ({"divergence": "x*y + 1", "two_sided": True}, NotADivergenceError, r"f is 1 at x = 0, y = 0, not 0\. Check"),
    ({"divergence": "x - x", "two_sided": True}, InvalidValueError, "contains no variable"),
]


@pytest.mark.parametrize(("given", "kind", "message"), BAD)
def test_bad_input_has_one_plain_message(given: dict[str, Any], kind: type[DDTheoryError], message: str) -> None:
    with pytest.raises(kind, match=message):
        dd.rlct(**given)


def test_the_command_line_says_that_it_is_two_sided() -> None:
    text = CliRunner().invoke(main, ["rlct", "x^2 - y^4", "--two-sided"])
    assert text.exit_code == 0 and text.stdout.startswith("|f|, two-sided, for ⟨x^2 - y^4⟩: λ = 3/4, m = 1")
    plain = CliRunner().invoke(main, ["rlct", "x^2 - y^4", "--two-sided", "--json"])
    assert json.loads(plain.stdout)["two_sided"] is True
    refused = CliRunner().invoke(main, ["rlct", "x^2 - y^4"])
    assert refused.exit_code != 0 and re.search(r"--two-sided", refused.stderr)


def test_volumes() -> None:
    """x² − y⁴ in the square, at random points: slope 3/4 between ε = 10⁻³ and 10⁻⁵; 1/2 + 1/2 would be the log case."""
    rng = np.random.default_rng(3)
    y = rng.uniform(0, 1, 400_000)
    fine = [np.mean(np.sqrt(np.minimum(y**4 + e, 1)) - np.sqrt(np.clip(y**4 - e, 0, 1))) for e in (1e-3, 1e-5)]
    slope = np.log(fine[0] / fine[1]) / np.log(100)
    assert abs(slope - 0.75) < 0.03
