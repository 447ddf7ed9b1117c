"""Nothing in the repository knows the machine it was written on, or the place its packages came from."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

TEXT = {
    ".py",
    ".pyi",
    ".toml",
    ".md",
    ".txt",
    ".cfg",
    ".ini",
    ".yml",
    ".yaml",
    ".json",
    ".cff",
    ".jinja",
    ".css",
    ".csv",
    ".sh",
}

# written in halves, so that this file passes its own test
PLACES = tuple(a + b for a, b in (("/wo", "rk/"), ("/tmp/", "dev"), ("/ho", "me/"), ("/ro", "ot/"), ("/Us", "ers/")))
HOSTS = tuple(
    a + b
    for a, b in (
        ("py", "pi.org"),
        ("python", "hosted.org"),
        ("download.py", "torch.org"),
        ("ana", "conda.org"),
        ("arti", "factory"),
        ("dev", "pi."),
        ("index", "-url"),
        ("find", "-links"),
        ("trusted", "-host"),
    )
)

MACHINE_PATH = re.compile(rf"(?<![\w.\-/:}}])(?:{'|'.join(map(re.escape, PLACES))})")
HOST = re.compile("|".join(map(re.escape, HOSTS)), re.IGNORECASE)


def files() -> list[Path]:
    """What git tracks or would track; everything but ignored folders where there is no git."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
        paths = [ROOT / name for name in listed]
    except (OSError, subprocess.CalledProcessError):
        paths = [path for path in ROOT.rglob("*") if not {".venv", "build", "dist", "report"} & set(path.parts)]
    return [path for path in paths if path.suffix in TEXT and path.is_file()]


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
        for path in files()
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]


def test_there_is_something_to_look_at() -> None:
    assert Path(__file__).resolve() in files() and len(files()) > 50


def test_no_path_of_a_machine() -> None:
    assert lines_with(MACHINE_PATH) == []


def test_no_place_that_packages_come_from() -> None:
    assert lines_with(HOST) == []


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        (MACHINE_PATH, f'open("{PLACES[0]}main/x")'),
        (MACHINE_PATH, f"cd {PLACES[1]}"),
        (HOST, f"--{HOSTS[6]} https://x"),
    ],
)
def test_the_search_would_find_one(pattern: re.Pattern[str], line: str) -> None:
    assert pattern.search(line)


def test_names_that_only_look_like_paths_are_left_alone() -> None:
    assert not MACHINE_PATH.search("frame" + PLACES[0] + "x")
