"""`ddtheory mcp` over standard input and output, by the client of the SDK, and by hand where a client breaks."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import anyio
import jsonschema
import pytest
from imports import ROOT
from mcp import Client, MCPError, StdioServerParameters, stdio_client
from mcp_types import CallToolResult

from ddtheory.serving.calls import MOST_AT_ONCE
from ddtheory.serving.lines import LONGEST
from ddtheory.serving.server import _refused
from ddtheory.serving.tools import TOOLS

pytestmark = pytest.mark.long

CLAIM = """
import os, time, sys
from pathlib import Path
from ddtheory.values import Citation, Verdict
from ddtheory.verify import Claim
def derive():
    Path({folder!r}, "{name}.pid").write_text(f"{{os.getpid()}} {{os.getpgid(0)}}")
    {work}

CLAIM = Claim("{name}", "{name}", {{"x": "x"}}, Citation("p"), (), Verdict.NOT_CHECKED)
"""
SLOW = {"ids": ["slow", "loud"]}  # of two claims each has a process of its own, below that of the call
WORK = {"slow": "time.sleep(600)", "greedy": "x = bytearray(10**10)", "loud": "print('{' * 10**6)"}


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Claims that sleep, eat memory, and print where answers go; each writes the numbers of its processes down."""
    folder = tmp_path_factory.mktemp("book")
    (folder / "chapter").mkdir()
    for name, work in WORK.items():
        text = CLAIM.format(folder=str(folder), name=name, work=work)
        (folder / "chapter" / f"{name}.py").write_text(text, encoding="utf-8")
    return folder


def command(*options: str) -> list[str]:
    return [sys.executable, "-m", "ddtheory", "mcp", *options]


@contextlib.asynccontextmanager
async def client(*options: str) -> AsyncIterator[Client]:
    program, *arguments = command(*options)
    server = StdioServerParameters(command=program, args=arguments, env=dict(os.environ), cwd=ROOT)
    async with Client(stdio_client(server)) as found:
        yield found


def with_client(work: Callable[[Client], Any], *options: str) -> Any:
    async def run() -> Any:
        async with client(*options) as found:
            return await work(found)

    return anyio.run(run)


def refusal(result: CallToolResult) -> str:
    """What a refused call says: one readable sentence or two."""
    assert result.is_error and result.structured_content is None, result
    (said,) = result.content
    assert said.type == "text" and 0 < len(said.text) < 2_100 and "Traceback" not in said.text
    return said.text


def numbers(book: Path, name: str) -> tuple[int, int]:
    """Of the process of a witness, and of the process of the call that started it, once they are running."""
    file = book / f"{name}.pid"
    until = time.monotonic() + 60
    while not (file.exists() and len(file.read_text().split()) == 2):
        assert time.monotonic() < until, "the witness has not started"
        time.sleep(0.05)
    worker, call = map(int, file.read_text().split())
    file.unlink()
    assert worker != call
    return worker, call


