"""Corrupted certificates are rejected; the few that are accepted do no harm, by a test of their own."""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import pytest
from handwritten import EXAMPLES
from mutations import Mutant, harmless, mutate

from ddtheory.certify import check, germs
from ddtheory.certify.bounds import Bounds
from ddtheory.certify.polyhedra import Polyhedron
from ddtheory.certify.rules.table import RULES

CERTIFICATES = {name: json.loads(json.dumps(example.certificate)) for name, example in EXAMPLES.items()}

Table = Mapping[str, Counter[str]]


def accepts(certificate: Any) -> bool:
    return check(certificate).accepted


def tried(
    certificates: Mapping[str, Any], count: int, accepted: Callable[[Any], bool] = accepts
) -> Iterator[tuple[str, Mutant, str]]:
    """Mutants of each certificate, and what became of each."""
    for name, certificate in certificates.items():
        rng = random.Random(name)
        for _ in range(count):
            mutant = mutate(certificate, rng, list(RULES), [rng.choice(list(certificates.values()))])
            yield name, mutant, harmless(certificate, mutant) or "HARM" if accepted(mutant.certificate) else "rejected"


def run(certificates: Mapping[str, Any], count: int) -> tuple[list[tuple[str, Mutant]], Table]:
    """The mutants that are accepted and do harm, and a table of all by kind and by what became of them."""
    table: dict[str, Counter[str]] = defaultdict(Counter)
    found: list[tuple[str, Mutant]] = []
    for name, mutant, outcome in tried(certificates, count):
        table[mutant.kind][outcome] += 1
        if outcome == "HARM":
            found.append((name, mutant))
    return found, table


def shown(table: Table) -> str:
    """Kind of mutation, how many, how many rejected, and why the others do no harm."""
    lines = [f"{'mutation':<22}{'mutants':>9}{'rejected':>9}  harmless survivors"]
    for kind, outcomes in sorted(table.items()):
        others = ", ".join(f"{why}: {n}" for why, n in sorted(outcomes.items()) if why != "rejected")
        lines.append(f"{kind:<22}{sum(outcomes.values()):>9}{outcomes['rejected']:>9}  {others}")
    total = sum((outcomes for outcomes in table.values()), Counter[str]())
    lines.append(f"{'all':<22}{sum(total.values()):>9}{total['rejected']:>9}")
    return "\n".join(lines)


@pytest.mark.long
def test_no_harmful_mutant_survives() -> None:
    harmful, table = run(CERTIFICATES, 100)
    print("\n" + shown(table))
    assert [(name, mutant.kind, mutant.path) for name, mutant in harmful] == []
    assert sum(table["drop child and chart"].values()) > 8 < sum(table["consistent lie"].values())


@pytest.mark.slow
def test_no_harmful_mutant_survives_among_many() -> None:
    harmful, table = run(CERTIFICATES, 800)
    print("\n" + shown(table))
    assert [(name, mutant.kind, mutant.path) for name, mutant in harmful] == []


def test_every_number_of_a_certificate_matters() -> None:
    """Not at random: every integer and every rational of the cusp, one after the other, is changed by one."""
    from mutations import places, replaced

    certificate = CERTIFICATES["cusp"]
    changed = 0
    for place, value in places(certificate):
        if isinstance(value, int) and not isinstance(value, bool):
            changed += 1
            assert not check(replaced(certificate, place, value + 1)).accepted, place
        elif (
            isinstance(value, str)
            and place[-1] not in ("format", "rule", "kind", "status")
            and value[:1] in "-0123456789"
        ):
            changed += 1
            numerator, _, denominator = value.partition("/")
            other = str(int(numerator) + 2) + (f"/{denominator}" if denominator else "")
            assert not check(replaced(certificate, place, other)).accepted, place
    assert changed > 40


# --- controls: a checker with a part missing lets harm through, and the engine notices -------------------------------


class _Everything(frozenset[Any]):
    """A set of faces that never misses one."""

    def __sub__(self, other: Iterable[Any]) -> frozenset[Any]:
        return frozenset()


def _no_covering(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Polyhedron.__dict__["compact_faces"].func
    monkeypatch.setattr(Polyhedron, "compact_faces", property(lambda self: _Everything(whole(self))))


def _no_germs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(germs.Germ, "difference", lambda self, other: "")


def _no_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Bounds, "__eq__", lambda self, other: True)
    from ddtheory.certify.bounds import Bound

    monkeypatch.setattr(Bound, "__eq__", lambda self, other: True)


def accepts_or_breaks(certificate: Any) -> bool:
    """A checker with a part missing may stumble later, over what that part keeps out."""
    try:
        return check(certificate).accepted
    except (ValueError, LookupError, ArithmeticError):
        return False


@pytest.mark.parametrize("missing", [_no_covering, _no_germs, _no_bounds])
def test_the_engine_notices_a_checker_with_a_part_missing(
    monkeypatch: pytest.MonkeyPatch, missing: Callable[[pytest.MonkeyPatch], None]
) -> None:
    missing(monkeypatch)
    assert any(outcome == "HARM" for *_, outcome in tried(CERTIFICATES, 60, accepts_or_breaks))
