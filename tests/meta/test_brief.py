"""The brief lane runs every test function that is not marked long, and says what it leaves out."""

from __future__ import annotations

from typing import Any, cast

from brief import CASES, few


class Case:
    def __init__(self, nodeid: str, *, long: bool = False) -> None:
        self.nodeid = nodeid
        self.long = long

    def get_closest_marker(self, name: str) -> bool | None:
        return True if self.long and name == "long" else None


def test_every_function_keeps_its_first_and_its_last_case() -> None:
    cases = [Case(f"a.py::test_many[{number}]") for number in range(9)] + [Case("a.py::test_one")]
    kept, left_out = few(cast("list[Any]", cases))
    names = [case.nodeid for case in kept]
    assert names == ["a.py::test_many[0]", "a.py::test_many[4]", "a.py::test_many[8]", "a.py::test_one"]
    assert len(kept) + len(left_out) == len(cases) and CASES == 3


def test_few_cases_are_all_kept() -> None:
    cases = [Case(f"a.py::test[{number}]") for number in range(3)] + [Case("b.py::test[0]")]
    assert few(cast("list[Any]", cases)) == (cases, [])


def test_a_long_function_is_left_out_with_all_its_cases() -> None:
    cases = [Case(f"a.py::test[{number}]", long=True) for number in range(3)] + [Case("b.py::test")]
    kept, left_out = few(cast("list[Any]", cases))
    assert [case.nodeid for case in kept] == ["b.py::test"] and len(left_out) == 3
