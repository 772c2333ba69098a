"""What a client is made of: a session file of its own, the right server, the way there, and a constant face."""

from __future__ import annotations

import platform
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from telethon._updates import messagebox
from telethon.crypto import AuthKey
from telethon.extensions.messagepacker import MessagePacker
from telethon.network import ConnectionTcpFull
from telethon.network.connection.tcpmtproxy import MTProxyIO
from telethon.sessions import SQLiteSession, StringSession

from bot.config.secrets import proxy as proxy_of
from bot.config.settings import Server, Telegram
from bot.config.values import Address
from bot.errors import ConfigError, NotSignedInError, StorageError, VedetteError
from bot.telegram.session import client_for, elsewhere, import_session, key_of

KEY = bytes(range(256))
PLAIN = "dd11223344556677" * 2
Client = Callable[..., Any]


def configured(server: Server | None = None, proxy: str | None = None) -> Telegram:
    return Telegram.model_construct(
        api_id=1,
        api_hash=SecretStr("0123456789abcdef0123456789abcdef"),
        server=server,
        proxy=None if proxy is None else proxy_of(proxy),
    )


def server(host: str, port: int = 4430, dc_id: int = 2, key: Path | None = None) -> Server:
    return Server.model_construct(address=Address(host, port), dc_id=dc_id, public_key=key)


def session_of(path: Path, key: bytes = KEY) -> None:
    import_session(session_string(key=key), configured(), path)


def session_string(host: str = "149.154.167.51", port: int = 443, dc_id: int = 2, key: bytes = KEY) -> str:
    session = StringSession()
    session.set_dc(dc_id, host, port)
    session.auth_key = AuthKey(key)
    return str(session.save())


def kept(path: Path) -> tuple[int, str, int, bytes | None]:
    """What a session file holds: data centre, host, port, key."""
    session = SQLiteSession(str(path))
    try:
        return session.dc_id, session.server_address, session.port, session.auth_key.key if session.auth_key else None
    finally:
        session.close()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "reader.session"


@pytest.fixture
def client(path: Path) -> Iterator[Client]:
    made = []

    def make(telegram: Telegram | None = None, *, signing_in: bool = True, by_token: bool = False) -> Any:
        made.append(client_for(telegram or configured(), path, signing_in=signing_in, by_token=by_token))
        return made[-1]

    yield make
    for one in made:
        one.session.close()


def test_only_who_signs_in_makes_a_call_twice(client: Client, path: Path) -> None:
    assert client()._request_retries == 1
    assert client(signing_in=False, by_token=True)._request_retries == 1
    session_of(path)
    assert client(signing_in=False)._request_retries == 0
    assert client(signing_in=False, by_token=True)._request_retries == 0


def test_a_session_file_is_its_users_alone_as_is_its_folder(client: Client, path: Path) -> None:
    client()
    assert (mode(path), mode(path.parent)) == (0o600, 0o700)


def test_a_session_file_that_others_can_read_is_closed_to_them(client: Client, path: Path) -> None:
    import_session(session_string(), configured(), path)
    path.chmod(0o644)
    client()
    assert mode(path) == 0o600
    assert kept(path)[3] == KEY


def test_a_file_that_is_no_session_says_what_to_do(client: Client, path: Path) -> None:
    path.parent.mkdir()
    path.write_text("Telegram is a messenger. " * 100, "utf-8")
    with pytest.raises(StorageError, match=r"cannot be read .*; move it away and sign in again with vedette login"):
        client()


