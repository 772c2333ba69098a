"""What messages that were sent say now: of stories that ran on elsewhere, of posts that were edited or are gone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter

from bot.alert import hits_of
from bot.model import Alert, Bundle, Carrier, Destination, Post, PostId
from bot.render.alert import alert, header
from bot.render.bundle import part
from bot.render.richtext import Message
from bot.rules import Rules
from bot.storage import matches, tellings
from bot.storage.database import Database
from bot.storage.matches import StoredMatch, match_of
from bot.storage.outbox import Saying
from bot.storage.tellings import Said
from bot.stories.carriers import carrier

_BY_DATE = attrgetter("date")


class Retelling:
    """Asked for a message when it is about to be edited, so that it says what is known at that moment."""

    def __init__(self, database: Database, rules: Callable[[], Rules]) -> None:
        self._database = database
        self._rules = rules

    async def as_now(self, message: int) -> Message | None:
        """How a message of the outbox (its id there) reads now; None where it is to stay as it is.

        It stays so when it tells of no story, when a post of it is no longer stored, and when a part of a bundle would
        not fit into one message any more, however little is told of each story. Raises StorageError.
        """
        said = await tellings.said(self._database, message)
        if said is None:
            return None
        rules = self._rules()
        told = await alerts_now(self._database, rules, said.destination, said.sayings)
        if len(told) != len(said.sayings):
            return None
        made = _rendered(said, told, rules)
        return made if made.fits() else None


def _rendered(said: Said, told: Sequence[Alert], rules: Rules) -> Message:
    if said.bundle is None:
        return header(told[0], rules.zone) if said.forward else alert(told[0], rules.zone)
    reason, since, due, stories, first, more = said.bundle
    to, alerts = said.destination, tuple(told)
    bundle = Bundle(destination=to, reason=reason, since=since, until=due, alerts=alerts, more=more)
    return part(bundle, rules.zone, of=stories, first=first)


async def alerts_now(
    database: Database, rules: Rules, destination: Destination, sayings: Sequence[Saying]
) -> list[Alert]:
    """What is said to a destination, as it is now; what is said of a post that is not stored is left out."""
    leads = [_post(saying) for saying in sayings]
    members = await tellings.members(database, {saying.story for saying in sayings})
    posts = await tellings.posts(database, {*leads, *(id_ for ids in members.values() for id_ in ids)})
    found: dict[PostId, list[StoredMatch]] = {}
    for match in await matches.matches_of(database, set(leads)):
        found.setdefault(PostId(str(match.channel), match.number), []).append(match)
    desk = _Desk(rules, destination)
    return [
        desk.alert(
            saying,
            posts[lead],
            found.get(lead, ()),
            (posts[id_] for id_ in members.get(saying.story, ()) if id_ in posts and id_ != lead),
        )
        for saying, lead in zip(sayings, leads, strict=True)
        if lead in posts
    ]


def _post(saying: Saying) -> PostId:
    return PostId(str(saying.channel), saying.number)


@dataclass(frozen=True, slots=True)
class _Desk:
    """Where alerts to one destination are written."""

    rules: Rules
    destination: Destination

    def alert(self, saying: Saying, post: Post, found: Sequence[StoredMatch], others: Iterable[Post]) -> Alert:
        """Of a topic that is no longer configured the title is that of its match.

        What is said of a post may have been found for another destination, if its topic was moved here since.
        """
        stored, topics = {match.topic: match.title for match in found}, self.rules.topics
        here = [one for one in found if one.destination == self.destination or one.topic in saying.topics]
        return Alert(
            destination=self.destination,
            story=saying.story,
            names=saying.topics,
            topics=tuple(topics[name].title if name in topics else stored.get(name, name) for name in saying.topics),
            post=replace(post, channel=self.rules.labelled(post.channel)),
            hits=hits_of([match_of(match) for match in here if not match.stale]),
            also=elsewhere(others, self.rules),
            edited=saying.edited or any(match.edited for match in found),
            deleted=post.deleted is not None,
            urgent=saying.urgent,
        )


def elsewhere(others: Iterable[Post], rules: Rules) -> tuple[Carrier, ...]:
    """Where else a story ran than in the post that is told: its other posts by date, also those that are gone."""
    labelled = (replace(post, channel=rules.labelled(post.channel)) for post in others)
    return tuple(sorted((carrier(post, deleted=post.deleted is not None) for post in labelled), key=_BY_DATE))
