"""The quick lane forgets no room: what is touched is tested."""

from __future__ import annotations

import pytest
from quick import ALWAYS, ROOT, TESTS, WHOLE_HOUSE, claims, folders

ROOMS = sorted(path.parent.name for path in (ROOT / "ddtheory").glob("*/__init__.py"))
FOLDERS = sorted({path.parent.name for path in (ROOT / "tests").glob("*/test_*.py")})


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_has_its_tests(room: str) -> None:
    assert f"ddtheory/{room}" in TESTS, f"ddtheory/{room} has no line in TESTS of tests/quick.py"


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_folder_of_tests_is_reached_or_has_a_reason(folder: str) -> None:
    reached = {*ALWAYS, *(name for names in TESTS.values() for name in names)}
    assert folder in reached | set(WHOLE_HOUSE), f"no room leads to tests/{folder} in tests/quick.py"
    assert not (folder in reached and folder in WHOLE_HOUSE)


def test_what_the_map_names_is_there() -> None:
    assert all((ROOT / room).is_dir() for room in TESTS)
    assert {*WHOLE_HOUSE, *(name for names in TESTS.values() for name in names)} <= set(FOLDERS)


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("ddtheory/measure/orders/rate.py", ["measure", "meta"]),
        ("ddtheory/exact/numbers/zero.py", ["exact", "meta", "networks"]),
        ("ddtheory/exact/finite_n/expansion.py", ["fluctuation", "meta"]),
        ("ddtheory/values.py", ["cli", "meta", "verify"]),
        ("tests/proofs/sabotage.py", ["meta", "proofs"]),
        ("tests/verify/book/spectra/refuted.py", ["meta", "verify"]),
        ("tests/conftest.py", ["meta"]),
        ("README.md", ["meta"]),
        ("tests/gone/test_gone.py", ["meta"]),
    ],
)
def test_the_tests_of_a_file(file: str, expected: list[str]) -> None:
    assert folders([file]) == expected


def test_touched_claims_are_verified() -> None:
    assert claims(["proofs/rate/anchor_a1.py", "README.md"]) == ["anchor:A1"]
    assert claims(["README.md"]) == []
