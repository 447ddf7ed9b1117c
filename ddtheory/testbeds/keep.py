"""Trains beds with seed 0 and keeps their checkpoints: python -m ddtheory.testbeds.keep [NAME …]; all by default."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Sequence

from ddtheory.errors import unknown
from ddtheory.testbeds.kept import DIGESTS, write
from ddtheory.testbeds.table import TESTBEDS


def main(names: Sequence[str] = ()) -> None:
    """Writes the files and their digests; those of other beds stay.

    Raises:
        UnknownNameError: there is no such bed; nothing has been trained.
    """
    for name in names:
        if name not in TESTBEDS:
            raise unknown("test bed", name, TESTBEDS)
    digests = tomllib.loads(DIGESTS.read_text("utf-8")) if DIGESTS.exists() else {}
    for name in names or TESTBEDS:
        bed = TESTBEDS[name]()
        digests[f"{name}.safetensors"] = write(name, bed.settings, bed.train(progress=True))
    lines = (f'"{name}" = "{digest}"\n' for name, digest in sorted(digests.items()))
    DIGESTS.write_text("# SHA-256 of the kept checkpoints, by `python -m ddtheory.testbeds.keep`\n" + "".join(lines))


if __name__ == "__main__":
    main(sys.argv[1:])
