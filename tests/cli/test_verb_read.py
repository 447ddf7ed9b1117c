"""`ddtheory read`: answers, refusals and exit codes."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from calling import answer, call

NETWORK = """
import torch
from torch import nn
from beside import DEAD
from ddtheory.measure import Gaussian, Problem


def network():
    model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)).double()
    with torch.no_grad():
        for value in model.parameters():
            value.copy_(torch.linspace(-1.5, 1.5, value.numel(), dtype=torch.float64).reshape(value.shape))
        model[0].weight[DEAD] = model[0].bias[DEAD] = 0
        model[2].weight[:, DEAD] = 0
    return model


def make_problem():
    print("this is no JSON")
    return Problem.from_module(network(), torch.eye(2), Gaussian())


def arguments():
    return {"model": network(), "inputs": torch.eye(2), "head": Gaussian()}


def fails():
    raise ValueError("no such data")


def number():
    return 3


def unknown():
    return {**arguments(), "seed": 0}


def leaves():
    raise SystemExit(0)


def sized():
    return {**arguments(), "n": 1000}


def misspelled():
    return {"model": network(), "input": torch.eye(2), "head": Gaussian()}
"""


LOUD = """
import os
import torch
from ddtheory.measure import Gaussian


class Loud(torch.nn.Linear):
    def forward(self, x):
        os.write(1, b"forward by number")
        print("forward")
        return super().forward(x)


def made():
    os.write(1, b"made by number")
    return {"model": Loud(2, 1).double(), "inputs": torch.eye(2), "head": Gaussian()}
