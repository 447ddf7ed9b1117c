"""The command line under attack: arguments, files, encodings, widths, pipes and signals."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import sys
import traceback
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from bait import TEXTS
from judging import Finding, Outcome
from running import Caps, in_child, own_folder

import ddtheory as dd
from ddtheory.cli.table import VERBS

BOOK = Path(__file__).parents[1] / "verify" / "book"
MODELS = Path(__file__).parents[2] / "examples" / "models"

STUDENT = f"{MODELS.parent / 'read_your_network' / 'student.py'}:make_problem"

CALLS: dict[str, list[list[str]]] = {
    "rlct": [
        ["x^2*y^4", "--seconds", "2"],
        ["x*y", "x^3", "--prior", "x=1", "--explain", "--seconds", "2"],
        ["(x-1)^2 + z^2", "--at", "x=1", "--certificate", "proof.json", "--seconds", "2"],
        ["x^2 + y^4", "--nonnegative", "x", "--json", "--seconds", "2"],
    ],
    "model": [
        [str(MODELS / "coins.toml"), "--seconds", "2"],
        [str(MODELS / "teacher.toml"), "--at", "a1=1,b1=1", "--certificate", "proof.json", "--seconds", "2"],
        [str(MODELS / "poisson.toml"), "--generators", "--json"],
        [str(MODELS / "factors.toml"), "--strata", "--format", "latex", "--seconds", "2"],
        [str(MODELS / "polynomial.toml"), "--strata", "--json", "--seconds", "2"],
    ],
    "read": [[STUDENT, "--n", "1000"], [STUDENT, "--n", "10", "--json", "--out", "reading"]],
    "order": [
        ["x^2 + y^4", "--along", "y=1"],
        ["x^2 + y^(2*k)", "--along", "y=1", "--parameter", "k:positive-integer", "--json"],
        ["exp(x*y) - 1 - x*y", "--along", "x=1,y=1/2", "--at", "x=0", "--no-arc"],
    ],
    "nu": [["3"], ["2", "--prior", "1/2", "--beta", "2", "--digits", "20", "--json"], ["2", "--one-sided"]],
    "cells": [
        [],
        ["deep_linear", "widths=5,3,4", "rank=1", "--json"],
        ["gaussian_location", "k=2", "--export", "cell.json", "--gallery", "cell.html"],
        ["normal_crossing", "exponents=1,2", "prior=1/2,0"],
    ],
    "certify": [["proof.json", "--seconds", "3"], ["-", "--seconds", "3"], ["proof.json", "--json", "--memory", "500"]],
    "verify": [
        ["--list"],
        ["thm:fisher_decay", "--out", "report", "--jobs", "1"],
        ["spectra", "--jobs", "1", "--json"],
    ],
    "prove": [["thm:fisher_decay"], ["rates", "--json"]],
    "new": [["book", "mine"], ["book", "mine", "--json"]],
    "mcp": [["--json"], ["--seconds", "5", "--memory", "500"]],
}
"""Valid calls of every verb, quick ones. A mutation starts from one of them."""

TARGETS = {"--certificate": "json", "--export": "export", "--gallery": "html", "--out": "folder"}
FOLDERS = {"verify": ["report.json", "report.html"], "read": ["reading.json", "reading.txt", "reading.html"]}
"""What a verb writes into a folder that it is given."""
"""Options that name something to write, and what it must be when it is there."""

PATHS = (
    "missing/x.json",
    "folder",
    "folder/x.json",
    "file/x.json",
    "pipe",
    "link.json",
    "",
    "-",
    "n" * 300 + ".json",
    "x\udcff.json",
    "x\n\x1b[31m.json",
    "loop",
    "there.json",
    "there.html",
    "x.parquet",
    "x.JSON",
    "🙂.json",
    ".",
)
"""Where to write: no folder, a folder, below a file, a pipe, a link, empty, too long, not UTF-8, a loop, there already.

