"""Markdown tables from the kept results; `--write` puts them into README.md between its markers."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from harness import RESULTS

README = Path(__file__).parent / "README.md"
BEGIN, END = "<!-- tables: begin -->", "<!-- tables: end -->"
TITLES = {
    "directional_fisher": "One radius and direction, in forward passes",
    "scaling": "Number of radii and of directions, in forward passes",
    "memory": "Peak memory above model and data, MiB",
    "startup": "Start-up of whole processes, seconds",
}
MEBIBYTE = 2**20


def number(value: float) -> str:
    """Three digits for what is small, whole numbers for what is large."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def span(cost: dict[str, float] | None) -> str:
    return f"{number(cost['median'])} ({number(cost['min'])}–{number(cost['max'])})" if cost else "–"


def markdown(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def directional_fisher(content: dict) -> str:
    names = {
        "derivative": "derivative alone",
        "radius": "**a radius of a profile**",
        "single": "one radius alone",
        "ggn": "GGN product",
        "loop": "gradient loop",
        "vmap": "vmap(grad)",
    }
    columns = ("model", "parameters", "direction", "forward, ms", "matrix products", *names.values())
    rows = [
        [
            row["model"],
            f"{row['parameters']:,}",
            row["direction"],
            number(1e3 * row["forward_seconds"]["median"]),
            f"{row['products']:.2f}",
            *(span(row["passes"].get(name)) for name in names),
        ]
        for row in content["rows"]
    ]
    return markdown(columns, rows)


def scaling(content: dict) -> str:
    rows = [
        [
            row["model"],
            f"{row['parameters']:,}",
            row["direction"],
            row["against"],
            ", ".join(f"{count}: {number(cost['median'])}" for count, cost in row["passes"].items()),
            number(row["fixed"]),
            number(row["one_more"]),
        ]
        for row in content["rows"]
    ]
    columns = ("model", "parameters", "direction", "number of", "cost at each number", "fixed", "one more")
    return markdown(columns, rows)


def memory(content: dict) -> str:
    names = list(content["rows"][0]["peak_bytes"])
    rows = [
        [
            row["model"],
            f"{row['size']:,}",
            *("–" if row["peak_bytes"][name] is None else number(row["peak_bytes"][name] / MEBIBYTE) for name in names),
        ]
        for row in content["rows"]
    ]
    return markdown(("model", "parameters, about", *names), rows)


def startup(content: dict) -> str:
    rows = [[row["process"], span(row["seconds"]), str(row["aim"] or "")] for row in content["rows"]]
    return markdown(("process", "median (min–max)", "aim"), rows)


RENDER = {"directional_fisher": directional_fisher, "scaling": scaling, "memory": memory, "startup": startup}


def setting(content: dict) -> str:
    """One line on where and how it ran."""
    where, how = content["environment"], content["settings"]
    packages = ", ".join(f"{name} {version}" for name, version in where["packages"].items())
    device = where["processor"] if where["device"] == "cpu" else where["device"]
    options = [f"{name} {how[name]}" for name in ("dtype", "clock", "scale") if how.get(name) not in (None, 1)]
    parts = [
        where["day"],
        device,
        f"{how.get('threads') or where['threads']} of {where['cores']} cores",
        *options,
        packages,
    ]
    return ", ".join(parts) + "."


def tables() -> str:
    """Every kept result, in the order of the scripts; other runs of one script after the first."""
    pieces = []
    for script, title in TITLES.items():
        for path in sorted(RESULTS.glob(f"{script}*.json")):
            content = json.loads(path.read_text())
            note = "\n\n".join([f"`{path.name}`: {setting(content)}", *content.get("skipped", [])])
            pieces.append(f"### {title}\n\n{note}\n\n{RENDER[script](content)}")
    return "\n\n".join(pieces)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="into README.md")
    if not parser.parse_args().write:
        print(tables())
        return
    before, rest = README.read_text().split(BEGIN)
    after = rest.split(END)[1]
    README.write_text(f"{before}{BEGIN}\n\n{tables()}\n\n{END}{after}")


if __name__ == "__main__":
    main()
