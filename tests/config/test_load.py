"""From a file to settings, or to all of its errors: their lines, their order, their carets, what they never show."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from bot.config.load import load
from bot.errors import ConfigError, NoConfigError
from tests.config.conftest import LEAST, Errors, Reading, read


def told(toml: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(toml)
    return list(caught.value.errors)


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(LEAST, "utf-8")
    assert load(path, {}) == read(LEAST)


def test_a_byte_order_mark_and_line_ends_of_windows_change_nothing(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"\xef\xbb\xbf" + LEAST.replace("\n", "\r\n").encode())
    assert load(path, {}) == read(LEAST)


# --- files that are none ----------------------------------------------------------------------------------


def failed(path: Path) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load(path, {})
    return caught.value


def test_an_absent_file_is_told_apart_from_a_broken_one(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    error = failed(path)
    assert isinstance(error, NoConfigError)
    assert str(error) == (
        f"{path}:1: file: there is no such file; copy config.example.toml to it, or name another with --config"
    )


@pytest.mark.parametrize("content", ["", " \n\t\n", "\ufeff"])
def test_an_empty_file_is_told_apart_from_a_broken_one(content: str, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(content, "utf-8")
    error = failed(path)
    assert isinstance(error, NoConfigError)
    assert str(error) == f"{path}:1: file: empty; copy config.example.toml to it"


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert str(failed(tmp_path)) == f"{tmp_path}:1: file: this is a folder; name a file in it"


def test_a_name_that_no_file_can_have_is_told() -> None:
    assert "cannot be read" in str(failed(Path("a\0b")))
    assert "cannot be read" in str(failed(Path("a" * 5000)))


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(LEAST, "utf-8")
    path.chmod(0)
    assert "file: cannot be read: Permission denied; " in str(failed(path))


def test_a_file_in_another_encoding_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(LEAST.encode("cp1251"))
    assert str(failed(path)) == f"{path}:6: file: not UTF-8; save the file in UTF-8"
    path.write_bytes(LEAST.encode("utf-16"))
    assert str(failed(path)) == f"{path}:1: file: not UTF-8; save the file in UTF-8"


def test_a_file_beyond_reason_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"#" * 8_000_001)
    assert "file: larger than 8 MB; " in str(failed(path))


def test_a_text_with_half_a_character_is_no_configuration() -> None:
    assert told(f"# \ud800\n{LEAST}") == ["config.toml:1: file: not UTF-8; save the file in UTF-8"]


# --- all errors, in order, each at its line ---------------------------------------------------------------

BROKEN = """\
timezone = "Europe/Londn"
[watch]
channels = [
  "@alfa_demo",
  -1001234567890,
  { channel = "@bravo_demo", topics = ["siria"] },
  "@desk_demo",
]
joined = true
[alerts]
chat = "me"
[topics.syria]
keywords = ["Сирия",
  "(Асад"]
