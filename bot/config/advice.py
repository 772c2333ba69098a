"""What a valid configuration says that looks unwise: told by ``check``, never refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from bot.config.faults import named
from bot.config.settings import Settings, Telegram, Topic
from bot.model import ChannelRef, Deliver, Invite, Me
from bot.query.lexicon import Lexicon
from bot.query.nodes import Query, Term
from bot.query.notes import notes
from bot.schedule import Never, next_moment
from bot.text.morphology.language import How

#: https://core.telegram.org/api/obtaining_api_id
_HASH = re.compile("[0-9a-f]{32}", re.IGNORECASE)
#: What config.example.toml has in the place of api_hash.
_EXAMPLE = "0123456789abcdef0123456789abcdef"
#: Days repeat themselves, so any will do to ask for the next of a kind.
_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)


class Advice(NamedTuple):
    """Something to think about, and the key that it is about, as ``topics.syria.keywords[3]``."""

    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.where}: {self.text}"


def advise(
    settings: Settings, lexicon: Lexicon, advance: Callable[[int], None] = lambda _done: None
) -> tuple[Advice, ...]:
    """Everything that looks unwise. ``advance`` hears how many topics are done: forms of words take their time."""
    found = [*_credentials(settings.telegram), *_destinations(settings), *_channels(settings), *_times(settings)]
    for done, topic in enumerate(settings.topics):
        advance(done)
        found += _topic(topic, settings, lexicon)
    return tuple(dict.fromkeys(found))


def _credentials(telegram: Telegram) -> Iterator[Advice]:
    if telegram.api_hash is not None and telegram.api_hash.get_secret_value() == _EXAMPLE:
        text = "the credentials are still those of the example; yours come from my.telegram.org and @BotFather"
        yield Advice("telegram", text)
    if _is_placeholder(telegram):
        text = (
            "a placeholder counts as none: no bot speaks, the reader does, and what it writes to itself does not ring"
        )
        yield Advice("telegram.bot_token", f"{text}; write the token of @BotFather, or remove the key")
    if (telegram.api_id is None) != (telegram.api_hash is None):
        yield Advice("telegram", "api_id and api_hash belong together, and one of them is missing")
    if telegram.api_hash is not None and not _HASH.fullmatch(telegram.api_hash.get_secret_value()):
        yield Advice("telegram.api_hash", "those of my.telegram.org are 32 hexadecimal digits; this one is not")


def _is_placeholder(telegram: Telegram) -> bool:
    """Whether there is something in the place of a bot's token, and it is none."""
    return telegram.bot_token is None and "bot_token" in telegram.model_fields_set


def _destinations(settings: Settings) -> Iterator[Advice]:
    by_default = [topic for topic in settings.topics if topic.chat is None]
    chats = [("digest.chat", settings.digest.chat)] if by_default else []
    chats += [
        (named(("topics", topic.name, "chat")), topic.chat) for topic in settings.topics if topic.chat is not None
    ]
    where = next((where for where, chat in chats if isinstance(chat.chat, Me)), None)
    if where is not None and settings.telegram.bot_token is None and not _is_placeholder(settings.telegram):
        yield Advice(where, 'without a bot token "me" is Saved Messages, where nothing rings; set telegram.bot_token')
    if isinstance(settings.digest.policy, Never):
        for topic in settings.topics:
            if topic.deliver is Deliver.DIGEST:
                text = 'it is told in digests, and digests are switched off; set digest.at, or deliver = "alert"'
                yield Advice(named(("topics", topic.name)), text)
    elif next_moment(settings.digest.policy, settings.timezone, _ANY_TIME) is None:
        yield Advice("digest.cron", "no day is ever like that, and digests never come")
    if settings.digest.max_stories == 0:
        yield Advice("digest.max_stories", "digests will count stories and show none")


def _channels(settings: Settings) -> Iterator[Advice]:
    asked = {topic.name: topic.channels for topic in settings.topics}
    for place, watched in enumerate(settings.watch.channels):
        where = named(("watch", "channels", place))
        if isinstance(watched.channel, Invite) and not settings.watch.join:
            yield Advice(where, "a private channel is read only by who has joined it, and watch.join is false")
        names = asked if watched.topics is None else watched.topics
        if not any(_asks(asked[name], watched.channel) for name in names):
            yield Advice(where, "it is read for no topic")


def _asks(channels: tuple[ChannelRef, ...] | None, channel: ChannelRef) -> bool:
    return channels is None or channel in channels


def _times(settings: Settings) -> Iterator[Advice]:
    alerts, watch, keep = settings.alerts, settings.watch, settings.storage.keep
    if alerts.late_after < watch.sweep_every:
        text = "shorter than watch.sweep_every: a post that only the sweep finds will be late"
        yield Advice("alerts.late_after", text)
    if keep is not None and watch.history > keep:
        yield Advice("watch.history", "longer than storage.keep: older posts are read, and removed at once")


def _topic(topic: Topic, settings: Settings, lexicon: Lexicon) -> Iterator[Advice]:
    yield from _never_asked(topic, settings)
    for key, queries in (("keywords", topic.keywords), ("exclude", topic.exclude)):
        for place, query in enumerate(queries):
            for note in notes(query, lexicon):
                yield Advice(named(("topics", topic.name, key, place)), note.text)
    first: dict[Hashable, Query] = {}
    for place, query in enumerate(topic.keywords):
        same = first.setdefault(_meaning(query, lexicon), query)
        if same is not query or any(query is one for one in topic.keywords[:place]):
            where = named(("topics", topic.name, "keywords", place))
            yield Advice(where, f"{query.text} finds what {same.text} finds; one of them is enough")
    for place, query in enumerate(topic.exclude):
        if (keyword := first.get(_meaning(query, lexicon))) is not None:
            where = named(("topics", topic.name, "exclude", place))
            yield Advice(where, f"it excludes every post that the keyword {keyword.text} finds")


def _meaning(query: Query, lexicon: Lexicon) -> Hashable:
    """Equal for queries that find the same: words by the forms that are no guesses, anything else as it was read."""
    if not isinstance(query.node, Term):
        return query.node
    readings = lexicon.inflection(query.node).readings
    sure = [reading for reading in readings if reading.how is not How.PREDICTED] or readings
    return query.node.form, frozenset().union(*(reading.forms for reading in sure))


def _never_asked(topic: Topic, settings: Settings) -> Iterator[Advice]:
    """A topic's channels and a channel's topics, where they have nothing in common. A folder's channels have none."""
    own: Mapping[ChannelRef, tuple[str, ...] | None] = {one.channel: one.topics for one in settings.watch.channels}
    asked = own if topic.channels is None else topic.channels
    refused = [channel for channel in asked if topic.name not in (own.get(channel) or (topic.name,))]
    elsewhere = settings.watch.folder is not None and topic.channels is None
    where = named(("topics", topic.name))
    if len(refused) == len(asked) and not elsewhere:
        yield Advice(where, "it can never match: no channel is read for it")
    elif topic.channels is not None:
        for channel in refused:
            yield Advice(f"{where}.channels", f"{channel} is not read for this topic, as its own topics say")
