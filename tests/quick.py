"""The quick lane: linter, types, import contracts, and the tests of the rooms that were touched, in about a minute.

    python tests/quick.py            what differs from the branch main, and new files
    python tests/quick.py HEAD       what is not committed yet
    python tests/quick.py --list     only says which tests would run

It needs `pip install -e ".[lint]"`. The tests are brief, three cases of each.
`python -m pytest tests/ROOM -x --brief` is the same for one room, `python -m pytest tests/ROOM` all of it,
`python -m pytest -n auto` everything but what is marked slow or peer, and `.ci/run nightly` all there is.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from time import perf_counter

ROOT = Path(__file__).resolve().parents[1]

TESTS: dict[str, tuple[str, ...]] = {
    "ddtheory/cells": ("cells", "gallery"),
    "ddtheory/certify": ("certify",),
    "ddtheory/cli": ("cli",),
    "ddtheory/exact": ("exact", "networks"),
    "ddtheory/exact/finite_n": ("fluctuation",),
    "ddtheory/exact/fluctuation": ("fluctuation",),
    "ddtheory/exact/thresholds": ("exact", "certify"),
    "ddtheory/gallery": ("gallery", "cli"),
    "ddtheory/gauges": ("gauges", "optim", "reads"),
    "ddtheory/measure": ("measure",),
    "ddtheory/models": ("models",),
    "ddtheory/networks": ("networks",),
    "ddtheory/optim": ("optim",),
    "ddtheory/plots": ("verify",),
    "ddtheory/reads": ("reads",),
    "ddtheory/serving": ("serving", "cli"),
    "ddtheory/testbeds": ("testbeds",),
    "ddtheory/testing": ("testing", "properties"),
    "ddtheory/verify": ("verify", "cli"),
    "ddtheory/workbench": ("cells", "fluctuation", "measure", "verify"),
    "ddtheory": ("cli", "verify"),
    "docs": ("docs",),
}
"""Room → its folders in `tests`; the innermost room of a file counts. Files of the book have their claims verified."""

ALWAYS = ("meta",)
WHOLE_HOUSE = {
    "hostile": "attacks everything public",
    "peers": "compares with other packages",
    "proofs": "the whole book; the quick lane verifies the claims that were touched",
    "real": "reads networks that other packages ship",
    "reference": "the whole table of germs",
}
"""Folders of tests that run in the full lane only, and why."""


def touched(since: str = "main") -> list[str]:
    """Files that differ from where this branch left `since`, and files that git does not know yet."""
    base = git("merge-base", since, "HEAD")[0]
    return git("diff", "--name-only", base) + git("ls-files", "--others", "--exclude-standard")


def git(*arguments: str) -> list[str]:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def folders(files: Iterable[str]) -> list[str]:
    """The folders of `tests` that check these files."""
    found = set(ALWAYS)
    for file in files:
        places = [str(place) for place in PurePosixPath(file).parents]
        found.update(next((TESTS[place] for place in places if place in TESTS), ()))
        if places[:-1] and places[-2] == "tests" and len(places) > 2:
            found.add(PurePosixPath(places[-3]).name)
    return sorted(folder for folder in found if (ROOT / "tests" / folder).is_dir())


def claims(files: Iterable[str]) -> list[str]:
    """Ids of the claims in these files of the book."""
    from ddtheory.verify import load

    paths = {ROOT / file for file in files if file.startswith("proofs/")}
    return [entry.claim.id for entry in load(ROOT / "proofs") if entry.path in paths] if paths else []


def main(arguments: list[str]) -> int:
    sys.path.insert(0, str(ROOT))
    files = touched(next((argument for argument in arguments if not argument.startswith("-")), "main"))
    chosen, ids = [f"tests/{folder}" for folder in folders(files)], claims(files)
    python = [sys.executable, "-m"]
    commands = [
        [*python, "ruff", "check", "."],
        [*python, "ruff", "format", "--check", "."],
        [str(Path(sys.executable).with_name("lint-imports"))],
        [*python, "mypy"],
        [*python, "pytest", "-q", "-x", "-n", "auto", "--brief", *chosen],
        *([[sys.executable, "-c", "from ddtheory.cli import main; main()", "verify", *ids]] if ids else []),
    ]
    failed = False
    for command in commands:
        print("$", " ".join(command), flush=True)
        if "--list" not in arguments:
            started = perf_counter()
            failed |= subprocess.run(command, cwd=ROOT, check=False).returncode != 0
            print(f"{perf_counter() - started:.0f} s", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
