"""Trials in batches that a file keeps, so that a long run may be stopped and go on."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

SIZE = 100
WRONG = "wrong"
Found = dict[str, Any]


def batches(count: int, key: Mapping[str, Any], kept: Path | None, run: Callable[[int, int], Found]) -> Iterator[Found]:
    """The batches of a run: those that the file has, and the others, which are run now and added to it.

    Args:
        count: of trials.
        key: what tells this run from others in the same file.
        kept: a file with a line of JSON for a batch.
        run: what a batch of a number and a size gives: `counts` by outcome, and `notable` trials.
    """
    lines = kept.read_text(encoding="utf-8").splitlines() if kept is not None and kept.exists() else []
    there = {json.dumps(line["key"]): line for line in map(json.loads, lines)}
    for number, start in enumerate(range(0, count, SIZE)):
        size = min(SIZE, count - start)
        mine = {**key, "batch": number, "size": size}
        found = there.get(json.dumps(mine))
        if found is None:
            found = {"key": mine, **run(number, size)}
            if kept is not None:
                with kept.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(found) + "\n")
        yield found


def report(found: Iterator[Found]) -> int:
    """Print what was wrong, and the counts at the end; 1 when anything was wrong."""
    counts: Counter[str] = Counter()
    for batch in found:
        counts.update(batch["counts"])
        for trial in batch["notable"]:
            if trial["became"].startswith(WRONG):
                print(json.dumps(trial), flush=True)
        if sys.stderr.isatty():
            print(f"\r{counts.total()} trials", end="", file=sys.stderr, flush=True)
    for outcome, number in sorted(counts.items()):
        print(f"{number:7d}  {outcome}")
    return 1 if any(outcome.startswith(WRONG) for outcome in counts) else 0
