"""`ddtheory order` as a user meets it."""

from __future__ import annotations

import json

import pytest
from calling import call, is_refused


def test_exit_code_0_and_the_keys_of_the_json() -> None:
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


def test_with_a_symbolic_exponent_and_without_arcs() -> None:
    arguments = ("order", "x^2 + y^(2*k)", "--along", "y=1", "--parameter", "k:positive-integer", "--no-arc")
    found = json.loads(call(*arguments, "--json").stdout)
    assert (found["k"], found["rate"], found["arc"]) == ("k", "2*k - 2", None)
    assert "k        k" in call(*arguments).stdout


def test_a_flat_direction_has_nulls() -> None:
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
def test_exit_code_2_bad_input(arguments: tuple[str, ...]) -> None:
    assert is_refused(call("order", *arguments))
