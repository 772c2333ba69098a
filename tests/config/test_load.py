"""From a file to settings, or to all of its errors: their lines, their order, their carets, what they never show."""

from __future__ import annotations

import os
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
        ('keywords = ["""\nАсад\n(x"""]', '(x"""]'),
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
        ("[log]\nlevel = " + "1" * 5000, "1: log", "write a shorter one"),
    ],
)
def test_what_is_no_toml_is_told_in_plain_words(toml: str, where: str, hint: str) -> None:
    [error] = told(toml)
    assert error.startswith(f"config.toml:{where}: ")
    assert hint in error


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
