"""From the configuration to a Telethon client: its session file, its server, the way there, how it shows itself.

A session is a Telethon SQLite file, mode 0600; whoever holds it holds the account.
"""

from __future__ import annotations

import asyncio
import ipaddress
import math
import os
import platform
import struct
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import telethon
from python_socks import ProxyError
from telethon import TelegramClient, errors
from telethon._updates import messagebox
from telethon.crypto import rsa
from telethon.network import (
    ConnectionTcpFull,
    ConnectionTcpMTProxyIntermediate,
    ConnectionTcpMTProxyRandomizedIntermediate,
)
from telethon.sessions import SQLiteSession, StringSession
from telethon.sessions import sqlite as telethons_sqlite
from telethon.tl import TLRequest, functions, types

from bot.config.secrets import Proxy, ProxyKind
from bot.config.settings import Server, Telegram
from bot.config.values import Address
from bot.errors import ConfigError, NotSignedInError, StorageError, VedetteError

#: What Telethon lets through of a session file that cannot be read or written.
SessionFileError: type[Exception] = telethons_sqlite.sqlite3.Error

#: How the account's list of devices shows us. The same at each start: another string looks like another device.
_DEVICE = {"device_model": "Vedette", "system_version": platform.system() or "POSIX", "app_version": "1"}
_LANGUAGE = {"lang_code": "en", "system_lang_code": "en"}
#: How long the library waits before it asks by itself what a silent channel has. The sweep does that, at our pace; the
#: library would ask for all channels at once, every 15 minutes.
_SILENCE = timedelta(hours=12)
#: A dd secret is 16 bytes behind this one.
_PADDED = "dd"
_SECRET_DIGITS = 32
#: Links that live shorter than this, in seconds, are made anew without a pause so many times in a row; then after the
#: first pause, and after twice as long each time, up to 4 s.
_SHORT_LIFE = 1.0
_SHORT_LIVES = 3
_FIRST_PAUSE = 0.25
_MOST_DOUBLED = 4
#: So long after a packet, in seconds, the next one goes at the earliest, with all that came up meanwhile. The library
#: would acknowledge each push by a packet of its own, which is a quarter of what a flood of them costs.
_GATHERED = 0.01
#: What tells people something: the outbox says when it is repeated, and as what.
_TELLING = (
    functions.messages.SendMessageRequest,
    functions.messages.EditMessageRequest,
    functions.messages.ForwardMessagesRequest,
)
#: What the library asks for in its loop of updates, whenever it thinks fit.
_DIFFERENCES = {
    functions.updates.GetDifferenceRequest: "updates.getDifference",
    functions.updates.GetChannelDifferenceRequest: "updates.getChannelDifference",
}
_WHO_AM_I = "users.getUsers"
#: What it asks each time that it is connected by us, without a word to anybody.
_AT_CONNECTING = {
    "help.getConfig": functions.help.GetConfigRequest,
    "updates.getState": functions.updates.GetStateRequest,
}


class ByItself(NamedTuple):
    """Who is asked about calls that the library makes by itself, by Telegram's own name of the method.

    ``unasked``: a call is about to be made; how long it has to wait, none: it may be made, and is counted.
    ``refused``: Telegram asks to wait so many seconds.
    """

    unasked: Callable[[str], timedelta]
    refused: Callable[[str, int], None]


class HeldBackError(errors.FloodWaitError):  # type: ignore[misc] # Telethon has no types
    """A wait that Telegram was not asked about, since it is known, or is our own."""


class _Session(SQLiteSession):  # type: ignore[misc] # Telethon has no types
    """A session file that keeps who is signed in, and not whom the account has seen.

    Access hashes are kept in our own tables. Telethon would write those of every push into the file, and hold a
    transaction open in it for a minute at a time.
    """

    def process_entities(self, tlo: object) -> None:
        """Forgets them."""


