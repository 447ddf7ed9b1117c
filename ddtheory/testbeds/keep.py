"""Trains every bed with seed 0 and keeps its checkpoints: python -m ddtheory.testbeds.keep"""

from __future__ import annotations

from ddtheory.testbeds.kept import DIGESTS, write
from ddtheory.testbeds.table import TESTBEDS


def main() -> None:
    """Writes the files and their digests."""
    digests = {}
    for name, make in TESTBEDS.items():
        bed = make()
        digests[f"{name}.safetensors"] = write(name, bed.settings, bed.train(progress=True))
    lines = (f'"{name}" = "{digest}"\n' for name, digest in sorted(digests.items()))
    DIGESTS.write_text("# SHA-256 of the kept checkpoints, by `python -m ddtheory.testbeds.keep`\n" + "".join(lines))


if __name__ == "__main__":
    main()