chat = "@desk_demo"
[strage]
"""


def test_all_errors_are_told_at_once_in_the_order_of_the_file() -> None:
    assert told(BROKEN) == [
        'config.toml:1: digest.chat: missing; name the chat that is told, as in chat = "me"',
        "config.toml:1: timezone: «Europe/Londn» is no time zone; did you mean Europe/London?",
        'config.toml:5: watch.channels[1]: a number where text is expected; put it in quotes: "-1001234567890"',
        "config.toml:6: watch.channels[2].topics[0]: there is no topic «siria»; did you mean syria?",
        (
            "config.toml:7: watch.channels[3]: @desk_demo is told (topics.syria.chat), and a chat that is told is "
            "never watched; remove it here, or tell another chat"
        ),
        "config.toml:9: watch.joined: unknown key; did you mean join?",
        "config.toml:11: alerts.chat: unknown key; did you mean [digest] chat or [topics.…] chat?",
        'config.toml:14: topics.syria.keywords[1]: this bracket is never closed; close it with )\n    "(Асад"]\n     ^',
        "config.toml:16: strage: unknown key; did you mean storage?",
    ]


def test_the_text_of_an_error_is_all_of_them() -> None:
    with pytest.raises(ConfigError) as caught:
        read(BROKEN)
    assert str(caught.value) == "\n".join(caught.value.errors)


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("[topic.syria]", "topic: unknown key; did you mean topics?"),
        ("[digests]", "digests: unknown key; did you mean digest?"),
        ('[log]\nlevels = "info"', "log.levels: unknown key; did you mean level?"),
        ('[log]\ntimezone = "UTC"', "log.timezone: unknown key; did you mean timezone above the first [table]?"),
        ('[alerts]\nhistory = "24h"', "alerts.history: unknown key; did you mean [watch] history?"),
        ('[storage]\nx = "24h"', "storage.x: unknown key; known here: keep"),
        ('[telegram]\naddress = "a:1"', "telegram.address: unknown key; did you mean [telegram.server] address?"),
        ('[operators]\n"a\\nb" = 1', 'operators."a\\nb": unknown key; known here: users, notify'),
    ],
)
def test_an_unknown_key_is_told_with_the_nearest_known_name(key: str, meant: str, wrong: Errors) -> None:
    assert wrong(below=key) == [meant]


def test_a_key_at_the_top_is_sought_in_the_tables(wrong: Errors) -> None:
    assert wrong('channels = ["@a"]') == [
        "channels: unknown key; did you mean [watch] channels or [topics.…] channels?"
    ]


@pytest.mark.parametrize(
    ("toml", "only"),
    [
        (LEAST.replace("[topics.", "[topic."), "topic: unknown key; did you mean topics?"),
        (LEAST.replace("keywords", "keyword"), "topics.syria.keyword: unknown key; did you mean keywords?"),
        (LEAST.replace("channels", "chanels"), "watch.chanels: unknown key; did you mean channels?"),
        (LEAST.replace("[digest]", "[digets]"), "digets: unknown key; did you mean digest?"),
    ],
)
def test_what_is_missing_for_a_slip_in_its_name_is_told_once(toml: str, only: str, errors: Errors) -> None:
    assert errors(toml) == [only]


def test_what_is_missing_beside_an_unknown_key_is_told_too(errors: Errors) -> None:
    assert [error.split(";")[0] for error in errors(LEAST.replace("keywords", "chatt"))] == [
        "topics.syria.keywords: missing",
        "topics.syria.chatt: unknown key",
    ]


def test_keys_right_below_topics_are_told_to_take_a_table(errors: Errors) -> None:
    assert errors(LEAST.replace("[topics.syria]", "[topics]")) == [
        (
            "topics.keywords: a list where a table is expected; "
            "write [topics.syria], a table with a name of your own, and keywords below it"
        )
    ]


def test_many_destinations_take_no_longer_than_they_are_many() -> None:
    count = 5000
    channels = ", ".join(f'"@c{number}_demo"' for number in range(count))
    topics = "".join(f'[topics.t{number}]\nkeywords = ["а"]\nchat = "@d{number}_demo"\n' for number in range(count))
    toml = f'[watch]\nchannels = [{channels}]\n[digest]\nchat = "@c7_demo/5"\n{topics}'
    start = time.process_time()
    assert told(toml) == [
        (
            "config.toml:2: watch.channels[7]: @c7_demo is told (digest.chat), and a chat that is told is never "
            "watched; remove it here, or tell another chat"
        )
    ]
    assert time.process_time() - start < 1.5


def test_what_needs_to_be_said_is_asked_for_all_at_once(errors: Errors) -> None:
    assert errors('timezone = "UTC"') == [
        'digest.chat: missing; name the chat that is told, as in chat = "me"',
        'watch.channels: no channel is watched; name at least one, as in channels = ["@name"], or a folder',
        'topics: there is no topic; write at least one: [topics.syria] and keywords = ["Сирия"]',
    ]


# --- carets -----------------------------------------------------------------------------------------------


def caret(keywords: str) -> str:
    """What stands above the caret of the only error of these keywords, from there on."""
    [error] = told(LEAST.replace('keywords = ["Сирия"]', keywords))
    _, source, mark = error.split("\n")
    return source[len(mark) - 1 :]


@pytest.mark.parametrize(
    ("keywords", "above"),
    [
        ('keywords = ["(Асад"]', '(Асад"]'),
        ("keywords = ['(Асад']", "(Асад']"),
        ('keywords = ["\\u0410сад (\\"x\\" "]', '(\\"x\\" "]'),
        ('keywords\t=\t["(Асад"]', '(Асад"]'),
        ('keywords = ["Асад", "x & y"]', '& y"]'),
        ('keywords = ["""\nАсад\n(x"""]', '(x"""'),
        ('keywords = ["и\u0301 (x"]', ' (x"]'),  # a stress mark has no width of its own
        ('keywords = ["' + "а" * 300 + ' (x"]', '(x"]'),
    ],
)
def test_a_caret_stands_under_the_place_in_the_query(keywords: str, above: str) -> None:
    assert caret(keywords) == above