def client_for(  # noqa: PLR0913 - what a client can be
    telegram: Telegram,
    session: Path,
    *,
    on_connect: Callable[[], None] | None = None,
    by_itself: ByItself | None = None,
    updates: bool = True,
    signing_in: bool = False,
    by_token: bool = False,
    pause: timedelta = timedelta(seconds=2),
) -> TelegramClient:
    """A client over the session file at this path. Needs a running loop; does not connect.

    ``on_connect`` is called each time that the link to the server stands anew. ``by_itself`` paces what the library
    asks without being told to: what would have to wait fails at once, as if Telegram had said so. ``updates``: whether
    Telegram is asked for pushes. ``pause`` lies between two attempts to connect.

    ``signing_in``: the file is made if need be, and a key in it that is another server's goes (`elsewhere`).
    ``by_token``: it is made likewise, and such a key is kept. Whoever signs in may make a call twice, as he must where
    the account lives in another data centre; otherwise it is made once, since between two tries Telethon sleeps for
    2 s, and asks nothing else.

    Raises `NotSignedInError` where there is no key, or another server's, `ConfigError` when credentials are missing,
    the server's key is none or Python runs without its checks, `StorageError` when the file cannot be used.
    """
    if telegram.api_id is None or telegram.api_hash is None:
        raise ConfigError(["telegram: api_id and api_hash are missing; write those that my.telegram.org shows"])
    if not __debug__:
        raise ConfigError(["Python was started with -O, which removes checks of Telegram's answers; start it without"])
    _calm()
    if telegram.server is not None and telegram.server.public_key is not None:
        _trust(telegram.server.public_key)
    kept = _turned(telegram.server, session, signing_in=signing_in, by_token=by_token)

    def connected() -> None:
        _forget(client)
        if on_connect is not None:
            on_connect()

    client = _kind(by_itself)(
        kept,
        telegram.api_id,
        telegram.api_hash.get_secret_value(),
        connection=_transport(telegram.proxy, connected),
        proxy=None if telegram.proxy is None else _proxy(telegram.proxy),
        use_ipv6=":" in (kept.server_address or ""),
        connection_retries=3,
        retry_delay=pause.total_seconds(),
        timeout=10,
        request_retries=1 if signing_in or (by_token and named(kept) is None) else 0,
        raise_last_call_error=True,
        flood_sleep_threshold=0,
        catch_up=False,
        sequential_updates=True,  # in order, and without a task for each; no handler of ours ever waits
        receive_updates=updates,
        **_DEVICE,
        **_LANGUAGE,
    )
    _unanswered(client)  # it has them, or is none that this was made for
    return client


def import_session(text: str, telegram: Telegram, session: Path) -> None:
    """Writes a session string of Telethon to a session file, over what is there.

    Raises `VedetteError` when it is none, or of another server than the configured one. No message shows any of it.
    """
    try:
        given = StringSession(text.strip())
    except (ValueError, struct.error):
        raise VedetteError("this is no Telethon session string; it begins with 1 and has 353 characters") from None
    if given.auth_key is None:
        raise VedetteError("this session string holds no key; make one with an account that is signed in")
    server = telegram.server
    address, port = given.server_address, given.port
    if server is None and not _may_be_telegrams(address):
        raise VedetteError("this session is of another server than Telegram's; name that in [telegram.server]")
    if server is not None:
        if given.dc_id != server.dc_id or _another(address, server.address.host):
            raise VedetteError("this session is of another server than [telegram.server] names")
        address, port = server.address
    kept = _opened(session)
    kept.set_dc(given.dc_id, address, port)
    kept.auth_key = given.auth_key
    kept.close()


def key_of(session: Path) -> str | None:
    """What tells the session in this file from any other: Telegram's id of its key, as it stands in each packet.

    None where there is no session, or none that can be read.
    """
    if not session.is_file():
        return None
    try:
        kept = _Session(str(session))
    except SessionFileError:
        return None
    try:
        return named(kept)
    finally:
        kept.close()


def named(session: SQLiteSession) -> str | None:
    """Likewise of a session that is open."""
    # Telethon reads back no key as a key of nothing.
    return f"{session.auth_key.key_id:x}" if session.auth_key is not None and session.auth_key.key else None


def require_session(telegram: Telegram, session: Path) -> None:
    """Raises as `client_for` does where nobody has signed in at the configured server, as far as the file says."""
    _turned(telegram.server, session, signing_in=False, by_token=False).close()


def elsewhere(telegram: Telegram, session: Path) -> str | None:
    """The server that the key in this file is of, if that is not the configured one.

    None also where there is no key, or none that can be read.
    """
    if key_of(session) is None:
        return None
    kept = _opened(session)
    try:
        return _in_words(kept) if _is_foreign(telegram.server, kept) else None
    finally:
        kept.close()


def _calm() -> None:
    """Makes the library leave silent channels to the sweep: the one setting of it that has no public way."""
    if not telethon.__version__.startswith("1.45") or not hasattr(messagebox, "NO_UPDATES_TIMEOUT"):
        raise _another_library()
    messagebox.NO_UPDATES_TIMEOUT = int(_SILENCE.total_seconds())


def _another_library() -> Exception:
    return RuntimeError(f"Telethon {telethon.__version__} is not the 1.45 that this was made for")


