"""Version, date, licence, title and authors are the same wherever they stand."""

from __future__ import annotations

import datetime
import re
import tomllib

import pytest
from imports import ROOT

import ddtheory

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CITATION = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def cited(key: str) -> str:
    """The value of a line at the margin of the citation file."""
    found = re.search(rf"^{key}: (.*)$", CITATION, flags=re.MULTILINE)
    assert found is not None, f"CITATION.cff has no {key}."
    return found[1]


def test_the_version_is_one() -> None:
    released = re.findall(r"^## (\d+\.\d+\.\d+) \((\d{4}-\d\d-\d\d)\)$", CHANGELOG, flags=re.MULTILINE)
    version, date = released[0]
    assert version == PROJECT["version"] == ddtheory.__version__ == cited("version")
    assert date == cited("date-released") and datetime.date.fromisoformat(date)


def test_the_citation_says_what_the_project_says() -> None:
    assert cited("title") == PROJECT["name"] and cited("license") == PROJECT["license"] == "MIT"
    assert f"  - name: {PROJECT['authors'][0]['name']}\n" in CITATION
    assert re.search(r"^keywords:\n((?:  - .*\n)+)", CITATION, flags=re.MULTILINE)[1] == "".join(  # type: ignore[index]
        f"  - {word}\n" for word in PROJECT["keywords"]
    )
    assert (ROOT / "LICENSE").read_text(encoding="utf-8").startswith("MIT License")


@pytest.mark.parametrize("minor", [11, 12, 13])
def test_every_python_that_is_tested_is_classified(minor: int) -> None:
    assert f"Programming Language :: Python :: 3.{minor}" in PROJECT["classifiers"]
    assert PROJECT["requires-python"] == ">=3.11"
