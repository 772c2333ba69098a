"""Credentials, proxies and notification URLs: read, validated, and never shown.

No message made here holds any part of a value. A credential stands in the file, in the environment
(``TELEGRAM_API_ID``) or in a file that the environment names (``TELEGRAM_API_ID_FILE``). What the environment
says wins over the configuration file; saying it in both ways there is an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum, auto
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qs, quote, unquote, urlsplit

from pydantic import SecretStr

from bot.config.references import is_suspect
from bot.config.values import Wrong, kind, split_address

#: The keys of [telegram] that the environment can say.
CREDENTIALS = ("api_id", "api_hash", "bot_token")
_PREFIX = "TELEGRAM_"
#: Characters of a file that is read for a credential; a longer one is something else.
_LONGEST = 4096

#: What examples have in the place of a credential: none is there yet.
_NOT_YET = ("...", "…")
#: What config.example.toml has there. Whoever does without a bot may have left it.
_NO_TOKEN = (*_NOT_YET, "123456789:replace-me-with-the-token-of-BotFather")
#: https://core.telegram.org/api/obtaining_api_id, https://core.telegram.org/bots/api#authorizing-your-bot
#: Another server than Telegram's may give others than Telegram does, so neither length nor digits are checked here.
_HASH = re.compile("[0-9A-Za-z_-]{1,200}")
_TOKEN = re.compile("[0-9]{1,20}:[A-Za-z0-9_-]{1,200}")
#: https://core.telegram.org/mtproto/mtproto-transports#transport-obfuscation
_PROXY_SECRET = re.compile("(?:dd)?[0-9a-f]{32}", re.IGNORECASE)
_PROXY_HINT = 'write "socks5://user:pass@host:1080", "http://host:8080" or "mtproxy://SECRET@host:443"'


class ProxyKind(StrEnum):
    SOCKS5 = auto()
    HTTP = auto()
    MTPROXY = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """A way to Telegram. ``secret`` is an MTProxy's, in hexadecimal, with ``dd`` before it where it was typed."""

    kind: ProxyKind
    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    secret: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        """Its URL, the password and the secret included."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        who = self.secret if self.secret is not None else self.username and quote(self.username, safe="")
        password = "" if self.password is None else ":" + quote(self.password, safe="")
        return f"{self.kind}://{'' if who is None else f'{who}{password}@'}{host}:{self.port}"


def api_id(value: object) -> int:
    if isinstance(value, str):
        raise Wrong("text where a number is expected", "write the number of my.telegram.org without quotes")
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 1 << 31:
        raise Wrong("this is no api_id", "write the number that my.telegram.org shows")
    return value


def api_hash(value: object) -> SecretStr | None:
    if value in _NOT_YET:
        return None
    if not isinstance(value, str) or not _HASH.fullmatch(value):
        raise Wrong("this is no api_hash", "write what my.telegram.org shows, 32 hexadecimal digits in quotes")
    return SecretStr(value)


def bot_token(value: object) -> SecretStr | None:
    if value in _NO_TOKEN:
        return None
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        raise Wrong("this is no bot token", "write it as @BotFather gave it, digits, a colon, letters and digits")
    return SecretStr(value)


def notify_url(value: object) -> SecretStr:
    if not isinstance(value, str) or not re.match(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s]", value):
        what = "no URL" if isinstance(value, str) else f"{kind(value)} where a URL is expected"
        raise Wrong(what, 'write a URL with its scheme, as in "ntfy://ntfy.sh/topic"')
    return SecretStr(value)


def proxy(value: object) -> Proxy:
    """A proxy's URL. MTProxy secrets are the plain and the dd ones; the secret may stand as ``?secret=`` too."""
    if not isinstance(value, str):
        raise Wrong(f"{kind(value)} where a proxy's URL is expected", _PROXY_HINT)
    try:
        parts = urlsplit(value)
    except ValueError:
        raise Wrong("no proxy's URL", _PROXY_HINT) from None
    if not value.isprintable() or " " in value:
        raise Wrong("a proxy's URL has no blanks", _PROXY_HINT)
    if parts.scheme not in list(ProxyKind):
        raise Wrong("no proxy that is known", _PROXY_HINT)
    who, _, where = parts.netloc.rpartition("@")
    place = split_address(where)
    if place is None:
        raise Wrong("a proxy without host and port", _PROXY_HINT)
    if parts.scheme == ProxyKind.MTPROXY:
        return Proxy(kind=ProxyKind.MTPROXY, host=place.host, port=place.port, secret=_proxy_secret(who, parts))
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise Wrong("a proxy's URL ends with the port", _PROXY_HINT)
    username, colon, password = who.partition(":")
    return Proxy(
        kind=ProxyKind(parts.scheme),
        host=place.host,
        port=place.port,
        username=unquote(username) if who else None,
        password=unquote(password) if colon else None,
    )


def _proxy_secret(who: str, parts: SplitResult) -> str:
    secret = who or "".join(parse_qs(parts.query).get("secret", []))
    if secret[:2].lower() == "ee" and not _PROXY_SECRET.fullmatch(secret):
        raise Wrong("an ee secret (fake TLS), which is not supported", "use a proxy with a plain or dd secret")
    if not _PROXY_SECRET.fullmatch(secret):
        raise Wrong(
            "no secret of an MTProxy", "write 32 hexadecimal digits, or dd and 32, as in mtproxy://SECRET@host:443"
        )
    return secret.lower()


class Said(NamedTuple):
    """What the environment says of one key: a value as TOML would have it, or what is wrong with it."""

    key: str
    value: object | Wrong


def from_environment(environment: Mapping[str, str], read: Callable[[str], str]) -> list[Said]:
    """The credentials that the environment says; an empty variable says nothing.

    ``read`` gives the text of a file, and raises `OSError` or `UnicodeError`.
    """
    found = []
    for key in CREDENTIALS:
        name = _PREFIX + key.upper()
        plain, file = environment.get(name), environment.get(f"{name}_FILE")
        if plain and file:
            found.append(Said(key, Wrong(f"{name} and {name}_FILE are both set", "unset one of them")))
        elif plain or file:
            try:
                found.append(Said(key, _said(key, plain) if plain else _said(key, _from_file(file or "", name, read))))
            except Wrong as wrong:
                found.append(Said(key, wrong if file else Wrong(f"{name}: {wrong.what}", wrong.hint)))
    return found


def _from_file(file: str, name: str, read: Callable[[str], str]) -> str:
    if is_suspect(file):
        raise Wrong(f"{name}_FILE holds a credential", f"name a file that holds it, or say it in {name}")
    try:
        content = read(file)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "not a text"
        raise Wrong(
            f"{name}_FILE names {file}, which cannot be read: {why}", "give a file that this user can read"
        ) from None
    stripped = content.rstrip("\r\n")
    if not stripped or len(stripped) > _LONGEST:
        raise Wrong(f"{name}_FILE names {file}, which holds no credential", "give a file with the value alone")
    return stripped


def _said(key: str, typed: str) -> object:
    """A credential from outside TOML: what is typed there is text, also where a number is meant."""
    if key != "api_id":
        return typed
    if not re.fullmatch("[0-9]{1,10}", typed):
        raise Wrong("this is no api_id", "give the number that my.telegram.org shows")
    return int(typed)
