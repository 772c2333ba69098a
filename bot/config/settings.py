"""The whole configuration as one frozen value: a class a table, a field a key, every default where it is declared.

Fields hold what the text means, not the text. What no single table can say (a topic that does not exist, a
channel that is also told) is `bot.config.agreement`'s; `bot.config.load` is the way to make `Settings`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time, timedelta
from enum import StrEnum, auto
from pathlib import Path
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    SecretStr,
    TypeAdapter,
    model_validator,
)

from bot.config import secrets, values
from bot.config.positions import KeyPath
from bot.config.secrets import Proxy
from bot.config.values import Address, CronLine, Wrong
from bot.model import ChannelRef, Deliver, Destination
from bot.query.nodes import Query
from bot.schedule import Daily, Never, Policy, QuietHours

T = TypeVar("T")


class Form(StrEnum):
    """What an alert is: an excerpt, or the post itself under a short header."""

    EXCERPT = auto()
    FORWARD = auto()


class LogLevel(StrEnum):
    DEBUG = auto()
    INFO = auto()
    WARNING = auto()
    ERROR = auto()


class LogFormat(StrEnum):
    CONSOLE = auto()
    JSON = auto()


class _Table(BaseModel):
    model_config = ConfigDict(
        frozen=True, strict=True, extra="forbid", arbitrary_types_allowed=True, hide_input_in_errors=True
    )


#: A list of TOML as a tuple of ours.
List = Annotated[tuple[T, ...], Field(strict=False)]
Flag = Annotated[bool, PlainValidator(values.flag)]
Keywords = List[Annotated[Query, PlainValidator(values.query)]]
Chat = Annotated[Destination, PlainValidator(values.told)]
Watched = Annotated[ChannelRef, PlainValidator(values.watched)]
TopicNames = List[Annotated[str, PlainValidator(values.words('"syria"'))]]
#: No time at all is a duration too where it says "none".
Duration = Annotated[timedelta, PlainValidator(values.duration(timedelta(0), "24h"))]


class Server(_Table):
    """[telegram.server]: another Telegram server. Without a key of its own, those of Telegram are used."""

    address: Annotated[Address, PlainValidator(values.address("127.0.0.1:4430"))]
    dc_id: Annotated[int, PlainValidator(values.count(1, 9999, "the number of its data centre"))] = 2
    public_key: Annotated[Path | None, PlainValidator(values.path("server.pem"))] = None


class Telegram(_Table):
    """[telegram]. Only commands that connect need credentials, so here all of them may be absent."""

    api_id: Annotated[int | None, PlainValidator(secrets.api_id)] = Field(default=None, repr=False)
    api_hash: Annotated[SecretStr | None, PlainValidator(secrets.api_hash)] = None
    bot_token: Annotated[SecretStr | None, PlainValidator(secrets.bot_token)] = None
    proxy: Annotated[Proxy | None, PlainValidator(secrets.proxy)] = None
    server: Server | None = None


def _as_table(value: object) -> object:
    """A channel that is written as a mere reference."""
    if isinstance(value, dict):
        return value
    return {"channel": value}


class WatchedChannel(_Table):
    """One of [watch] channels; ``topics`` are those it is read for, None: all."""

    channel: Watched
    label: Annotated[str | None, PlainValidator(values.words('"Starshe Eddy"'))] = None
    topics: TopicNames | None = None


class Watch(_Table):
    """[watch]"""

    channels: List[Annotated[WatchedChannel, BeforeValidator(_as_table)]] = ()
    folder: Annotated[str | None, PlainValidator(values.words('"War bloggers"'))] = None
    join: Flag = True
    history: Duration = timedelta(hours=24)
    sweep_every: Annotated[timedelta, PlainValidator(values.duration(timedelta(seconds=10), "60s"))] = timedelta(
        seconds=60
    )


def _each_once(times: tuple[time, ...]) -> tuple[time, ...]:
    for place, moment in enumerate(times):
        if moment in times[:place]:
            raise Wrong(f"{moment:%H:%M} stands here twice", "remove one of them", below=(place,))
    return times


class Digests(_Table):
    """[digest]; ``policy`` is when."""

    chat: Chat
    at: Annotated[List[Annotated[time, PlainValidator(values.moment)]], AfterValidator(_each_once)] = (
        time(8),
        time(20),
    )
    cron: Annotated[CronLine | None, PlainValidator(values.cron)] = None
    empty: Flag = True
    max_stories: Annotated[int, PlainValidator(values.count(0, 1000, "how many stories of a topic are shown"))] = 15

    @model_validator(mode="after")
    def _one_policy(self) -> Digests:
        if self.cron is not None and "at" in self.model_fields_set:
            raise Wrong("at and cron both say when", "keep one of them", below=("cron",))
        return self

    @property
    def policy(self) -> Policy:
        if self.cron is not None:
            return self.cron.cron
        return Daily(self.at) if self.at else Never()


class Alerts(_Table):
    """[alerts]; ``max_per_minute`` 0: alerts are never folded into one message."""

    form: Annotated[Form, PlainValidator(values.choice(Form))] = Form.EXCERPT
    quiet_hours: Annotated[QuietHours | None, PlainValidator(values.quiet_hours)] = None
    fold_window: Duration = timedelta(hours=48)
    late_after: Annotated[timedelta, PlainValidator(values.duration(timedelta(seconds=1), "30m"))] = timedelta(
        minutes=30
    )
    max_per_minute: Annotated[int, PlainValidator(values.count(0, 1000, "how many alerts a minute"))] = 10


class TopicTable(_Table):
    """[topics.name] as it is written."""

    title: Annotated[str, PlainValidator(values.words('"Syria"'))] = ""
    keywords: Annotated[Keywords, AfterValidator(values.some("a topic without keywords", 'keywords = ["Сирия"]'))]
    exclude: Keywords = ()
    deliver: Annotated[Deliver, PlainValidator(values.choice(Deliver))] = Deliver.DIGEST
    chat: Annotated[Destination | None, PlainValidator(values.told)] = None
    channels: List[Watched] | None = None


class Topic(TopicTable):
    """A topic: its table and its name, which is its title where it has none. ``chat`` None: the digests' one."""

    name: str


