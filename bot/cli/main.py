"""The program ``vedette``. Every error that a person can cause ends here, in a sentence and an exit code.

0 done, also when nothing was found · 1 failed while running, or some input was skipped · 2 wrong usage or
configuration · 3 not signed in · 4 another process holds this data directory.
"""

from __future__ import annotations

import itertools
import re
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Annotated

import typer

from bot.cli import (
    backfill,
    backup,
    check,
    demo,
    digest,
    explain,
    export,
    grep,
    health,
    login,
    record,
    replay,
    run,
    status,
)
from bot.errors import HeldError, ListenError, NotSignedInError, QueryError, StorageError, TelegramError, VedetteError
from bot.terminal import harmless, prepare_streams, printing
from bot.version import VERSION

app = typer.Typer(
    name="vedette",
    help="Watches Telegram channels and tells a chat when they mention what you care about, in every word form.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["--help"]},  # -h may begin a query: -hamas
)
# A query may begin with -, which is NOT, and so does a channel's id: an option that is none of ours is an argument.
_QUERY_FIRST = {"ignore_unknown_options": True}
app.command("demo")(printing(demo.demo))
app.command("replay")(printing(replay.replay))
app.command("check")(printing(check.check))
app.command("run")(printing(run.run))
app.command("login")(printing(login.login))
app.command("record", context_settings=_QUERY_FIRST)(printing(record.record))
app.command("backfill", context_settings=_QUERY_FIRST)(printing(backfill.backfill))
app.command("digest")(printing(digest.digest))
app.command("export")(printing(export.export))
app.command("backup")(printing(backup.backup))
app.command("status")(printing(status.status))
app.command("health")(printing(health.health))
app.command("grep", context_settings=_QUERY_FIRST)(printing(grep.grep))
app.command("explain", context_settings=_QUERY_FIRST, epilog=explain.EPILOG)(printing(explain.explain))


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - typer hands it over
    if wanted:
        sys.stdout.write(f"vedette {VERSION}\n")
        raise typer.Exit


@app.callback()
def vedette(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Which version this is.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """What stands before any command."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one command; always ends in `SystemExit`. ``arguments`` are those of the process by default."""
    prepare_streams()
    typed = sys.argv[1:] if arguments is None else list(arguments)
    try:
        _refuse_unknown_options(typed)
        app(args=typed, prog_name="vedette")
    except QueryError as error:
        sys.exit(_tell(pointed_at(error), 2))
    except VedetteError as error:
        sys.exit(_tell(str(error), _exit_code(error)))
    except OSError as error:
        what = f"{error.filename} cannot be used" if error.filename else "the output cannot be written"
        sys.exit(_tell(f"{what}: {error.strerror}", 1))


def _exit_code(error: VedetteError) -> int:
    match error:
        case HeldError():
            return 4
        case NotSignedInError():
            return 3
        case TelegramError() | StorageError() | ListenError():
            return 1
        case _:
            return 2


def _refuse_unknown_options(typed: Sequence[str]) -> None:
    """A misspelt long option would otherwise be taken for a query or a file."""
    known = {"--help", "--install-completion", "--show-completion"} | set(OPTIONS)
    for argument in itertools.takewhile(lambda one: one != "--", typed):
        name = argument.split("=", 1)[0]
        if re.fullmatch("--[a-z][a-z-]*", name) and name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else "`--help` lists the options"
            raise VedetteError(f"there is no option {name}; {hint}")


#: The long options of all commands.
OPTIONS = (
    "--qr",
    "--import",
    "--json",
    "--count",
    "--colour",
    "--footer",
    "--config",
    "--format",
    "--out",
    "--since",
    "--until",
    "--matches",
    "--channel",
    "--limit",
    "--online",
    "--send",
    "--dry-run",
    "--now",
    "--last",
    "--full",
    "--version",
)


def pointed_at(error: QueryError) -> str:
    """The query with a caret under the place, and what is wrong there."""
    line = harmless(error.query).replace("\n", " ").replace("\t", " ")
    return f"this query cannot be read\n  {line}\n  {' ' * error.column}^ {error.what}; {error.hint}"


def _tell(text: str, code: int) -> int:
    sys.stderr.write(harmless(f"vedette: {text}\n"))
    return code
