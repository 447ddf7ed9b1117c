"""How long a user waits: whole processes, from start to exit."""

from __future__ import annotations

import subprocess
import sys

from harness import interleaved, options, save, show, spread

HELP = "from ddtheory.cli import main; main()"
PROCESSES = {
    "python, nothing": ["-c", "pass"],
    "import ddtheory": ["-c", "import ddtheory"],
    "ddtheory --help": ["-c", HELP, "--help"],
    "import ddtheory.measure": ["-c", "import ddtheory.measure"],
    "import torch": ["-c", "import torch"],
}
AIMS = {"import ddtheory": 0.5, "ddtheory --help": 1.0}


def run(arguments: list[str]) -> None:
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)


def line(row: dict) -> list[str]:
    seconds = row["seconds"]
    aim = f"{row['aim']:.1f}" if row["aim"] else ""
    return [row["process"], f"{seconds['median']:.2f} ({seconds['min']:.2f}–{seconds['max']:.2f})", aim]


COLUMNS = ("process", "seconds", "aim")


def main() -> None:
    chosen = options(__doc__ or "", "startup").parse_args()
    rivals = {name: (lambda arguments=arguments: run(arguments)) for name, arguments in PROCESSES.items()}
    rounds = 2 if chosen.quick else 9
    times = interleaved(rivals, least=rounds, most=rounds)
    rows = [{"process": name, "seconds": spread(times[name]), "aim": AIMS.get(name)} for name in PROCESSES]
    show("Whole processes, median (min–max)", COLUMNS, [line(row) for row in rows])
    save(chosen, rows)


if __name__ == "__main__":
    main()
