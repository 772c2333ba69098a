"""``vedette demo``: the day on which Assad fell, on invented channels, as Vedette would have told it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.config import rules_from
from bot.cli.output import results
from bot.cli.reading import Reading
from bot.cli.span import Span
from bot.cli.telling import as_text
from bot.replay import tellings
from bot.terminal import Style, wants_colour

FOLDER = Path(__file__).parent.parent / "demo"
#: The posts of the days around it teach what the channels' footers are.
DAY = ("2024-12-08T00:00", "2024-12-08T20:00")
_INTRODUCTION = """\
8 December 2024, the day on which Assad fell, on twelve invented channels in Russian, Ukrainian, English, Arabic and
Persian. This is what Vedette would have told a newsroom: Assad's fate at once, Russian bases at once but not at
night, everything about Syria in the digest at the end.

"""
_NEXT = """\
The channels watched and the keywords: bot/demo/config.toml. Your own: copy config.example.toml to config.toml,
and see what `vedette check` says of it.
"""


def demo(*, colour: Annotated[str, typer.Option("--colour", help="auto, always or never.")] = "auto") -> None:
    """Replays the recordings that ship with Vedette: alerts as they would have come, then the digest."""
    rules = rules_from(FOLDER / "config.toml", {})
    reading = Reading(sorted(FOLDER.glob("*.jsonl")))
    span = Span.typed(*DAY, rules.zone)
    revisions = span.ending(reading.revisions())
    with results(None) as stream:
        style = Style(colour=wants_colour(colour, stream))
        stream.write(_INTRODUCTION)
        for telling in tellings(revisions, rules, reading.footers, span.since):
            stream.write(as_text(telling, rules.zone, style))
        stream.write(style.dim(_NEXT))
    reading.finish()
