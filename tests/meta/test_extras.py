"""What is optional: the exact half works without it, and every door to the rest names the extra that brings it."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions

import pytest
from imports import ROOT

from ddtheory.extras import EXTRAS
from ddtheory.verify.book import read

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

# a finder that knows nothing of the modules it hides, as in an environment without them
HIDDEN = """
import sys
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Hidden())
"""
OPTIONAL = ("torch", "matplotlib", "hypothesis", "mcp", "pandas", "pyarrow", "xarray")


def run(code: str, hidden: tuple[str, ...] = OPTIONAL) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", HIDDEN.format(names=hidden) + code], cwd=ROOT, capture_output=True, text=True
    )


def verb(*arguments: str) -> subprocess.CompletedProcess[str]:
    return run(f"from ddtheory.cli import main\nmain({list(arguments)!r})")


def test_every_extra_that_is_named_installs_its_module() -> None:
    distributions = packages_distributions()
    for module, extra in EXTRAS.items():
        wanted = " ".join(PROJECT["optional-dependencies"][extra])
        names = distributions.get(module, [module])
        assert any(name.lower().replace("_", "-") in wanted for name in names), (module, extra)
        assert not any(name.lower() in " ".join(PROJECT["dependencies"]) for name in names)


@pytest.mark.parametrize(
    ("code", "module", "extra"),
    [
        ("dd.measure", "torch", "torch"),
        ("dd.gauges", "torch", "torch"),
        ("dd.optim.DDCAdam", "torch", "torch"),
        ("dd.network_orders", "torch", "torch"),
        ("dd.testbeds", "torch", "torch"),
        ("dd.cells.node_death('square').problem()", "torch", "torch"),
        ("dd.cells.node_death('square').torch_direction('joint')", "torch", "torch"),
        ("dd.models.regression('a*b', truth=0).problem()", "torch", "torch"),
        ("dd.plots", "matplotlib", "plots"),
        (
            "dd.testing.check_estimator(lambda _: (0.5, 0.1), dd.testing.conformance_cells()[:1]).picture()",
            "matplotlib",
            "plots",
        ),
        ("dd.testing.rlcts", "hypothesis", "testing"),
        ("dd.rlct('x^2').to_frame()", "pandas", "frames"),
        ("from ddtheory.tabled import Swept; Swept().to_xarray()", "xarray", "frames"),
        ("from ddtheory.extras import need; need('mcp', '`ddtheory mcp`')", "mcp", "mcp"),
    ],
)
def test_a_door_names_the_extra(code: str, module: str, extra: str) -> None:
    done = run(f"import ddtheory as dd\ntry:\n    {code}\nexcept dd.errors.MissingExtraError as e:\n    print(e)")
    assert done.returncode == 0, done.stderr
    assert f"needs {module}, which is not installed: python -m pip install 'ddtheory[{extra}]'" in done.stdout


@pytest.mark.long
@pytest.mark.parametrize(
    "arguments",
    [
        ("rlct", "x^2*y^4"),
        ("order", "x^2 + y^4", "--along", "y=1"),
        ("nu", "2", "--digits", "5"),
        ("model", "examples/models/tanh.toml"),
        ("cells", "node_death"),
        ("prove", "anchor:A1"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_the_exact_half_answers(arguments: tuple[str, ...]) -> None:
    done = verb(*arguments)
    assert done.returncode == 0, done.stderr


def test_verify_says_what_it_could_not_measure() -> None:
    done = verb("verify", "anchor:A1", "--json")
    assert done.returncode == 2
    (claim,) = json.loads(done.stdout)["claims"]
    assert claim["verdict"] == "not checked"
    assert "needs torch, which is not installed: python -m pip install 'ddtheory[torch]'" in claim["reason"]


@pytest.mark.long
def test_every_file_of_the_book_can_be_read() -> None:
    done = run("from ddtheory.verify.book import read\nfound = read()\nprint(len(found.entries), found.unreadable)")
    assert done.stdout.strip() == f"{len(read().entries)} ()", done.stderr
