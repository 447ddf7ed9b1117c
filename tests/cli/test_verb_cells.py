"""`ddtheory cells` as a user meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from calling import call, is_refused

from ddtheory import cells


def test_exit_code_0_the_list() -> None:
    found = call("cells")
    assert found.exit_code == 0
    assert all(name in found.output for name in cells.families())


def test_one_cell() -> None:
    found = call(
        "cells", "reduced_rank", "inputs=5", "hidden=5", "outputs=5", "rank=2", "rank_first=2", "rank_second=5"
    )
    assert found.exit_code == 0
    assert "25/2, 1  (exact)" in found.output and "λ = 23/2, m = 2" in found.output


def test_bounds() -> None:
    found = call("cells", "superposition_polygon", "corners=4")
    assert "λ = 2, m = 1" in found.output and "λ = 7/2, m = 1" in found.output and "exact" not in found.output


def test_json() -> None:
    found = call("cells", "deep_linear", "widths=1,1,1", "--json")
    data = json.loads(found.output)
    assert (data["lambda"], data["multiplicity"]) == ("1/2", 2)
    assert data["parameters"] == {"rank": 0, "widths": [1, 1, 1]}
    assert data["kl"]["joint"]["k"] == 2


def test_files(tmp_path: Path) -> None:
    exported, gallery = tmp_path / "cell.json", tmp_path / "cell.html"
    found = call("cells", "swiglu", "--export", str(exported), "--gallery", str(gallery))
    assert found.exit_code == 0, found.output
    assert json.loads(exported.read_text(encoding="utf-8"))["cells"][0]["family"] == "swiglu"
    assert gallery.read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("swigl",), "Did you mean swiglu"),
        (("deep_linear", "rank"), "no parameter"),
        (("deep_linear", "rank=1", "rank=2"), "given twice"),
        (("deep_linear", "rank=x"), "must be a number"),
        (("swiglu", "--export", "cells.csv"), "name the format"),
    ],
)
def test_exit_code_2_bad_input(arguments: tuple[str, ...], message: str) -> None:
    result = call("cells", *arguments)
    assert is_refused(result) and message in result.stderr


def test_files_and_json_together(tmp_path: Path) -> None:
    """The JSON is alone on standard output; that the files are written is said beside it."""
    exported = tmp_path / "cell.json"
    found = call("cells", "swiglu", "--export", str(exported), "--json")
    assert json.loads(found.stdout) == json.loads(exported.read_text(encoding="utf-8"))["cells"][0]
    assert found.stderr == f"Wrote {exported} (1 cell).\n"