None of them is outside of the folder of the case: an attack by root must not replace a device of the machine.
"""

ENCODINGS = ("utf-8", "ascii", "cp1252", "utf-16", "latin-1:replace", "utf-8:surrogateescape")
WIDTHS = ("", "1", "10", "80", "0", "-1", "x", "99999999")


@dataclass
class Command:
    """A call of `ddtheory` as a shell would make it, and what is around it."""

    verb: str
    arguments: list[str]
    encoding: str = "utf-8"
    width: str = "80"
    out: str = "file"
    err: str = "file"
    stdin: bytes | None = b""
    signal: tuple[int, float] | None = None
    told: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        shown = " ".join(argument if len(argument) < 80 else argument[:77] + "…" for argument in self.arguments)
        return f"ddtheory {self.verb}({shown}; {'; '.join(self.told)})"

    def targets(self) -> dict[str, str]:
        """What it may write: name → "json", "html" or "folder"."""
        pairs = zip(self.arguments, self.arguments[1:], strict=False)
        found = {value: TARGETS[name] for name, value in pairs if name in TARGETS}
        for argument in self.arguments:
            name, equals, value = argument.partition("=")
            if equals and name in TARGETS:
                found[value] = TARGETS[name]
        if self.verb == "new":
            found |= {argument: "folder" for argument in self.arguments if not argument.startswith("-")}
        return found


def attack(verb: str, rng: Random, caps: Caps) -> tuple[str, str, Finding]:
    """A valid call of a verb with one or two things changed; `certify` gets a certificate that is changed as well."""
    command = spoiled(Command(verb, list(rng.choice(CALLS[verb]))), rng)
    text = _certificate_text(rng) if verb == "certify" else ""
    return f"ddtheory {verb}", str(command), run(command, caps, text)


def spoiled(command: Command, rng: Random) -> Command:
    """The command with one or two things changed."""
    for way in rng.sample(WAYS, 1 if rng.random() < 0.6 else 2):
        way(command, rng)
    if command.verb == "cells" and command.targets() and command.arguments[0].startswith("-"):
        command.arguments.insert(0, "swiglu")  # to write the whole catalogue takes a minute, and is no attack
    command.arguments = [_as_the_shell_gives(argument) for argument in command.arguments]
    return command


def _as_the_shell_gives(argument: str) -> str:
    """No zero byte, and bytes that are no UTF-8 as Python shows them."""
    return os.fsdecode(
        argument.encode("utf-8", "surrogateescape" if _is_escaped(argument) else "replace").replace(b"\0", b"")
    )


def _is_escaped(argument: str) -> bool:
    with suppress(UnicodeEncodeError):
        argument.encode("utf-8", "surrogateescape")
        return True
    return False


def _argument(command: Command, rng: Random) -> None:
    name = rng.choice(list(TEXTS))
    text = TEXTS[name]
    if not command.arguments or rng.random() < 0.15:
        command.arguments.append(text)
        command.told.append(f"and {name}")
        return
    place = rng.randrange(len(command.arguments))
    old = command.arguments[place]
    how = rng.randrange(3)
    if how == 0 or not old:
        command.arguments[place] = text
    elif how == 1:
        cut = rng.randrange(len(old) + 1)
        command.arguments[place] = old[:cut] + text + old[cut:]
    else:
        key, equals, _ = old.partition("=")
        command.arguments[place] = f"{key}={text}" if equals else f"({old})*({text})"
    command.told.append(f"argument {place} with {name}")


def _option(command: Command, rng: Random) -> None:
    """An option of the verb with a value that it may not expect."""
    import click

    options = [p for p in _loaded(command.verb).params if isinstance(p, click.Option)]
    option = rng.choice(options)
    name = rng.choice([*option.opts, *option.secondary_opts])
    values = (
        "0",
        "-1",
        "1",
        "1e9",
        "nan",
        "inf",
        "1e-9",
        "9" * 400,
        "1/2",
        "x=1",
        "x=1,x=2",
        "x",
        "x,y",
        "=",
        ",",
        "1_0",
    )
    value = rng.choice([*values, rng.choice(list(TEXTS.values()))])
    command.arguments += [name] if option.is_flag else [name, value]
    command.told.append(f"with {name}")


@cache
def _loaded(verb: str) -> Any:
    return next(row for row in VERBS if row.name == verb).load()


def _path(command: Command, rng: Random) -> None:
    path = rng.choice(PATHS)
    places = [i + 1 for i, name in enumerate(command.arguments[:-1]) if name in TARGETS]
    if places:
        command.arguments[rng.choice(places)] = path
    elif command.verb == "certify":
        command.arguments[:1] = [rng.choice([path if path != "pipe" else "file", "/dev/zero", "there.json"])]
    else:
        known = {"rlct": ["--certificate"], "cells": ["--export", "--gallery"], "verify": ["--out"]}
        if command.verb in known:
            command.arguments += [rng.choice(known[command.verb]), path]
    command.told.append(f"at {path[:20]!r}")


def _encoding(command: Command, rng: Random) -> None:
    command.encoding = rng.choice(ENCODINGS)
    command.told.append(f"in {command.encoding}")


def _width(command: Command, rng: Random) -> None:
    command.width = rng.choice(WIDTHS)
    command.told.append(f"COLUMNS={command.width!r}")


def _outlet(command: Command, rng: Random) -> None:
    which, outlet = rng.choice(["out", "out", "err"]), rng.choice(["closed pipe", "full", "closed", "short pipe"])
    setattr(command, which, outlet)
    command.told.append(f"std{which} {outlet}")


def _sent(command: Command, rng: Random) -> None:
    number = rng.choice([signal.SIGINT, signal.SIGTERM])
    command.signal = (number, rng.choice([0.0, 0.02, 0.05, 0.1, 0.3, 0.6, 1.0]))
    command.told.append(f"{number.name} after {command.signal[1]} s")


def _fed(command: Command, rng: Random) -> None:
    command.stdin = rng.choice([None, b"", b"\xff\xfe{", b"[" * 100_000, b'{"format": "ddtheory-derivation/1"}'])
    command.told.append("stdin closed" if command.stdin is None else f"stdin {command.stdin[:20]!r}")


def _order(command: Command, rng: Random) -> None:
    how = rng.choice(["shuffled", "doubled", "without one", "with --", "with --help", "none"])
    arguments = command.arguments
    if how == "shuffled":
        rng.shuffle(arguments)
    elif how == "doubled":
        arguments += arguments
    elif how == "without one" and arguments:
        del arguments[rng.randrange(len(arguments))]
    elif how == "with --":
        arguments.insert(rng.randrange(len(arguments) + 1), "--")
    elif how == "with --help":
        arguments.append("--help")
    else:
        arguments.clear()
    command.told.append(how)


WAYS = [
    *[_argument] * 4,
    *[_option] * 3,
    *[_path] * 2,
    *[_encoding, _width, _outlet, _outlet, _sent, _sent, _fed, _order],
]
"""What is done to a call, the likely ones several times."""


# --- certificates -----------------------------------------------------------------------------------------------------


@cache
def certificates() -> list[str]:
    """Good ones, to be spoiled."""
    germs = ("x^2*y^4", "(x+y^2)^2 + z^2", "x^2 - 2*x*y^3 + y^6 + y^8")
    return [json.dumps(dd.rlct(germ, seconds=3).to_json()) for germ in germs]


def _certificate_text(rng: Random) -> str:
    text = rng.choice(certificates())
    how = rng.randrange(6)
    if how == 0:
        return text
    if how == 1:
        cut = rng.randrange(len(text))
        return text[:cut] + rng.choice(list(TEXTS.values())) + text[cut + rng.randrange(5) :]
    if how == 2:
        return rng.choice(
            ["", "[" * 100_000, '{"a":' * 50_000, "null", "1e999999", "NaN", "\ufeff" + text, text * 2, "9" * 10_000]
        )
    document = json.loads(text)
    for _ in range(rng.randrange(1, 3)):
        _spoil(document, rng)
    return json.dumps(document)


def _spoil(document: Any, rng: Random) -> None:
    """Somewhere in the document, another value."""
    places: list[tuple[Any, Any]] = []
    waiting = [document]
    while waiting:
        node = waiting.pop()
        entries = list(node.items() if isinstance(node, dict) else enumerate(node))
        places += [(node, key) for key, _ in entries]
        waiting += [value for _, value in entries if isinstance(value, dict | list)]
    if not places:
        return
    node, key = rng.choice(places)
    values: list[Any] = [None, True, -1, 0, 10**30, 1.5, "", "1/0", "9" * 3_000, [], {}, [[[]]], *TEXTS.values()]
    how = rng.randrange(4)
    if how == 0:
        del node[key]
    elif how == 1 and isinstance(node, list):
        node *= rng.choice([2, 50])
    else:
        node[key] = rng.choice(values)


# --- running ----------------------------------------------------------------------------------------------------------


def run(command: Command, caps: Caps, certificate: str = "") -> Finding:
    """Runs the command in a fork whose streams, width and encoding are those of a process started by a shell."""
    with own_folder() as folder, own_folder() as aside:
        there = _furnish(folder, certificate)

        def work() -> Finding:
            return Finding(Outcome.ANSWER, f"exit {_main(command, aside)}")

        finding = in_child(work, folder, caps, quiet=False, sent=command.signal)
        printed = [(aside / name).read_bytes() if (aside / name).exists() else b"" for name in ("out", "err")]
        return _judge(command, finding, *printed, folder, there)


def _furnish(folder: Path, certificate: str) -> dict[str, bytes]:
    """What is there before the command runs, by name; of what is no plain file, nothing."""
    (folder / "folder").mkdir()
    (folder / "file").write_text("x")
    (folder / "there.json").write_text("{}")
    (folder / "there.html").write_text("<html></html>")
    (folder / "loop").symlink_to("loop")
    (folder / "link.json").symlink_to("there.json")
    os.mkfifo(folder / "pipe")
    with open(folder / "proof.json", "w", encoding="utf-8", errors="surrogatepass") as file:
        file.write(certificate or "{}")
    plain = {"file", "there.json", "there.html", "proof.json"}
    return {path.name: path.read_bytes() if path.name in plain else b"" for path in folder.iterdir()}


def _main(command: Command, aside: Path) -> int:
    """`ddtheory` as the interpreter would run it, to the end; the exit code."""
    os.environ.update(PYTHONIOENCODING=command.encoding, COLUMNS=command.width, LINES="24", TERM="dumb")
    _open_streams(command, aside)
    sys.argv = ["ddtheory", command.verb, *command.arguments]
    from ddtheory.cli import main
    from ddtheory.verify import apart, book

    shipped = book.locate
    # every witness of it runs in no time
    book.locate = apart.locate = lambda choice=None: BOOK if choice is None else shipped(choice)
    if sys.platform == "linux":
        apart.may_fork = lambda: True  # as by itself, where torch is not loaded; here it has one thread
    for number in (signal.SIGINT, signal.SIGTERM):  # from here on; what comes earlier met an interpreter that starts
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    try:
        main()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # as the interpreter would
        with suppress(BaseException):
            traceback.print_exc()
        code = 1
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            code = 120  # what the interpreter makes of it
    return code


def _open_streams(command: Command, aside: Path) -> None:
    for number, name, how in ((1, "out", command.out), (2, "err", command.err)):
        if how == "closed":
            os.close(number)
        else:
            os.dup2(_outlet_of(how, aside / name), number)
    if command.stdin is None:
        os.close(0)
    else:
        (aside / "in").write_bytes(command.stdin)
        os.dup2(os.open(aside / "in", os.O_RDONLY), 0)
    encoding, _, errors = command.encoding.partition(":")
    sys.stdin = None if command.stdin is None else _text(0, "rb", encoding, errors or "strict")
    sys.stdout = None if command.out == "closed" else _text(1, "wb", encoding, errors or "strict")
    sys.stderr = None if command.err == "closed" else _text(2, "wb", encoding, "backslashreplace")
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr


def _text(number: int, mode: str, encoding: str, errors: str) -> Any:
    return io.TextIOWrapper(
        open(number, mode, closefd=False),
        encoding=encoding,
        errors=errors,
        line_buffering=number == 2,
        newline="\n",
    )


def _outlet_of(how: str, capture: Path) -> int:
    if how == "full":
        return os.open("/dev/full", os.O_WRONLY)
    if how == "file":
        return os.open(capture, os.O_WRONLY | os.O_CREAT)
    reading, writing = os.pipe()
    if how == "short pipe" and os.fork() == 0:  # a reader that takes little and leaves, as `head -1` does
        os.close(writing)
        os.read(reading, 40)
        os._exit(0)
    os.close(reading)
    return writing


# --- judging ----------------------------------------------------------------------------------------------------------

_TRACEBACK = re.compile(rb"^Traceback |^Exception ignored|^Fatal Python error", re.MULTILINE)


def _judge(
    command: Command, finding: Finding, out: bytes, err: bytes, folder: Path, there: dict[str, bytes]
) -> Finding:
    details = f"{finding.details}\nout: {out[-1500:]!r}\nerr: {err[-3000:]!r}"
    bad = replace(finding, outcome=Outcome.TRACEBACK, details=details)
    sent = command.signal[0] if command.signal else None
    stopped = sent is not None and finding.what == f"crashed with {signal.Signals(sent).name}"
    if finding.is_bad and not stopped:
        return replace(finding, details=details)
    code = None if stopped else int(finding.what.removeprefix("exit "))
    row = next(row for row in VERBS if row.name == command.verb)
    if _TRACEBACK.search(err) or _TRACEBACK.search(out):
        last = [line for line in err.decode("utf-8", "replace").splitlines() if line.strip()][-1:]
        return replace(bad, what=f"prints a traceback: {''.join(last)[:150]}", place=_innermost(err))
    allowed = {0, 2, *row.exit_codes}
    if sent is not None:
        allowed |= {128 + sent}
    if code is not None and code not in allowed:
        return replace(bad, what=f"exit code {code}: not in the table")
    if code == 1 and command.verb != "certify" and (command.out != "file" or command.err != "file" or sent is not None):
        return replace(bad, what="exit code 1: says “no” for a stream that is gone, or a signal")
    heard = sent is None and command.out == command.err == "file"
    if code == 2 and heard and not _is_plain(err + out * (command.verb == "certify")):
        return replace(bad, what=f"exit code 2: without one plain line: {err[-150:]!r}")
    speaks = not {"--help", "-h"} & set(command.arguments) and (command.verb != "mcp" or "--json" in command.arguments)
    if code == 0 and command.out == "full" and not out and speaks:  # a server without a client has nothing to say
        return replace(bad, what="exit code 0: although nothing could be written")
    if partial := _partial(command, folder, there, stopped):
        return replace(bad, what=partial)
    if stopped:
        return replace(finding, outcome=Outcome.STOPPED, what="")
    return replace(finding, outcome=Outcome.REFUSAL if code == 2 else Outcome.ANSWER, details=details)


def _innermost(err: bytes) -> str:
    found = re.findall(rb'File ".*?/ddtheory/([^"]+)", line \d+, in (\S+)', err)
    return b":".join(found[-1]).decode() if found else ""


def _is_plain(err: bytes) -> bool:
    """One line that says what is wrong; click puts the usage in front of it. Progress may stand before."""
    text = err.decode("utf-8", "replace").replace("\0", "")
    lines = [
        line
        for line in text.splitlines()
        if re.match(r"\W*(Error|Interrupted|Usage|Aborted|\d+ claims?|rejected|not decided)", line)
    ]
    return bool(lines) or "Usage:" in text or _is_undecided(text)


def _is_undecided(text: str) -> bool:
    """The document of a check that was not finished, as `certify --json` writes it."""
    with suppress(ValueError, AttributeError):
        return bool(json.loads(text).get("undecided"))
    return False


def _partial(command: Command, folder: Path, there: dict[str, bytes], stopped: bool) -> str:
    """What should not be left in the folder: a result that breaks off, or a file that nobody asked for."""
    targets = command.targets()
    if not (folder / "pipe").is_fifo():
        return "a pipe was replaced by a file, as a device would have been"
    for name, kind in targets.items():
        with suppress(OSError, ValueError):  # a name that no file can have
            for file in _written(folder, name, kind, command.verb):
                if there.get(file.resolve().name) != file.read_bytes() and not _is_whole(file, kind):
                    return f"a part of a result: {file.name!r} is left behind"
    if not stopped:
        known = {
            *there,
            "told",
            *(FOLDERS.get(command.verb, []) if {"", "."} & set(targets) else []),
            # of folder/../x both are asked for: a folder that is not there is made on the way
            *(
                part
                for name in targets
                if name
                for way in (name, os.path.normpath(name))
                for part in Path(way).parts[:1]
            ),
        }
        with suppress(OSError):
            for path in folder.iterdir():
                if path.name not in known and path.name != "ran":
                    return f"litter: {path.name!r} is left behind"
    return ""


def _written(folder: Path, name: str, kind: str, verb: str) -> list[Path]:
    """Files under a name that something was to be written to."""
    path = folder / name
    if kind == "folder":
        return [path / part for part in FOLDERS.get(verb, []) if name and (path / part).is_file()]
    return [path] if name and path.is_file() and folder in path.parents else []


def _is_whole(file: Path, kind: str) -> bool:
    data = file.read_bytes()
    if kind == "html" or (kind == "folder" and file.suffix == ".html"):
        return b"</html>" in data
    if kind == "folder" and file.suffix == ".txt":
        return data.endswith(b"\n")
    if kind == "export" and file.suffix == ".parquet":
        return data[-4:] == b"PAR1"
    try:
        json.loads(data)
    except ValueError:
        return False
    return True
