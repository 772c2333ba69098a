"""What the tables are told of a batch: from judgements to rows, and the rows written in one transaction."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.alert import Held, alerts
from bot.cursor import Cursor
from bot.intake import Intake
from bot.judge import Judged, Judgement
from bot.model import Alert, Carrier, Destination, Match, Notice, PostId, Reason, Stands
from bot.ports import Lane
from bot.render.alert import alert
from bot.rules import Rules
from bot.storage import bundles, channels, matches, notices, outbox, posts, stories
from bot.storage.bundles import Hold
from bot.storage.database import Connection
from bot.storage.matches import StoredMatch
from bot.stories.member import Member

#: Told once, however many there are: it is the same thing to do about all of them.
_UNREADABLE = Notice(
    "Telegram sends messages of a kind that this version cannot read; update vedette.",
    ("Until then their numbers are kept, but what they say is not matched.",),
)
#: Where else a story ran, asked of its id and the post that is told of.
Also = Callable[[PostId, PostId], tuple[Carrier, ...]]


@dataclass(slots=True)
class Entries:
    """Rows of one batch. ``renewed``: matches that were known, as they are after an edit."""

    taken: Intake
    cursors: Mapping[int, Cursor]
    seen: datetime
    rows: str
    matches: list[StoredMatch] = field(default_factory=list)
    renewed: list[StoredMatch] = field(default_factory=list)
    members: tuple[Member, ...] = ()
    renamed: list[tuple[PostId, PostId]] = field(default_factory=list)
    told: list[tuple[PostId, Destination, str, bool, datetime]] = field(default_factory=list)
    messages: list[outbox.Row] = field(default_factory=list)
    held: list[Hold] = field(default_factory=list)

    def write(self, c: Connection) -> None:
        """Writes all of them; to be called inside a transaction."""
        posts.put(c, self.rows)
        if self.taken.versions:
            posts.keep_versions(c, self.taken.versions)
        if self.taken.moves:
            posts.move(c, self.taken.moves)
            stories.rename(c, self.renamed)
        if self.members:
            stories.add(c, self.members)
        if self.matches:
            matches.add(c, self.matches)
        if self.renewed:
            matches.renew(c, self.renewed)
        if self.told:
            stories.tell(c, self.told)
        if self.messages:
            outbox.add(c, self.messages)
        if self.held:
            bundles.hold(c, self.held)
        if any(row.stands is Stands.UNREADABLE for row in self.taken.messages.values()):
            notices.tell(c, "unreadable messages", _UNREADABLE, self.seen)
        channels.set_cursors(c, self.cursors)


def entries(  # noqa: PLR0913 - all that a batch comes to
    judged: Judged,
    taken: Intake,
    cursors: Mapping[int, Cursor],
    rules: Rules,
    also: Also,
    *,
    seen: datetime,
    secret: bytes,
) -> Entries:
    """The rows of a judged batch, its alerts rendered and so frozen."""
    found = Entries(taken, cursors, seen, posts.packed(taken.messages.values()), members=judged.stories.added)
    found.renamed = [(PostId(str(channel), old), PostId(str(channel), new)) for channel, old, new in taken.moves]
    for (story, destination), topics in judged.stories.tellings():
        found.told += [(story, destination, topic, urgent, seen) for topic, urgent in topics.items()]
    for judgement in judged.judgements:
        new, renewed = _matches(judgement, rules)
        found.matches += new
        found.renewed += renewed
        for told in alerts(judgement, rules, also(judgement.story, judgement.revision.post.id)):
            if isinstance(told, Held):
                found.held.append(_hold(told, judgement))
            else:
                found.messages.append(_message(told, rules, secret, seen))
    return found


def _matches(judgement: Judgement, rules: Rules) -> tuple[list[StoredMatch], list[StoredMatch]]:
    """The new matches of a post, and those that it had before, with their hits as they are now."""
    decided = {decision.match.topic: decision for decision in judgement.decisions}
    new, renewed = [], []
    for match in judgement.matches:
        decision = decided.get(match.topic)
        row = _match(judgement, match, rules)
        if decision is None:
            renewed.append(row)
        else:
            new.append(row._replace(reason=decision.reason, due=decision.due))
    return new, renewed


def _match(judgement: Judgement, match: Match, rules: Rules) -> StoredMatch:
    post, topic = judgement.revision.post, rules.topics[match.topic]
    return StoredMatch(
        channel=int(post.id.channel),
        number=post.number,
        topic=match.topic,
        title=topic.title,
        keywords=json.dumps(match.keywords, ensure_ascii=False),
        hits=json.dumps([hit.as_json() for hit in match.hits], ensure_ascii=False),
        story=judgement.story,
        destination=topic.destination,
        reason=Reason.DIGEST,
        due=None,
        seen=judgement.seen,
    )


def _hold(told: Held, judgement: Judgement) -> Hold:
    post = judgement.revision.post.id
    return Hold(told.alert.destination, told.reason, told.due, int(post.channel), post.number, judgement.seen)


def _message(told: Alert, rules: Rules, secret: bytes, seen: datetime) -> outbox.Row:
    """The alert as it is frozen. A post alerts a destination once more only with other topics, at another time."""
    said = alert(told, rules.zone)
    key = f"alert {told.post.id} {told.destination} {int(seen.timestamp() * 1_000_000)}"
    return outbox.Row(
        key=key,
        destination=told.destination,
        lane=Lane.URGENT if told.urgent else Lane.ALERT,
        random_id=outbox.random_id(secret, key),
        text=said.text,
        entities=said.entities,
        story=told.story,
        post=told.post.id,
        made=seen,
    )
