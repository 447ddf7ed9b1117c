"""Builds the site, warnings as errors, and checks it: `python docs/build.py`, then open build/site/index.html.

The book's pages need a report and the tutorials executed notebooks. Give folders that have them, or both are made
first, which takes minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from website import api, book, cells, checks, examples, rules

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
MADE = DOCS / "generated"


def main() -> None:
    """Read the command line, make the pages, build, check."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "site", help="where the site goes")
    parser.add_argument("--report", type=Path, help="a folder that `ddtheory verify --out` has written")
    parser.add_argument("--notebooks", type=Path, help="a folder of executed notebooks")
    chosen = parser.parse_args()
    shutil.rmtree(MADE, ignore_errors=True)
    with timed("report of the book"):
        report = MADE / "extra" / "report"
        if chosen.report:
            shutil.copytree(chosen.report, report)
        else:
            run("-m", "ddtheory", "verify", "--out", str(report))
    with timed("notebooks"):
        notebooks(chosen.notebooks, MADE / "notebooks")
    with timed("pages of cells"):
        write(MADE / "cells", cells.pages())
    with timed("pages of rules"):
        write(MADE / "rules", rules.pages())
    write(MADE / "examples", examples.pages())
    write(MADE / "book", book.pages(json.loads((report / "report.json").read_text(encoding="utf-8"))))
    write(MADE / "api", api.pages())
    with timed("sphinx"):
        sphinx("html", chosen.out)
        sphinx("man", chosen.out / "man")
    with timed("checks"):
        complaints = checks.complaints(chosen.out)
    print("\n".join(complaints) or f"{chosen.out / 'index.html'} is built, and nothing is missing in it.")
    sys.exit(bool(complaints))


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Say how long a step took."""
    start = time.monotonic()
    yield
    print(f"{time.monotonic() - start:6.1f} s  {what}", flush=True)


def run(*arguments: str) -> None:
    """Run Python with these arguments; a failure is one of the build."""
    subprocess.run([sys.executable, *arguments], check=True, cwd=ROOT)


def notebooks(executed: Path | None, target: Path) -> None:
    """Bring every notebook, executed."""
    target.mkdir(parents=True)
    for source in sorted((ROOT / "notebooks").glob("*.py")):
        name = f"{source.stem}.ipynb"
        if executed:
            shutil.copy(executed / name, target)
        else:
            run("-m", "jupytext", "--quiet", "--to", "ipynb", "--execute", "--output", str(target / name), str(source))


def write(folder: Path, pages: Mapping[str, str]) -> None:
    """Write pages into a new folder."""
    folder.mkdir(parents=True)
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8")


def sphinx(builder: str, target: Path) -> None:
    """Build all pages; a warning is an error, and all of them are shown."""
    command = ["-m", "sphinx", "-b", builder, "-d", str(ROOT / "build" / "doctrees"), "-j", str(os.cpu_count() or 1)]
    run(*command, "--quiet", "--fail-on-warning", str(DOCS), str(target))


if __name__ == "__main__":
    main()
