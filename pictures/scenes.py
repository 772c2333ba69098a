"""What is shown: messages of the demo's day, as the judge and the render of today make them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.cli.config import rules_from
from bot.cli.demo import DAY, FOLDER
from bot.cli.reading import Reading
from bot.cli.span import Span
from bot.desk import Desk, Telling
from bot.judge import Arrival, judge
from bot.model import Alert, Bundle, Digest, Happening, Post, PostId, Revision
from bot.render.alert import alert, header
from bot.render.bundle import bundle
from bot.render.digest import digest
from bot.render.richtext import Message
from bot.replay import tellings
from bot.rules import Rules
from bot.stories.stories import Stories
from bot.triage import Pace

#: The alerts are shown as they read then: one post has vanished, another has run elsewhere, a third has just come.
_SEEN = datetime(2024, 12, 8, 18, 35, tzinfo=UTC)
_ALERTS = ("bez_pauzy_demo/73347", "polyarny_telegraf_demo/188451", "copper_kite_demo/5136")
_FORWARDED = "copper_kite_demo/5123"
#: While so long the service of one scene is away.
_AWAY = (datetime(2024, 12, 8, 10, 0, tzinfo=UTC), datetime(2024, 12, 8, 13, 30, tzinfo=UTC))

#: Heights of a screen.
_TALL, _MIDDLE, _LOW = 800, 755, 385


@dataclass(frozen=True, slots=True, kw_only=True)
class Bubble:
    """A message in the chat. ``at`` is local; ``edited``: as Telegram marks it; ``source``: whose post is forwarded."""

    message: Message
    at: datetime
    edited: bool = False
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """A stretch of the chat, under a file name, on a screen of so many CSS pixels; what is beyond it is cut off."""

    name: str
    height: int
    bubbles: tuple[Bubble, ...]

    @property
    def day(self) -> str:
        """As Telegram writes it between the messages."""
        return f"{self.bubbles[0].at:%B} {self.bubbles[0].at.day}"


def scenes() -> list[Scene]:
    """All that is shown, of the recordings of the demo, so that it says the same each time."""
    rules = rules_from(FOLDER / "config.toml", {})
    told = list(_told(rules))
    return [
        Scene("alerts", _TALL, tuple(_alert(told, address, rules) for address in _ALERTS)),
        Scene("digest", _TALL, tuple(_digest(told, rules))),
        Scene("forward", _LOW, tuple(_forward(told, rules))),
        Scene("away", _MIDDLE, tuple(_away(rules))),
    ]


def written(scene: Scene) -> str:
    """What a scene says, as it is kept beside its pictures: each text, and under it its entities one a line."""
    return "=====\n".join(_written(each) for each in scene.bubbles)


def _written(bubble: Bubble) -> str:
    units = bubble.message.text.encode("utf-16-le")
    rows = [
        " ".join(filter(None, (kind, units[2 * at : 2 * (at + length)].decode("utf-16-le"), url)))
        for kind, at, length, url in bubble.message.entities
    ]
    marks = [f"{bubble.at:%H:%M}", *["edited"] * bubble.edited, *([f"from {bubble.source}"] if bubble.source else [])]
    return "\n".join([bubble.message.text, "-----", " ".join(marks), *rows, ""])


def _told(rules: Rules) -> Iterator[Telling]:
    reading, span = Reading(sorted(FOLDER.glob("*.jsonl"))), Span.typed(*DAY, rules.zone)
    return tellings(span.ending(reading.revisions()), rules, reading.footers, span.since)


def _alert(told: list[Telling], address: str, rules: Rules) -> Bubble:
    """The alert about a post, as it reads then."""
    versions = [(at, message) for at, message in _of(told, address) if at <= _SEEN]
    (made, _), (_, newest) = versions[0], versions[-1]
    return Bubble(message=alert(newest, rules.zone), at=made.astimezone(rules.zone), edited=len(versions) > 1)


def _of(told: list[Telling], address: str) -> list[tuple[datetime, Alert]]:
    link = f"https://t.me/{address}"
    return [(one.at, one.message) for one in told if isinstance(one.message, Alert) and one.message.post.link == link]


def _forward(told: list[Telling], rules: Rules) -> Iterator[Bubble]:
    """An alert as it comes with ``form = "forward"``: the post itself, then its header."""
    at, made = _of(told, _FORWARDED)[0]
    here, post = at.astimezone(rules.zone), made.post
    yield Bubble(message=Message(post.text, post.entities), at=here, source=post.channel.shown)
    yield Bubble(message=header(made, rules.zone), at=here)


def _digest(told: list[Telling], rules: Rules) -> Iterator[Bubble]:
    """The digest in the evening."""
    [(at, made)] = [(one.at, one.message) for one in told if isinstance(one.message, Digest)]
    for message in digest(made, rules.zone):
        yield Bubble(message=message, at=at.astimezone(rules.zone))


def _away(rules: Rules) -> Iterator[Bubble]:
    """What a service tells that was away for some hours. A replay knows no lateness, so this asks the judge itself."""
    reading, desk = Reading(sorted(FOLDER.glob("*.jsonl"))), Desk(rules, _AWAY[0])
    missed: dict[PostId, Post] = {}
    for revision in Span(*_AWAY).ending(reading.revisions()):
        if revision.happening is Happening.DELETED:
            missed.pop(revision.post.id, None)
        elif revision.at >= _AWAY[0] and (revision.happening is Happening.POSTED or revision.post.id in missed):
            missed[revision.post.id] = revision.post
    back = _AWAY[1]
    arrivals = [Arrival(Revision(Happening.POSTED, post.date, post), back) for post in missed.values()]
    judged = judge(arrivals, rules, Stories(rules.fold_window), reading.footers, Pace())
    told = [one for judgement in judged.judgements for one in desk.take(judgement)]
    for one in [*told, *desk.advance(back)]:
        if isinstance(one.message, Bundle):
            for part in bundle(one.message, rules.zone):
                yield Bubble(message=part.message, at=one.at.astimezone(rules.zone))