def test_a_caret_keeps_the_tabs_before_it() -> None:
    [error] = told(LEAST.replace('keywords = ["Сирия"]', 'keywords = [\n\t\t"Сирия",\t"(Асад" ]'))
    assert error.split("\n")[1:] == ['  \t\t"Сирия",\t"(Асад" ]', "  \t\t        \t ^"]


def test_a_caret_under_a_wide_sign_is_as_wide() -> None:
    [error] = told(LEAST.replace('keywords = ["Сирия"]', 'keywords = ["中 (Асад"]'))
    assert error.split("\n")[1:] == ['  keywords = ["中 (Асад"]', "  " + " " * 13 + "  " + " " + "^"]


def test_a_long_line_is_shown_around_the_caret() -> None:
    keywords = ", ".join(f'"слово{number}"' for number in range(2000))
    [error] = told(LEAST.replace('"Сирия"', f'{keywords}, "(а", {keywords}'))
    _, source, mark = error.split("\n")
    assert len(source) < 180
    assert source[len(mark) - 1 :].startswith('(а"')
    assert source.startswith("  …")
    assert source.endswith("…")


# --- the slips that everybody makes -----------------------------------------------------------------------


def test_a_backspace_in_a_keyword_is_what_toml_made_of_a_word_boundary() -> None:
    [error] = told(LEAST.replace('"Сирия"', r'"/\bСирия\b/"'))
    assert error == (
        r"config.toml:6: topics.syria.keywords[0]: TOML made a control character of \b in double quotes; "
        "write the keyword in single quotes, where a \\ stays as it is\n"
        '  keywords = ["/\\bСирия\\b/"]\n'
        "                ^"
    )


def test_a_regular_expression_in_double_quotes_is_told_to_take_single_ones() -> None:
    [error] = told(LEAST.replace('"Сирия"', r'"/Сир\w+/"'))
    assert error == (
        r"config.toml:6: topics.syria.keywords: a \ in double quotes begins an escape of TOML, and this is none; "
        "write the text in single quotes, where a \\ stays as it is\n"
        '  keywords = ["/Сир\\w+/"]\n'
        "                   ^"
    )


@pytest.mark.parametrize(
    ("toml", "where", "hint"),
    [
        ('[watch]\nchannels = ["@a" "@b"]', "2: watch.channels", "write , between values"),
        ("[watch]\nchannels = [@a]", "2: watch.channels", 'straight quotes, as in "@name"'),
        ("[watch]\njoin = True", "2: watch.join", "true and false in small letters"),
        ("[digest]\nat = 08:00", "2: digest.at", "texts, times and durations need quotes"),
        ("[watch]\nhistory = 24h", "2: watch.history", "need quotes"),
        ("[topics.a]\ntitle = “А”", "2: topics.a.title", "straight quotes"),
        ('[topics.a]\ntitle = "А', "2: topics.a.title", "close it with the quote that opened it"),
        ("[log]\n[log]", "2: log", "write the keys of both under one heading"),
        ('[log]\nlevel = "info"\nlevel = "info"\n', "3: log.level", "remove one of them"),
        ("[log\n", "1: log", "as in [topics.syria]"),
        ("[log]\nlevel", "2: log", "write key = value"),
        ("[log]\nlevel = {a = 1", "2: log.level", "braces that go wrong here"),
        ("syria", "1: TOML", "write key = value"),
        ("x = " + "[" * 5000, "1: TOML", "write lists and tables side by side"),
        ("[log]\nlevel = " + "1" * 5000, "2: log.level", "write a shorter one"),
    ],
)
def test_what_is_no_toml_is_told_in_plain_words(toml: str, where: str, hint: str) -> None:
    [error] = told(toml)
    assert error.startswith(f"config.toml:{where}: ")
    assert hint in error


