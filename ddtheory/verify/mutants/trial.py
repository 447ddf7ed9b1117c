"""One run of one claim in a process of its own, with files replaced: changed, or marked to see what is reached."""

from __future__ import annotations

import builtins
import hashlib
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from types import CodeType

from ddtheory.errors import BookError, UnknownNameError
from ddtheory.verify import book, kept
from ddtheory.verify.mutants.reach import MARK, marked
from ddtheory.verify.mutants.replaced import Replacement
from ddtheory.verify.witnesses import check

Step = tuple[int, int]
"""Line and column of a part of a file that ran."""


@dataclass(frozen=True)
class Trial:
    """What to run.

    Attributes:
        claim_id: the claim.
        book: the folder of its book.
        changed: text by file, in the place of what lies there.
        watched: files, by the name under which the lines that ran are reported.
    """

    claim_id: str
    book: Path
    changed: Mapping[Path, str] = field(default_factory=dict[Path, str])
    watched: Mapping[str, Path] = field(default_factory=dict[str, Path])


@dataclass(frozen=True)
class Answer:
    """What a run of a claim says.

    Attributes:
        verdict: of the claim; empty when its file could not be read.
        ran: whether every witness could run.
        as_recorded: whether everything ran, and the verdict is the one on record.
        reason: the sentence of the verdict.
        findings: a digest of everything that the witnesses found, to the last digit.
        seconds: of processor time that it took.
        broken: the error with which a changed file failed to import; empty when it did not.
        reached: line and column of the parts that ran, by the names of the watched files. What ran while a file was
            imported counts in the file of the claim only: an import runs code for whoever imports.
    """

    verdict: str
    ran: bool
    as_recorded: bool
    reason: str
    findings: str
    seconds: float
    broken: str = ""
    reached: Mapping[str, tuple[Step, ...]] = field(default_factory=dict[str, tuple[Step, ...]])


def run(trial: Trial) -> Answer:
    """Runs the claim; for a process that ends afterwards."""
    sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  (as long as the process)
    os.environ.pop(kept.VARIABLE, None)  # what is kept is known by the files, and these are not what runs here
    time.monotonic = time.process_time  # a search that ends at a limit ends there on a busy machine as well
    started = time.process_time()
    loaded = {
        Path(file).resolve() for module in tuple(sys.modules.values()) if (file := getattr(module, "__file__", None))
    }
    early = loaded & set(trial.changed)
    if early:
        raise RuntimeError(f"{early} was imported before it could be changed")
    programs: dict[Path, Callable[[], CodeType]] = {
        path: partial(_marked, path, name) for name, path in trial.watched.items()
    }
    programs |= {path: partial(compile, text, str(path), "exec") for path, text in trial.changed.items()}
    replacement = Replacement(programs)
    replacement.install()
    marks: set[tuple[str, Step, bool]] = set()
    setattr(builtins, MARK, lambda file, *step: marks.add((file, step, replacement.importing > 0)))
    try:
        (entry,) = book.select([trial.claim_id], trial.book)
        result = check(entry)
    except (BookError, UnknownNameError) as error:
        if isinstance(error, UnknownNameError) and not trial.changed:
            raise  # otherwise the changed file could not be read, which leaves its claim unknown
        return Answer("", False, False, str(error), "", time.process_time() - started, replacement.broke or str(error))
    if not set(trial.changed) <= replacement.used:
        raise RuntimeError(f"{trial.claim_id} does not import the changed file")
    found = repr([asdict(replace(witness, seconds=0.0)) for witness in result.witnesses])
    reached: dict[str, set[Step]] = {}
    for file, step, importing in marks:
        if not importing or trial.watched[file] == entry.path:
            reached.setdefault(file, set()).add(step)
    return Answer(
        verdict=result.verdict.value,
        ran=result.ran,
        as_recorded=result.ran and not result.moved,
        reason=result.reason,
        findings=hashlib.sha256(found.encode()).hexdigest(),
        seconds=time.process_time() - started,
        broken=replacement.broke,
        reached={file: tuple(sorted(steps)) for file, steps in sorted(reached.items())},
    )


def _marked(path: Path, name: str) -> CodeType:
    return marked(path.read_text(encoding="utf-8"), name, str(path))
