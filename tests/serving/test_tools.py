"""The table of tools: every row has its answer, the keys of the verb, and schemas that say what comes."""

from __future__ import annotations

import inspect
import json
import shlex
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner
from imports import loaded_after

from ddtheory.cli import main
from ddtheory.errors import DDTheoryError
from ddtheory.serving import answers
from ddtheory.serving.tools import SHARE, TOOLS, Tool

BY_NAME = {tool.name: tool for tool in TOOLS}
SECONDS = 60.0
TANH = 'kind = "regression"\nmean = "a*b"\ntruth = 0'

# arguments, and the verb and its arguments that ask the same
SAME = [
    ("rlct", {"divergence": "(x - y^2)^2 + y^6"}, "rlct '(x - y^2)^2 + y^6'"),
    ("rlct", {"generators": ["x*y", "x^3"], "prior": {"x": 1}}, "rlct 'x*y' 'x^3' --prior x=1"),
    (
        "rlct",
        {"divergence": "s*x^2*y^4", "parameters": ["s:positive"], "nonnegative": ["x"], "at": {"y": "0"}},
        "rlct 's*x^2*y^4' --parameter s:positive --nonnegative x --at y=0",
    ),
    ("rlct", {"divergence": "x^2 - y^4", "two_sided": True}, "rlct 'x^2 - y^4' --two-sided"),
    ("order", {"divergence": "x^2 + y^4", "along": {"y": 1}}, "order 'x^2 + y^4' --along y=1"),
    (
        "order",
        {"divergence": "x^2+y^(2*k)", "along": {"y": "1/2"}, "parameters": ["k:positive-integer"], "arc": False},
        "order 'x^2+y^(2*k)' --along y=1/2 --parameter k:positive-integer --no-arc",
    ),
    (
        "nu",
        {"k": 2, "prior": "1/2", "beta": 2, "digits": 12, "one_sided": True},
        "nu 2 --prior 1/2 --beta 2 --digits 12 --one-sided",
    ),
    ("model", {"toml": TANH}, "model model.toml"),
    ("cells", {}, "cells"),
    (
        "cells",
        {"name": "deep_linear", "parameters": {"widths": "2,1,2", "rank": 0}},
        "cells deep_linear widths=2,1,2 rank=0",
    ),
    ("certify", {"certificate": {}}, "certify proof.json"),
    ("claims", {}, "verify --list"),
]


def asked(tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """The answer in this process, of arguments that fit their schema."""
    row = BY_NAME[tool]
    jsonschema.validate(arguments, row.input_schema(SECONDS))
    return getattr(answers, tool)(**({"seconds": 5.0} if row.timed else {}), **arguments)


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_every_row_has_an_answer_that_takes_its_arguments(tool: Tool) -> None:
    function = getattr(answers, tool.name)
    taken = inspect.signature(function).parameters
    for_all = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in taken.values())
    needed = {name for name, one in taken.items() if one.default is one.empty and one.kind is not one.VAR_KEYWORD}
    assert needed - {"seconds"} == set(tool.required) & set(taken) and ("seconds" in taken) == tool.timed
    assert for_all or set(tool.inputs) <= set(taken)
    assert ("books" in taken) == tool.of_books
    jsonschema.Draft202012Validator.check_schema(tool.input_schema(SECONDS))
    jsonschema.Draft202012Validator.check_schema(dict(tool.output))
    assert tool.says.endswith(".")


def test_every_tool_is_held_against_its_verb() -> None:
    """`finite_n` has no verb, and `verify` runs in tests/serving/test_serving.py."""
    assert {tool for tool, *_ in SAME} | {"finite_n", "verify"} == set(BY_NAME)


def test_the_tools_of_the_issue_are_there() -> None:
    assert set(BY_NAME) >= {"rlct", "order", "nu", "finite_n", "model", "cells", "certify", "verify"}
    assert len(BY_NAME) == len(TOOLS)


@pytest.mark.parametrize(("tool", "arguments", "command"), SAME)
def test_the_answer_is_that_of_the_verb(
    tool: str, arguments: dict[str, Any], command: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.toml").write_text(TANH, encoding="utf-8")
    run = CliRunner().invoke
    run(main, ["rlct", "x^2*y^4", "--certificate", "proof.json"])
    if tool == "certify":
        arguments = {"certificate": json.loads((tmp_path / "proof.json").read_text("utf-8"))}
    found = asked(tool, arguments)
    jsonschema.validate(found, dict(BY_NAME[tool].output))
    shown = json.loads(run(main, [*shlex.split(command), "--json"]).stdout)
    expected = {"claims": shown} if tool == "claims" else shown
    certificate = {"certificate": None} if tool in ("rlct", "model") else {}
    assert json.loads(json.dumps(found)) == {**expected, **certificate}


@pytest.mark.parametrize(
    ("arguments", "key", "value"),
    [
        ({"exponents": ["2", 2], "n_beta": 579, "digits": 12}, "multiplicity", 2),
        ({"divergence": "x^2*y^2", "n_beta": "20", "prior": {"x": "0"}}, "cells", None),
    ],
)
def test_finite_n(arguments: dict[str, Any], key: str, value: object) -> None:
    found = asked("finite_n", arguments)
    jsonschema.validate(found, dict(BY_NAME["finite_n"].output))
    assert value is None or found[key] == value
    # Z of (xy)² at 20 by mpmath's quadrature of erf, λ(579) as in the README
    wanted = {"20": ("evidence", 1.96551004), "579": ("learning_coefficient", 0.37987717446270)}[found["n_beta"]]
    assert abs(float(found[wanted[0]]["value"]) - wanted[1]) < 1e-7


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("rlct", {}),
        ("rlct", {"divergence": "x^2", "generators": ["x"]}),
        ("finite_n", {"n_beta": 3}),
        ("finite_n", {"n_beta": 3, "exponents": [2], "divergence": "x^2"}),
        ("finite_n", {"n_beta": 3, "exponents": [2], "half_width": 2}),
        ("finite_n", {"n_beta": 3, "exponents": [2], "prior": {"x": 1}}),
        ("finite_n", {"n_beta": 3, "divergence": "x^2", "prior": [1]}),
        ("finite_n", {"n_beta": 3, "divergence": "x^2", "scale": 2}),
        ("cells", {"parameters": {"rank": 1}}),
        ("cells", {"name": "no such cell"}),
        ("model", {"toml": "kind = 3"}),
        ("certify", {"certificate": "[1]"}),
    ],
)
def test_what_means_nothing_is_refused(tool: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(DDTheoryError):
        asked(tool, arguments)


def test_a_certificate_that_was_asked_for_is_accepted() -> None:
    for tool, arguments in (("rlct", {"divergence": "x^2*y^4"}), ("model", {"toml": TANH})):
        found = asked(tool, {**arguments, "certificate": True})
        jsonschema.validate(found, dict(BY_NAME[tool].output))
        report = asked("certify", {"certificate": json.dumps(found["certificate"])})
        assert report["accepted"] and report["lambda"] == found["lambda"]


def test_a_search_has_a_share_of_the_time_of_a_call() -> None:
    seconds = BY_NAME["rlct"].input_schema(SECONDS)["properties"]["seconds"]
    assert seconds["maximum"] == seconds["default"] == SHARE * SECONDS
    # a search and the check of what it found may take as long again, each; a model has two of them
    assert 4 * SHARE <= 1


def test_the_server_loads_nothing_that_computes() -> None:
    loaded = loaded_after("import ddtheory.serving.server")
    assert not {"sympy", "flint", "torch", "numpy", "ddtheory.exact"} & loaded