def _unanswered(client: Any) -> tuple[dict[int, Any], deque[Any]]:  # noqa: ANN401 - Telethon has no types
    """What the library has sent without an answer, and what it is about to send; neither has a public name."""
    try:
        sender = client._sender  # noqa: SLF001
        sent, queue = sender._pending_state, sender._send_queue._deque  # noqa: SLF001
    except AttributeError:
        raise _another_library() from None
    return sent, queue


def _forget(client: Any) -> None:  # noqa: ANN401
    """Takes from the library what it must not send again now that it is connected anew.

    It would repeat all that has no answer, at once, and also what its caller has given up: an old edit over a newer
    one, thirty messages to a chat in one moment. And where the repeat is refused, the message would be taken for one
    that stands nowhere.
    """
    sent, queue = _unanswered(client)
    for number, state in list(sent.items()):
        if state.future.done():
            del sent[number]
        elif isinstance(_innermost(state.request), _TELLING):
            del sent[number]
            state.future.set_exception(ConnectionError("the link broke before there was an answer"))
    for state in [one for one in queue if one.future.cancelled()]:
        queue.remove(state)


def _innermost(request: Any) -> Any:  # noqa: ANN401
    """A request without what it is wrapped in, as where no updates are wanted."""
    while isinstance(inner := getattr(request, "query", None), TLRequest):
        request = inner
    return request


def _trust(public_key: Path) -> None:
    try:
        rsa.add_key(public_key.read_bytes(), old=False)
    except OSError as error:
        raise ConfigError([f"telegram.server.public_key: {public_key} cannot be read: {error.strerror}"]) from None
    except ValueError:
        hint = "give a PKCS#1 one, which begins with BEGIN RSA PUBLIC KEY"
        raise ConfigError([f"telegram.server.public_key: {public_key} holds no such key; {hint}"]) from None


def _opened(path: Path) -> SQLiteSession:
    """The session in a file that only its owner can read, before anything is written to it."""
    remedy = "move it away and sign in again with vedette login"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
        return _Session(str(path))
    except OSError as error:
        raise StorageError(f"the session file {path} cannot be used: {error.strerror}") from None
    except SessionFileError as error:
        raise StorageError(f"the session file {path} cannot be read ({error}); {remedy}") from None


def _turned(server: Server | None, path: Path, *, signing_in: bool, by_token: bool) -> SQLiteSession:
    """The session in this file, which leads to the configured server. Raises as `client_for` does.

    The key of another server is of no use here, and it is all that there is of the sign-in that it came by.
    """
    if not path.exists() and not (signing_in or by_token):
        raise _no_session(path)
    session = _opened(path)
    try:
        if named(session) is not None and _is_foreign(server, session):
            if not signing_in:
                raise _of_another_server(server, path, session)
            session.auth_key = None
        if named(session) is None and not (signing_in or by_token):
            raise _no_session(path)
        wanted = _wanted(server, session)
        if (session.dc_id, session.server_address, session.port) != wanted:
            session.set_dc(*wanted)
            session.save()
    except VedetteError:
        session.close()
        raise
    return session


def _wanted(server: Server | None, session: SQLiteSession) -> tuple[int, str, int]:
    """The data centre, the host and the port that a session leads to from now on."""
    if server is not None:
        return server.dc_id, *server.address
    if session.server_address and not _may_be_telegrams(session.server_address):
        return 2, "", 443  # Telethon fills in Telegram's own address
    return session.dc_id, session.server_address, session.port


def _is_foreign(server: Server | None, session: SQLiteSession) -> bool:
    """Whether a session's key is surely another server's than the configured one."""
    if server is None:
        return bool(session.server_address) and not _may_be_telegrams(session.server_address)
    if (session.dc_id, session.port) != (server.dc_id, server.address.port):
        return True
    return _another(session.server_address or "", server.address.host)


def _no_session(path: Path) -> NotSignedInError:
    return NotSignedInError(f"there is no session at {path}; run vedette login first")


def _of_another_server(server: Server | None, path: Path, session: SQLiteSession) -> NotSignedInError:
    wanted = "Telegram itself" if server is None else f"{server.address} (data centre {server.dc_id})"
    return NotSignedInError(
        f"the session at {path} is one of {_in_words(session)}, and the configuration leads to {wanted}; correct "
        "[telegram.server], or run vedette login to sign in there"
    )


def _in_words(session: SQLiteSession) -> str:
    return f"{Address(session.server_address, session.port)} (data centre {session.dc_id})"


