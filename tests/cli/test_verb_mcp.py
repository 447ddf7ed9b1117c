"""`ddtheory mcp` as a user meets it; tests/serving has the client's side."""

from __future__ import annotations

import sys

import pytest
from calling import answer, call, is_refused

from ddtheory.serving.tools import TOOLS


def test_exit_code_0_the_client_has_left() -> None:
    result = call("mcp")
    assert (result.exit_code, result.stdout) == (0, "")


def test_json_lists_the_tools() -> None:
    found = answer("mcp", "--seconds", "40")
    assert [tool["name"] for tool in found["tools"]] == [tool.name for tool in TOOLS]
    assert found["tools"][0]["inputSchema"]["properties"]["seconds"]["maximum"] == 10


def test_exit_code_2_a_book_that_is_not_there() -> None:
    assert is_refused(call("mcp", "--book", "no such book"))


@pytest.mark.parametrize(
    "arguments", [("--seconds", "nan"), ("--seconds", "1"), ("--memory", "1"), ("--memory", "inf")]
)
def test_exit_code_2_limits_that_mean_nothing(arguments: tuple[str, ...]) -> None:
    assert call("mcp", *arguments).exit_code == 2


def test_exit_code_2_the_extra_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mcp", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    message = "`ddtheory mcp` needs mcp, which is not installed: python -m pip install 'ddtheory[mcp]'"
    assert is_refused(call("mcp"), message)
    assert answer("mcp")["tools"]
