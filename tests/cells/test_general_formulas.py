"""Closed forms in general sizes on the families that have one: right on every cell of the catalogue that they cover."""

from __future__ import annotations

import pytest

from ddtheory import cells
from ddtheory.errors import InvalidValueError
from ddtheory.exact import formulas

WITH = {name: entry for name, entry in cells.families().items() if entry.general}


def test_which_families_have_one() -> None:
    assert set(WITH) == {"deep_linear", "hidden_layer", "normal_crossing", "reduced_rank"}
    assert {entry.formula().about for entry in WITH.values()} == {
        formulas.deep_linear().about,
        formulas.hidden_layer().about,
        formulas.crossing().about,
        formulas.local_reduced_rank().about,
    }


@pytest.mark.parametrize("name", WITH)
def test_it_has_the_pairs_of_the_cells(name: str) -> None:
    """The pair of a cell comes from routes of its own; a formula of another family would not do."""
    entry = WITH[name]
    covered, pairs = 0, set()
    for example in entry.examples:
        assert entry.general is not None
        sizes = entry.general.sizes(**{**entry.defaults, **example})
        if sizes is not None:
            covered += 1
            pair = entry.make(**example).rlct
            pairs.add(pair)
            assert entry.formula().at(**sizes) == pair, example
    assert covered >= 4
    assert len(pairs) > 2  # one pair for all would say little


def test_the_function_has_it() -> None:
    assert cells.hidden_layer.formula() == cells.families()["hidden_layer"].formula()


def test_a_formula_does_not_cover_what_it_does_not() -> None:
    general = WITH["hidden_layer"].general
    assert general is not None
    assert general.sizes(activation="silu", hidden=2, outputs=1) is None
    at_three = formulas.hidden_layer().at(H=3, M=1, Q=2)
    assert cells.hidden_layer(activation="silu", hidden=3).rlct != at_three == cells.hidden_layer(hidden=3).rlct


def test_a_family_without_one_says_which_have_one() -> None:
    with pytest.raises(InvalidValueError, match="there is one for deep_linear, hidden_layer"):
        cells.brieskorn.formula()
