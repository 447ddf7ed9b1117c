"""A certificate in a file: what `ddtheory certify` does."""

from __future__ import annotations

import sys
from pathlib import Path

from ddtheory.certify.apart import check_apart
from ddtheory.certify.limits import MEGABYTES, MOST_BYTES_OF_TEXT, SECONDS
from ddtheory.certify.notation import fitting
from ddtheory.errors import InvalidValueError, OutputError


def certify_file(
    path: str | Path, as_json: bool = False, *, seconds: float = SECONDS, megabytes: float = MEGABYTES
) -> tuple[int, str]:
    """The exit code and the text of `ddtheory certify FILE`: 0 accepted, 1 rejected, 2 not decided within the limits.

    "-" reads the standard input. The text is made of what the standard output can print. The check runs in a process
    of its own, which is killed when it takes longer or holds more than it may; see `check` for the limits. Windows
    limits its time only.

    Raises:
        OutputError: the file cannot be read.
        InvalidValueError: it holds no JSON object, or is too large for any certificate.
    """
    try:
        if str(path) == "-":
            found = sys.stdin.buffer.read(MOST_BYTES_OF_TEXT + 1)
        else:
            with Path(path).open("rb") as file:
                found = file.read(MOST_BYTES_OF_TEXT + 1)
        text = found.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise OutputError(
            f"{path} cannot be read: {error}. Give a file with the JSON of a derivation, or - for stdin."
        ) from None
    if len(found) > MOST_BYTES_OF_TEXT:
        raise InvalidValueError(
            f"{path} has more than {MOST_BYTES_OF_TEXT // 10**6} MB, more than any certificate. Check what it is."
        )
    code, shown = check_apart(text, as_json, seconds, megabytes)
    return code, fitting(shown, getattr(sys.stdout, "encoding", None) or "utf-8")
