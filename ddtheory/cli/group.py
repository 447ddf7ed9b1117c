"""The command line as a whole: finds a verb in the table, and ends with one line and exit code 2 when it cannot run."""

from __future__ import annotations

import sys
import traceback
from collections import Counter
from typing import Any, NoReturn

import click

from ddtheory.cli import terminal
from ddtheory.cli.printing import say
from ddtheory.cli.table import VERBS
from ddtheory.errors import DDTheoryError, InvalidValueError


class _Verbs(click.Group):
    """The verbs of the table; the file of a verb is imported when the verb is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [verb.name for verb in VERBS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return next((verb.load() for verb in VERBS if verb.name == cmd_name), None)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        if command is not None and not ctx.resilient_parsing:
            _refuse_repeated(click.Context(command, ctx, name, **command.context_settings), rest)
        return name, command, rest

    def main(self, *args: Any, **settings: Any) -> Any:
        try:
            terminal.prepare()
            with terminal.written_to_the_end():
                return super().main(*args, **settings)
        except KeyboardInterrupt:
            _stop("Interrupted.")

    def make_context(self, *args: Any, **settings: Any) -> click.Context:
        with terminal.written_to_the_end():  # click would end with 1 when the reader of its help has left
            try:
                return super().make_context(*args, **settings)
            except KeyboardInterrupt:  # and so it would here
                _stop("Interrupted.")

    def invoke(self, ctx: click.Context) -> Any:
        with terminal.written_to_the_end():
            return self._invoke(ctx)

    def _invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except DDTheoryError as error:
            _stop(f"Error: {' '.join(str(error).split())}")
        except KeyboardInterrupt:
            _stop("Interrupted.")
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise  # click's own ends, with exit codes of its own
        except Exception as error:  # Python would end with 1, which means "no" here, and not "could not run"
            if isinstance(error, OSError) and error.errno in terminal.UNWRITABLE:
                raise
            say(traceback.format_exc(), err=True)
            _stop(f"Error: a {type(error).__name__} inside ddtheory, a mistake of ours. Please report the lines above.")


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="ddtheory", prog_name="ddtheory", message="%(prog)s %(version)s")
def main() -> None:
    """Checks the claims of singular learning theory: derives them exactly, measures them, says what holds."""


def _refuse_repeated(ctx: click.Context, args: list[str]) -> None:
    """An option that is given twice would keep the last value, and the others would be dropped in silence."""
    try:
        _, _, given = ctx.command.make_parser(ctx).parse_args(args=[*args])
    except click.UsageError:
        return  # the verb says it
    for option, times in Counter(one for one in given if isinstance(one, click.Option)).items():
        if times > 1 and not (option.multiple or option.is_flag or option.count):
            how = f", as {option.opts[0]} {option.metavar}" if "," in (option.metavar or "") else ""
            raise InvalidValueError(f"{option.opts[0]} is given {times} times. Give it once{how}.")


def _stop(message: str) -> NoReturn:
    say(message, err=True)
    sys.exit(2)