def test_a_topics_name_that_is_no_bare_word_is_told_as_such() -> None:
    for heading in ("[topics.Сирия]", "[topics.война в Сирии]", "[topics.war in Syria]", "topics.Сирия.title = 'x'"):
        assert told(f'[digest]\nchat = "me"\n{heading}\nkeywords = ["Сирия"]') == [
            (
                "config.toml:3: topics: a topic's name is one bare word in Latin letters; "
                "write it as in [topics.syria], and the name for people in title"
            )
        ]


def test_a_line_that_is_neither_key_nor_heading_is_not_told_of_the_key_before_it() -> None:
    [error] = told('[digest]\nchat = "me"\nтема = 1')
    assert error.startswith("config.toml:3: digest: neither a key nor a heading; ")


def test_a_list_that_is_never_closed_is_told_with_its_first_line() -> None:
    [error] = told('[watch]\nchannels = [\n  "@alfa_demo"\n\n[digest]\nchat = "me"')
    assert error.startswith("config.toml:5: watch.channels: a list that goes wrong here (it begins on line 2); ")


def test_a_text_that_is_never_closed_is_told_at_its_quotes() -> None:
    assert told(LEAST + 'title = """\nСирия\n[log]\nlevel = "info"\n') == [
        (
            "config.toml:7: topics.syria.title: a text that is not closed; close it with the quote that opened it\n"
            '  title = """\n'
            "          ^"
        )
    ]


@pytest.mark.parametrize("second", ['keywords = ["Асад"]', "[topics.syria]"])
def test_what_stands_twice_has_no_caret(second: str) -> None:
    [error] = told(f"{LEAST}{second}\n")
    assert error.startswith("config.toml:7: topics.syria")
    assert "\n" not in error


# --- secrets ----------------------------------------------------------------------------------------------

SECRET = "DoNotShowThis"  # noqa: S105 - it is none


@pytest.mark.parametrize(
    "toml",
    [
        f'[telegram]\napi_hash = "{SECRET}!"',
        f'[telegram]\napi_hash = "{SECRET}',
        f"[telegram]\napi_hash = {SECRET}",
        f'[telegram]\napi_id = "{SECRET}"',
        f'[telegram]\nbot_token = ["{SECRET}"]',
        f'[telegram]\nbot_tokn = "{SECRET}"',
        f'[telegrm]\nbot_token = "{SECRET}"',
        f'bot_token = "{SECRET}"',
        f'[telegram]\nproxy = "socks5://u:{SECRET}@host"',
        f'[telegram]\nproxy = "mtproxy://{SECRET}@host:1"',
        f'telegram = {{ api_hash = "{SECRET}", x = "\\w" }}',
        f'[topics.a]\nkeywords = ["а"]\ntelegram.api_hash = "{SECRET}\\w"',
        f'[topics.a]\nkeywords = ["а",\nbot_token = "{SECRET}"',
        f'[operators]\nnotify = ["{SECRET}"]',
        f'[operators]\nnotify = [1, "{SECRET}" "\\w"]',
        f'[operators]\nnotify = "{SECRET}"',
    ],
)
def test_no_error_shows_a_secret(toml: str) -> None:
    errors = told(f"{LEAST}{toml}")
    assert errors
    assert SECRET not in "\n".join(errors)


@pytest.mark.parametrize("key", ["timezone", "data_dir.x", "log.level", "digest.at", "storage.keep", "metrics.listen"])
def test_a_token_in_the_wrong_place_is_not_shown_either(key: str) -> None:
    token = "1234567890:" + SECRET * 3
    assert SECRET not in "\n".join(told(f'{key} = "{token}"\n'))


TOKEN = "123456789:" + SECRET * 3
HASH = "0123456789abcdef" * 2


@pytest.mark.parametrize(
    "line",
    [
        f's = {{keywords = ["a*b"], bot_token = "{TOKEN}", api_hash = "{SECRET}"}}',
        f's = {{api_hash = "{SECRET}", keywords = ["a*b"]}}',
        f's.keywords = ["a*b"] # {SECRET}',
        f's.keywords = ["a*b", "bot {TOKEN}"]',
    ],
)
def test_only_the_query_is_shown_of_a_line_that_holds_more(line: str) -> None:
    errors = "\n".join(told(f"{LEAST}[topics]\n{line}\n".replace("[topics.syria]", "[topics.x]")))
    assert '\n  "a*b"\n   ^' in errors
    assert SECRET not in errors


