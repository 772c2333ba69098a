"""``vedette replay FILE…``: the configured topics over recordings, as alerts and digests or as JSON lines."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.config import Config, rules_from
from bot.cli.file import config_path
from bot.cli.matches import as_json
from bot.cli.output import results
from bot.cli.reading import Files, Reading
from bot.cli.span import Span
from bot.cli.telling import as_text
from bot.errors import VedetteError
from bot.replay import judgements, tellings
from bot.terminal import Style, wants_colour


def replay(  # noqa: PLR0913 - one argument an option
    files: Files,
    *,
    config: Config = None,
    form: Annotated[
        str, typer.Option("--format", help="text: alerts and digests; jsonl: one object a match.")
    ] = "text",
    out: Annotated[Path | None, typer.Option("--out", help="A file instead of standard output.")] = None,
    since: Annotated[
        str | None, typer.Option(help="From then on: 2024-12-08 or 2024-12-08T14:30, in the configured zone.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Up to then, and not with it.")] = None,
    colour: Annotated[str, typer.Option("--colour", help="auto, always or never.")] = "auto",
) -> None:
    """The configured topics over recordings: what the service would have told, judged by the very same code."""
    if form not in ("text", "jsonl"):
        raise VedetteError(f"--format {form} {'comes later' if form == 'html' else 'is unknown'}; give text or jsonl")
    if out is not None:
        _refuse_input(out, [*files, config_path(config, os.environ)])
    rules = rules_from(config)
    span = Span.typed(since, until, rules.zone)
    # Asked before the file is opened, and so emptied. No file is a terminal.
    style = Style(colour=wants_colour(colour, sys.stdout) and (out is None or colour == "always"))
    reading = Reading(files)
    revisions = span.ending(reading.revisions())
    with results(out) as stream:
        if form == "jsonl":
            texts = as_json(judgements(revisions, rules, reading.footers, span.since))
        else:
            texts = (
                as_text(telling, rules.zone, style)
                for telling in tellings(revisions, rules, reading.footers, span.since)
            )
        for text in texts:
            reading.clear()
            stream.write(text)
    posts = "1 post" if reading.posts == 1 else f"{reading.posts:,} posts"
    sys.stderr.write(f"{posts} read\n")
    reading.finish()


def _refuse_input(out: Path, inputs: Iterable[Path]) -> None:
    """What is written to is emptied first, so a recording would be lost before it is read."""
    for path in inputs:
        if out.is_file() and path.is_file() and out.samefile(path):
            raise VedetteError(f"--out {out} would overwrite {path}, which is read; name another file")
