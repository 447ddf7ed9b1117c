"""A certificate in a file: what `ddtheory certify` does."""

from __future__ import annotations

import sys
from pathlib import Path

from ddtheory.certify.apart import check_apart
from ddtheory.certify.limits import MEGABYTES, MOST_BYTES_OF_TEXT, SECONDS
from ddtheory.certify.notation import fitting
from ddtheory.errors import InvalidValueError, OutputError, place, shown


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
    if not isinstance(path, str | Path):
        raise InvalidValueError(f"The file is {shown(path)}; give its path.")
    file = Path(str.__str__(path)) if isinstance(path, str) else path
    if not isinstance(as_json, bool):
        raise InvalidValueError(f"as_json is {shown(as_json)}; say True or False.")
    name = place(file)  # a name may hold anything
    try:
        if str(file) == "-":
            if sys.stdin is None:
                raise OutputError("The standard input is closed. Give a file with the JSON of a derivation.")
            found = sys.stdin.buffer.read(MOST_BYTES_OF_TEXT + 1)
        else:
            with file.open("rb") as stream:
                found = stream.read(MOST_BYTES_OF_TEXT + 1)
        text = found.decode("utf-8-sig")  # with or without a mark of the encoding
    except (OSError, ValueError) as error:  # ValueError: bytes that are no UTF-8, or a name that no file can have
        reason = error.strerror if isinstance(error, OSError) else "no text in UTF-8, or no name of a file"
        raise OutputError(
            f"{name} cannot be read: {reason}. Give a file with the JSON of a derivation, or - for stdin."
        ) from None
    if len(found) > MOST_BYTES_OF_TEXT:
        raise InvalidValueError(
            f"{name} has more than {MOST_BYTES_OF_TEXT // 10**6} MB, more than any certificate. Check what it is."
        )
    code, said = check_apart(text, as_json, seconds, megabytes)
    return code, fitting(said, getattr(sys.stdout, "encoding", None) or "utf-8")