def test_a_folder_in_the_place_of_a_session_is_said(client: Client, path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(StorageError, match="Is a directory"):
        client()


def test_a_session_is_told_from_others_by_its_key_and_the_key_is_not_told(client: Client, path: Path) -> None:
    assert key_of(path) is None
    assert not path.exists()
    session_of(path)
    named = key_of(path)
    assert named == f"{client().session.auth_key.key_id:x}"
    session_of(path, KEY[::-1])
    assert key_of(path) not in {None, named}


def test_of_a_file_that_is_no_session_nobody_knows_whose_it_is(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("Telegram is a messenger. " * 100, "utf-8")
    assert key_of(path) is None


def test_without_credentials_there_is_no_client(client: Client, path: Path) -> None:
    with pytest.raises(ConfigError, match="api_id and api_hash are missing"):
        client(Telegram())
    assert not path.exists()


def test_the_account_shows_the_same_device_at_each_start(client: Client) -> None:
    said = client()._init_request
    shown = said.device_model, said.system_version, said.app_version, said.lang_code, said.system_lang_code
    assert shown == ("Vedette", platform.system(), "1", "en", "en")


def test_silent_channels_are_left_to_the_sweep(client: Client) -> None:
    client()
    assert messagebox.NO_UPDATES_TIMEOUT == 12 * 3600
    assert messagebox.next_updates_deadline.__globals__["NO_UPDATES_TIMEOUT"] == 12 * 3600


def test_a_library_that_keeps_elsewhere_what_has_no_answer_is_not_the_one_that_this_was_made_for(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MessagePacker, "__init__", lambda *_, **__: None)
    with pytest.raises(RuntimeError, match=r"is not the 1\.45 that this was made for"):
        client()


def test_another_server_is_where_the_configuration_says(client: Client, path: Path) -> None:
    client(configured(server("127.0.0.1", 4430, 3)))
    assert kept(path) == (3, "127.0.0.1", 4430, None)


@pytest.mark.parametrize(
    "now",
    [server("127.0.0.1", 4431), server("127.0.0.2"), server("127.0.0.1", dc_id=3), server("::1")],
)
def test_the_key_of_another_server_is_dropped_by_signing_in_and_by_nothing_else(
    client: Client, path: Path, now: Server
) -> None:
    here, there = configured(server("127.0.0.1")), configured(now)
    import_session(session_string("127.0.0.1", 4430), here, path)
    client(here, signing_in=False).session.close()
    before = path.read_bytes()
    for by_token in (False, True):
        with pytest.raises(NotSignedInError) as told:
            client(there, signing_in=False, by_token=by_token)
        assert str(told.value) == (
            f"the session at {path} is one of 127.0.0.1:4430 (data centre 2), and the configuration leads to "
            f"{now.address} (data centre {now.dc_id}); correct [telegram.server], or run vedette login to sign in there"
        )
    assert path.read_bytes() == before
    assert client(here, signing_in=False).session.auth_key.key == KEY
    assert elsewhere(here, path) is None
    assert elsewhere(there, path) == "127.0.0.1:4430 (data centre 2)"
    made = client(there)
    assert kept(path) == (now.dc_id, *now.address, None)
    assert not made._sender.auth_key
    assert elsewhere(here, path) is None


def test_a_session_of_another_server_is_not_taken_to_telegram(client: Client, path: Path) -> None:
    here = configured(server("127.0.0.1"))
    import_session(session_string("127.0.0.1", 4430), here, path)
    with pytest.raises(NotSignedInError, match=r"one of 127.0.0.1:4430 .* leads to Telegram itself;"):
        client(signing_in=False)
    assert kept(path) == (2, "127.0.0.1", 4430, KEY)
    client()
    assert kept(path) == (2, "", 443, None)


def test_a_session_of_telegram_is_not_taken_to_another_server(client: Client, path: Path) -> None:
    session_of(path)
    with pytest.raises(NotSignedInError, match=r"one of 149\.154\.167\.51:443 .* leads to 127\.0\.0\.1:443 "):
        client(configured(server("127.0.0.1", 443)), signing_in=False)
    assert kept(path) == (2, "149.154.167.51", 443, KEY)


@pytest.mark.parametrize(
    ("made", "now"),
    [
        ("localhost", "localhost"),
        ("localhost", "LOCALHOST"),
        ("localhost", "127.0.0.1"),
        ("127.0.0.1", "localhost"),
        ("::1", "0:0:0:0:0:0:0:1"),
    ],
)
def test_a_session_goes_where_the_same_server_may_be_under_another_name(
    made: str, now: str, client: Client, path: Path
) -> None:
    import_session(session_string("127.0.0.1" if made == "localhost" else made), configured(server(made)), path)
    assert kept(path) == (2, made, 4430, KEY)
    client(configured(server(now)), signing_in=False)
    assert kept(path) == (2, now, 4430, KEY)


def test_two_names_are_two_servers(client: Client, path: Path) -> None:
    import_session(session_string("127.0.0.1"), configured(server("one.test")), path)
    with pytest.raises(NotSignedInError, match=r"one of one\.test:4430 .* leads to two\.test:4430 "):
        client(configured(server("two.test")), signing_in=False)
    assert kept(path) == (2, "one.test", 4430, KEY)


def test_where_nobody_has_signed_in_there_is_no_client_but_for_signing_in(client: Client, path: Path) -> None:
    """A file without a key is what a sign-in leaves that was broken off."""
    with pytest.raises(NotSignedInError, match=r"there is no session at .*; run vedette login first"):
        client(signing_in=False)
    assert not path.exists()
    client().session.close()
    assert key_of(path) is None
    with pytest.raises(NotSignedInError, match=r"there is no session at .*; run vedette login first"):
        client(signing_in=False)
    assert not client(signing_in=False, by_token=True).session.auth_key


def test_a_session_of_telegram_stays_in_its_data_centre(client: Client, path: Path) -> None:
    import_session(session_string("149.154.175.53", dc_id=1), configured(), path)
    client()
    assert kept(path) == (1, "149.154.175.53", 443, KEY)


def test_a_server_with_a_v6_address_is_not_taken_for_one_without(client: Client) -> None:
    assert client(configured(server("::1")))._use_ipv6
    assert not client(configured(server("127.0.0.1")))._use_ipv6


async def test_a_v6_address_is_not_changed_for_another_data_centre_by_connecting(client: Client, path: Path) -> None:
    made = client(configured(server("::1", port=9)))
    made._connection_retries = made._sender._retries = 0
    with pytest.raises(ConnectionError):
        await made.connect()
    assert kept(path) == (2, "::1", 9, None)


def test_a_link_is_tried_a_few_times_and_not_for_ever(client: Client) -> None:
    made = client()
    assert (made._connection_retries, made._sender._retries) == (3, 3)


def test_python_without_its_checks_is_refused(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path; from bot.config.settings import Telegram;"
        "from bot.telegram.session import client_for;"
        f"client_for(Telegram(api_id=1, api_hash='0' * 32), Path({str(tmp_path / 'reader.session')!r}))"
    )
    ended = subprocess.run([sys.executable, "-O", "-c", code], capture_output=True, text=True, check=False)
    assert "Python was started with -O" in ended.stderr
    assert not (tmp_path / "reader.session").exists()


def test_a_key_of_the_wrong_kind_says_which_is_wanted(client: Client, tmp_path: Path) -> None:
    key = tmp_path / "server.pem"
    with pytest.raises(ConfigError, match=r"server\.pem cannot be read: No such file"):
        client(configured(server("127.0.0.1", key=key)))
    key.write_text("-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQ==\n-----END PUBLIC KEY-----\n", "utf-8")
    with pytest.raises(ConfigError, match="BEGIN RSA PUBLIC KEY"):
        client(configured(server("127.0.0.1", key=key)))


def test_a_proxy_resolves_names_itself(client: Client) -> None:
    made = client(configured(proxy="socks5://user:pa%20ss@proxy.test:1080"))
    assert issubclass(made._connection, ConnectionTcpFull)
    kind, *rest = ConnectionTcpFull._parse_proxy(**made._proxy)
    assert (kind.name, *rest) == ("SOCKS5", "proxy.test", 1080, "user", "pa ss", True)
    assert ConnectionTcpFull._parse_proxy(**client(configured(proxy="http://proxy.test:8080"))._proxy)[0].name == "HTTP"


@pytest.mark.parametrize(("secret", "tag"), [(PLAIN, b"\xee" * 4), ("dd" + PLAIN, b"\xdd" * 4)])
def test_an_mtproxy_is_spoken_to_as_its_secret_says(client: Client, secret: str, tag: bytes) -> None:
    made = client(configured(proxy=f"mtproxy://{secret}@proxy.test:443"))
    link = made._connection
    assert link.address_info(made._proxy) == ("proxy.test", 443)
    assert link.packet_codec.obfuscate_tag == tag
    assert link.normalize_secret(made._proxy[2]) == bytes.fromhex(PLAIN)
    assert MTProxyIO.init_header(link.normalize_secret(made._proxy[2]), 2, link.packet_codec)


@pytest.mark.parametrize("text", ["", "1", "0" + "A" * 352, "1" + "A" * 351, "1пароль", "1" + "!" * 352])
def test_what_is_no_session_string_is_refused_unseen(path: Path, text: str) -> None:
    with pytest.raises(VedetteError, match="session string") as told:
        import_session(text, configured(), path)
    assert len(text) < 2 or text not in str(told.value)
    assert not path.exists()


def test_a_session_string_without_a_key_is_refused(path: Path) -> None:
    with pytest.raises(VedetteError, match="holds no key"):
        import_session(session_string(key=bytes(256)), configured(), path)


def test_a_session_string_of_another_server_is_refused(path: Path) -> None:
    with pytest.raises(VedetteError, match="another server than Telegram's"):
        import_session(session_string("127.0.0.1"), configured(), path)
    for here in (server("127.0.0.2"), server("127.0.0.1", dc_id=4)):
        with pytest.raises(VedetteError, match=r"another server than \[telegram.server\]"):
            import_session(session_string("127.0.0.1"), configured(here), path)
    assert not path.exists()


def test_a_session_string_is_taken_to_the_address_that_is_configured(path: Path) -> None:
    import_session(f"  {session_string('127.0.0.1', 443)}\n", configured(server("demo.test", 4430)), path)
    assert kept(path) == (2, "demo.test", 4430, KEY)
    assert mode(path) == 0o600
