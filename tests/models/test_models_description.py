"""Descriptions of models as files: every kind has an example, and nothing but data is read."""

from __future__ import annotations

import os
import re
import tomllib
from fractions import Fraction
from pathlib import Path

import pytest

from ddtheory.errors import DDTheoryError, InvalidValueError, ParseError, UnknownNameError
from ddtheory.models import described, load, regression
from ddtheory.models.description import KINDS
from ddtheory.values import RLCT

FOLDER = Path(__file__).parents[2] / "examples" / "models"

# by hand; what each of them says stands in its first line
PAIRS = {
    "attention": ("1/2", 1),  # q (k1 − k3, k2 − k3): q alone
    "coins": ("3/4", 1),  # the mean is regular, the spread of the two coins is squared
    "factor": ("1/2", 1),  # the entries of vvᵀ: |v|² in two variables
    "hidden_cause": ("3/2", 2),  # two marginals are regular, the covariance is a product
    "impossible": ("1", 2),  # K ~ a·b for a, b ≥ 0
    "poisson": ("1/6", 1),
    "polynomial": ("3/4", 2),  # a·b and c² apart: 1/2 + 1/4
    "factors": ("2", 2),  # three regular directions, and one product of two numbers
    "tanh": ("2/3", 1),
    "teacher": ("5/4", 1),
}


def test_every_kind_has_an_example() -> None:
    told = {path.stem: tomllib.loads(path.read_text("utf-8"))["kind"] for path in FOLDER.glob("*.toml")}
    assert set(told) == set(PAIRS), "write the pair of a new example by hand"
    assert set(told.values()) == set(KINDS), "write an example in examples/models for a new kind"


@pytest.mark.parametrize("name", PAIRS)
def test_the_pairs_of_the_examples(name: str) -> None:
    lam, m = PAIRS[name]
    assert load(FOLDER / f"{name}.toml").rlct().rlct == RLCT(Fraction(lam), m)


def test_the_page_for_referees_shows_what_works() -> None:
    page = (FOLDER.parents[1] / "docs" / "referees.md").read_text("utf-8")
    (shown,) = re.findall(r"```toml\n(.*?)```", page, flags=re.DOTALL)
    found = described(shown).rlct().rlct
    assert found is not None and f"`λ = {found.lam}, m = {found.m}`" in page


GOOD = 'kind = "regression"\nmean = "a*b"\ntruth = 0\n'


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("", InvalidValueError, "The key kind is missing"),
        ('kind = "regresion"', UnknownNameError, "Did you mean regression"),
        ("kind = 3", UnknownNameError, "There is no kind of model named 3"),
        ('kind = "regression"\ntruth = 0', InvalidValueError, "The key mean is missing"),
        (GOOD + "sigma = 2", InvalidValueError, "The key sigma is not known"),
        (GOOD + 'variance = "__import__"', ParseError, "The key variance: "),
        (GOOD + "variance = true", InvalidValueError, "The key variance is True"),
        (GOOD + "variance = 2020-01-01", InvalidValueError, "The key variance is a date"),
        (GOOD + "variance = nan", InvalidValueError, "The key variance: "),
        (GOOD + "inputs = {x = [1, '2; import os']}", ParseError, r"The key inputs\.x\[2\]: "),
        (GOOD + f"inputs = {{x = {'[' * 20}{']' * 20}}}", InvalidValueError, "nested too deeply"),
        (GOOD + "mean", InvalidValueError, "no TOML"),
        (GOOD + f"at = {'[' * 5000}{']' * 5000}", InvalidValueError, "no TOML"),
        ('kind = "exponential_family"\nfamily = "poison"\nnatural = "t"\ntruth = 0', UnknownNameError, "poisson"),
    ],
)
def test_refusals_name_the_key(text: str, kind: type[DDTheoryError], message: str) -> None:
    with pytest.raises(kind, match=message):
        described(text)


def test_the_control_the_good_text_is_read() -> None:
    assert described(GOOD).rlct().rlct == RLCT(Fraction(1, 2), 2)


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_file_with_a_mark_of_its_encoding_is_read(tmp_path: Path, ends: str) -> None:
    text = ends.join(['kind = "regression"', 'mean = "a*b"', "truth = 0"])
    (tmp_path / "mine.toml").write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert load(tmp_path / "mine.toml").rlct().rlct == RLCT(Fraction(1, 2), 2)


def test_a_refusal_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    with pytest.raises(InvalidValueError, match=r"mine\.toml cannot be read: No such file"):
        load(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidValueError, match="no text in UTF-8"):
        load(path)
    path.write_text(GOOD + "sigma = 2", encoding="utf-8")
    with pytest.raises(InvalidValueError, match=r"mine\.toml: The key sigma"):
        load(path)
    path.write_text("#" * 1_000_001, encoding="utf-8")
    with pytest.raises(InvalidValueError, match="a page of text"):
        load(path)
    with pytest.raises(InvalidValueError, match="is no file"):
        load(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InvalidValueError, match="is no file"):
        load(tmp_path / "pipe")


def test_a_model_says_what_its_parameters_are() -> None:
    """Where the inputs were forgotten, x is a parameter too, and the line above the pair says so."""
    assert str(regression("a*b*x", inputs={"x": "generic"}, truth=0)) == "regression of x in a, b: a*b*x"
    assert str(regression("a*b*x", truth=0)) == "regression in a, b, x: a*b*x"
