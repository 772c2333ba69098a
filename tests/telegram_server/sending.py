"""Methods that write: sending once for each random_id, editing, forwarding.

https://core.telegram.org/method/messages.sendMessage
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from telethon.tl import types

from tests.telegram_server.asking import Ask
from tests.telegram_server.channel import WorldChannel
from tests.telegram_server.posts import Standing
from tests.telegram_server.rights import may_edit, may_forward, may_write, thread_of
from tests.telegram_server.wire import Refusal
from tests.telegram_server.world import Person

if TYPE_CHECKING:
    from tests.telegram_server.mtproto import Connection
    from tests.telegram_server.server import TelegramServer

_LONGEST = 4096
_MOST_ENTITIES = 100


@dataclass(slots=True, eq=False, kw_only=True)
class Sent:
    """A message that a client has sent. ``peer`` is the chat's marked id; ``number`` is the sender's own in a
    private chat. ``repeats`` counts the same random_id coming again; ``edits`` are later texts with their entities.
    ``forwarded`` is the marked id and number of what was forwarded, ``thread`` the topic or message answered to,
    ``at`` when it came, in seconds of the faults' time.
    """

    person: int
    peer: int
    number: int
    text: str
    entities: tuple[Any, ...]
    random_id: int
    forwarded: tuple[int, int] | None = None
    silent: bool = False
    thread: int | None = None
    at: float = 0.0
    repeats: int = 0
    edits: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)

    @property
    def reads(self) -> str:
        """What stands there now."""
        return self.edits[-1][0] if self.edits else self.text


class Content(NamedTuple):
    """What a message to be put somewhere consists of, in Telegram's objects."""

    text: str
    entities: Sequence[Any] = ()
    media: Any = None
    forward: Any = None
    reply_to: int | None = None


Chat = WorldChannel | Person


def send_message(ask: Ask, request: Any) -> Any:
    chat = _chat(ask, request.peer)
    repeated = _repeated(ask, chat, request.random_id)
    if repeated is not None:
        return _again(ask, chat, repeated)
    kept = _checked(request.message, request.entities)
    thread = thread_of(request)
    may_write(ask, chat, thread)
    if isinstance(chat, Person) and chat.token is not None:
        ask.person.started.add(chat.id)
    standing = _put(ask, chat, Content(request.message, kept, reply_to=thread))
    sent = Sent(
        person=ask.me,
        peer=_marked(chat),
        number=standing.number,
        text=request.message,
        entities=tuple(kept),
        random_id=request.random_id,
        silent=bool(request.silent),
        thread=thread,
        at=ask.faults.seconds_now(),
    )
    _remember(ask, sent)
    if isinstance(chat, WorldChannel):
        return _answer(ask, chat, [sent])
    return types.UpdateShortSentMessage(
        standing.number, ask.person.pts, 1, standing.message.date, out=True, entities=kept or None
    )


def forward_messages(ask: Ask, request: Any) -> Any:
    source, chat = ask.channel(request.from_peer), _chat(ask, request.to_peer)
    if len(request.id) != len(request.random_id):
        raise Refusal(400, "RANDOM_ID_INVALID")
    may_forward(ask, source)
    may_write(ask, chat, thread_of(request))
    done = [_forwarded(ask, chat, source, request, *pair) for pair in zip(request.id, request.random_id, strict=True)]
    return _answer(ask, chat, done)


def _forwarded(  # noqa: PLR0913, PLR0917 - from where to where
    ask: Ask, chat: Chat, source: WorldChannel, request: Any, number: int, random_id: int
) -> Sent:
    repeated = _repeated(ask, chat, random_id)
    if repeated is not None:
        return repeated
    origin = source.living(number)
    if origin is None or not isinstance(origin.message, types.Message):
        raise Refusal(400, "MESSAGE_ID_INVALID")
    header = types.MessageFwdHeader(date=origin.message.date, from_id=source.peer, channel_post=number)
    text, kept = origin.message.message, origin.message.entities or []
    thread = thread_of(request)
    standing = _put(ask, chat, Content(text, kept, origin.message.media, header, thread))
    sent = Sent(
        person=ask.me,
        peer=_marked(chat),
        number=standing.number,
        text=text,
        entities=tuple(kept),
        random_id=random_id,
        forwarded=(source.marked, number),
        silent=bool(request.silent),
        thread=thread,
        at=ask.faults.seconds_now(),
    )
    _remember(ask, sent)
    return sent


def edit_message(ask: Ask, request: Any) -> Any:
    chat = _chat(ask, request.peer)
    standing = chat.living(request.id) if isinstance(chat, WorldChannel) else ask.person.messages.get(request.id)
    if standing is None or (isinstance(chat, Person) and ask.person.chats[request.id] != chat.id):
        raise Refusal(400, "MESSAGE_ID_INVALID")
    may_edit(ask, chat, standing)
    kept = _checked(request.message or "", request.entities)
    before = standing.message.message, _said(standing.message.entities)
    if before == (request.message, _said(kept)):
        raise Refusal(400, "MESSAGE_NOT_MODIFIED")
    for sent in ask.server.sent:
        if (sent.person, sent.peer, sent.number) == (ask.me, _marked(chat), request.id):
            sent.edits.append((request.message, tuple(kept)))
    if isinstance(chat, WorldChannel):
        chat.edit(request.id, request.message, entities=kept)
        update = types.UpdateEditChannelMessage(standing.raw(ask.me), chat.pts, 1)
        return ask.views.updates([update], [ask.views.channel(chat, ask.me)], [ask.me], ask.me)
    return _edited_privately(ask, chat, standing, request.message, kept)