def gone(*processes: int) -> bool:
    """Whether they end; a zombie that nobody has fetched yet has ended."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if not any(is_running(process) for process in processes):
            return True
        time.sleep(0.05)
    return False


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_tools_answers_and_certificates() -> None:
    async def work(found: Client) -> None:
        listed = (await found.list_tools()).tools
        assert [tool.name for tool in listed] == [tool.name for tool in TOOLS]
        answer = await found.call_tool("rlct", {"divergence": "(x - y^2)^2 + y^6", "certificate": True})
        content = answer.structured_content
        assert not answer.is_error and (content["lambda"], content["multiplicity"]) == ("2/3", 1)
        assert json.loads(answer.content[0].text) == content
        report = await found.call_tool("certify", {"certificate": content["certificate"]})
        assert report.structured_content["accepted"] and report.structured_content["lambda"] == "2/3"
        wrong = {**content["certificate"], "lambda": "1/2"}
        spoiled = await found.call_tool("certify", {"certificate": json.dumps(wrong)})
        assert not spoiled.is_error and spoiled.structured_content["outcome"] == "rejected"

    with_client(work)


def test_the_small_book() -> None:
    """`verify` runs the books of the server, and its report has the schema of the report."""

    async def work(found: Client) -> None:
        listed = (await found.call_tool("claims", {})).structured_content["claims"]
        assert {claim["id"] for claim in listed} >= {"prop:spectrum"}
        report = (await found.call_tool("verify", {"ids": ["prop:spectrum"]})).structured_content
        jsonschema.validate(report, json.loads((ROOT / "ddtheory/verify/report.schema.json").read_text("utf-8")))
        assert report["summary"]["verdicts"] == {"refuted": 1} and report["summary"]["exit_code"] == 0
        assert "no-such" in refusal(await found.call_tool("verify", {"ids": ["no-such"]}))

    with_client(work, "--book", str(ROOT / "tests" / "verify" / "book"))


HOSTILE: list[tuple[str, Any, str]] = [
    ("rlct", {"divergence": "x^2", "seconds": 1e9}, "seconds: must be 30 at most"),
    ("rlct", {"divergence": "x^2", "seconds": 0}, "seconds: must be more than 0"),
    ("rlct", {"divergence": "x" * 10_000_000}, "divergence: has more than 20000 characters"),
    ("rlct", {"generators": ["x"] * 100_000}, "generators: has more than 1000 entries"),
    ("rlct", {"generators": []}, "generators: is empty"),
    ("rlct", {"divergence": None}, "divergence: must be string"),
    ("rlct", {"divergence": {"$ref": "file:///etc/passwd"}}, "divergence: must be string"),
    ("rlct", {"divergence": "x^2", "at": {"x": [1]}}, "at.x: must be string or integer"),
    ("rlct", {"divergence": "x^2", "prior": {"x": 0.5}}, "prior.x: must be string or integer, and a fraction is text"),
    ("rlct", {"divergence": "x^2", "__class__": "object"}, "The arguments: hold a name other than divergence"),
    ("rlct", {"divergence": "x^2", "books": ["/tmp"]}, "The arguments: hold a name other than divergence"),
    ("rlct", {"divergence": "__import__('os').system('touch /tmp/ddtheory-was-here')"}, ""),
    ("rlct", {"divergence": "x\u0000y\u202e"}, ""),
    ("rlct", {"divergence": "(" * 9_000 + "x" + ")" * 9_000}, ""),
    ("rlct", {"divergence": "9^9^9^9*x^2"}, ""),
    ("order", {"divergence": "x^2"}, "The arguments: lack one of divergence, along"),
    ("order", {"divergence": "x^2", "along": {"x": "1" * 20_001}}, "along.x: has more than 20000 characters"),
    ("order", {"divergence": "x^2", "along": {}}, ""),
    ("nu", {"k": "3"}, "k: must be integer"),
    ("nu", {"k": True}, "k: must be integer"),
    ("nu", {"k": -(10**400)}, ""),
    ("nu", {"k": 3, "digits": 10**9}, "digits = 1000000000 is more than"),
    ("finite_n", {"exponents": [2], "n_beta": "1/0"}, ""),
    ("finite_n", {"exponents": [-(10**200)], "n_beta": 10**200}, ""),
    ("model", {"toml": "/etc/passwd"}, "The description is no TOML"),
    ("model", {"toml": "a = " + "[" * 90_000}, ""),
    ("cells", {"name": "../../etc/passwd"}, "There is no cell named"),
    ("cells", {"name": "deep_linear", "parameters": {"widths": "9" * 5_000}}, ""),
    ("certify", {"certificate": "/etc/passwd"}, "This is no JSON text"),
    ("certify", {"certificate": "[" * 100_000}, ""),
    ("certify", {"certificate": 3}, "certificate: must be object or string"),
    ("verify", {"ids": ["/etc/passwd"]}, "There is no"),
    ("verify", {"ids": ["thm:fisher_decay"], "books": ["/tmp"]}, "The arguments: hold a name other than ids"),
    ("verify", {"ids": "thm:fisher_decay"}, "ids: must be array"),
]


def test_every_tool_is_attacked() -> None:
    assert {tool for tool, *_ in HOSTILE} | {"claims"} == {tool.name for tool in TOOLS}  # which takes no arguments


def test_hostile_arguments_are_refused_readably_and_the_server_goes_on() -> None:
    async def work(found: Client) -> None:
        for tool, arguments, says in HOSTILE:
            said = refusal(await found.session.call_tool(tool, arguments))
            assert said.startswith(says) and "mistake of ours" not in said and said.isprintable(), (tool, said)
        with pytest.raises(MCPError, match="There is no tool named"):
            await found.call_tool("__init__", {})
        answer = await found.call_tool("nu", {"k": 1, "digits": 10})
        assert answer.structured_content["nu"].startswith("0.5")

    with_client(work)
    assert not Path("/tmp/ddtheory-was-here").exists()


def test_no_call_blocks_another_and_a_cancelled_one_ends_its_processes(book: Path) -> None:
    async def work(found: Client) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(found.call_tool, "verify", SLOW)
            running = await anyio.to_thread.run_sync(numbers, book, "slow")
            assert all(map(is_running, running))
            answer = await found.call_tool("nu", {"k": 1, "digits": 10})  # while the other one is running
            assert not answer.is_error and all(map(is_running, running))
            tasks.cancel_scope.cancel()
        assert await anyio.to_thread.run_sync(gone, *running)
        assert not (await found.call_tool("nu", {"k": 1, "digits": 10})).is_error

    with_client(work, "--book", str(book))


def test_a_limit_of_time_and_progress_until_then(book: Path) -> None:
    async def work(found: Client) -> None:
        beats: list[float] = []

        async def beat(done: float, total: float | None, message: str | None) -> None:
            assert total == 6
            beats.append(done)

        said = refusal(await found.call_tool("verify", SLOW, progress_callback=beat))
        assert said.startswith("Stopped after 6 s, the limit of a call.")
        assert beats and beats == sorted(beats) and beats[0] >= 2
        assert await anyio.to_thread.run_sync(gone, *numbers(book, "slow"))

    with_client(work, "--book", str(book), "--seconds", "6")


def test_a_killed_child_is_said_and_the_server_goes_on(book: Path) -> None:
    async def work(found: Client) -> None:
        results: list[CallToolResult] = []

        async def verify() -> None:
            results.append(await found.call_tool("verify", SLOW))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(verify)
            running = await anyio.to_thread.run_sync(numbers, book, "slow")
            os.kill(running[1], signal.SIGKILL)
        assert refusal(results[0]).startswith("The process of this call was ended")
        assert await anyio.to_thread.run_sync(gone, *running)
        assert not (await found.call_tool("nu", {"k": 1, "digits": 10})).is_error

    with_client(work, "--book", str(book))


def test_a_limit_of_memory_and_what_is_printed_is_no_answer(book: Path) -> None:
    async def work(found: Client) -> None:
        for name, says in (("greedy", "MemoryError"), ("loud", "")):
            report = (await found.call_tool("verify", {"ids": [name]})).structured_content
            assert says in json.dumps(report["claims"]) and report["summary"]["claims"] == 1
        assert (await found.call_tool("rlct", {"divergence": "x^2"})).structured_content["lambda"] == "1/2"

    with_client(work, "--book", str(book))


def test_more_calls_than_may_run_are_refused(book: Path) -> None:
    async def work(found: Client) -> None:
        results: list[CallToolResult] = []

        async def verify() -> None:
            results.append(await found.call_tool("verify", SLOW))

        async with anyio.create_task_group() as tasks:
            for _ in range(MOST_AT_ONCE + 1):
                tasks.start_soon(verify)
            while not results:
                await anyio.sleep(0.05)
            tasks.cancel_scope.cancel()
        assert refusal(results[0]).startswith(f"{MOST_AT_ONCE} calls are running")

    with_client(work, "--book", str(book))


# --- a client that breaks ---------------------------------------------------------------------------------------------

START = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "0"}}


def by_hand(book: Path, **settings: Any) -> subprocess.Popen[bytes]:
    """A server that has started to verify the claim that sleeps."""
    running = subprocess.Popen(
        command("--book", str(book)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, **settings
    )
    call = {"name": "verify", "arguments": SLOW}
    for message in (
        {"id": 1, "method": "initialize", "params": START},
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/call", "params": call},
    ):
        assert running.stdin is not None
        running.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
    running.stdin.flush()
    return running


@pytest.mark.parametrize("end", ["the input is closed", "the output is closed", "killed"])
def test_a_server_that_ends_takes_its_calls_with_it(book: Path, end: str) -> None:
    with by_hand(book, stderr=subprocess.DEVNULL) as running:
        assert running.stdin is not None and running.stdout is not None
        processes = numbers(book, "slow")
        if end == "killed":
            running.kill()
        elif end == "the output is closed":
            running.stdout.close()
            running.stdin.write(b'{"jsonrpc": "2.0", "id": 3, "method": "tools/list"}\n')
        with contextlib.suppress(BrokenPipeError):
            running.stdin.close()
        running.wait(timeout=30)
        assert gone(*processes)


@pytest.mark.parametrize(
    ("line", "sender", "says"),
    [
        (b"{", None, "no JSON"),
        (b"[" * 100_000, None, "no JSON"),
        (b"\xff\xfe", None, "not in UTF-8"),
        (b'{"jsonrpc": "2.0", "id": 7, "method": "\xff"}', 7, "not in UTF-8"),
        (b"[]", None, "no request"),
        (b"null", None, "no request"),
        (b'{"jsonrpc": "2.0"}', None, "no request"),
        (b'{"id": 8, "method": "ping"}', 8, "no request"),
        (b'{"jsonrpc": "2.0", "id": "\\ud800", "method": "ping"}', None, "surrogate"),
        (b'{"jsonrpc": "2.0", "id": "nine", "method": "\\udc00"}', "nine", "surrogate"),
        (b'"' + b"x" * 10_000_000 + b'"', None, "no request"),
    ],
)
def test_a_line_that_is_no_message_is_answered(line: bytes, sender: object, says: str) -> None:
    said = json.loads(_refused(line.decode(errors="surrogateescape")).model_dump_json(by_alias=True))
    assert said["id"] == sender and says in said["error"]["message"]


def test_lines_that_are_no_messages_are_survived() -> None:
    lines = [b"{", b"[]", b"\xff\xfe", b"null", b'{"jsonrpc": "2.0"}', b"", b"[" * 100_000]
    start = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": START}).encode()
    argument = json.dumps({"name": "rlct", "arguments": {"divergence": "x^2 \ud800"}})
    surrogate = b'{"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": ' + argument.encode() + b"}"
    lines += [start, surrogate, b'{"jsonrpc": "2.0", "id": 3, "method": "ping"}', b""]
    with subprocess.Popen(command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as running:
        assert running.stdin is not None and running.stdout is not None
        running.stdin.write(b"\n".join(lines))
        running.stdin.flush()
        told = [json.loads(running.stdout.readline()) for _ in range(9)]  # in any order
        assert [each["id"] for each in told].count(None) == 6
        assert {each["id"]: "error" in each for each in told} == {None: True, 1: False, 2: True, 3: False}
        running.stdin.close()
        assert running.wait(timeout=60) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="names of files that are no text")
def test_a_name_that_is_no_text_is_written_out(tmp_path: Path) -> None:
    (tmp_path / "chapter").mkdir()
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/chapter/\xff.py")).write_text("1/0", encoding="utf-8")

    async def work(found: Client) -> None:
        answer = await found.call_tool("verify", {"ids": ["chapter"]})
        assert answer.structured_content["summary"]["unreadable"][0]["file"] == "chapter/\\udcff.py"

    with_client(work, "--book", str(tmp_path))


@pytest.mark.skipif(os.name != "posix", reason="pipes")
@pytest.mark.parametrize(
    ("redirection", "says"),
    [
        ("<&-", "Error: Standard input or standard output is closed, and both are the way to the client.\n"),
        (">&-", "Error: Standard input or standard output is closed, and both are the way to the client.\n"),
        (">/dev/full", "Error: the output cannot be written: No space left on device.\n"),
        ("| true", ""),
    ],
)
def test_streams_that_lead_nowhere_end_it_with_one_line(redirection: str, says: str) -> None:
    line = f"exec {sys.executable} -m ddtheory mcp {redirection}"
    with subprocess.Popen(["sh", "-c", line], stdin=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT) as running:
        assert running.stdin is not None and running.stderr is not None
        with contextlib.suppress(BrokenPipeError):  # its input stays open: it must not wait for that to end
            os.write(running.stdin.fileno(), b'{"jsonrpc": "2.0", "id": 1, "method": "ping"}\n' * 2)
        assert running.wait(timeout=60) == (0 if redirection == "| true" else 2)  # of the last one in a pipe
        assert running.stderr.read().decode() == says


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_ends_it_while_it_waits_for_its_client(book: Path) -> None:
    with by_hand(book, stderr=subprocess.PIPE) as running:
        processes = numbers(book, "slow")
        running.send_signal(signal.SIGINT)
        assert running.wait(timeout=60) == 2
        assert running.stderr is not None and running.stderr.read() == b"Interrupted.\n"
        assert gone(*processes)


def test_a_message_that_is_too_large_ends_it_with_one_line() -> None:
    with subprocess.Popen(command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdin is not None and running.stderr is not None
        with contextlib.suppress(BrokenPipeError):
            for _ in range(LONGEST // 10**6 + 1):
                running.stdin.write(b"x" * 10**6)
            running.stdin.flush()
        assert running.wait(timeout=60) == 2
        assert running.stderr.read() == b"Error: A message of the client has more than 64 MB.\n"
