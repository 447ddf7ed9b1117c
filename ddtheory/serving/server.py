"""The server: the one file that knows the protocol. It waits, and computes nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any

import anyio
from jsonschema import Draft202012Validator, ValidationError
from mcp import MCPError
from mcp.server import Server, ServerRequestContext
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage
from mcp_types import (
    INVALID_PARAMS,
    INVALID_REQUEST,
    PARSE_ERROR,
    CallToolRequestParams,
    CallToolResult,
    ErrorData,
    JSONRPCError,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    jsonrpc_message_adapter,
)
from mcp_types import Tool as ListedTool

from ddtheory.errors import unknown
from ddtheory.schemas import Schema
from ddtheory.serving.calls import MOST_AT_ONCE, Limits, Refusal, answered
from ddtheory.serving.lines import Lines, encodable, is_encodable
from ddtheory.serving.tools import TOOLS, Tool

_BEAT = 2.0  # seconds between two notices of progress

_NO_JSON = object()

_INSTRUCTIONS = (
    "Exact answers of singular learning theory: λ is the learning coefficient, that is the real log canonical "
    "threshold, of a divergence K ≥ 0; m its multiplicity. An answer is exact, or says in so many words that it is a "
    "bound. A certificate of rlct can be checked by certify, with code that shares nothing with what wrote it."
)


def serve(limits: Limits, books: Sequence[str] = ()) -> None:
    """Serves the tools on standard input and standard output until the input ends; every call has these limits.

    Raises:
        OutputError: standard input or standard output is closed.
        InvalidValueError: the client sends a message that is too large.
        OSError: the answers cannot be written.
    """
    server = _server(_Toolbox(limits, books))

    async def run() -> None:
        way_back: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        messages: Any = _messages(Lines(), way_back)  # it is iterated over
        async with stdio_server(stdin=messages) as (reading, writing):
            way_back.set_result(writing)
            await server.run(reading, writing, server.create_initialization_options())

    try:
        asyncio.run(run())
    except BaseExceptionGroup as group:
        raise _first(group) from None


async def _messages(lines: Lines, way_back: asyncio.Future[Any]) -> AsyncIterator[str]:
    """The lines that are messages. Whoever sends another line is told so, since nobody behind this answers it."""
    async for line in lines:
        if not line.strip():
            continue
        try:
            jsonrpc_message_adapter.validate_json(line, by_name=False)
        except ValueError:
            await (await way_back).send(SessionMessage(_refused(line)))
        else:
            yield line


def _refused(line: str) -> JSONRPCError:
    """Why a line is no message, to whoever sent it where that can be read."""
    found: Any
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        found = _NO_JSON
    given = found.get("id") if isinstance(found, dict) else None
    sender = given if type(given) is int or (isinstance(given, str) and is_encodable(given)) else None
    if not is_encodable(line):
        code, says = PARSE_ERROR, "The message is not in UTF-8."
    elif found is _NO_JSON:
        code, says = PARSE_ERROR, "The message is no JSON, or too deep."
    elif not is_encodable(json.dumps(found, ensure_ascii=False)):
        code, says = PARSE_ERROR, "The message holds half of a surrogate pair, which is no character."
    else:
        code, says = INVALID_REQUEST, "The message is no request, notification or response of JSON-RPC 2.0."
    return JSONRPCError(jsonrpc="2.0", id=sender, error=ErrorData(code=code, message=says))


def _first(error: BaseException) -> BaseException:
    """What failed first among tasks side by side."""
    return _first(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


class _Toolbox:
    """The tools under the limits of one server, with the books that it was started with."""

    def __init__(self, limits: Limits, books: Sequence[str]) -> None:
        self.limits, self._books = limits, list(books)
        self._tools: Mapping[str, Tool] = {tool.name: tool for tool in TOOLS}
        self._running = 0

    def tool(self, name: str) -> Tool:
        if name not in self._tools:
            raise MCPError(INVALID_PARAMS, str(unknown("tool", name, self._tools)))
        return self._tools[name]

    async def call(self, tool: Tool, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """The answer of a tool.

        Raises:
            Refusal: there is none; the message says why.
        """
        schema = tool.input_schema(self.limits.seconds)
        _require(arguments, schema)
        given = {name: value["default"] for name, value in schema["properties"].items() if name == "seconds"}
        if tool.of_books:
            given["books"] = self._books
        if self._running >= MOST_AT_ONCE:
            raise Refusal(f"{MOST_AT_ONCE} calls are running, and no more at once. Wait for one of them, or cancel it.")
        self._running += 1
        try:
            return await answered(tool.name, {**given, **arguments}, self.limits)
        finally:
            self._running -= 1


def _server(box: _Toolbox) -> Server[Any]:
    listed = ListToolsResult(
        tools=[
            ListedTool.model_validate({**tool.document(box.limits.seconds), "annotations": {"readOnlyHint": True}})
            for tool in TOOLS
        ]
    )

    async def on_list(context: ServerRequestContext[Any], parameters: PaginatedRequestParams | None) -> ListToolsResult:
        return listed

    async def on_call(context: ServerRequestContext[Any], parameters: CallToolRequestParams) -> CallToolResult:
        tool = box.tool(parameters.name)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_tell, context, box.limits.seconds)
            result = await _result(box, tool, parameters.arguments or {})
            tasks.cancel_scope.cancel()
        return result

    return Server(
        "ddtheory",
        version=version("ddtheory"),
        instructions=_INSTRUCTIONS,
        on_list_tools=on_list,
        on_call_tool=on_call,
    )


async def _result(box: _Toolbox, tool: Tool, arguments: Mapping[str, Any]) -> CallToolResult:
    try:
        answer = encodable(await box.call(tool, arguments))
    except Refusal as refusal:
        return CallToolResult(content=[TextContent(text=encodable(str(refusal)))], is_error=True)
    return CallToolResult(content=[TextContent(text=json.dumps(answer))], structured_content=answer)


async def _tell(context: ServerRequestContext[Any], seconds: float) -> None:
    """Progress in seconds, to whoever asked for it."""
    started = anyio.current_time()
    while True:
        await anyio.sleep(_BEAT)
        await context.session.report_progress(anyio.current_time() - started, seconds, "seconds of the limit")


def _require(arguments: Mapping[str, Any], schema: Schema) -> None:
    """Refuses arguments that do not fit, in a sentence that does not repeat them."""
    for wrong in Draft202012Validator(schema).iter_errors(arguments):
        steps = [f"[{step}]" if isinstance(step, int) else f".{step[:40]}" for step in wrong.absolute_path]
        raise Refusal(f"{''.join(steps).removeprefix('.') or 'The arguments'}: {_objection(wrong)}.")


def _objection(wrong: ValidationError) -> str:
    wanted: Any = wrong.validator_value
    match wrong.validator:
        case "type":
            kinds = " or ".join([wanted] if isinstance(wanted, str) else wanted)
            rounded = isinstance(wrong.instance, float) and "string" in wanted
            return f"must be {kinds}{', and a fraction is text such as 1/2 or 0.5' * rounded}"
        case "maxLength":
            return f"has more than {wanted} characters"
        case "maxItems" | "maxProperties":
            return f"has more than {wanted} entries"
        case "minItems":
            return "is empty"
        case "maximum":
            return f"must be {wanted:g} at most; a server started with more --seconds allows more"
        case "exclusiveMinimum":
            return f"must be more than {wanted}"
        case "required":
            return f"lack one of {', '.join(wanted)}"
        case _:
            return f"hold a name other than {', '.join(wrong.schema['properties'])}"
