"""The program ``vedette``. Every error that a person can cause ends here, in a sentence and an exit code.

0 done, also when nothing was found · 1 failed while running, or some input was skipped · 2 wrong usage.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import typer

from bot.cli import explain, grep
from bot.errors import QueryError, VedetteError
from bot.terminal import harmless

app = typer.Typer(
    name="vedette",
    help="Watches Telegram channels and tells a chat when they mention what you care about, in every word form.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
# A query may begin with -, which is NOT: an option that is none of ours is an argument.
_QUERY_FIRST = {"ignore_unknown_options": True}
app.command("grep", context_settings=_QUERY_FIRST)(grep.grep)
app.command("explain", context_settings=_QUERY_FIRST, epilog=explain.EPILOG)(explain.explain)


@app.callback()
def vedette() -> None:
    """Makes typer treat the commands as commands even when there is only one."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one command; always ends in `SystemExit`. ``arguments`` are those of the process by default."""
    try:
        app(args=arguments, prog_name="vedette")
    except QueryError as error:
        sys.exit(_tell(pointed_at(error), 2))
    except VedetteError as error:
        sys.exit(_tell(str(error), 2))
    except BrokenPipeError:
        # Whoever reads the output has read enough; Python would complain once more when it closes it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(130)


def pointed_at(error: QueryError) -> str:
    """The query with a caret under the place, and what is wrong there."""
    line = harmless(error.query).replace("\n", " ").replace("\t", " ")
    return f"this query cannot be read\n  {line}\n  {' ' * error.column}^ {error.what}; {error.hint}"


def _tell(text: str, code: int) -> int:
    sys.stderr.write(f"vedette: {text}\n")
    return code
