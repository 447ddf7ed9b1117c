"""How often `rlct` finds a pair that is hidden: germs made to have a known one, in random coordinates.

    python benchmarks/hidden_germs.py                                     # 2 to 4 variables, 100 germs each
    python benchmarks/hidden_germs.py --variables 5 --count 40            # rows of other sizes are kept

Germs: `ddtheory.testing.known_pairs.hidden_germ`, seeded. Seconds are processor time. A derivation that takes longer
than the limit is "late", whatever comes out; one that is cut off at twice the limit leaves no answer. "Wrong" is an
exact answer that is not the known pair, or bounds that exclude it, late or not.
"""

from __future__ import annotations

import json
import signal
import statistics
import sys
import time
from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Any

from environment import command
from harness import deadlines_of_the_processor, options, save, show

import ddtheory as dd
from ddtheory.errors import DDTheoryError
from ddtheory.exact.thresholds.nodes import Bound
from ddtheory.testing.known_pairs import FORMS, HIDINGS, HiddenGerm, hidden_germ

OUTCOMES = ("exact", "bounds", "late", "refused", "wrong")
COLUMNS = ("variables", "form", "hidden", "germs", *OUTCOMES, "median s", "95 % s", "largest s", "terms")
Row = dict[str, Any]


class CutOffError(Exception):
    """The processor time is used up."""


def _cut_off(*_: object) -> None:
    raise CutOffError


def excludes(lower: Bound, upper: Bound, pair: dd.RLCT) -> bool:
    """Whether the pair lies outside proven bounds; an unknown multiplicity excludes none."""
    above = lower.value < pair.lam or (lower.value == pair.lam and (lower.m is None or pair.m <= lower.m))
    below = upper.value > pair.lam or (upper.value == pair.lam and (upper.m is None or pair.m >= upper.m))
    return not (above and below)


def outcome(germ: HiddenGerm, limit: float) -> tuple[str, float]:
    """What came out, and the processor time that it took."""
    started = time.process_time()
    signal.setitimer(signal.ITIMER_PROF, 2 * limit)
    try:
        found = dd.rlct(germ.divergence, generators=germ.generators, seconds=limit)
    except CutOffError:
        return "late", time.process_time() - started
    except DDTheoryError as error:
        print(f"refused: {error}", file=sys.stderr)
        return "refused", time.process_time() - started
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    spent = time.process_time() - started
    if excludes(found.lower, found.upper, germ.rlct):
        return "wrong", spent
    return ("late" if spent > limit else found.status), spent


def row(variables: int, form: str, hidden: str, count: int, limit: float) -> Row:
    """The germs of one size, form and hiding."""
    outcomes: Counter[str] = Counter()
    seconds, terms, open_germs = [], [], []
    for seed in range(count):
        germ = hidden_germ(Random(seed), variables, form, hidden)
        found, spent = outcome(germ, limit)
        outcomes[found] += 1
        seconds.append(spent)
        given = germ.generators or (germ.divergence,)
        terms.append(sum(len(expression.as_ordered_terms()) for expression in given))
        if found != "exact":
            open_germs.append({"seed": seed, "outcome": found, "seconds": spent, "terms": terms[-1]})
        if found == "wrong":
            print(f"WRONG: {variables} {form} {hidden} seed {seed}: {germ.rlct} for {given}", file=sys.stderr)
    seconds.sort()
    return {
        "variables": variables,
        "form": form,
        "hidden": hidden,
        "germs": count,
        **{name: outcomes[name] for name in OUTCOMES},
        "seconds": {"median": statistics.median(seconds), "most": seconds[-1 - count // 20], "max": seconds[-1]},
        "terms": {"median": statistics.median(terms), "max": max(terms)},
        "open": open_germs,
    }


def cells(found: Row) -> list[str]:
    """A row of the table."""
    seconds, terms = found["seconds"], found["terms"]
    return [
        str(found["variables"]),
        found["form"],
        found["hidden"],
        str(found["germs"]),
        *(str(found[name]) for name in OUTCOMES),
        *(f"{seconds[name]:.3f}" for name in ("median", "most", "max")),
        f"{terms['median']:.0f} (≤ {terms['max']})",
    ]


def _place(entry: Row) -> tuple[int, int, int]:
    return entry["variables"], FORMS.index(entry["form"]), HIDINGS.index(entry["hidden"])


def main(arguments: Sequence[str] | None = None) -> None:
    parser = options(__doc__ or "", "hidden_germs")
    parser.add_argument("--variables", nargs="+", type=int, default=[2, 3, 4])
    parser.add_argument("--forms", nargs="+", choices=FORMS, default=list(FORMS))
    parser.add_argument("--hidden", nargs="+", choices=HIDINGS, default=list(HIDINGS))
    parser.add_argument("--count", type=int, default=100, help="germs a row")
    parser.add_argument("--limit", type=float, default=10.0, help="seconds for one germ")
    chosen = parser.parse_args(arguments)
    signal.signal(signal.SIGPROF, _cut_off)
    dd.rlct("x^2")  # loads what a call needs
    deadlines_of_the_processor("ddtheory.exact")
    kept = json.loads(chosen.out.read_text())["rows"] if chosen.out.exists() else []
    rows = {_place(entry): entry for entry in kept}
    for variables in chosen.variables:
        for form in chosen.forms:
            for hidden in chosen.hidden:
                found = row(variables, form, hidden, 5 if chosen.quick else chosen.count, chosen.limit) | {
                    "command": command()
                }
                rows[_place(found)] = found
                print(*cells(found), sep="  ", flush=True)
                save(chosen, [rows[place] for place in sorted(rows)])
    show("Hidden germs", COLUMNS, [cells(rows[place]) for place in sorted(rows)])


if __name__ == "__main__":
    main()
