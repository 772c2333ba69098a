"""Credentials from wherever they are said, proxies and URLs: what is taken, what is refused, and that none is shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.config.secrets import Proxy, ProxyKind, Said, from_environment, proxy
from bot.config.settings import Telegram
from bot.config.values import Wrong
from tests.config.conftest import Errors, Reading, no_file

ROOT = Path(__file__).parents[2]
HASH = "0f" * 16
TOKEN = "123456789:" + "Aa0_-" * 7
HIDDEN = "Do!NotShowThis"


def telegram(environment: Mapping[str, str], least: Reading, below: str = "") -> Telegram:
    said = least(below=f"[telegram]\n{below}", environment=environment).telegram
    assert isinstance(said, Telegram)
    return said


# --- where a credential is said ---------------------------------------------------------------------------


def test_credentials_stand_in_the_file(least: Reading) -> None:
    said = telegram({}, least, f'api_id = 123\napi_hash = "{HASH}"\nbot_token = "{TOKEN}"')
    assert said.api_id == 123
    assert said.api_hash is not None
    assert said.api_hash.get_secret_value() == HASH
    assert said.bot_token is not None
    assert said.bot_token.get_secret_value() == TOKEN


@pytest.mark.parametrize("dots", ["...", "…"])
def test_dots_in_the_place_of_a_credential_say_that_there_is_none_yet(dots: str, least: Reading) -> None:
    said = telegram({}, least, f'api_id = 123\napi_hash = "{dots}"\nbot_token = "{dots}"')
    assert (said.api_hash, said.bot_token) == (None, None)


def test_the_token_of_the_example_is_none(least: Reading) -> None:
    example = (ROOT / "config.example.toml").read_text("utf-8")
    [token] = re.findall('^bot_token = "(.*?)"', example, re.MULTILINE)
    assert telegram({}, least, f'bot_token = "{token}"').bot_token is None
    assert telegram({"TELEGRAM_BOT_TOKEN": token}, least, f'bot_token = "{TOKEN}"').bot_token is None
    said = telegram({"TELEGRAM_BOT_TOKEN": TOKEN}, least, f'bot_token = "{token}"')
    assert said.bot_token is not None
    assert said.bot_token.get_secret_value() == TOKEN


def test_the_environment_wins_over_the_file(least: Reading) -> None:
    said = telegram({"TELEGRAM_API_ID": "456"}, least, f'api_id = 123\napi_hash = "{HASH}"')
    assert said.api_id == 456
    assert said.api_hash is not None


def test_what_the_environment_says_mends_what_the_file_says_wrong(least: Reading) -> None:
    said = telegram({"TELEGRAM_API_HASH": HASH}, least, 'api_hash = "none"')
    assert said.api_hash is not None
    assert said.api_hash.get_secret_value() == HASH


def test_the_environment_needs_no_table(least: Reading) -> None:
    assert least(environment={"TELEGRAM_API_ID": "456"}).telegram.api_id == 456


def test_an_empty_variable_says_nothing(least: Reading) -> None:
    empty = {"TELEGRAM_API_ID": "", "TELEGRAM_API_ID_FILE": "", "TELEGRAM_BOT_TOKEN_FILE": ""}
    assert telegram(empty, least, "api_id = 123").api_id == 123


def test_a_file_that_is_named_loses_its_last_line_end() -> None:
    files = {"/run/secrets/hash": f"{HASH}\r\n", "/run/secrets/id": "123\n"}
    environment = {"TELEGRAM_API_HASH_FILE": "/run/secrets/hash", "TELEGRAM_API_ID_FILE": "/run/secrets/id"}
    assert from_environment(environment, files.__getitem__) == [Said("api_id", 123), Said("api_hash", HASH)]


def refused(environment: Mapping[str, str], content: str | Exception = "") -> str:
    def read(_path: str) -> str:
        if isinstance(content, Exception):
            raise content
        return content

    [(_, wrong)] = from_environment(environment, read)
    assert isinstance(wrong, Wrong)
    return str(wrong)


def test_a_credential_is_said_once() -> None:
    both = {"TELEGRAM_API_HASH": HASH, "TELEGRAM_API_HASH_FILE": "/run/secrets/hash"}
    assert refused(both) == "TELEGRAM_API_HASH and TELEGRAM_API_HASH_FILE are both set; unset one of them"


def test_a_file_that_cannot_be_read_is_named() -> None:
    named = {"TELEGRAM_BOT_TOKEN_FILE": "/run/secrets/token"}
    assert refused(named, PermissionError(13, "Permission denied")) == (
        "TELEGRAM_BOT_TOKEN_FILE names /run/secrets/token, which cannot be read: Permission denied; "
        "give a file that this user can read"
    )
    assert "not a text" in refused(named, UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid"))
    assert "which holds no credential" in refused(named, "\n")
    assert "which holds no credential" in refused(named, "A" * 5000)


def test_a_credential_in_the_place_of_its_files_name_is_not_shown() -> None:
    assert refused({"TELEGRAM_BOT_TOKEN_FILE": TOKEN}) == (
        "TELEGRAM_BOT_TOKEN_FILE holds a credential; name a file that holds it, or say it in TELEGRAM_BOT_TOKEN"
    )
    assert HASH not in refused({"TELEGRAM_API_HASH_FILE": HASH})


# --- what a credential looks like -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ('api_id = "123"', "telegram.api_id: text where a number is expected; write the number of my.telegram.org"),
        ("api_id = 0", "telegram.api_id: this is no api_id; "),
        ("api_id = -5", "telegram.api_id: this is no api_id; "),
        ("api_id = true", "telegram.api_id: this is no api_id; "),
        ("api_id = 99999999999", "telegram.api_id: this is no api_id; "),
        (f'api_hash = "{HIDDEN}"', "telegram.api_hash: this is no api_hash; write what my.telegram.org shows"),
        ("api_hash = 12345", "telegram.api_hash: this is no api_hash; "),
        (f'bot_token = "{HIDDEN}"', "telegram.bot_token: this is no bot token; write it as @BotFather gave it"),
        (f'bot_token = "{TOKEN} "', "telegram.bot_token: this is no bot token; "),
        ("bot_token = [1]", "telegram.bot_token: this is no bot token; "),
        ("proxy = 1080", "telegram.proxy: a number where a proxy's URL is expected; write "),
    ],
)
def test_an_ill_formed_credential_is_refused_and_not_shown(line: str, what: str, wrong: Errors) -> None:
    [told] = wrong(below=f"[telegram]\n{line}")
    assert told.startswith(what)
    assert HIDDEN not in told
    assert HASH not in told
    assert "\n" not in told


@pytest.mark.parametrize("variable", ["TELEGRAM_API_ID", "TELEGRAM_API_HASH", "TELEGRAM_BOT_TOKEN"])
def test_an_ill_formed_variable_is_refused_and_not_shown(variable: str, errors: Errors) -> None:
    toml = '[watch]\nchannels = ["@alfa_demo"]\n[digest]\nchat = "me"\n[topics.a]\nkeywords = ["а"]'
    [told] = errors(toml, {variable: f"{HIDDEN}\udcff"})
    assert told.startswith(f"telegram.{variable[9:].lower()}: ")
    assert HIDDEN not in told


# --- proxies ----------------------------------------------------------------------------------------------

SECRET = "0123456789abcdef" * 2


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        ("socks5://host:1080", Proxy(kind=ProxyKind.SOCKS5, host="host", port=1080)),
        (
            "socks5://u:p%40s@host:1080",
            Proxy(kind=ProxyKind.SOCKS5, host="host", port=1080, username="u", password="p@s"),  # noqa: S106
        ),
        ("http://u@10.0.0.1:8080/", Proxy(kind=ProxyKind.HTTP, host="10.0.0.1", port=8080, username="u")),
        ("http://[::1]:8080", Proxy(kind=ProxyKind.HTTP, host="::1", port=8080)),
        (f"mtproxy://{SECRET}@host:443", Proxy(kind=ProxyKind.MTPROXY, host="host", port=443, secret=SECRET)),
        (f"mtproxy://dd{SECRET}@host:443", Proxy(kind=ProxyKind.MTPROXY, host="host", port=443, secret=f"dd{SECRET}")),
        (
            f"mtproxy://host:443?secret=DD{SECRET}",
            Proxy(kind=ProxyKind.MTPROXY, host="host", port=443, secret=f"dd{SECRET}"),
        ),
    ],
    ids=lambda value: None if isinstance(value, Proxy) else str(value)[:12],
)
def test_a_proxy_is_read_and_written_again(url: str, meant: Proxy) -> None:
    assert proxy(url) == meant
    assert proxy(str(meant)) == meant


@pytest.mark.parametrize(
    "url",
    [
        "",
        "host:1080",
        f"socks4://u:{HIDDEN}@host:1080",
        f"socks5://u:{HIDDEN}@host",
        f"socks5://u:{HIDDEN}@host:99999",
        f"socks5://u:{HIDDEN}@host:1080/{HIDDEN}",
        f"socks5://u:{HIDDEN}@:1080",
        f"http://[{HIDDEN}:1080",
        f"mtproxy://{HIDDEN}@host:443",
        f"mtproxy://ee{SECRET}{HIDDEN}@host:443",
        "mtproxy://host:443",
        f"socks5://{HIDDEN}\n@host:1080",
    ],
)
def test_what_is_no_proxy_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(Wrong) as caught:
        proxy(url)
    assert HIDDEN not in str(caught.value)


def test_fake_tls_is_refused_for_what_it_is() -> None:
    with pytest.raises(Wrong, match="fake TLS"):
        proxy(f"mtproxy://ee{SECRET}676f6f676c652e636f6d@host:443")


def test_a_proxy_does_not_show_its_secrets() -> None:
    assert HIDDEN not in repr(proxy(f"socks5://u:{HIDDEN}@host:1080"))
    assert SECRET not in repr(proxy(f"mtproxy://{SECRET}@host:443"))


# --- notification URLs ------------------------------------------------------------------------------------


def test_notification_urls_are_kept_and_not_shown(least: Reading) -> None:
    said = least(below=f'[operators]\nnotify = ["ntfy://ntfy.sh/{HIDDEN}", "tgram://123/456"]').operators
    assert [url.get_secret_value() for url in said.notify] == [f"ntfy://ntfy.sh/{HIDDEN}", "tgram://123/456"]
    assert HIDDEN not in repr(said)


@pytest.mark.parametrize("typed", [f'"{HIDDEN}"', f'"ntfy:{HIDDEN}"', '""', '"ntfy://"', "12", f'["{HIDDEN}"]'])
def test_a_notification_url_has_a_scheme(typed: str, wrong: Errors) -> None:
    [told] = wrong(below=f"[operators]\nnotify = [{typed}]")
    assert told.startswith("operators.notify[0]: ")
    assert told.endswith('; write a URL with its scheme, as in "ntfy://ntfy.sh/topic"')
    assert HIDDEN not in told


def test_files_are_read_only_where_the_environment_names_one() -> None:
    assert from_environment({"TELEGRAM_API_ID": "1", "HOME": "/"}, no_file) == [Said("api_id", 1)]
