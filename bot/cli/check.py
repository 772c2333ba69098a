"""``vedette check``: whether the configuration is valid, what it says, and what in it looks unwise.

What Telegram says of it is `bot.cli.online`'s.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.config import Config, settings_from
from bot.cli.file import config_path
from bot.errors import VedetteError
from bot.query.lexicon import Lexicon
from bot.schedule import next_moment
from bot.terminal import Progress, one_line
from bot.text.morphology.languages import Morphology

if TYPE_CHECKING:
    from bot.config.advice import Advice
    from bot.config.settings import Settings, Topic, WatchedChannel

#: Channels and topics that are listed; more are counted.
SHOWN = 50


def check(
    config: Config = None,
    *,
    online: Annotated[
        bool, typer.Option("--online", help="Ask Telegram for the channels and destinations. Joins nothing.")
    ] = False,
    send: Annotated[
        bool, typer.Option("--send", help="With --online: send a test message to each destination.")
    ] = False,
) -> None:
    """Validates the configuration and says what looks unwise. Connects to nothing without --online."""
    if send and not online:
        raise VedetteError("--send sends to Telegram; write check --online --send")
    settings = settings_from(config)
    path = config_path(config, os.environ)
    sys.stdout.write(f"{one_line(str(path))} is valid\n")
    for line in _summary(settings, datetime.now(UTC)):
        sys.stdout.write(f"{one_line(line)}\n" if not line.startswith(" ") else f"  {one_line(line)}\n")
    for text, places in _by_text(_advice(settings)).items():
        more = f" and {len(places) - 1} more" if len(places) > 1 else ""
        sys.stdout.write(f"note: {one_line(f'{places[0]}{more}: {text}')}\n")
    if online:
        from bot.cli.online import look_up

        look_up(settings, send=send)


def _advice(settings: Settings) -> Iterator[Advice]:
    from bot.config.advice import Advice, advise

    progress = Progress("topics")
    total = len(settings.topics)
    found = advise(settings, Lexicon(Morphology()), lambda done: progress.update(done, done, total))
    progress.clear()
    yield from found
    if settings.telegram.api_id is None and settings.telegram.api_hash is None:
        yield Advice("telegram", "run and login will need api_id and api_hash, from my.telegram.org")
    key = settings.telegram.server and settings.telegram.server.public_key
    if key and not key.is_file():
        yield Advice("telegram.server.public_key", f"there is no file {key}")
    if settings.operators.notify:
        from bot.notify import faults, urls_of  # only now: what it needs takes its time

        for place, why in faults(urls_of(settings)):
            yield Advice(f"operators.notify[{place}]", why)


def _by_text(found: Iterable[Advice]) -> dict[str, list[str]]:
    """The places of each piece of advice: what is said of many keywords is said once."""
    places: dict[str, list[str]] = {}
    for advice in found:
        places.setdefault(advice.text, []).append(advice.where)
    return places


def _summary(settings: Settings, now: datetime) -> Iterator[str]:
    """Lines for a person; those that begin with a blank belong to the one above them."""
    watch = settings.watch
    folder = f", and those of the folder {watch.folder}" if watch.folder else ""
    yield f"{_counted(len(watch.channels), 'channel')}{folder}"
    yield from _listed([_channel(watched) for watched in watch.channels])
    yield _counted(len(settings.topics), "topic")
    yield from _listed([_topic(topic, settings) for topic in settings.topics])
    yield _digests(settings, now)


def _listed(lines: Sequence[str]) -> Iterator[str]:
    for line in lines[:SHOWN]:
        yield f"  {line}"
    if len(lines) > SHOWN:
        yield f"  … and {len(lines) - SHOWN:,} more"


def _channel(watched: WatchedChannel) -> str:
    label = f" {watched.label}" if watched.label else ""
    topics = "" if watched.topics is None else f", for {', '.join(watched.topics) or 'no topic'}"
    return f"{watched.channel}{label}{topics}"


def _topic(topic: Topic, settings: Settings) -> str:
    name = topic.title if topic.title == topic.name else f"{topic.title} ({topic.name})"
    told = f"{topic.deliver} to {settings.destination_of(topic)}"
    return f"{name}: {_counted(len(topic.keywords), 'keyword')}, {told}"


def _digests(settings: Settings, now: datetime) -> str:
    moment = next_moment(settings.digest.policy, settings.timezone, now)
    if moment is None:
        return "no digests"
    when = (
        str(settings.digest.cron) if settings.digest.cron else ", ".join(f"{one:%H:%M}" for one in settings.digest.at)
    )
    return (
        f"digests: {when} ({settings.timezone}), the next on {moment.astimezone(settings.timezone):%a %-d %b at %H:%M}"
    )


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
