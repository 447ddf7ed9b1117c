"""What a campaign found, as tables for the terminal and as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ddtheory.verify.mutants.campaign import Fate, Judged, Result, rate
from ddtheory.verify.mutants.kinds import KINDS

SCHEMA = "ddtheory.mutants/1"

_HEADS = {
    Fate.KILLED: "killed",
    Fate.RAISED: "raised",
    Fate.TIMED_OUT: "late",
    Fate.SURVIVED: "survived",
    Fate.BROKEN: "broken",
    Fate.EQUIVALENT: "same",
}


def render(result: Result, floor: float) -> RenderableType:
    """Counts by claim and by kind, the survivors with the lines that they change, and the rate."""
    by_claim = _table("claim", [(each.mutant.claim_id, each) for each in result.judged])
    by_kind = _table("kind", [(each.mutant.mutation.kind, each) for each in result.judged])
    return Group(by_claim, "", by_kind, "", *_survivors(result), Text(closing_line(result, floor), style="bold"))


def _table(head: str, named: Sequence[tuple[str, Judged]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column(head, no_wrap=True)
    for name in ("all", *_HEADS.values(), "accepted", "rate"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in dict.fromkeys(name for name, _ in named):
        judged = [each for other, each in named if other == name]
        table.add_row(name, *_cells(judged))
    table.add_row("all", *_cells([each for _, each in named]), style="bold")
    return table


def _cells(judged: Sequence[Judged]) -> list[str]:
    fates = Counter(each.fate for each in judged)
    accepted = sum(bool(each.accepted) for each in judged)
    return [str(len(judged)), *(str(fates[fate] or "") for fate in _HEADS), str(accepted or ""), _share(rate(judged))]


def _survivors(result: Result) -> Iterable[Text]:
    for each in survivors(result):
        mutation, place = each.mutant.mutation, each.mutant.place
        unchanged = ", findings unchanged" if each.unchanged else ""
        aside = "" if KINDS[mutation.kind].counted else ", not counted"
        yield Text(f"{each.mutant.claim_id}  {place.name}:{mutation.line}  {mutation.kind}{unchanged}{aside}", "bold")
        yield Text(f"  - {mutation.before}", "red")
        yield Text(f"  + {mutation.after}\n", "green")
    for entry in result.out_of_date:
        yield Text(
            f"accepted as harmless, but no change matches it or a verdict moves now: {entry.file}", "bold yellow"
        )
        yield Text(f"  - {entry.line}\n  + {entry.becomes}\n")


def survivors(result: Result) -> tuple[Judged, ...]:
    """The changes that no claim saw and nobody accepted."""
    return tuple(each for each in result.judged if each.fate is Fate.SURVIVED and not each.accepted)


def closing_line(result: Result, floor: float) -> str:
    """The rate against the floor, and what was left undone."""
    counted = sum(each.counted for each in result.judged)
    parts = [f"{_share(result.rate)} of {counted} counted changes seen, at least {_share(floor)} must be"]
    if result.interrupted:
        parts.insert(0, "interrupted")
    if result.not_run:
        parts.append(f"{len(result.not_run)} drawn changes not run")
    if result.out_of_date:
        parts.append(f"{len(result.out_of_date)} accepted survivors out of date")
    return " · ".join(parts)


def exit_code(result: Result, floor: float) -> int:
    """0: enough was seen. 1: too little was seen, or an accepted survivor is out of date. 2: nothing could be said."""
    if result.interrupted or result.rate is None:
        return 2
    return 1 if result.rate < floor or result.out_of_date else 0


def to_json(result: Result, floor: float, sample: int, seed: int) -> str:
    """The same as text with sorted keys."""
    document = {
        "schema": SCHEMA,
        "sample": sample,
        "seed": seed,
        "floor": floor,
        "rate": result.rate,
        "exit_code": exit_code(result, floor),
        "interrupted": result.interrupted,
        "changes": [_plain(each) for each in result.judged],
        "not_run": len(result.not_run),
        "out_of_date": [
            {"claim": each.claim, "file": each.file, "line": each.line, "becomes": each.becomes}
            for each in result.out_of_date
        ],
    }
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _plain(judged: Judged) -> dict[str, Any]:
    mutation, place = judged.mutant.mutation, judged.mutant.place
    return {
        "claim": judged.mutant.claim_id,
        "file": place.name,
        "line": mutation.line,
        "room": place.room,
        "kind": mutation.kind,
        "counted": judged.counted,
        "before": mutation.before,
        "after": mutation.after,
        "fate": judged.fate.value,
        "note": judged.note,
        "seen_by": judged.seen_by,
        "findings_unchanged": judged.unchanged,
        "accepted": judged.accepted,
    }


def _share(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.0f} %"


def kinds() -> Table:
    """The table of kinds, for `--kinds`."""
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    for name, kind in KINDS.items():
        table.add_row(name, kind.meaning + ("" if kind.counted else " (not counted)"))
    return table