_TOPICS = TypeAdapter(dict[str, TopicTable])


def _topics(value: object) -> tuple[Topic, ...]:
    tables = _TOPICS.validate_python(value)
    return tuple(
        Topic.model_construct(**{**dict(table), "name": name, "title": table.title or name})
        for name, table in tables.items()
    )


class Operators(_Table):
    """[operators]; no ``users``: the reader."""

    users: List[Annotated[int, PlainValidator(values.count(1, (1 << 52) - 1, "a person's numeric id"))]] = ()
    notify: List[Annotated[SecretStr, PlainValidator(secrets.notify_url)]] = ()


class Storage(_Table):
    """[storage]; ``keep`` None: forever."""

    keep: Annotated[timedelta | None, PlainValidator(values.keep)] = timedelta(days=180)


class Log(_Table):
    """[log]"""

    level: Annotated[LogLevel, PlainValidator(values.choice(LogLevel))] = LogLevel.INFO
    format: Annotated[LogFormat, PlainValidator(values.choice(LogFormat))] = LogFormat.CONSOLE


class Metrics(_Table):
    """[metrics]"""

    listen: Annotated[Address, PlainValidator(values.address("127.0.0.1:9108"))]


class Settings(_Table):
    """A configuration."""

    timezone: Annotated[ZoneInfo, PlainValidator(values.zone)] = ZoneInfo("UTC")
    data_dir: Annotated[Path, PlainValidator(values.path("data"))] = Path("data")
    telegram: Telegram = Telegram()
    watch: Watch
    digest: Digests
    alerts: Alerts = Alerts()
    topics: Annotated[tuple[Topic, ...], PlainValidator(_topics)]
    operators: Operators = Operators()
    storage: Storage = Storage()
    log: Log = Log()
    metrics: Metrics | None = None

    @model_validator(mode="before")
    @classmethod
    def _tables_that_are_needed(cls, data: Any) -> Any:  # noqa: ANN401 - whatever the file holds
        """Lets an absent table be reported as the keys that are missing in it."""
        return {"watch": {}, "digest": {}, "topics": {}, **data} if isinstance(data, dict) else data

    def destination_of(self, topic: Topic) -> Destination:
        return topic.chat or self.digest.chat

    def plain(self) -> dict[str, object]:
        """The file that would say this, as plain data: canonical texts, defaults filled in, secrets as they are.

        A key that has no value, and no text that says so, is absent.
        """
        return _plain(self)


#: What is typed where a key that stands in the file says "none".
_NONE = {(Alerts, "quiet_hours"): "", (Storage, "keep"): "forever"}

#: The tables of a file by their paths: ``*`` is any name, an entry of a list stands without its number.
TABLES: Mapping[tuple[str, ...], type[BaseModel]] = {
    (): Settings,
    ("telegram",): Telegram,
    ("telegram", "server"): Server,
    ("watch",): Watch,
    ("watch", "channels"): WatchedChannel,
    ("digest",): Digests,
    ("alerts",): Alerts,
    ("topics", "*"): TopicTable,
    ("operators",): Operators,
    ("storage",): Storage,
    ("log",): Log,
    ("metrics",): Metrics,
}


def table_at(path: KeyPath) -> tuple[str, ...]:
    """The key of `TABLES` that a path through a file leads to, if it does to one."""
    names = [part for part in path if isinstance(part, str)]
    if len(names) > 1 and names[0] == "topics":
        names[1] = "*"
    return tuple(names)


def _plain(table: BaseModel) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in table:
        if value is None:
            if (type(table), key) in _NONE:
                found[key] = _NONE[type(table), key]
        elif key == "topics" and isinstance(table, Settings):
            found[key] = {topic.name: _plain(topic) for topic in table.topics}
        elif not (key == "at" and isinstance(table, Digests) and table.cron is not None):
            found[key] = _plain_value(value)
    if isinstance(table, Topic):
        del found["name"]
    return found


def _plain_value(value: object) -> object:
    match value:
        case BaseModel():
            return _plain(value)
        case tuple() if not isinstance(value, Address):
            return [_plain_value(one) for one in value]
        case SecretStr():
            return value.get_secret_value()
        case _:
            return values.written(value)
