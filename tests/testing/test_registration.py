"""What a user gets who installs the package next to hypothesis, each in a fresh interpreter."""

from __future__ import annotations

import inspect
import subprocess
import sys
from importlib.metadata import entry_points

import pytest
from imports import loaded_after

from ddtheory.testing import conformance


def fresh(code: str) -> str:
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


HEAVY = {"torch", "sympy", "numpy", "matplotlib", "flint"}


def light(code: str) -> None:
    """The code runs without a warning, and loads nothing heavy."""
    assert not loaded_after(code, "-W", "error") & HEAVY


def test_the_entry_point_is_declared() -> None:
    declared = [point for point in entry_points(group="hypothesis") if point.name == "ddtheory"]
    assert [point.value for point in declared] == ["ddtheory.testing.registration:register"]


def test_importing_the_strategies_loads_nothing_heavy() -> None:
    light("import ddtheory.testing")
    light("import ddtheory.testing.registration")


@pytest.mark.long
def test_the_room_is_reached_from_the_front_door() -> None:
    light("import ddtheory as dd\nassert 'testing' in dir(dd)\nassert 'check_estimator' in dir(dd.testing)")
    fresh("import ddtheory as dd\nassert dd.testing.check_estimator and dd.testing.orders")


def test_making_strategies_loads_nothing_heavy() -> None:
    light(
        "from ddtheory import testing as t\n"
        "t.mean_map_cells(); t.hidden_divergences(); t.dead_unit_cells(); t.rotations(3); t.input_laws()\n"
        "t.known_germs(); t.layer_shapes(); t.crossing_cells(); t.enclosures()"
    )


def test_the_conformance_kit_needs_no_hypothesis_and_a_strategy_says_that_it_does() -> None:
    out = fresh(
        "import sys\nsys.modules['hypothesis'] = None\n"
        "from ddtheory import testing\ntesting.check_estimator\n"
        "try:\n    testing.rlcts\nexcept ImportError as error:\n    print(error)\n"
        "assert not {'torch', 'sympy'} & set(sys.modules)"
    )
    assert out.startswith("ddtheory.testing.rlcts needs hypothesis") and "ddtheory[testing]" in out


@pytest.mark.long
@pytest.mark.parametrize("name", ["RLCT", "Interval", "Enclosure"])
def test_from_type_knows_the_values_without_any_import_of_the_strategies(name: str) -> None:
    """`find` draws and shrinks; without the registration RLCT would be built from arbitrary fractions and fail."""
    light(
        "from hypothesis import find, settings, strategies as st\n"
        f"from ddtheory.values import {name}\n"
        f"found = find(st.from_type({name}), lambda v: True, settings=settings(database=None))\n"
        f"assert isinstance(found, {name})"
    )


@pytest.mark.long
def test_from_type_knows_the_objects_of_the_strategies() -> None:
    fresh(
        "from hypothesis import Phase, given, settings, strategies as st\n"
        "from ddtheory import testing\n"
        "names = 'KnownGerm KnownCell HiddenDivergence HiddenGerm LayerShape Rotation InputLaw Activation'.split()\n"
        "for kind in [getattr(testing, name) for name in names]:\n"
        "    @settings(database=None, max_examples=2, deadline=None, phases=[Phase.generate])\n"
        "    @given(st.from_type(kind))\n"
        "    def drawn(value): assert isinstance(value, kind)\n"
        "    drawn()"
    )


@pytest.mark.long
@pytest.mark.parametrize("module", ["models", "germs", "registration"])
def test_any_module_can_be_the_first_to_be_imported(module: str) -> None:
    """Importing hypothesis imports our modules: whichever comes first must not meet itself half-made."""
    light(f"import ddtheory.testing.{module}")


@pytest.mark.long
def test_from_type_inside_another_type() -> None:
    out = fresh(
        "from dataclasses import dataclass\n"
        "from hypothesis import find, settings, strategies as st\n"
        "from ddtheory.values import RLCT\n"
        "@dataclass(frozen=True)\n"
        "class Pair:\n    first: RLCT\n    second: RLCT\n"
        "print(find(st.from_type(Pair), lambda p: p.first < p.second, settings=settings(database=None)))"
    )
    assert out.startswith("Pair(first=RLCT(") and "Fraction(1, 2)" in out


def test_control_without_the_registration_there_is_no_such_strategy() -> None:
    """What `from_type` did before: it builds from the annotations, and the values refuse what it draws."""
    out = fresh(
        "from dataclasses import dataclass\n"
        "from fractions import Fraction\n"
        "from hypothesis import Phase, given, settings, strategies as st\n"
        "from ddtheory.errors import InvalidValueError\n"
        "from ddtheory.values import RLCT\n"
        "@settings(database=None, max_examples=10, phases=[Phase.generate])\n"
        "@given(st.builds(RLCT, lam=st.from_type(Fraction), m=st.from_type(int)))\n"
        "def drawn(value): pass\n"
        "try:\n    drawn()\nexcept InvalidValueError: print('refused')\n"
        "except BaseExceptionGroup as many: print('refused' if many.subgroup(InvalidValueError) else many)\n"
    )
    assert out.endswith("refused")


def test_every_strategy_is_exported_and_has_an_example() -> None:
    import inspect

    from ddtheory import testing

    makers = [
        member
        for _, member in inspect.getmembers(testing, inspect.isfunction)
        if "SearchStrategy" in str(inspect.signature(member).return_annotation)
    ]
    assert len(makers) >= 10
    for make in makers:
        assert make.__name__.endswith("s") and make.__doc__ and ">>> from hypothesis import find" in make.__doc__
        positional = [p for p in inspect.signature(make).parameters.values() if p.kind is not p.KEYWORD_ONLY]
        assert len(positional) <= 1, f"{make.__name__}: bounds are keyword-only"


def test_the_conformance_kit_lists_what_is_public() -> None:
    """The modules that it is made of are not, though they are attributes of the package."""
    found = dir(conformance)
    assert "check_estimator" in found and "sweep" in found
    assert not [name for name in found if inspect.ismodule(getattr(conformance, name))]