@pytest.mark.parametrize("secret", [TOKEN, HASH, f"socks5://u:{SECRET}@host", f"u:{SECRET}@host:1"])
@pytest.mark.parametrize("place", ['"(а {}"', '"(/{}("', '"\\n{} (а"', '"NEAR {}"', '"{}:а b&"'])
def test_a_query_that_may_hold_a_secret_is_not_shown(secret: str, place: str) -> None:
    errors = told(LEAST.replace('"Сирия"', place.replace("{}", secret)))
    assert errors[0].startswith("config.toml:6: topics.syria.keywords[0]: ")
    assert secret not in "\n".join(errors)
    assert "\n" not in errors[0]


@pytest.mark.parametrize("secret", [TOKEN, HASH, f"proxy socks5://u:{SECRET}@h", f"tgram://{SECRET}", f"u:{SECRET}@h"])
@pytest.mark.parametrize(
    "line", ['[topics."{}"]\nkeyword = ["а"]', '[telegram]\n"{}" = 1', '[topics.a]\nkeywords = ["а"]\n"{}" = 1']
)
def test_a_key_that_may_be_a_secret_is_not_shown(secret: str, line: str) -> None:
    errors = "\n".join(told(LEAST + line.replace("{}", secret)))
    assert secret not in errors
    assert SECRET not in errors
    assert "…" in errors


@pytest.mark.parametrize(
    "toml",
    [
        f'["telegram"]\nbot_token = """\n{TOKEN}\n{TOKEN}',
        f'["telegram"]\nx = """\n{SECRET}\n{SECRET}',
        f'["telegram"]\nx = "{SECRET}" "',
        f"[telegram . server]\nx = {SECRET}",
        f"title = 5 # {SECRET}\\",
        f'title = 5 "passwort" = "{SECRET}"',
        f'title = 5 "{TOKEN}"',
    ],
)
def test_a_line_that_is_no_toml_is_not_shown_where_it_may_hold_a_secret(toml: str) -> None:
    errors = told(f"{LEAST}{toml}")
    assert SECRET not in "\n".join(errors)


@pytest.mark.parametrize("secret", [TOKEN, f"u:{SECRET}@127.0.0.1:x", f"socks5://u:{SECRET}@h:1"])
@pytest.mark.parametrize(
    "key",
    [
        "timezone = '{}'",
        "telegram.server.address = '{}'",
        "metrics.listen = '{}'",
        "alerts.quiet_hours = '{}'",
        "digest.at = ['{}']",
        "digest.cron = '{} * * * *'",
        "watch.channels = ['{}', {channel = '@{}', topics = ['{}']}]",
        "log.level = '{}'",
    ],
)
def test_a_value_that_may_be_a_secret_is_not_shown(secret: str, key: str) -> None:
    errors = "\n".join(told(key.replace("{}", secret)))
    assert secret[:16] not in errors
    assert SECRET not in errors


def test_an_api_id_that_lost_its_key_is_not_shown(wrong: Errors) -> None:
    assert wrong("data_dir = 77123477") == [
        'data_dir: a number where text is expected; write a text in quotes, as in "data"'
    ]


# --- the environment --------------------------------------------------------------------------------------


def test_an_error_of_the_environment_stands_at_the_table(reading: Reading) -> None:
    with pytest.raises(ConfigError) as caught:
        reading(f"{LEAST}[telegram]\ndc_idd = 1", {"TELEGRAM_API_ID": SECRET})
    assert caught.value.errors == (
        (
            "config.toml:7: telegram.api_id: TELEGRAM_API_ID: this is no api_id; "
            "give the number that my.telegram.org shows"
        ),
        "config.toml:8: telegram.dc_idd: unknown key; did you mean [telegram.server] dc_id?",
    )


def test_a_file_that_the_environment_names_is_read(tmp_path: Path) -> None:
    path, secret = tmp_path / "config.toml", tmp_path / "token"
    path.write_text(LEAST, "utf-8")
    secret.write_text("123456789:" + "A" * 35 + "\n", "utf-8")
    said = load(path, {"TELEGRAM_BOT_TOKEN_FILE": str(secret)})
    assert said.telegram.bot_token is not None
    assert said.telegram.bot_token.get_secret_value() == "123456789:" + "A" * 35
