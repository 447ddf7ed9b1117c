"""`ddtheory mcp`: serves the exact half as tools to assistants, over the Model Context Protocol."""

from __future__ import annotations

import logging

import click

from ddtheory.cli.printing import book_option, json_option, print_json


@click.command()
@click.option(
    "--seconds",
    type=click.IntRange(min=4, max=86_400),
    default=120,
    show_default=True,
    metavar="S",
    help="How long a call may take, from its start to its answer.",
)
@click.option(
    "--memory",
    type=click.IntRange(min=100, max=10**6),
    default=2_000,
    show_default=True,
    metavar="MB",
    help="How much memory each process of a call may take.",
)
@book_option
@json_option("the tools with their schemas, and end,")
def mcp(seconds: int, memory: int, books: tuple[str, ...], as_json: bool) -> None:
    """Serve rlct, order, nu, finite_n, model, cells, certify, claims and verify as tools to an assistant.

    The Model Context Protocol over standard input and standard output; whoever starts the server is its client. Each
    call is answered in a process of its own, which is killed at the limits and when the call is cancelled. No argument
    of a tool is evaluated or names a file. Only the books that are named here run. Needs the extra mcp.

    \b
    Examples:
      ddtheory mcp
      ddtheory mcp --seconds 600 --memory 4000
    """
    from ddtheory.extras import need
    from ddtheory.serving.tools import TOOLS

    if as_json:
        print_json({"tools": [tool.document(seconds) for tool in TOOLS]})
        return
    need("mcp", "`ddtheory mcp`")
    from ddtheory.serving.calls import Limits
    from ddtheory.serving.server import serve
    from ddtheory.verify.locating import locate

    logging.basicConfig(level=logging.WARNING)  # on standard error: standard output belongs to the protocol
    serve(Limits(seconds, memory), [str(locate(book)) for book in books])
