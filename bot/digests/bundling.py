"""Closes bundles: what was held for a destination becomes one message, of the alerts that nothing else has told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from bot.model import Alert, Bundle, PostId, Reason
from bot.ports import Lane
from bot.render.bundle import Part
from bot.render.bundle import bundle as rendered
from bot.retelling import alerts_now
from bot.rules import Rules
from bot.storage import bundles, matches, outbox
from bot.storage.bundles import Basis, OpenBundle
from bot.storage.database import Connection, Database
from bot.storage.matches import StoredMatch
from bot.storage.outbox import Row, Saying
from bot.storage.times import to_integer
from bot.untold import untold


class Composed(NamedTuple):
    """What a bundle comes to, and what it was made of; without alerts there is nothing left to be told."""

    bundle: Bundle
    basis: Basis


async def compose(database: Database, bundle: OpenBundle, rules: Rules) -> Composed:
    """An open bundle as it would be told now: of each post all topics that were found in it for this destination."""
    basis = await bundles.basis(database, bundle.id)
    found: dict[PostId, list[StoredMatch]] = {}
    for match in await matches.matches_of(database, basis.held, bundle.destination):
        found.setdefault(PostId(str(match.channel), match.number), []).append(match)
    order = {name: place for place, name in enumerate(rules.topics)}
    sayings = [_saying(post, found[post], bundle.reason, order) for post in basis.held if post in found]
    waiting = await alerts_now(database, rules, bundle.destination, sayings)
    told = Bundle(
        destination=bundle.destination,
        reason=bundle.reason,
        since=bundle.since,
        # What was late is told when all of it is found; the other moments were named beforehand.
        until=max(bundle.due, basis.until) if bundle.reason is Reason.LATE else bundle.due,
        alerts=tuple(untold(waiting, basis.told)),
    )
    return Composed(told, basis)


def _saying(post: PostId, found: Iterable[StoredMatch], reason: Reason, order: dict[str, int]) -> Saying:
    """What it was held for is told in any case, and else what it is still of. What is urgent is never held."""
    here = [match for match in found if match.reason is reason or not match.stale]
    topics = sorted(here, key=lambda match: (order.get(match.topic, len(order)), match.id))
    names = tuple(match.topic for match in topics)
    return Saying(topics[0].story, int(post.channel), post.number, names, urgent=False, edited=False)


async def close(  # noqa: PLR0913 - what a message is made of
    database: Database, bundle: OpenBundle, rules: Rules, now: datetime, secret: bytes, *, silent: bool
) -> int | None:
    """Tells an open bundle; returns how many alerts that are, which may be none.

    None, and nothing is done, where it was told already or has changed meanwhile. Raises StorageError.
    """
    told, basis = await compose(database, bundle, rules)
    parts = await asyncio.to_thread(rendered, told, rules.zone) if told.alerts else []
    rows = list(_rows(bundle, parts, now, secret, silent=silent))

    def work(c: Connection) -> bool:
        if not bundles.close(c, bundle.id, basis, now, told.until):
            return False
        outbox.add(c, rows)
        return True

    return len(told.alerts) if await database.write(work) else None


def _rows(bundle: OpenBundle, parts: Sequence[Part], now: datetime, secret: bytes, *, silent: bool) -> Iterator[Row]:
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
            silent=silent,
            says=tuple(map(_said, alerts)),
            bundle=bundle.id,
        )


def _said(alert: Alert) -> Saying:
    id_ = alert.post.id
    return Saying(alert.story, int(id_.channel), id_.number, alert.names, alert.urgent, alert.edited)