def _edited_privately(ask: Ask, chat: Person, standing: Standing, text: str, kept: list[Any]) -> Any:
    updates: dict[int, Any] = {}
    twin = ask.server.twins.get((ask.me, standing.number))
    for person, number in [(ask.me, standing.number), *([twin] if twin else [])]:
        box = ask.world.people[person]
        copy = box.messages[number]
        copy.text = copy.message.message = text
        copy.message.entities = kept or None
        copy.message.edit_date = ask.world.now()
        copy.changed()
        updates[person] = types.UpdateEditMessage(copy.raw(), box.moved(number), 1)
        made = ask.views.updates([updates[person]], [], (ask.me, chat.id), person)
        ask.server.push_to(person, made, but=ask.connection)
    return ask.views.updates([updates[ask.me]], [], (ask.me, chat.id), ask.me)


def _said(found: Any) -> list[bytes]:
    return [bytes(one) for one in found or ()]


def _checked(text: str, found: Any) -> list[Any]:
    """The entities that are kept, of a text that may be sent."""
    units = len(text.encode("utf-16-le")) // 2
    if not text.strip():
        raise Refusal(400, "MESSAGE_EMPTY")
    if units > _LONGEST:
        raise Refusal(400, "MESSAGE_TOO_LONG")
    if any(one.offset < 0 or one.length < 0 or one.offset + one.length > units for one in found or ()):
        raise Refusal(400, "ENTITY_BOUNDS_INVALID")
    return list(found or ())[:_MOST_ENTITIES]


def _chat(ask: Ask, peer: Any) -> Chat:
    if getattr(peer, "channel_id", None) is not None:
        return ask.channel(peer)
    return ask.user(peer)


def _marked(chat: Chat) -> int:
    return chat.marked if isinstance(chat, WorldChannel) else chat.id


def _repeated(ask: Ask, chat: Chat, random_id: int) -> Sent | None:
    """The message that this account has sent to this chat under the same random_id, however long ago."""
    sent = ask.server.by_random_id.get((ask.me, _marked(chat), random_id))
    if sent is not None:
        sent.repeats += 1
        if ask.faults.executing(random_id, ask.faults.seconds_now() - sent.at):
            raise Refusal(500, "RANDOM_ID_DUPLICATE")
    return sent


def _remember(ask: Ask, sent: Sent) -> None:
    ask.server.sent.append(sent)
    ask.server.by_random_id[sent.person, sent.peer, sent.random_id] = sent


def _put(ask: Ask, chat: Chat, content: Content) -> Standing:
    if isinstance(chat, WorldChannel):
        number = chat.post(
            content.text,
            entities=content.entities,
            media=content.media,
            forward=content.forward,
            author=ask.me,
            reply_to=content.reply_to,
            topic=content.reply_to in chat.topics,
        )
        return chat.standing[number]
    return write(ask.server, ask.person, chat, content, acting=ask.connection)


def write(
    server: TelegramServer, sender: Person, chat: Person, content: Content, *, acting: Connection | None = None
) -> Standing:
    """Puts a private message into the boxes of both, under a number of its own in each; the sender's is returned."""
    pairs = [(sender, chat)] if chat is sender else [(sender, chat), (chat, sender)]
    made = [(box.id, _boxed(server, box, other, sender, content, acting)) for box, other in pairs]
    if len(made) > 1:
        server.twins[made[0]] = made[1]
    return sender.messages[made[0][1]]


def _boxed(  # noqa: PLR0913, PLR0917 - who and where and what
    server: TelegramServer,
    box: Person,
    other: Person,
    sender: Person,
    content: Content,
    acting: Connection | None,
) -> int:
    """Puts one copy into a box and pushes it there; returns its number."""
    message = types.Message(
        id=max(box.messages, default=0) + 1,
        peer_id=types.PeerUser(other.id),
        from_id=types.PeerUser(sender.id),
        date=server.world.now(),
        message=content.text,
        entities=list(content.entities) or None,
        media=content.media,
        fwd_from=content.forward,
        out=True if box is sender else None,
    )
    standing = Standing(message, content.text, sender.id)
    update = types.UpdateNewMessage(standing.raw(), box.keep(standing, other.id), 1)
    server.push_to(box.id, server.views.updates([update], [], (sender.id, other.id), box.id), but=acting)
    return standing.number


def _again(ask: Ask, chat: Chat, sent: Sent) -> Any:
    """A repeated send brings the first message once more, and no event."""
    return _answer(ask, chat, [sent], count=0)


def _answer(ask: Ask, chat: Chat, done: list[Sent], *, count: int = 1) -> Any:
    named = [types.UpdateMessageID(sent.number, sent.random_id) for sent in done]
    if isinstance(chat, WorldChannel):
        found = [chat.living(sent.number) for sent in done]
        first = chat.pts - len(done)
        new = [
            types.UpdateNewChannelMessage(one.raw(ask.me), first + at if count else chat.pts, count)
            for at, one in enumerate(found, 1)
            if one is not None
        ]
        chats = [ask.views.channel(chat, ask.me)]
        return ask.views.updates([*named, *new], chats, [ask.me], ask.me)
    box = ask.person
    first = box.pts - len(done)
    new = [
        types.UpdateNewMessage(box.messages[sent.number].raw(), first + at if count else box.pts, count)
        for at, sent in enumerate(done, 1)
    ]
    return ask.views.updates([*named, *new], [], (ask.me, chat.id), ask.me)
