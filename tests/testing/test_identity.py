"""Which estimators are one and the same, and which must never share their results."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, partial, wraps
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import numpy
import pytest
import torch

from ddtheory.errors import InvalidValueError
from ddtheory.testing import Estimate, EstimationTask, check_estimator, conformance_cells
from ddtheory.testing.conformance import metropolis, quadrature
from ddtheory.testing.conformance.identity import content, differences, identity

STEP = 0.1
TABLE = {"step": [1, 2]}
LOCK = threading.Lock()


def plain(task: Any, v: float = 0.5, *, w: float = 1.0) -> Any:
    return v, w


def reads_a_global(task: Any) -> Any:
    return STEP


def reads_a_table(task: Any) -> Any:
    return TABLE["step"]


def helper(value: float) -> float:
    return value + 1


def calls_a_helper(task: Any) -> Any:
    return [helper(value) for value in range(3)]


def locked(task: Any) -> Any:
    with LOCK:
        return 0.5, 0.1


@dataclass(frozen=True)
class Settings:
    v: float = 0.5
    inner: Any = None

    def __call__(self, task: Any) -> Any:
        return self.v, 0.1


class Sampler:
    scale: ClassVar[float] = 1.0

    def __init__(self, v: Any, hidden: Any = 0) -> None:
        self.v, self._hidden = v, hidden

    def __call__(self, task: Any) -> Any:
        return self.v, 0.1

    def run(self, task: Any) -> Any:
        return self._hidden, 0.1

    @cached_property
    def twice(self) -> Any:
        return 2 * self.v


class Slotted:
    __slots__ = ("v",)

    def __init__(self, v: Any) -> None:
        self.v = v

    def __call__(self, task: Any) -> Any:
        return self.v, 0.1


class Float(float):
    def __call__(self, task: Any) -> Any:
        return float(self), 0.1


class Wrapping:
    """What a decorator class does: it takes over the name of the function."""

    def __init__(self, function: Callable[[Any], Any], v: float) -> None:
        self.__wrapped__, self.v = function, v

    def __call__(self, task: Any) -> Any:
        return self.v, 0.1


def closing_over(value: Any) -> Callable[[Any], Any]:
    return lambda task: value


def decorated(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    @wraps(function)
    def inner(task: Any) -> Any:
        return function(task)

    return inner


def with_attribute(v: float) -> Any:
    def estimator(task: Any) -> Any:
        return 0.5, 0.1

    estimator.v = v  # type: ignore[attr-defined]
    return estimator


def compiled(text: str, **names: Any) -> Any:
    """A function of a module that is not on disk, as in a notebook."""
    namespace = {"__name__": "notebook", **names}
    exec(text, namespace)
    return namespace["estimator"]


def module_of_the_project(step: float) -> ModuleType:
    found = ModuleType("constants")
    found.STEP = step  # type: ignore[attr-defined]
    return found


def network(seed: int) -> torch.nn.Module:
    torch.manual_seed(seed)
    return torch.nn.Linear(2, 2)


def same_name(first: bool) -> Any:
    if first:

        def estimator(task: Any) -> Any:
            return 0.5, 0.1
    else:

        def estimator(task: Any) -> Any:
            return 0.6, 0.1

    return estimator


# made anew each time that they are called: the first two of a row are the same estimator, the third is another
ROWS: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "argument of a partial": (lambda: partial(plain, v=0.5), lambda: partial(plain, v=99.0)),
    "position in a partial": (lambda: partial(plain, w=1.0), lambda: partial(plain, v=1.0)),
    "partial of a partial": (lambda: partial(partial(plain, v=1), w=2), lambda: partial(partial(plain, v=2), w=2)),
    "1 and 1.0": (lambda: partial(plain, v=1), lambda: partial(plain, v=1.0)),
    "0.0 and -0.0": (lambda: partial(plain, v=0.0), lambda: partial(plain, v=-0.0)),
    "default": (
        lambda: compiled("def estimator(task, v=0.5): return v"),
        lambda: compiled("def estimator(task, v=99.0): return v"),
    ),
    "default of a keyword": (
        lambda: compiled("def estimator(task, *, v=0.5): return v"),
        lambda: compiled("def estimator(task, *, v=99.0): return v"),
    ),
    "code": (lambda: same_name(True), lambda: same_name(False)),
    "lambda": (lambda: eval("lambda task: (0.5, 0.1)"), lambda: eval("lambda task: (0.6, 0.1)")),
    "inner code": (
        lambda: compiled("def estimator(task): return [x + 1 for x in task]"),
        lambda: compiled("def estimator(task): return [x + 2 for x in task]"),
    ),
    "set in the code": (
        lambda: compiled("def estimator(task): return task in {'a', 'b', 'c', 'd'}"),
        lambda: compiled("def estimator(task): return task in {'a', 'b', 'c', 'e'}"),
    ),
    "global number": (
        lambda: compiled("def estimator(task): return STEP", STEP=0.1),
        lambda: compiled("def estimator(task): return STEP", STEP=0.2),
    ),
    "global helper": (
        lambda: compiled("def helper(): return 1\ndef estimator(task): return helper()"),
        lambda: compiled("def helper(): return 2\ndef estimator(task): return helper()"),
    ),
    "helper of a helper": (
        lambda: compiled("def a(): return 1\ndef b(): return a()\ndef estimator(task): return b()"),
        lambda: compiled("def a(): return 2\ndef b(): return a()\ndef estimator(task): return b()"),
    ),
    "member of a module": (
        lambda: compiled("def estimator(task): return numpy.random.default_rng(1)", numpy=numpy),
        lambda: compiled("def estimator(task): return numpy.random.RandomState(1)", numpy=numpy),
    ),
    "member of a module of the project": (
        lambda: compiled("def estimator(task): return t.STEP", t=module_of_the_project(0.1)),
        lambda: compiled("def estimator(task): return t.STEP", t=module_of_the_project(0.2)),
    ),
    "closure": (lambda: closing_over(0.5), lambda: closing_over(99.0)),
    "closure over an array": (lambda: closing_over(numpy.arange(3)), lambda: closing_over(numpy.arange(3) + 1)),
    "closure over objects in an array": (
        lambda: closing_over(numpy.array([None, 1], dtype=object)),
        lambda: closing_over(numpy.array([None, 2], dtype=object)),
    ),
    "shape of an array": (lambda: closing_over(numpy.zeros(4)), lambda: closing_over(numpy.zeros((2, 2)))),
    "closure over a network": (lambda: closing_over(network(0)), lambda: closing_over(network(1))),
    "closure over an object": (lambda: closing_over(Sampler(1)), lambda: closing_over(Sampler(2))),
    "closure over a function": (lambda: closing_over(plain), lambda: closing_over(helper)),
    "random state": (
        lambda: closing_over(numpy.random.default_rng(1)),
        lambda: closing_over(numpy.random.default_rng(2)),
    ),
    "attribute of a function": (lambda: with_attribute(1), lambda: with_attribute(2)),
    "decorated": (lambda: decorated(plain), lambda: decorated(helper)),
    "cached": (lambda: lru_cache(plain), lambda: lru_cache(helper)),
    "dataclass": (lambda: Settings(0.5), lambda: Settings(99.0)),
    "field within a field": (lambda: Settings(inner=Settings(1)), lambda: Settings(inner=Settings(2))),
    "lambda in a field": (lambda: Settings(inner=lambda x: x), lambda: Settings(inner=lambda x: x + 1)),
    "public field": (lambda: Sampler(0.5), lambda: Sampler(99.0)),
    "private field": (lambda: Sampler(0, hidden=1), lambda: Sampler(0, hidden=2)),
    "field added later": (lambda: Sampler(0), lambda: vars(found := Sampler(0)).update(extra=1) or found),
    "slots": (lambda: Slotted(1), lambda: Slotted(2)),
    "number that is called": (lambda: Float(1), lambda: Float(2)),
    "decorator class": (lambda: Wrapping(plain, 1), lambda: Wrapping(plain, 2)),
    "what it decorates": (lambda: Wrapping(plain, 1), lambda: Wrapping(helper, 1)),
    "object of a method": (lambda: Sampler(0, 1).run, lambda: Sampler(0, 2).run),
    "method": (lambda: Sampler(0).run, lambda: Sampler(0).__call__),
    "set": (lambda: closing_over({"a", "b", "c"}), lambda: closing_over({"a", "b", "d"})),
    "order of a list": (lambda: closing_over([1, 2]), lambda: closing_over([2, 1])),
    "list and tuple": (lambda: closing_over([1]), lambda: closing_over((1,))),
    "path": (lambda: closing_over(Path("a")), lambda: closing_over(Path("b"))),
    "namespace": (lambda: closing_over(SimpleNamespace(v=1)), lambda: closing_over(SimpleNamespace(v=2))),
    "class": (lambda: Sampler, lambda: Slotted),
    "long text": (lambda: closing_over("a" * 1000), lambda: closing_over("a" * 999 + "b")),
}


@pytest.mark.parametrize("row", ROWS)
def test_the_same_is_the_same_and_another_is_another(row: str) -> None:
    make, other = ROWS[row]
    assert identity(make()) == identity(make())
    found = differences(identity(make()), identity(other()))
    assert found and all("\n" not in line and len(line) < 300 for line in found)


def test_what_runs_later_counts_as_it_is_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """Constants, tables, helpers and classes that are changed without a change of the file."""
    for estimator, name, value in (
        (reads_a_global, "STEP", 0.2),
        (reads_a_table, "TABLE", {"step": [1, 3]}),
        (calls_a_helper, "helper", lambda value: value + 2),
    ):
        before = identity(estimator)
        monkeypatch.setitem(globals(), name, value)
        found = differences(before, identity(estimator))
        assert len(found) == 1 and f"global {name}" in found[0]
    before = identity(Sampler(1))
    monkeypatch.setattr(Sampler, "scale", 2.0)
    assert differences(before, identity(Sampler(1))) == ["code has changed"]


def test_a_name_is_no_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = same_name(True), same_name(False)
    assert identity(first)["is"] == identity(second)["is"]
    assert differences(identity(first), identity(second)) == ["code has changed"]


def test_what_differs_is_said() -> None:
    assert differences(identity(partial(plain, v=0.5)), identity(partial(plain, v=99.0))) == [
        "argument v was 0.5 and is 99.0"
    ]
    assert differences(identity(Settings(1.0)), identity(Settings(2.0))) == ["field v was 1.0 and is 2.0"]
    assert differences(identity(plain), identity(partial(plain, w=2))) == ["argument w was absent and is 2"]


def test_what_a_library_holds_at_the_moment_is_not_read() -> None:
    """The environment, the modules that are loaded: nothing of it says what an estimator is."""
    reads = compiled("def estimator(task): return os.environ, sys.modules, math.pi", os=os, sys=sys, math=math)
    found = identity(reads)
    assert found["global os.environ"] == "os: environ" and found["global sys.modules"] == "sys: modules"


def test_a_library_counts_with_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    before = identity(metropolis)
    assert before["package numpy"] == numpy.__version__
    monkeypatch.setattr(numpy, "__version__", "99.0")
    assert differences(before, identity(metropolis)) == [f"package numpy was {numpy_version(before)} and is 99.0"]


def numpy_version(found: dict[str, str]) -> str:
    return found["package numpy"]


@pytest.mark.long
def test_every_process_says_the_same() -> None:
    """Hashes of text, and with them the order of sets, differ from process to process."""
    code = (
        "import sys; sys.path[:0] = sys.argv[1:]\n"
        "import test_identity as t\n"
        "from ddtheory.testing.conformance.identity import identity\n"
        "made = [row[0]() for name, row in t.ROWS.items()]\n"
        "print([identity(m) for m in made])"
    )
    command = [sys.executable, "-c", code, str(Path(__file__).parent)]
    # this process has a seed of its own, unless somebody chose one
    environment = {**os.environ, "PYTHONHASHSEED": "7" if os.environ.get("PYTHONHASHSEED") != "7" else "8"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str([identity(row[0]()) for row in ROWS.values()])


# --- what cannot be told apart ----------------------------------------------------------------------------------------

OPAQUE: dict[str, Callable[[], Any]] = {
    "lambda over a lock": lambda: closing_over(threading.Lock()),
    "lambda over an object": lambda: closing_over(object()),
    "lambda over a generator": lambda: closing_over(x for x in range(3)),
    "lambda over a file": lambda: closing_over(sys.stdout),
    "lambda over a module's lock": lambda: locked,
    "partial": lambda: partial(plain, v=threading.Lock()),
    "partial with an object": lambda: partial(plain, v=object()),
    "field": lambda: Sampler(threading.Lock()),
    "private field": lambda: Sampler(0, hidden=threading.Lock()),
    "dataclass": lambda: Settings(inner=object()),
    "method": lambda: Sampler(threading.Lock()).run,
    "list without end": lambda: closing_over(endless()),
}


def endless() -> list[Any]:
    found: list[Any] = []
    found.append(found)
    return found


@pytest.mark.parametrize("kind", OPAQUE)
def test_what_cannot_be_read_is_refused(kind: str) -> None:
    with pytest.raises(InvalidValueError, match=r"cannot be kept.*attribute version, or settings.*version=") as caught:
        identity(OPAQUE[kind]())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", [kind for kind in OPAQUE if kind != "list without end"])
def test_unless_its_author_vouches_for_it(kind: str) -> None:
    first, again, second = (identity(OPAQUE[kind](), version=version) for version in ("1", "1", "2"))
    assert first == again
    assert differences(first, second) == ["version was '1' and is '2'"]


class Declared:
    """A version stands for the code and for what cannot be read; what can be read counts all the same."""

    version = "1"

    def __init__(self, v: float, hidden: float = 0.0) -> None:
        self.v, self._hidden, self._lock = v, hidden, threading.Lock()

    def __call__(self, task: Any) -> Any:
        with LOCK:
            return self.v, 0.1


class Told(Declared):
    """Settings stand for private fields too."""

    version = None  # type: ignore[assignment]

    def __init__(self, v: float, count: int = 0) -> None:
        self.settings = {"v": v}
        self._count, self._lock = count, threading.Lock()


def test_declared_versions() -> None:
    assert identity(Declared(1)) == identity(Declared(1))
    assert differences(identity(Declared(1)), identity(Declared(2))) == ["field v was 1 and is 2"]
    assert differences(identity(Declared(1, 0.0)), identity(Declared(1, 1.0))) == ["field _hidden was 0.0 and is 1.0"]
    newer = Declared(1)
    newer.version = "2"
    assert "version was '1' and is '2'" in differences(identity(Declared(1)), identity(newer))
    assert differences(identity(partial(Declared(1), x=1)), identity(partial(Declared(1), x=2))) == [
        "argument x was 1 and is 2"
    ]


def test_declared_settings() -> None:
    assert identity(Told(1, count=1)) == identity(Told(1, count=2))
    assert "setting v was 1 and is 2" in differences(identity(Told(1)), identity(Told(2)))
    odd = Told(1)
    odd.settings = {"v": object()}
    with pytest.raises(InvalidValueError, match="setting v"):
        identity(odd)


def test_a_function_may_declare_a_version_too() -> None:
    def first(task: Any) -> Any:
        with LOCK:
            return 0.5, 0.1

    first.version = 3  # type: ignore[attr-defined]
    assert identity(first)["version"] == "3" and "code" not in identity(first)
    assert "argument v was 1 and is 2" in differences(identity(partial(first, v=1)), identity(partial(first, v=2)))


def test_a_version_that_something_else_happens_to_have_vouches_for_nothing() -> None:
    """A library object with an attribute of that name: its author did not think of our files."""
    import ipaddress

    first, second = (identity(closing_over(ipaddress.ip_address(text))) for text in ("10.0.0.1", "10.0.0.2"))
    assert ipaddress.ip_address("10.0.0.1").version == 4 and first != second


# --- posteriors -------------------------------------------------------------------------------------------------------


@dataclass
class Mine:
    """A posterior of somebody else."""

    width: float
    lock: Any = None
    data: Any = field(default_factory=lambda: numpy.zeros(3))


def test_the_content_of_a_posterior() -> None:
    assert content(Mine(1.0), "x") == content(Mine(1.0), "x")
    assert content(Mine(1.0), "x") != content(Mine(2.0), "x")
    assert content(Mine(1.0, data=numpy.ones(3)), "x") != content(Mine(1.0), "x")
    with pytest.raises(InvalidValueError, match="Results on x cannot be kept"):
        content(Mine(1.0, threading.Lock()), "x")
    contents = [content(cell.posterior, cell.name) for cell in conformance_cells()]
    assert len(set(contents)) == len(contents) == 28


def test_a_version_as_an_argument_of_the_check(tmp_path: Path) -> None:
    """What cannot be told apart is refused before anything runs, and kept when its author names it."""
    options: dict[str, Any] = {"jobs": 1, "time_limit": None, "keep": tmp_path / "kept.jsonl"}
    (line,) = (cell for cell in conformance_cells() if cell.name == "x²")
    calls: list[EstimationTask] = []

    def counted(task: EstimationTask) -> Estimate:
        with LOCK:
            calls.append(task)
        return quadrature(task)

    with pytest.raises(InvalidValueError, match="global LOCK"):
        check_estimator(counted, [line], **options)
    assert not calls and not (tmp_path / "kept.jsonl").exists()
    assert check_estimator(counted, [line], version="1", **options).passed and len(calls) == 1
    with pytest.raises(InvalidValueError, match=r"closure calls|version"):
        check_estimator(counted, [line], version="2", **options)
