"""Closes bundles: what was held for a destination becomes one message, of the alerts that nothing else has told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from operator import attrgetter
from typing import NamedTuple

from bot.model import Alert, Bundle, Deliver, Destination, PostId, Reason
from bot.ports import Lane
from bot.render.bundle import Part
from bot.render.bundle import bundle as rendered
from bot.retelling import alerts_now
from bot.rules import Rules
from bot.storage import bundles, digests, matches, outbox
from bot.storage.bundles import Basis, OpenBundle
from bot.storage.database import Connection, Database
from bot.storage.matches import StoredMatch
from bot.storage.outbox import Row, Saying
from bot.storage.times import to_integer
from bot.untold import foremost, untold

_BY_DATE = attrgetter("post.date")
#: Of a post that is not stored; after all that are.
_NEVER = 1 << 63


class Composed(NamedTuple):
    """What a bundle comes to, and what it was made of; without alerts there is nothing left to be told."""

    bundle: Bundle
    basis: Basis


async def compose(database: Database, bundle: OpenBundle, rules: Rules, now: datetime) -> Composed:
    """An open bundle as it would be told now: of each post all topics that were found in it for this destination."""
    basis = await bundles.basis(database, bundle.id)
    found: dict[PostId, list[StoredMatch]] = {}
    for match in await matches.matches_of(database, basis.held, bundle.destination):
        found.setdefault(PostId(str(match.channel), match.number), []).append(match)
    order = {name: place for place, name in enumerate(rules.topics)}
    urgent = urgent_topics(rules)
    sayings = [_saying(post, found[post], bundle.reason, order, urgent) for post in basis.held if post in found]
    if bundle.reason is Reason.LATE:
        sayings = await _from_the_first(database, bundle.destination, sayings, order)
    waiting = await alerts_now(database, rules, bundle.destination, sayings)
    left = sorted(untold(waiting, basis.told), key=_BY_DATE)
    alerts = tuple(foremost(left))
    told = Bundle(
        destination=bundle.destination,
        reason=bundle.reason,
        since=bundle.since,
        # The moment was named beforehand, but what is late is told when all of it is found, and hours may change.
        until=max(min(bundle.due, now), basis.until),
        alerts=alerts,
        more=len(left) - len(alerts),
    )
    return Composed(told, basis)


def _saying(
    post: PostId, found: Iterable[StoredMatch], reason: Reason, order: dict[str, int], urgent: frozenset[str]
) -> Saying:
    """What it was held for is told in any case, and else what it is still of."""
    here = [match for match in found if match.reason is reason or not match.stale]
    topics = sorted(here, key=lambda match: (order.get(match.topic, len(order)), match.id))
    names = tuple(match.topic for match in topics)
    rings = any(match.reason is reason and match.topic in urgent for match in here)
    return Saying(topics[0].story, int(post.channel), post.number, names, urgent=rings, edited=False)


async def _from_the_first(
    database: Database, to: Destination, sayings: Iterable[Saying], order: dict[str, int]
) -> list[Saying]:
    """Each said of the story's first post that is of the same topics for this destination.

    What is late is found channel by channel, so what is held is the post of the channel that was read first.
    """
    held = {PostId(str(one.channel), one.number): one for one in sayings}
    ran = await digests.ran(database, dict.fromkeys(str(one.story) for one in held.values()))
    dates = {PostId(str(post.channel), post.number): post.date for posts in ran.values() for post in posts}
    topics: dict[PostId, dict[PostId, set[str]]] = {}
    for match in await matches.matches_of(database, dates.keys(), to):
        if match.reason is not Reason.HISTORY and not match.stale:
            here = topics.setdefault(match.story, {})
            here.setdefault(PostId(str(match.channel), match.number), set()).add(match.topic)
    made: dict[PostId, Saying] = {}
    for post, one in held.items():
        others = topics.get(one.story, {})
        like = [other for other, names in others.items() if names >= set(one.topics)]
        lead = min([post, *like], key=lambda other: (dates.get(other, _NEVER), other != post))
        names = (
            tuple(sorted(others[lead], key=lambda name: order.get(name, len(order)))) if lead != post else one.topics
        )
        rings = one.urgent or (lead in made and made[lead].urgent)
        made[lead] = one._replace(channel=int(lead.channel), number=lead.number, topics=names, urgent=rings)
    return list(made.values())


def urgent_topics(rules: Rules) -> frozenset[str]:
    """The names of those that are told in quiet hours too; what is urgent waits only where it is late."""
    return frozenset(topic.name for topic in rules.topics.values() if topic.deliver is Deliver.URGENT)


async def close(database: Database, bundle: OpenBundle, rules: Rules, now: datetime, secret: bytes) -> int | None:
    """Tells an open bundle; returns how many alerts that are, which may be none.

    None, and nothing is done, where it was told already or has changed meanwhile; what is late is told then all the
    same, and what has come meanwhile waits on. Raises StorageError.
    """
    told, basis = await compose(database, bundle, rules, now)
    parts = await asyncio.to_thread(rendered, told, rules.zone) if told.alerts else []
    rows = list(_rows(bundle, parts, now, secret))

    def work(c: Connection) -> bool:
        changed: set[PostId] | None = set()
        if bundle.reason is Reason.LATE:
            # A sweep may bring more and more of them, each of which would have the message composed anew.
            changed = bundles.cut(c, bundle.id, basis, now, told.until, more=told.more)
        elif not bundles.close(c, bundle.id, basis, now, told.until, more=told.more):
            changed = None
        if changed is None:
            return False
        outbox.add(c, rows)
        outbox.change(c, changed, now)
        return True

    return len(told.alerts) if await database.write(work) else None


def _rows(bundle: OpenBundle, parts: Sequence[Part], now: datetime, secret: bytes) -> Iterator[Row]:
    for number, (message, alerts) in enumerate(parts, start=1):
        key = f"bundle {bundle.id} {number}"
        yield Row(
            key=key,
            destination=bundle.destination,
            lane=Lane.ALERT,
            message=message,
            made=now,
            # Telegram never forgets one, and a database that was restored from a backup counts anew.
            random_id=outbox.random_id(secret, f"{key} {to_integer(now)}"),
            says=tuple(map(_said, alerts)),
            bundle=bundle.id,
        )


def _said(alert: Alert) -> Saying:
    id_ = alert.post.id
    return Saying(alert.story, int(id_.channel), id_.number, alert.names, alert.urgent, alert.edited)