"""


@pytest.fixture(autouse=True)
def in_a_folder_with_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.py").write_text(NETWORK, "utf-8")
    Path("beside.py").write_text("DEAD = 1\n", "utf-8")


@pytest.mark.parametrize("function", ["make_problem", "arguments"])
def test_exit_code_0_and_the_census(function: str) -> None:
    found = answer("read", f"net.py:{function}", "--n", "1000")
    dead = [(row["layer"], row["place"], row["order"]) for row in found["census"] if row["verdict"] == "dead"]
    assert dead == [("0", "unit 1", 2)] and found["n"] == 1000


def test_what_a_network_writes_is_no_part_of_the_document(capfd: pytest.CaptureFixture[str]) -> None:
    """By `print` or by the number of standard output, when it is made and when it is read."""
    Path("loud.py").write_text(LOUD, "utf-8")
    assert answer("read", "loud.py:made", "--n", "10")["n"] == 10
    out, err = capfd.readouterr()
    assert out == "" and "made by number" in err and "forward by number" in err


def test_the_function_may_say_n_itself() -> None:
    assert answer("read", "net.py:sized")["n"] == 1000 and answer("read", "net.py:sized", "--n", "7")["n"] == 7


def test_text_and_files() -> None:
    result = call("read", "net.py:make_problem", "--n", "1000", "--out", "there")
    assert result.exit_code == 0 and "1 dead" in result.stdout
    assert Path("there/reading.txt").read_text("utf-8") == result.stdout
    assert json.loads(Path("there/reading.json").read_text("utf-8"))["format"] == "ddtheory reading 1"
    page = Path("there/reading.html").read_text("utf-8")
    assert page.startswith("<!doctype html>") and "unit 1" in page
    assert sorted(each.name for each in Path("there").iterdir()) == ["reading.html", "reading.json", "reading.txt"]


def dead_units(found: dict[str, Any]) -> list[str]:
    return [row["place"] for row in found["census"] if (row["verdict"], row["type"]) == ("dead", "node death")]


def other_weights() -> None:
    import torch
    from safetensors.torch import save_model

    model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1))
    with torch.no_grad():
        for value in model.parameters():
            value.fill_(1.0)
        model[0].weight[1] = torch.tensor([1.0, -1.0])
        model[0].weight[2] = model[0].bias[2] = 0
        model[2].weight[:, 2] = 0
    save_model(model, "other.safetensors")


@pytest.mark.parametrize("function", ["make_problem", "arguments"])
def test_weights_of_a_file(function: str) -> None:
    other_weights()
    found = answer("read", f"net.py:{function}", "--n", "1000", "--weights", "other.safetensors")
    assert dead_units(found) == ["unit 2"]  # and not unit 1


class Bomb:
    def __reduce__(self) -> object:
        return Path.touch, (Path("exploded"),)


@pytest.mark.parametrize("name", ["bomb.pt", "bomb.ckpt", "bomb.bin", "bomb.safetensors"])
def test_weights_that_can_run_code_are_refused_unread(name: str) -> None:
    Path(name).write_bytes(pickle.dumps(Bomb()))
    result = call("read", "net.py:make_problem", "--n", "1000", "--weights", name)
    assert result.exit_code == 2 and name in result.output and not Path("exploded").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["net.py:make_problem"], "Say n="),
        (["net.py:make_problem", "--n", "0"], "n is 0"),
        (["net.py"], "FILE.py:make_problem"),
        (["net.txt:make_problem", "--n", "1"], "FILE.py:make_problem"),
        (["nothing.py:make_problem", "--n", "1"], "There is no file nothing.py"),
        (["x" * 5000 + ".py:make_problem", "--n", "1"], "There is no file 'xxx"),
        (["net.py:nothing", "--n", "1"], "no function in net.py named 'nothing'. Did you mean"),
        (["net.py:make_probelm", "--n", "1"], "Did you mean make_problem?"),
        (["net.py:fails", "--n", "1"], "no such data"),
        (["net.py:number", "--n", "1"], "returns 3"),
        (["net.py:unknown", "--n", "1"], "'seed'"),
        (["net.py:leaves", "--n", "1"], "calls exit(0), so nothing is read"),
        (["net.py:misspelled", "--n", "1"], "named 'input'. Did you mean inputs"),
        (["net.py:make_problem", "--sample", "1"], "No such option"),
        (["broken.py:make_problem", "--n", "1"], "cannot be run"),
        (["net.py:make_problem", "--n", "1", "--weights", "missing.safetensors"], "missing.safetensors"),
    ],
)
def test_exit_code_2_where_it_is_refused(arguments: list[str], message: str) -> None:
    Path("broken.py").write_text("import no_such_module_at_all\n", "utf-8")
    result = call("read", *arguments)
    assert result.exit_code == 2 and message in result.output
    assert "Traceback" not in result.output


def test_weights_of_another_model_are_refused() -> None:
    import torch
    from safetensors.torch import save_model

    save_model(torch.nn.Linear(2, 1), "other.safetensors")
    result = call("read", "net.py:make_problem", "--n", "1000", "--weights", "other.safetensors")
    assert result.exit_code == 2 and "cannot be loaded" in result.output


# --- a description in the place of a function ------------------------------------------------------------------------

DESCRIBED = """
model = "{module}:network"
weights = "other.safetensors"
inputs = "inputs.safetensors"
head = {{gaussian = 1.0}}
n = 1000
"""


def described(module: str, **changes: str) -> None:
    """A description beside its module, weights and inputs; an empty change leaves a key out."""
    import torch
    from safetensors.torch import save_file

    Path(f"{module}.py").write_text(NETWORK, "utf-8")
    other_weights()
    save_file({"x": torch.eye(2)}, "inputs.safetensors")
    lines = [line for line in DESCRIBED.format(module=module).splitlines() if line.split(" =")[0] not in changes]
    lines += [f"{key} = {value}" for key, value in changes.items() if value]
    Path("net.toml").write_text("\n".join(lines), "utf-8")


def test_a_description_reads_as_the_function_does() -> None:
    """The weights are those of the file; --n wins over what the file says."""
    described("described_network")
    found = answer("read", "net.toml")
    assert dead_units(found) == ["unit 2"] and found["n"] == 1000
    by_function = answer("read", "net.py:arguments", "--n", "77", "--weights", "other.safetensors")
    assert answer("read", "net.toml", "--n", "77") == by_function


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n": ""}, "Say n="),
        ({"n": '"many"'}, "in line 6 of net.toml is of another type than n has: a whole number"),
        ({"n": "true"}, "of another type"),
        ({"model": ""}, "no key model"),
        ({"inputs": ""}, "no key inputs"),
        ({"head": ""}, "no key head"),
        ({"head": '"gausian"'}, "Did you mean gaussian"),
        ({"head": '"gaussian"'}, "with its variance"),
        ({"head": "{gaussian = -1.0}"}, "variance"),
        ({"wieghts": '"other.safetensors"'}, "in line 7 of net.toml named 'wieghts'. Did you mean weights"),
        ({"model": '"described_bad"'}, "package.module:name"),
        ({"model": '"described_bad:network()"'}, "package.module:name"),
        ({"model": '"no_such_module_here:network"'}, "cannot be imported"),
        ({"model": '"described_bad:netwrok"'}, "Did you mean network"),
        ({"head": "{gausian = 1.0}"}, "Did you mean gaussian?"),
        ({"head": "{categorical = 1.0}"}, 'head = "categorical"'),
        ({"model": '"described_bad:number"'}, "makes 3"),
        ({"model": '"described_bad:fails"'}, "no such data"),
        ({"arguments": "{width = 3}"}, "width"),
        ({"inputs": '"nothing.safetensors"'}, "cannot be loaded"),
        ({"head": '"categorical"\nhead = "categorical"'}, "is no TOML"),
    ],
)
def test_a_description_that_says_too_little_or_too_much(changes: dict[str, str], message: str) -> None:
    described("described_bad", **changes)
    result = call("read", "net.toml")
    assert result.exit_code == 2 and message in result.output


@pytest.mark.parametrize("key", ["weights", "inputs"])
def test_a_description_loads_no_pickle(key: str) -> None:
    described("described_bomb", **{key: '"bomb.pt"'})
    Path("bomb.pt").write_bytes(pickle.dumps(Bomb()))
    result = call("read", "net.toml")
    assert result.exit_code == 2 and "bomb.pt is refused" in result.output and not Path("exploded").exists()
    assert result.output.strip().count(". ") == 0  # one sentence
