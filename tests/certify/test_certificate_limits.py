"""A certificate from anybody: the check ends within its time and memory, and then says neither yes nor no."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from handwriting import germ, node, of_divergence, of_ideal
from handwritten import EXAMPLES, monomial
from hostile import HOSTILE, coordinate_forms, many_small_matrices, wide_networks

from ddtheory.certify import apart, certify_file, check, limits
from ddtheory.certify.flats import flats
from ddtheory.certify.refusal import Exceeded
from ddtheory.errors import InvalidValueError

checking = sys.modules["ddtheory.certify.check"]  # the name of the module is that of its function

HALF = Fraction(1, 2)
CUSP = json.loads(json.dumps(EXAMPLES["cusp"].certificate))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_certificate_ends_and_is_not_accepted(name: str) -> None:
    report = check(json.dumps(HOSTILE[name]()), seconds=0.3, megabytes=100)
    assert report.outcome in ("not decided", "rejected")
    assert (report.rejection is None) is (report.outcome == "not decided") is (report.undecided is not None)
    assert report.lam is report.lower is report.statement is None


@pytest.mark.long
def test_most_hostile_certificates_meet_a_limit() -> None:
    """They are hostile indeed: one alone is rejected, because it is seen at once to be wrong."""
    outcomes = {name: check(make(), seconds=0.1, megabytes=100).outcome for name, make in HOSTILE.items()}
    assert [name for name, outcome in outcomes.items() if outcome != "not decided"] == ["2^34 index tuples"]


def translated_far() -> Any:
    """∏ x_i^12 − 1 in eight variables at (1, …, 1), whose translate has 13^8 terms."""
    names = [f"x{i}" for i in range(8)]
    made = json.loads(json.dumps(CUSP))
    made["input"]["germ"] = germ(" ".join(names), f"{'*'.join(f'{name}^12' for name in names)} - 1")
    made["input"]["at"] = ["1"] * 8
    made["derivation"]["germ"] = germ(" ".join(names), "x0")
    return made


def high_power() -> Any:
    """x0^40 said to be the power of x0 + … + x8, which has C(48, 8) terms."""
    names = [f"x{i}" for i in range(9)]
    made = json.loads(json.dumps(EXAMPLES["double line"].certificate))
    held = made["derivation"]
    while held["rule"] != "power":
        held = held["children"][0]
    below = {**CUSP["derivation"], "germ": germ(" ".join(names), " + ".join(names))}
    data = {"exponent": 40, "unit": germ(" ".join(names), "1")["generators"][0]}
    whole = germ(" ".join(names), "x0^40")
    made["derivation"] = {**held, "germ": whole, "data": data, "children": [below]}
    made["input"] = {**made["input"], "germ": whole, "at": ["0"] * 9}
    return made


@pytest.mark.long
@pytest.mark.parametrize(
    ("make", "seconds", "megabytes", "limit", "place"),
    [
        (translated_far, 60, 15, "limit of 15 MB", "at the root"),
        (translated_far, 0.5, 2_000, "limit of 0.5 s", "at the root"),
        (high_power, 0.5, 2_000, "limit of 0.5 s", "in step 1 of 2"),
        (high_power, 60, 8, "limit of 8 MB", "in step 1 of 2"),
    ],
)
def test_both_limits_hold_inside_of_one_step(
    make: Callable[[], Any], seconds: float, megabytes: float, limit: str, place: str
) -> None:
    """Left alone, the one step of either would take gigabytes."""
    report = check(make(), seconds=seconds, megabytes=megabytes)
    assert report.undecided is not None
    assert (report.undecided.limit, report.undecided.place) == (limit, place)


@pytest.mark.long
@pytest.mark.parametrize(
    ("make", "limit", "place"),
    [
        (lambda: many_small_matrices(900), "limit of 2 s", "in step 1 of 1"),
        (HOSTILE["a constant to the power 10^12"], "limit of 100000 bits of one number", "in step 1 of 2"),
        (HOSTILE["2500 matrices"], "limit of 1000 variables", "while reading"),
        (HOSTILE["a point of 3999 digits under x^49999"], "limit of 100000 bits of one number", "at the root"),
    ],
)
def test_the_report_names_the_limit_and_the_step(make: Callable[[], Any], limit: str, place: str) -> None:
    report = check(make(), seconds=2)
    assert report.undecided is not None
    assert (report.undecided.limit, report.undecided.place) == (limit, place)
    assert str(report).startswith(f"not decided: {limit} reached {place}")
    document = report.document()
    assert document["outcome"] == "not decided" and document["undecided"]["limit"] == limit
    assert document["accepted"] is False and document["rejection"] is None


def test_memory_has_a_limit_of_its_own() -> None:
    report = check(wide_networks(), seconds=60, megabytes=10)
    assert report.undecided is not None and report.undecided.limit == "limit of 10 MB"


def test_what_is_right_and_large_is_accepted_when_it_can_be() -> None:
    """x_1 ⋯ x_14 as an arrangement has 2^14 flats; forms in separate variables are a product."""
    report = check(coordinate_forms(14))
    assert report.accepted and (report.lam, report.multiplicity) == (HALF, 14)
    small = check(many_small_matrices(30))
    assert small.accepted and (small.lam, small.multiplicity) == (HALF, 30)


@pytest.mark.parametrize("value", [0, -1, float("nan"), True, "3", None])
def test_a_limit_is_a_positive_number(value: Any) -> None:
    with pytest.raises(InvalidValueError, match="positive number"):
        check(CUSP, seconds=value)
    with pytest.raises(InvalidValueError, match="positive number"):
        check(CUSP, megabytes=value)


def test_no_limit_at_all_is_infinity() -> None:
    assert check(CUSP, seconds=float("inf"), megabytes=float("inf")).accepted


def test_a_budget_ends_with_its_check() -> None:
    """Inside, the same work is stopped; afterwards, and without a check, it is not."""
    forms = [[int(i == j) for j in range(9)] for i in range(9)]
    budget = limits.Budget(1e-6, 1e6)
    with pytest.raises(Exceeded, match="limit of 1e-06 s"), limits.limited(budget):
        flats(forms)
    assert len(flats(forms)) == 2**9


def test_objects_that_no_json_holds_end_as_well() -> None:
    """A node that is its own child, tenfold; integers that Python does not print; a field that is no field."""
    round_and_round: dict[str, Any] = node("best", germ("x", "x"), "1,1")
    round_and_round["children"] = [round_and_round] * 10
    assert check(of_ideal(round_and_round), seconds=0.2).outcome == "not decided"
    for key in CUSP:
        assert not check({**CUSP, key: 10**5_000}).accepted
    huge = json.loads(json.dumps(CUSP))
    huge["derivation"]["germ"]["generators"][0][0][0][0] = 10**5_000
    assert check(huge).outcome == "not decided"


# --- the process around the check -------------------------------------------------------------------------------------


def written(folder: Path, certificate: Any) -> Path:
    path = folder / "certificate.json"
    path.write_text(json.dumps(certificate), encoding="utf-8")
    return path


@pytest.mark.long
def test_a_file_with_a_mark_of_its_encoding_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, CUSP)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert certify_file(path, seconds=60)[0] == 0


def test_a_file_is_checked_within_limits(tmp_path: Path) -> None:
    code, text = certify_file(written(tmp_path, many_small_matrices(900)), seconds=2)
    assert (code, text) == (2, "not decided: limit of 2 s reached in step 1 of 1 (rule matrix_product)")
    code, text = certify_file(written(tmp_path, CUSP), as_json=True, seconds=60, megabytes=500)
    assert code == 0 and json.loads(text)["lambda"] == "5/12" and text.isascii()
    with pytest.raises(InvalidValueError, match="positive number"):
        certify_file(written(tmp_path, CUSP), seconds=0)
    with pytest.raises(InvalidValueError, match="more than"):
        certify_file("/dev/zero" if sys.platform != "win32" else _large(tmp_path))


def _large(folder: Path) -> Path:
    path = folder / "large.json"
    path.write_bytes(b" " * (limits.MOST_BYTES_OF_TEXT + 1))
    return path


def test_a_process_that_does_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "_GRACE", 0.2)
    monkeypatch.setattr(apart, "_PROGRAM", "while True: pass")
    code, text = apart.check_apart(json.dumps(CUSP), False, 0.3, 100)
    assert (code, text) == (2, "not decided: limit of 0.3 s reached by the process of the check")


@pytest.mark.skipif(sys.platform != "linux", reason="the system limits the memory of a process on Linux alone")
def test_a_process_that_wants_too_much_memory_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    limited = "import sys; sys.path.insert(0, sys.argv[1]); from ddtheory.certify.apart import _limit; _limit(20, 100)"
    for taken, decided in ((b"2 * 10**9", False), (b"10**6", True)):
        monkeypatch.setattr(apart, "_PROGRAM", f"{limited}; bytearray({taken.decode()}); sys.exit(10)")
        code, text = apart.check_apart(json.dumps(CUSP), False, 20, 100)
        assert (code == 0) is decided and ("memory" in text) is not decided


def test_a_mistake_of_ours_is_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "_PROGRAM", "1 / 0")
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        apart.check_apart(json.dumps(CUSP), False, 5, 100)


def test_no_module_of_the_current_folder_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Certificates are often checked where they were downloaded."""
    path = written(tmp_path, CUSP)
    for name in ("json", "resource", "fractions", "sitecustomize"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert certify_file(path)[0] == 0
    assert not (tmp_path / "ran").exists()


# --- the sign of K has a share of the time ----------------------------------------------------------------------------


class Clock:
    """Stands still, but for work that takes a hundredth of a second a turn and has no end."""

    now = 0.0

    def __call__(self) -> float:
        return self.now

    def work(self, *_: Any) -> bool:
        while True:
            self.now += 0.01
            limits.spend()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(limits, "time", SimpleNamespace(monotonic=clock))
    return clock


SQUARE = of_divergence(monomial("x", "x^2", "1/2", "1/2", "1/2,1"))
"""K = x², assumed to be a divergence; its pair is (1/2, 1)."""

STATED = {"hypotheses": []}
"""What a certificate says that proves K ≥ 0 by its steps."""


@pytest.mark.parametrize(
    ("endless", "said", "spent", "proven"),
    [
        ((), {}, 0.0, True),
        (("refute",), {}, 0.0, True),
        (("refute",), STATED, 0.0, True),
        (("is_proven",), {}, 5.0, False),
        (("refute", "is_proven"), {}, 7.5, False),
    ],
)
def test_an_endless_sign_leaves_time_for_the_steps(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, endless: tuple[str, ...], said: Any, spent: float, proven: bool
) -> None:
    """Half of the time for a proof, and where there is none half of what is left for a refutation, after the steps."""
    for name in endless:
        monkeypatch.setattr(checking, name, clock.work)
    report = check({**SQUARE, **said}, seconds=10)
    assert report.accepted and (report.lam, report.multiplicity) == (HALF, 1)
    assert [step.rule for step in report.checked] == ["newton"]
    assert bool(report.proven) is proven and bool(report.hypotheses) is not proven
    assert clock.now == pytest.approx(spent, abs=0.03)


def test_a_wrong_step_is_rejected_before_an_endless_sign(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "refute", clock.work)
    wrong = json.loads(json.dumps(SQUARE).replace('"1/2", 1', '"1/2", 2'))
    report = check(wrong, seconds=10)
    assert report.rejection is not None and report.rejection.rule == "newton"


def test_a_sign_that_is_said_to_be_proven_is_proven_or_nothing_is_decided(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "is_proven", clock.work)
    report = check({**SQUARE, **STATED}, seconds=10)
    assert report.undecided is not None and "over the sign of K" in report.undecided.place
    assert clock.now == pytest.approx(10, abs=0.03)


def test_steps_have_no_share(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """They may use all that is left, and the limit that they meet is that of the whole check."""
    monkeypatch.setattr(checking, "refute", clock.work)
    monkeypatch.setattr(checking, "_check_node", clock.work)
    report = check(SQUARE, seconds=10)
    assert report.undecided is not None and report.undecided.place == "in step 1 of 1"
    assert report.undecided.limit == "limit of 10 s" and clock.now == pytest.approx(10, abs=0.03)


@pytest.mark.parametrize("endless", ["refute", "is_proven"])
def test_control_with_all_the_time_for_the_sign_nothing_is_decided(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, endless: str
) -> None:
    monkeypatch.setattr(checking, "_SHARE_OF_SIGNS", 1.0)
    monkeypatch.setattr(checking, "is_proven", lambda root: False)
    monkeypatch.setattr(checking, endless, clock.work)
    assert check(SQUARE, seconds=10).outcome == "not decided"
