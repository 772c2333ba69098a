"""What the tables are told of a batch: from judgements to rows, and the rows written in one transaction."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.alert import Held, alerts
from bot.cursor import Cursor
from bot.intake import Intake
from bot.judge import Judged, Judgement
from bot.model import Alert, Carrier, Destination, Happening, Match, Notice, Post, PostId, Reason, Stands
from bot.pacing import EDITABLE
from bot.ports import Forward, Lane
from bot.render.alert import alert, header
from bot.render.richtext import Message as Text
from bot.rules import Rules
from bot.storage import bundles, channels, matches, notices, outbox, posts, stories
from bot.storage.bundles import Hold
from bot.storage.database import Connection
from bot.storage.matches import Revised, StoredMatch
from bot.storage.outbox import Saying
from bot.storage.posts import Message
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
    """Rows of one batch.

    ``renewed``: matches that were known, as they are after an edit. ``changed``: stories of which messages that stand
    already may say another thing now, ``unsaid`` those of which messages of this very batch may; ``lapsed``: posts
    (channel, number) that have changed, of which a message may tell that can be edited no more.
    """

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
    revised: list[Revised] = field(default_factory=list)
    changed: set[PostId] = field(default_factory=set)
    unsaid: set[PostId] = field(default_factory=set)
    lapsed: list[tuple[int, int]] = field(default_factory=list)
    #: By subject, what the operators have to be told.
    notices: dict[str, Notice] = field(default_factory=dict)

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
        self._change(c)
        if self.told:
            stories.tell(c, self.told)
        self._send(c)
        if self.held:
            bundles.hold(c, self.held)
        if any(row.stands is Stands.UNREADABLE for row in self.taken.messages.values()):
            notices.tell(c, "unreadable messages", _UNREADABLE, self.seen)
        for subject, notice in self.notices.items():
            notices.tell(c, subject, notice, self.seen)
        channels.set_cursors(c, self.cursors)

    def _change(self, c: Connection) -> None:
        """What was found before, as it is now; to be called when all that is new in it is written."""
        if self.renewed:
            matches.renew(c, self.renewed)
        if self.revised:
            matches.revise(c, self.revised)
        if self.lapsed:
            matches.find_again(c, self.lapsed, self.seen - EDITABLE)

    def _send(self, c: Connection) -> None:
        """What is to be sent, and which of the messages that stand are to be edited."""
        if self.changed:
            outbox.change(c, self.changed, self.seen)
        if self.messages:
            outbox.add(c, self.messages)
            if unsaid := self.unsaid.intersection(saying.story for row in self.messages for saying in row.says):
                outbox.change(c, unsaid, self.seen)


def entries(  # noqa: PLR0913 - all that a batch comes to
    judged: Judged,
    taken: Intake,
    cursors: Mapping[int, Cursor],
    rules: Rules,
    also: Also,
    *,
    seen: datetime,
    secret: bytes,
    stored: Iterable[Message] = (),
) -> Entries:
    """The rows of a judged batch, its alerts rendered and so frozen. ``stored``: the rows that it was compared with."""
    found = Entries(taken, cursors, seen, posts.packed(taken.messages.values()), members=judged.stories.added)
    found.renamed = [(PostId(str(channel), old), PostId(str(channel), new)) for channel, old, new in taken.moves]
    for (story, destination), topics in judged.stories.tellings():
        found.told += [(story, destination, topic, urgent, seen) for topic, urgent in topics.items()]
    press = _Press(rules, secret, seen, _Messages(taken, stored))
    for judgement in judged.judgements:
        new, renewed = _matches(judgement, rules)
        found.matches += new
        found.renewed += renewed
        _revise(found, judgement)
        for told in alerts(judgement, rules, also(judgement.story, judgement.revision.post.id)):
            if isinstance(told, Held):
                found.held.append(_hold(told, judgement))
            else:
                found.messages.append(press.row(told))
                if rules.forward and (why := _unforwardable(told.post)) is not None:
                    name = f"@{told.post.channel.username}" if told.post.channel.username else told.post.channel.name
                    what = f"Posts of {name} cannot be forwarded ({why}); its alerts are excerpts."
                    found.notices[f"forward {name}"] = Notice(what)
    return found


def _unforwardable(post: Post) -> str | None:
    """Why nobody can forward it, as far as that is known without trying."""
    if post.protected:
        return "the channel does not allow it"
    return "it is private" if post.channel.username is None else None


def _revise(found: Entries, judgement: Judgement) -> None:
    """What this changes in what was found and told before."""
    happening, post = judgement.revision.happening, judgement.revision.post
    if happening is Happening.POSTED:
        if judgement.story != post.id:
            found.changed.add(judgement.story)
        return
    found.changed.add(judgement.story)
    channel, gone, edited = int(post.id.channel), happening is Happening.DELETED, happening is Happening.EDITED
    topics = tuple(match.topic for match in judgement.matches) or None
    found.revised.append(
        Revised(channel, post.number, judgement.seen if edited else None, post.footer, None if gone else topics)
    )
    if not edited:
        # That its post is gone already, or was edited before its album grew, an alert of this batch does not say.
        found.unsaid.add(judgement.story)
    if gone or edited:
        found.lapsed.append((channel, post.number))


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
        footer=post.footer,
    )


def _hold(told: Held, judgement: Judgement) -> Hold:
    post = judgement.revision.post.id
    return Hold(told.alert.destination, told.reason, told.due, int(post.channel), post.number, judgement.seen)


class _Messages:
    """The messages that posts are made of, after a batch."""

    def __init__(self, taken: Intake, stored: Iterable[Message]) -> None:
        self._taken = taken
        self._stored = stored

    def numbers(self, post: PostId) -> tuple[int, ...]:
        """Those of a post that are still there; several of an album."""
        rows = {(row.channel, row.number): row for row in self._stored} | self._taken.messages
        channel = int(post.channel)
        mine = (row for row in rows.values() if (row.channel, row.post) == (channel, post.number))
        return tuple(sorted(row.number for row in mine if row.stands is Stands.POST and row.deleted is None))


@dataclass(frozen=True, slots=True)
class _Press:
    """Makes messages of alerts, as they are frozen."""

    rules: Rules
    secret: bytes
    seen: datetime
    messages: _Messages

    def row(self, told: Alert) -> outbox.Row:
        """A post alerts a destination once more only with other topics, at another time: so the key is its own."""
        key = f"alert {told.post.id} {told.destination} {int(self.seen.timestamp() * 1_000_000)}"
        said = alert(told, self.rules.zone)
        forward = self._forward(told.post, key, said) if self.rules.forward else None
        post = told.post.id
        return outbox.Row(
            key=key,
            destination=told.destination,
            lane=Lane.URGENT if told.urgent else Lane.ALERT,
            message=said if forward is None else header(told, self.rules.zone),
            made=self.seen,
            random_id=outbox.random_id(self.secret, key),
            forward=forward,
            says=(Saying(told.story, int(post.channel), post.number, told.names, told.urgent, told.edited),),
        )

    def _forward(self, post: Post, key: str, excerpt: Text) -> Forward | None:
        """None where it is known that it cannot be."""
        channel, numbers = post.channel, self.messages.numbers(post.id)
        if _unforwardable(post) is not None or channel.id is None or not numbers:
            return None
        return Forward(
            channel=channel.id,
            username=channel.username,
            numbers=numbers,
            random_ids=tuple(outbox.random_id(self.secret, f"{key} forward {number}") for number in numbers),
            excerpt=excerpt,
        )
