"""Learning coefficients per second: germs against two computer algebra systems, and two closed problems.

    python benchmarks/thresholds.py                        # everything that is installed
    python benchmarks/thresholds.py --systems ddtheory     # the others keep the numbers of the last run
    python benchmarks/thresholds.py --parts monomials deep
    python benchmarks/thresholds.py --systems Macaulay2 --step 2 --new 8 --sample 40  # a part of what another run had

Germs: those of the reference table whose complex threshold is known, and seeded ones of each kind of `ideals.py`, each
with a time limit. Macaulay2 (Dmodules, lct) and Singular (dmodvar, bfctVarAnn) give the threshold over ℂ and no
multiplicity, `ddtheory` the real pair of K = Σ f². Every answer is compared with the table; where there is none, a
threshold over ℂ that is larger than the real one, which cannot be, is called wrong.

Seconds are processor time of the call, the user's and the system's, so a busy machine does not matter. Start-up (the
process, the libraries, the parser) is a number of its own for each system: what a whole process takes for a small germ,
less the call. `ddtheory` answers all germs in one process, each once. The limit is processor time too; for the others
it includes their start-up, and on the wall it is thirty times as much.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

from harness import deadlines_of_the_processor, options, save, show, spread
from ideals import KINDS

import ddtheory as dd
from ddtheory.exact.thresholds.matrix_products import deep_linear
from ddtheory.exact.thresholds.polyhedra.newton import is_certificate, newton_distance

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from reference import germs
from reference.systems import INSTALL, PeerFailed, children_seconds, threshold, version

SYSTEMS = ("ddtheory", *INSTALL)
PARTS = ("germs", "monomials", "deep")
GROUPS = ("table", "new")
VARIABLES, GENERATORS = 60, 600
SMALL = ("x^2 + y^3", "x*y^2")
STARTS = 5
Row = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """A germ, and what is known of it: the pair of K and the threshold over ℂ, or neither."""

    name: str
    variables: tuple[str, ...]
    generators: tuple[str, ...]
    pair: tuple[Fraction, int] | None = None
    complex_threshold: Fraction | None = None


def asked(groups: Sequence[str], step: int, each: int) -> list[Asked]:
    """Every so many germs of the table, and so many of each kind of `ideals.py`."""
    table = [germ for germ in germs() if germ.complex_threshold is not None and not germ.at][::step]
    table, each = table if "table" in groups else [], each if "new" in groups else 0
    known = [Asked(str(g), g.variables, g.generators, (g.lam, g.m), g.complex_threshold) for g in table]
    for kind, make in KINDS.items():
        for seed in range(each):
            ideal = [f for f in make(random.Random(f"{kind} {seed}")) if f != 0]
            variables = sorted({str(symbol) for f in ideal for symbol in f.free_symbols})
            known.append(Asked(f"new: {kind}, seed {seed}", tuple(variables), tuple(map(_text, ideal))))
    return known


def _text(polynomial: Any) -> str:
    """Multiplied out: the other systems have no factors of their own to read."""
    return str(polynomial.expand()).replace("**", "^")


def by_ddtheory(germ: Asked, limit: float) -> Row:
    """Seconds, the pair of K, and whether it is that of the table."""
    started = time.process_time()
    found = dd.rlct(generators=germ.generators, seconds=limit)
    spent = time.process_time() - started
    if found.rlct is None:
        return {"seconds": None, "failure": f"bounds after {spent:.2g} s"}
    if spent > limit:
        return {"seconds": None, "failure": f"no answer in {limit:g} s, but after {spent:.2g} s"}
    pair = (found.rlct.lam, found.rlct.m)
    right = None if germ.pair is None else pair == germ.pair
    return {"seconds": spent, "answer": f"({pair[0]}, {pair[1]})", "lambda": str(pair[0]), "right": right}


def by_system(system: str, germ: Asked, limit: float) -> Row:
    try:
        found = threshold(system, germ.variables, germ.generators, limit)
    except PeerFailed as failed:  # it could answer before the first germ, so this is a germ that it breaks on
        print(f"{germ.name}: {failed}", file=sys.stderr)
        return {"seconds": None, "failure": " ".join(str(failed).split())[-160:]}
    if found.value is None:
        return {"seconds": None, "failure": found.failure}
    right = None if germ.complex_threshold is None else found.value == germ.complex_threshold
    return {"seconds": found.seconds, "answer": str(found.value), "right": right}


def germ_rows(systems: Sequence[str], limit: float, chosen: Sequence[Asked], kept: Mapping[str, Row]) -> list[Row]:
    """One row a germ; a system that is not run keeps its earlier numbers.

    One system after the other: a process that another one interrupts at every germ finds its memory cold again.
    """
    rows = [{**kept.get(germ.name, {}), "germ": germ.name, "variables": len(germ.variables)} for germ in chosen]
    for system in systems:
        for germ, row in zip(chosen, rows, strict=True):
            row[system] = by_ddtheory(germ, limit) if system == "ddtheory" else by_system(system, germ, limit)
            real, over_c = row.get("ddtheory", {}).get("lambda"), row[system].get("answer")
            if system != "ddtheory" and row[system].get("right") is None and None not in (real, over_c):
                row[system]["right"] = Fraction(over_c) <= 2 * Fraction(real)
            if row[system].get("right") is False:
                print(f"WRONG: {system} on {germ.name}: {row[system]['answer']}", file=sys.stderr)
            print(system, germ.name, row[system]["seconds"], sep="  ", flush=True)
    return rows


def start_up(system: str, limit: float) -> float:
    """Processor time of a whole process for a small germ, less the call; the median of some."""
    taken = []
    for _ in range(STARTS):
        before = children_seconds()
        if system == "ddtheory":
            script = (
                "import time, ddtheory as dd; "
                f"dd.rlct(generators={SMALL!r}); started = time.process_time(); dd.rlct(generators={SMALL!r}); "
                "print(time.process_time() - started)"
            )
            command = [sys.executable, "-c", script]
            said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            call = 2 * float(said)
        else:
            call = threshold(system, ("x", "y"), SMALL, limit).seconds or 0.0
        taken.append(children_seconds() - before - call)
    return statistics.median(taken)


def totals(rows: Sequence[Row], runs: Mapping[str, Row]) -> list[Row]:
    """How many germs each system solves, and how it compares with ddtheory where both do."""
    found = []
    for system in SYSTEMS:
        answers = [row[system] for row in rows if system in row]
        solved = [answer["seconds"] for answer in answers if answer["seconds"] is not None]
        pairs = [
            (row[system]["seconds"], row["ddtheory"]["seconds"])
            for row in rows
            if None not in (row.get(name, {}).get("seconds") for name in (system, "ddtheory"))
        ]
        if answers:
            start, start_here = runs[system]["start_up"], runs["ddtheory"]["start_up"]
            found.append(
                {
                    "system": system,
                    **runs[system],
                    "germs": len(answers),
                    "solved": len(solved),
                    "wrong": sum(answer.get("right") is False for answer in answers),
                    "seconds": spread(solved) if solved else None,
                    "both": len(pairs),
                    "faster_than_ddtheory": sum(theirs < ours for theirs, ours in pairs),
                    "times_ddtheory": spread([theirs / ours for theirs, ours in pairs]) if pairs else None,
                    "times_with_start_up": spread([(b + start) / (a + start_here) for b, a in pairs])
                    if pairs
                    else None,
                    "not_by_ddtheory": [
                        row["germ"]
                        for row in rows
                        if row.get(system, {}).get("seconds") is not None and row["ddtheory"]["seconds"] is None
                    ],
                }
            )
    return found


def monomial_ideals(quick: bool) -> dict[str, list[tuple[int, ...]]]:
    """Seeded ideals of several shapes: sparse, edges of a graph, every pair, and dense."""
    generator = random.Random(0)
    n, count = (20, 60) if quick else (VARIABLES, GENERATORS)

    def sparse(support: int, largest: int) -> list[tuple[int, ...]]:
        chosen: set[tuple[int, ...]] = set()
        while len(chosen) < count:
            slots = generator.sample(range(n), generator.randint(2, support))
            chosen.add(tuple(generator.randint(1, largest) if i in slots else 0 for i in range(n)))
        return sorted(chosen)

    half = n // 2
    return {
        "sparse, up to 5 variables each": sparse(5, 4),
        "sparse, up to 20 variables each": sparse(20, 6),
        "square-free, 3 variables each": sparse(3, 1),
        "x_i x_j": [tuple(int(k in (i, j)) for k in range(n)) for i in range(n) for j in range(i)][:count],
        "a_i b_j": [tuple(int(k in (i, half + j)) for k in range(n)) for i in range(half) for j in range(half)][:count],
        "dense, exponents up to 9": [tuple(generator.randint(0, 9) for _ in range(n)) for _ in range(count)],
    }


def seconds(call: Callable[[], object], rounds: int) -> dict[str, float]:
    """Processor time: the kept results come from a machine that others were using."""
    times = []
    for _ in range(rounds):
        started = time.process_time()
        call()
        times.append(time.process_time() - started)
    return spread(times)


def monomial_rows(quick: bool) -> list[Row]:
    rows = []
    for name, ideal in monomial_ideals(quick).items():
        found = newton_distance(ideal)
        assert is_certificate(ideal, (), found)
        rows.append(
            {
                "ideal": name,
                "variables": len(ideal[0]),
                "generators": len(ideal),
                "multiplicity": found.multiplicity,
                "seconds": seconds(lambda ideal=ideal: newton_distance(ideal), 2 if quick else 5),
                "aim": 1.0,
            }
        )
    return rows


def deep_rows(quick: bool) -> list[Row]:
    """1000 layers of width 10⁵, constant and drawn between 90,000 and 110,000."""
    generator = random.Random(0)
    widths = {
        "constant": [10**5] * 1001,
        "drawn": [generator.randint(90_000, 110_000) for _ in range(1001)],
    }
    rows = []
    for name, layers in widths.items():
        for rank in (0, 50_000):
            cost = seconds(lambda layers=layers, rank=rank: deep_linear(layers, rank), 3 if quick else 15)
            rows.append({"widths": name, "layers": len(layers) - 1, "rank": rank, "seconds": cost, "aim": 0.05})
    return rows


def main() -> None:
    parser = options(__doc__ or "", "thresholds")
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS))
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--limit", type=float, default=60.0, help="seconds for one germ, start-up included")
    parser.add_argument("--groups", nargs="+", choices=GROUPS, default=list(GROUPS), help="germs; others stay as kept")
    parser.add_argument("--step", type=int, default=1, help="every so many germs of the table")
    parser.add_argument("--new", type=int, default=15, help="germs of each kind of ideals.py")
    parser.add_argument(
        "--sample", type=int, default=0, help="so many of all these, drawn by a seed; others stay as kept"
    )
    chosen = parser.parse_args()
    kept = json.loads(chosen.out.read_text()) if chosen.out.exists() else {}
    versions = {system: version(system) for system in INSTALL}
    systems = [name for name in chosen.systems if versions.get(name) != "not installed"]
    skipped = [
        f"{name} is not installed, so its column is left out: {INSTALL[name]}."
        for name in chosen.systems
        if name not in systems
    ]
    print(*skipped, sep="\n", file=sys.stderr)
    germs_asked = asked(GROUPS, 40, 1) if chosen.quick else asked(chosen.groups, chosen.step, chosen.new)
    if chosen.sample:
        random.Random(13).shuffle(germs_asked)
        germs_asked = germs_asked[: chosen.sample]
    rows = kept.get("rows", [])
    runs = kept.get("runs", {})
    monomials, deep = kept.get("monomials", []), kept.get("deep", [])
    if "germs" in chosen.parts:
        dd.rlct(generators=SMALL)  # loads what a call needs: start-up is not what is compared
        deadlines_of_the_processor("ddtheory.exact")
        # a system that cannot start ends the run here, before its column is overwritten
        present = ["ddtheory", *(name for name in INSTALL if versions[name] != "not installed")]
        starts = {system: {"start_up": start_up(system, chosen.limit)} for system in present}
        load = round(os.getloadavg()[0], 1)
        taken = {"limit": chosen.limit, "day": date.today().isoformat(), "load": load}
        found = germ_rows(systems, chosen.limit, germs_asked, {row["germ"]: row for row in rows})
        asked_for = {row["germ"] for row in found}
        partly = chosen.sample or len(chosen.groups) < len(GROUPS)
        rows = [*found, *(row for row in rows if row["germ"] not in asked_for and partly)]
        runs = runs | dict.fromkeys(systems, taken)
        runs = {system: run | starts.get(system, {}) for system, run in runs.items()}
    if "monomials" in chosen.parts:
        monomials = monomial_rows(chosen.quick)
    if "deep" in chosen.parts:
        deep = deep_rows(chosen.quick)
    summary = totals(rows, runs)
    save(chosen, rows, systems=versions, skipped=skipped, runs=runs, summary=summary, monomials=monomials, deep=deep)
    show(
        "Germs of the reference table",
        ("system", "germs", "solved", "wrong", "median s", "start-up s", "times ddtheory", "with start-up"),
        [
            [
                line["system"],
                str(line["germs"]),
                str(line["solved"]),
                str(line["wrong"]),
                f"{line['seconds']['median']:.3f}" if line["seconds"] else "–",
                f"{line['start_up']:.2f}",
                f"{line['times_ddtheory']['median']:.1f}" if line["times_ddtheory"] else "–",
                f"{line['times_with_start_up']['median']:.1f}" if line["times_ddtheory"] else "–",
            ]
            for line in summary
        ],
    )
    for title, part, key in (("Monomial ideals", monomials, "ideal"), ("Deep linear networks", deep, "widths")):
        show(title, (key, "median s", "aim s"), [_line(row, key) for row in part])


def _line(row: Mapping[str, Any], key: str) -> list[str]:
    return [str(row[key]), f"{row['seconds']['median']:.4f}", f"{row['aim']:g}"]


if __name__ == "__main__":
    main()
