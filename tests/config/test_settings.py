"""The shape of a configuration: its defaults, what its values mean, and what no value may be."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from datetime import time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import BaseModel, ValidationError

from bot.config.load import parse_settings
from bot.config.secrets import Proxy, ProxyKind
from bot.config.settings import TABLES, Form, LogFormat, LogLevel, Settings
from bot.config.values import Address
from bot.model import ChatId, Deliver, Destination, Invite, Me, Username
from bot.query.parser import parse
from bot.schedule import Daily, Never, QuietHours
from tests.config.conftest import LEAST, Errors, Reading, no_file

ROOT = Path(__file__).parents[2]
EXAMPLE = (ROOT / "config.example.toml").read_text("utf-8")


def test_what_need_not_be_said_has_the_default_of_the_contract(least: Reading) -> None:
    said = least()
    assert said.timezone == ZoneInfo("UTC")
    assert said.data_dir == Path("data")
    assert (said.watch.join, said.watch.folder) == (True, None)
    assert (said.watch.history, said.watch.sweep_every) == (timedelta(hours=24), timedelta(seconds=60))
    assert said.digest.policy == Daily((time(8), time(20)))
    assert (said.digest.empty, said.digest.max_stories) == (True, 15)
    assert (said.alerts.form, said.alerts.quiet_hours) == (Form.EXCERPT, None)
    assert (said.alerts.fold_window, said.alerts.late_after) == (timedelta(hours=48), timedelta(minutes=30))
    assert said.alerts.max_per_minute == 10
    assert (said.operators.users, said.operators.notify) == ((), ())
    assert said.storage.keep == timedelta(days=180)
    assert (said.log.level, said.log.format) == (LogLevel.INFO, LogFormat.CONSOLE)
    assert said.metrics is None
    telegram = said.telegram
    assert [telegram.api_id, telegram.api_hash, telegram.bot_token, telegram.proxy, telegram.server] == [None] * 5


def test_a_topic_has_its_name_for_a_title_and_the_digests_chat(least: Reading) -> None:
    [topic] = least().topics
    assert (topic.name, topic.title, topic.deliver) == ("syria", "syria", Deliver.DIGEST)
    assert (topic.keywords, topic.exclude, topic.channels, topic.chat) == ((parse("Сирия"),), (), None, None)
    assert least().destination_of(topic) == Destination(Me())


def test_a_topic_says_what_it_says(reading: Reading) -> None:
    topic = '[topics.a-1]\ntitle = "Ä"\nkeywords = ["б"]\nexclude = ["в"]\ndeliver = "urgent"\nchat = "@desk_demo/12"\n'
    said = reading(f'{LEAST}{topic}channels = ["@Alfa_demo"]')
    one = said.topics[1]
    assert (one.name, one.title, one.deliver) == ("a-1", "Ä", Deliver.URGENT)
    assert (one.exclude, one.channels) == ((parse("в"),), (Username("alfa_demo"),))
    assert said.destination_of(one) == Destination(Username("desk_demo"), 12)


def test_topics_keep_the_order_of_the_file(reading: Reading) -> None:
    toml = LEAST + "".join(f'[topics.{name}]\nkeywords = ["а"]\n' for name in "zebra alfa mike".split())
    assert [topic.name for topic in reading(toml).topics] == ["syria", "zebra", "alfa", "mike"]


def test_a_channel_is_a_reference_or_a_table(reading: Reading) -> None:
    listed = '["@alfa_demo", "-1001234567890", {channel = "t.me/+AbCdEf123456", label = "Alfa", topics = ["syria"]}]'
    one, two, three = reading(LEAST.replace('["@alfa_demo"]', listed)).watch.channels
    assert (one.channel, one.label, one.topics) == (Username("alfa_demo"), None, None)
    assert two.channel == ChatId(-1001234567890)
    assert (three.channel, three.label, three.topics) == (Invite("AbCdEf123456"), "Alfa", ("syria",))


def test_a_folder_may_stand_for_channels(reading: Reading) -> None:
    said = reading(LEAST.replace('channels = ["@alfa_demo"]', 'folder = "War bloggers"'))
    assert (said.watch.channels, said.watch.folder) == ((), "War bloggers")


@pytest.mark.parametrize(
    ("typed", "meant", "canonical"),
    [
        ("90s", timedelta(seconds=90), "90s"),
        ("60s", timedelta(minutes=1), "60s"),
        ("30m", timedelta(minutes=30), "30m"),
        ("1h30m", timedelta(minutes=90), "90m"),
        ("60m", timedelta(hours=1), "1h"),
        ("1d", timedelta(days=1), "24h"),
        ("48h", timedelta(hours=48), "48h"),
        ("180d", timedelta(days=180), "180d"),
        ("1d2h3m4s", timedelta(days=1, hours=2, minutes=3, seconds=4), "93784s"),
        ("0s", timedelta(0), "0s"),
    ],
)
def test_a_duration_is_numbers_with_units(typed: str, meant: timedelta, canonical: str, least: Reading) -> None:
    said = least(below=f'[alerts]\nfold_window = "{typed}"')
    assert said.alerts.fold_window == meant
    alerts = said.plain()["alerts"]
    assert isinstance(alerts, dict)
    assert alerts["fold_window"] == canonical


@pytest.mark.parametrize(
    "typed", ["", "1", "h", "1 h", "1w", "--1h", "1m1h", "1.5h", "٣h", "1h ", "100000d", "9" * 400 + "d"]
)
def test_anything_else_is_no_duration(typed: str, wrong: Errors) -> None:
    [error] = wrong(below=f'[alerts]\nfold_window = "{typed}"')
    assert error.startswith("alerts.fold_window: ")
    assert '"24h"' in error


@pytest.mark.parametrize(
    ("below", "error"),
    [
        ("[log]\nlevel = 3", 'log.level: a number where text is expected; write "debug", "info", "warning" or "error"'),
        ('[log]\nlevel = "INFO"', '«INFO» is none of its values; did you mean info? write "debug", '),
        ('[log]\nformat = "xml"', 'log.format: «xml» is none of its values; write "console" or "json"'),
        ('[alerts]\nform = "forwards"', 'did you mean forward? write "excerpt" or "forward"'),
        (
            "[alerts]\nmax_per_minute = -1",
            "this number is out of range; write how many alerts a minute, from 0 to 1000",
        ),
        ('[alerts]\nmax_per_minute = "10"', "text where a number is expected; write the number without quotes"),
        ("[alerts]\nmax_per_minute = true", "true or false where a whole number is expected"),
        ("[alerts]\nmax_per_minute = 1.0", "a number where a whole number is expected"),
        (
            "[alerts]\nlate_after = 30",
            'a number without a unit; write a number and s, m, h or d in quotes, as in "30m"',
        ),
        ('[alerts]\nlate_after = "0s"', 'too short; write "1s" or more'),
        ('[alerts]\nlate_after = "-5m"', 'below zero; write "1s" or more'),
        ('[storage]\nkeep = "99999999999d"', 'longer than a century; write less, as in "180d"'),
        (
            '[telegram.server]\naddress = "127.0.0.1:1"\npublic_key = ""',
            'public_key: empty; write something such as "server.pem", or remove the key',
        ),
        ('[alerts]\nquiet_hours = "23:00"', "alerts.quiet_hours: "),
        ('[alerts]\nquiet_hours = "7:00-07:00"', "alerts.quiet_hours: these quiet hours end as they begin; "),
        ("[alerts]\nquiet_hours = 23:00:00", "a date or time where text is expected; write a text in quotes"),
        ("[operators]\nusers = [0]", "operators.users[0]: this number is out of range; "),
        (
            '[operators]\nusers = ["123"]',
            "operators.users[0]: text where a number is expected; write the number without",
        ),
        ("[operators]\nusers = 123", "operators.users: a number where a list is expected; write a list"),
        ('[storage]\nkeep = "ever"', '«ever» is no duration; write a number and s, m, h or d in quotes, as in "180d"'),
        ('[metrics]\nlisten = "9108"', "metrics.listen: «9108» is no address; write host:port, as in "),
        ('[metrics]\nlisten = "127.0.0.1:99999"', "is no address"),
        ("[metrics]", 'metrics.listen: missing; write host and port, as in listen = "127.0.0.1:9108"'),
        ("[telegram.server]\ndc_id = 2", "telegram.server.address: missing; "),
        ("[[operators]]", "operators: a list where a table is expected; write [operators] and its keys below it"),
        ('[topics.a]\ntitle = "А"', 'topics.a.keywords: missing; write at least one, as in keywords = ["Сирия"]'),
        ("[topics.a]\nkeywords = []", "topics.a.keywords: a topic without keywords; write at least one"),
        ('[topics.a]\nkeywords = [""]', "topics.a.keywords[0]: an empty keyword; "),
        ('[topics.a]\nkeywords = "а"', "topics.a.keywords: text where a list is expected; write a list, as in "),
        (
            '[topics.a]\nkeywords = ["а"]\nchat = 12',
            'topics.a.chat: a number where text is expected; write a text in quotes, as in "me"',
        ),
        ('[topics.a]\nkeywords = ["а"]\ntitle = " "', "topics.a.title: empty; "),
        ('[topics.a]\nkeywords = ["а"]\nname = "b"', "topics.a.name: unknown key; "),
        ('[topics."а б"]\nkeywords = ["а"]', 'topics."а б": a topic\'s name is one bare word; '),
    ],
)
def test_a_wrong_value_is_told_with_what_would_be_right(below: str, error: str, wrong: Errors) -> None:
    [told] = wrong(below=below)
    assert error in told


@pytest.mark.parametrize(
    ("above", "error"),
    [
        ('timezone = "Europe/london"', "timezone: «Europe/london» is no time zone; did you mean Europe/London?"),
        ('timezone = "../etc/passwd"', "is no time zone; "),
        ('timezone = "Europe"', "is no time zone; "),
        ("timezone = 3", "timezone: a number where text is expected; "),
        ('data_dir = ""', 'data_dir: empty; write something such as "data", or remove the key'),
        ('data_dir = "a\\u0000b"', "data_dir: a path with a NUL in it; "),
        ("log = 3", "log: a number where a table is expected; write [log] and its keys below it"),
    ],
)
def test_a_wrong_value_at_the_top_is_told(above: str, error: str, wrong: Errors) -> None:
    [told] = wrong(above)
    assert error in told


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (
            "channels = [-1001234567890]",
            'channels[0]: a number where text is expected; put it in quotes: "-1001234567890"',
        ),
        (
            'channels = ["@alfa_demo", "t.me/alfa_demo"]',
            "channels[1]: @alfa_demo is listed twice, first as watch.channels[0]",
        ),
        ('channels = ["x y"]', "watch.channels[0]: "),
        ('channels = [{label = "x"}]', 'watch.channels[0].channel: missing; name it, as in channel = "@name"'),
        (
            'channels = [{channel = "@alfa_demo", label = 1}]',
            "watch.channels[0].label: a number where text is expected",
        ),
        (
            'channels = [{channel = "@alfa_demo", topics = ["siria"]}]',
            "topics[0]: there is no topic «siria»; did you mean syria?",
        ),
        (
            'channels = [{channel = "@alfa_demo", topics = ["x"]}]',
            "there is no topic «x»; write its table, or remove the name",
        ),
        ('channels = ["me"]', "watch.channels[0]: "),
        ("channels = []", "watch.channels: no channel is watched; name at least one"),
        ('channels = "@alfa_demo"', "watch.channels: text where a list is expected"),
        ('channels = ["@alfa_demo"]\nsweep_every = "9s"', 'watch.sweep_every: too short; write "10s" or more'),
        (
            'channels = ["@alfa_demo"]\njoin = "yes"',
            "watch.join: text where true or false is expected; write true or false",
        ),
        ('channels = ["@alfa_demo"]\nfolder = ""', "watch.folder: empty; "),
    ],
)
def test_what_is_wrong_with_the_channels_is_told(line: str, error: str, errors: Errors) -> None:
    [told] = errors(LEAST.replace('channels = ["@alfa_demo"]', line))
    assert error in told


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("", 'digest.chat: missing; name the chat that is told, as in chat = "me"'),
        ("chat = -1001234567890", 'digest.chat: a number where text is expected; put it in quotes: "-1001234567890"'),
        ('chat = "me"\nat = ["8:00", "08:00"]', "digest.at[1]: 08:00 stands here twice; remove one of them"),
        ('chat = "me"\nat = ["24:00"]', "digest.at[0]: "),
        (
            'chat = "me"\nat = [08:00:00]',
            'digest.at[0]: a bare time where text is expected; write it in quotes, as in "08:00"',
        ),
        ('chat = "me"\nat = "08:00"', "digest.at: text where a list is expected"),
        ('chat = "me"\nat = ["08:00"]\ncron = "0 8 * * *"', "digest.cron: at and cron both say when; keep one of them"),
        ('chat = "me"\ncron = "0 8 * *"', "digest.cron: "),
        ('chat = "me"\nmax_stories = 1001', "digest.max_stories: this number is out of range; "),
        (
            'chat = "@alfa_demo"',
            "watch.channels[0]: @alfa_demo is told (digest.chat), and a chat that is told is never watched",
        ),
    ],
)
def test_what_is_wrong_with_the_digests_is_told(line: str, error: str, errors: Errors) -> None:
    [told] = errors(LEAST.replace('chat = "me"', line))
    assert error in told


def test_a_topic_may_ask_only_watched_channels_unless_there_is_a_folder(reading: Reading, errors: Errors) -> None:
    toml = f'{LEAST}channels = ["@alfo_demo"]'
    [told] = errors(toml)
    assert told == "topics.syria.channels[0]: @alfo_demo is not watched; did you mean @alfa_demo?"
    assert reading(toml.replace("[watch]", '[watch]\nfolder = "F"')).topics[0].channels == (Username("alfo_demo"),)


def test_a_chat_that_a_topic_tells_is_not_watched(errors: Errors) -> None:
    [told] = errors(f'{LEAST}chat = "https://t.me/alfa_demo/7"')
    assert told.startswith("watch.channels[0]: @alfa_demo is told (topics.syria.chat), ")


def test_digests_are_daily_or_by_crontab_or_never(least: Reading, reading: Reading) -> None:
    def policy(line: str) -> object:
        return reading(LEAST.replace('chat = "me"', f'chat = "me"\n{line}')).digest.policy

    assert policy('at = ["20:00", "08:00"]') == least().digest.policy
    assert policy("at = []") == Never()
    assert policy('cron = "0 8,20 * * *"') != policy('cron = "0 8,20 * * mon-fri"')


def test_quiet_hours_and_addresses_are_read(least: Reading) -> None:
    said = least(below='[alerts]\nquiet_hours = "23:00-07:00"\n[metrics]\nlisten = "[::1]:9108"')
    assert said.alerts.quiet_hours == QuietHours(time(23), time(7))
    assert said.metrics is not None
    assert said.metrics.listen == Address("::1", 9108)


def test_posts_may_be_kept_forever(least: Reading) -> None:
    said = least(below='[storage]\nkeep = "forever"')
    assert said.storage.keep is None
    assert said.plain()["storage"] == {"keep": "forever"}


def test_a_proxy_is_a_value(least: Reading) -> None:
    said = least(below='[telegram]\nproxy = "socks5://u:p@proxy.example.org:1080"')
    assert said.telegram.proxy == Proxy(
        kind=ProxyKind.SOCKS5,
        host="proxy.example.org",
        port=1080,
        username="u",
        password="p",  # noqa: S106
    )


def test_settings_cannot_be_changed_nor_hold_what_is_unknown(least: Reading) -> None:
    said = least()
    with pytest.raises(ValidationError):
        said.timezone = ZoneInfo("Europe/London")
    with pytest.raises(ValidationError):
        Settings.model_validate({"unknown": 1})


def test_settings_do_not_show_their_secrets() -> None:
    said = parse_settings(EXAMPLE, "config.example.toml", {}, no_file)
    shown = f"{said!r} {said}"
    assert said.telegram.api_hash is not None
    assert said.telegram.api_hash.get_secret_value() not in shown
    assert "replace-me" not in shown
    assert "123456" not in shown


# --- plain data -------------------------------------------------------------------------------------------


def test_plain_data_is_the_file_with_its_defaults(least: Reading) -> None:
    assert least().plain() == {
        "timezone": "UTC",
        "data_dir": "data",
        "telegram": {},
        "watch": {"channels": [{"channel": "@alfa_demo"}], "join": True, "history": "24h", "sweep_every": "60s"},
        "digest": {"chat": "me", "at": ["08:00", "20:00"], "empty": True, "max_stories": 15},
        "alerts": {
            "form": "excerpt",
            "quiet_hours": "",
            "fold_window": "48h",
            "late_after": "30m",
            "max_per_minute": 10,
        },
        "topics": {"syria": {"title": "syria", "keywords": ["Сирия"], "exclude": [], "deliver": "digest"}},
        "operators": {"users": [], "notify": []},
        "storage": {"keep": "180d"},
        "log": {"level": "info", "format": "console"},
    }


def test_plain_data_of_a_crontab_line_has_no_times(reading: Reading) -> None:
    plain = reading(LEAST.replace('chat = "me"', 'chat = "me"\ncron = "0  8,20 * * mon-fri"')).plain()
    assert plain["digest"] == {"chat": "me", "cron": "0 8,20 * * mon-fri", "empty": True, "max_stories": 15}


def as_toml(table: dict[str, object], name: str = "") -> str:
    """Plain data as TOML, for values as a configuration has them."""
    plain, tables = [], []
    for key, value in table.items():
        if isinstance(value, dict):
            tables.append(f"[{name}{key}]\n{as_toml(value, f'{name}{key}.')}")
        else:
            plain.append(f"{key} = {inline(value)}\n")
    return "".join(plain + tables)


def inline(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case list():
            return f"[{', '.join(map(inline, value))}]"
        case dict():
            return "{" + ", ".join(f"{key} = {inline(one)}" for key, one in value.items()) + "}"
        case _:
            return f"'{value}'"


def test_plain_data_says_the_same_again(reading: Reading) -> None:
    said = reading(uncommented("at"))
    assert reading(as_toml(said.plain())) == said


# --- the example ------------------------------------------------------------------------------------------

_COMMENTED = re.compile(r"^# (?=\[[a-z.]+\]$|[a-z_]+ = )")


def uncommented(when: str) -> str:
    """The example with its commented keys; of ``at`` and ``cron`` only one can stand."""
    other = {"at": "cron", "cron": "at"}[when]
    lines = [_COMMENTED.sub("", line) for line in EXAMPLE.splitlines()]
    return "\n".join(line for line in lines if not line.startswith(f"{other} = "))


def leaves(table: dict[str, object], path: str = "") -> Iterator[tuple[str, object]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value


#: Names, secrets, and keys that are none unless they are said.
_NO_DEFAULT = re.compile(
    r"telegram\..*|watch\.(channels|folder)|digest\.(chat|cron)|topics\..*|operators\.notify|metrics\..*"
)


def test_the_example_says_the_defaults(least: Reading) -> None:
    said = dict(leaves(tomllib.loads(EXAMPLE)))
    defaults = dict(leaves(least().plain()))
    assert {key: value for key, value in said.items() if not _NO_DEFAULT.fullmatch(key)} == {
        key: value for key, value in defaults.items() if not _NO_DEFAULT.fullmatch(key)
    }
    assert said["topics.syria.deliver"] == defaults["topics.syria.deliver"]


@pytest.mark.parametrize("when", ["at", "cron"])
def test_the_example_is_valid_with_all_its_keys(when: str, reading: Reading) -> None:
    plain = reading(uncommented(when)).plain()
    assert when in str(plain["digest"])


@pytest.mark.parametrize(("path", "table"), TABLES.items(), ids=str)
def test_the_example_has_every_key_of_every_table(path: tuple[str, ...], table: type[BaseModel]) -> None:
    said: object = tomllib.loads(uncommented("at"))
    for name in path:
        assert isinstance(said, dict)
        said = said["syria" if name == "*" else name]
    one = said[0] if isinstance(said, list) else said
    assert isinstance(one, dict)
    assert set(one) >= set(table.model_fields) - {"cron"}
    assert "# cron = " in EXAMPLE


def test_every_key_of_the_example_has_one_comment_where_it_first_stands() -> None:
    seen: set[str] = set()
    table = ""
    for line in EXAMPLE.splitlines():
        text = _COMMENTED.sub("", line)
        if heading := re.fullmatch(r"\[([a-z.]+)\]", text):
            table = re.sub(r"^topics\..*", "topics", heading[1])
        elif key := re.match(r"([a-z_]+) = ", text):
            name = f"{table}.{key[1]}"
            comments = len(re.findall(r"(?:^|\s)# \S", re.sub(r'"[^"]*"', '""', text)))
            assert comments == 1 or name in seen, name
            seen.add(name)
    assert len(seen) > 30


def test_the_example_watches_the_channels_and_topics_that_were_asked_for(reading: Callable[[str], Settings]) -> None:
    said = reading(EXAMPLE)
    assert [(str(one.channel), one.label) for one in said.watch.channels] == [
        ("@rybar", "Rybar"),
        ("@vysokygovorit", "Starshe Eddy"),
        ("@strelkovii", "Igor Girkin"),
    ]
    assert [topic.title for topic in said.topics] == ["Syria", "Assad", "Russian bases"]


@pytest.mark.parametrize(
    ("channel", "chat", "same"),
    [
        ("@Rybar_demo", "t.me/rybar_demo/12", True),
        ("t.me/c/1234567890/1", "-1001234567890", True),
        ("@rybar_demo", "@syria_desk", False),
        ("@rybar_demo", "me", False),
        ("t.me/+AbCdEf_-12345678", "-1001234567890", False),
    ],
)
def test_a_channel_that_is_told_is_known_whatever_its_spelling_and_topic(
    channel: str, chat: str, *, same: bool, errors: Errors, reading: Reading
) -> None:
    toml = f'[watch]\nchannels = ["{channel}"]\n[digest]\nchat = "{chat}"\n[topics.a]\nkeywords = ["а"]\n'
    if same:
        [error] = errors(toml)
        assert "a chat that is told is never watched" in error
    else:
        reading(toml)
