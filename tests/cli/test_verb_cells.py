"""`ddtheory cells` as a user meets it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from calling import answer, call, is_refused

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


def test_a_cell_shows_its_parameters_and_explains_its_marks() -> None:
    lines = call("cells", "deep_linear", "widths=5,3,4").stdout.splitlines()
    assert "given    widths=5,3,4  (whole numbers, default 2,2,2,2)" in lines
    assert "given    rank=0  (a whole number, default 0)" in lines
    assert "origin   [S] read in a summary or a re-implementation" in lines
    assert "default none)" in call("cells", "normal_crossing").stdout


@pytest.mark.parametrize("name", cells.families())
def test_every_parameter_of_every_family_is_shown_as_it_is_typed(name: str) -> None:
    """What is shown can be typed back, and gives the same cell."""
    shown = [line.split()[1] for line in call("cells", name).stdout.splitlines() if line.startswith("given ")]
    assert [item.partition("=")[0] for item in shown] == list(cells.families()[name].defaults)
    given = [item for item in shown if not item.endswith("=")]
    assert cells.find_text(name, dict(item.split("=") for item in given)).rlct == cells.find(name).rlct


@pytest.mark.long
def test_a_large_k_is_written_out_when_it_is_asked_for() -> None:
    """201 factors: the pair is (1/2, 201), and the diagonal has order 201."""
    large = ("cells", "normal_crossing", f"exponents={','.join('1' * 201)}")
    shown = call(*large).stdout
    assert "1/2, 201  (exact)" in shown
    assert "K        a sum of 1 terms in 201 coordinates, not written out; --kl writes it" in shown
    assert "along" not in shown
    assert (answer(*large)["coordinates"], answer(*large)["divergence"], answer(*large)["kl"]["w1"]) == (
        201,
        None,
        None,
    )
    asked = call(*large, "--kl").stdout
    assert "along    diagonal: order 201" in asked and "w1**2*w10**2" in asked


def test_any_width_is_answered() -> None:
    shown = call("cells", "deep_linear", "widths=2000,2000,2000", "rank=1000").stdout
    assert "λ, m     1875000, 1  (exact)" in shown and "4,000,000 terms in 8,000,000 coordinates" in shown


def test_a_missing_extra_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    result = call("cells", "swiglu", "--export", "cells.parquet")
    assert is_refused(result) and "python -m pip install 'ddtheory[parquet]'" in result.stderr


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
        (("SwiGLU",), "Did you mean swiglu"),
        (("deep_linear", "rank"), "no parameter"),
        (("deep_linear", "rank=1", "rank=2"), "given twice"),
        (("deep_linear", "rank=x"), "must be a number"),
        (("swiglu", "--export", "cells.csv"), "name the format"),
        (("swiglu", "--export", "n" * 5000 + ".json"), "give a file in a folder that exists"),
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


def test_filters_of_the_list() -> None:
    """By dimension, multiplicity and family; the pairs are those that papers print."""
    found = call("cells", "--dimension", "2-4", "--multiplicity", "3")
    assert found.exit_code == 0 and "deep_linear(widths=(1, 1, 1, 1), rank=0)" in found.stdout
    assert "m = 2" not in found.stdout and "reduced_rank(inputs=10" not in found.stdout
    minors = json.loads(call("cells", "--family", "minors", "--json").stdout)["cells"]
    assert len(minors) == 6 and all(entry["name"].startswith("minors(") for entry in minors)
    kit = call("cells", "--family", "reduced_rank", "--kit").stdout
    assert "hidden=4" in kit and "rank_second=1" not in kit  # both factors are off centre there
    assert "No cell" in call("cells", "--dimension", "1", "--multiplicity", "5").stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--dimension", "x"), "--dimension is a number or a range"),
        (("--dimension", "1-2-3"), "--dimension is a number or a range"),
        (("--family", "minros"), "There is no family"),
        (("minors", "--kit"), "A cell by name and a filter"),
    ],
)
def test_filters_that_mean_nothing(words: tuple[str, ...], says: str) -> None:
    is_refused(call("cells", *words), says)
