"""The server: the one file that knows the protocol. It waits, and computes nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import anyio
from jsonschema import Draft202012Validator, ValidationError
from mcp import MCPError
from mcp.server import Server, ServerRequestContext
from mcp.server.stdio import stdio_server
from mcp_types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
)
from mcp_types import Tool as ListedTool

from ddtheory.errors import unknown
from ddtheory.schemas import Schema
from ddtheory.serving.calls import MOST_AT_ONCE, Limits, Refusal, answered
from ddtheory.serving.lines import Lines
from ddtheory.serving.tools import TOOLS, Tool

_BEAT = 2.0  # seconds between two notices of progress

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
        async with stdio_server(stdin=Lines()) as (reading, writing):  # type: ignore[arg-type]  # it is iterated over
            await server.run(reading, writing, server.create_initialization_options())

    try:
        asyncio.run(run())
    except BaseExceptionGroup as group:
        raise _first(group) from None


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
        answer = await box.call(tool, arguments)
    except Refusal as refusal:
        return CallToolResult(content=[TextContent(text=str(refusal))], is_error=True)
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