def _may_be_telegrams(host: str) -> bool:
    """Telegram's data centres are addresses of the public internet, never names."""
    address = _as_ip(host)
    return address is not None and address.is_global


def _another(address: str, host: str) -> bool:
    """Whether an address cannot be the configured host. A name may stand for any address, but not for another name."""
    given, wanted = _as_ip(address), _as_ip(host)
    if given is None and wanted is None:
        return address.casefold() != host.casefold()
    return given is not None and wanted is not None and given != wanted


def _as_ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _kind(by_itself: ByItself | None) -> type:
    """A class of its own for each client: Telethon keeps what it learns of a server in the class."""

    class Client(TelegramClient):  # type: ignore[misc] # Telethon has no types
        _config = None

        async def connect(self) -> None:
            if by_itself is not None:
                for method, kind in _AT_CONNECTING.items():
                    _hold(kind(), by_itself.unasked(method))
            await super().connect()

        async def __call__(self, request: Any, *others: Any, **named: Any) -> Any:  # noqa: ANN401 - as Telethon has it
            method = _of_the_library(request)
            if by_itself is None or method is None:
                return await super().__call__(request, *others, **named)
            # Telethon takes it for a difference that brings nothing, and asks again after the next gap.
            _hold(request, by_itself.unasked(method))
            try:
                return await super().__call__(request, *others, **named)
            except errors.FloodWaitError as error:
                by_itself.refused(method, error.seconds)
                raise

    return Client


def _hold(request: object, pause: timedelta) -> None:
    """Fails as if Telegram had answered that this has to wait."""
    if pause > timedelta(0):
        raise HeldBackError(request, math.ceil(pause.total_seconds()))


def _of_the_library(request: Any) -> str | None:  # noqa: ANN401 - Telethon has no types
    """The method of a call that nobody of ours ever makes; all others are paced where they are made."""
    if isinstance(request, functions.users.GetUsersRequest):
        return _WHO_AM_I if any(isinstance(one, types.InputUserSelf) for one in request.id) else None
    return _DIFFERENCES.get(type(request))


class _Patience:
    """The pause before a link is made anew, where one after another was lost at once.

    Telethon makes none where the peer can be reached: one that talks rubbish it would call thousands of times a minute.
    """

    def __init__(self) -> None:
        self._connected: float | None = None
        self._short = 0

    async def wait(self) -> None:
        """Returns when it may be tried again. Telethon cancels it when the client is closed meanwhile."""
        lived = math.inf if self._connected is None else _now() - self._connected
        self._short = self._short + 1 if lived < _SHORT_LIFE else 0
        if self._short > _SHORT_LIVES:
            doubled = min(self._short - _SHORT_LIVES - 1, _MOST_DOUBLED)
            await asyncio.sleep(_FIRST_PAUSE * (1 << doubled))

    def connected(self) -> None:
        self._connected = _now()


def _now() -> float:
    return asyncio.get_running_loop().time()


def _transport(proxy: Proxy | None, connected: Callable[[], None]) -> type:
    """The kind of link that fits the way; ``connected`` is called each time that it stands anew."""
    way: type = ConnectionTcpFull
    if proxy is not None and proxy.kind is ProxyKind.MTPROXY:
        padded = len(proxy.secret or "") > _SECRET_DIGITS
        way = ConnectionTcpMTProxyRandomizedIntermediate if padded else ConnectionTcpMTProxyIntermediate

    patience = _Patience()

    class Link(way):  # type: ignore[misc] # Telethon has no types
        async def connect(self, timeout: float | None = None, ssl: object = None) -> None:  # noqa: ASYNC109 - Telethon's
            await patience.wait()
            try:
                await super().connect(timeout=timeout, ssl=ssl)
            except ProxyError as error:
                # Telethon would take it for a defect of its own and give up.
                raise ConnectionError(f"the proxy refuses: {error}") from error
            patience.connected()
            connected()

        async def send(self, data: bytes) -> None:
            await super().send(data)
            await asyncio.sleep(_GATHERED)

    return Link


def _proxy(proxy: Proxy) -> dict[str, object] | tuple[str, int, str]:
    """As Telethon takes it. Names are resolved on the other side, so that none leaks."""
    if proxy.kind is ProxyKind.MTPROXY:
        # Telethon cuts dd off whatever begins with it, a plain secret too.
        return proxy.host, proxy.port, _PADDED + (proxy.secret or "")[-_SECRET_DIGITS:]
    return {
        "proxy_type": proxy.kind.value,
        "addr": proxy.host,
        "port": proxy.port,
        "username": proxy.username,
        "password": proxy.password,
        "rdns": True,
    }
