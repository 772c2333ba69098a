"""No credential, phone number, code, session string or post body ever reaches the log, whatever goes wrong."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import re
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from telethon.sessions import SQLiteSession, StringSession
from telethon.tl import types

from bot.folder import READER as SESSION
from tests.promises.service import API_HASH, READER, ROOT, Service
from tests.telegram_server.channel import WorldChannel
from tests.telegram_server.faults import Faults
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.wire import UNKNOWN
from tests.telegram_server.world import World

PHONE, CODE, PASSWORD = "+99966273914", "739140268", "white horse zq"
BOT = 5550001
TOKEN = f"{BOT}:AAHzqTokenOfTheBotThatNobodyMaySee01"
#: Begins a word that stands in every post, in letters that no way of writing it down changes.
CANARY = "zqCanary"
_CONFIGURED = 'level = "debug"\n'


class Posts:
    """Posts of all kinds, each with a word of its own."""

    def __init__(self) -> None:
        self._count = itertools.count(1)

    @property
    def text(self) -> str:
        return f"Колонна в Сирии: {CANARY}{next(self._count):04}. Фасад дома покрасили"

    def fill(self, channel: WorldChannel) -> None:
        """One of each kind, with some of a kind that no client can read among them."""
        first = channel.post(self.text)
        channel.unknown()
        for caption in (self.text, ""):
            channel.post(caption, album=first)
        channel.post("", rich=[self.text, self.text])
        channel.post(self.text, forward=types.MessageFwdHeader(date=channel.created, from_name=self.text))
        channel.edit(first, self.text)
        channel.preview(first, self.text)
        channel.delete(channel.post(self.text))

    def malformed(self, channel: WorldChannel) -> Iterator[bytes]:
        """Packets in which a post follows on something that cannot be read, and one that breaks off."""
        message = types.Message(id=1, peer_id=channel.peer, date=channel.created, message=self.text)
        update = bytes(types.UpdateNewChannelMessage(message, 1, 1))
        whole = bytes(types.Updates([types.UpdateNewChannelMessage(message, 1, 1)], [], [], channel.created, 0))
        yield whole.replace(update, struct.pack("<I", UNKNOWN) + update)
        yield whole[:-20]
        yield struct.pack("<I", UNKNOWN) + self.text.encode()
        yield self.text.encode()


def trouble(faults: Faults) -> None:
    faults.drop(0.2)
    faults.duplicate(0.2)
    faults.unknown_in_push(0.1)
    faults.unknown_in_difference(times=1)
    faults.unknown_in_history(0.3)
    faults.too_long(0.2)
    faults.refuse("messages.getHistory", 400, "MSG_ID_INVALID", times=1, share=0.3)
    faults.refuse("messages.getPeerDialogs", 500, "INTERNAL", times=1)
    faults.flood_wait("messages.getHistory", 1, times=1)
    faults.cut_after("messages.getHistory", share=0.2, times=2)


@pytest.mark.parametrize("form", ["console", "json"])
async def test_no_secret_and_no_post_reaches_the_log(form: str, tmp_path: Path) -> None:
    world = World(1)
    world.add_person(READER, phone=PHONE, code=CODE, password=PASSWORD, username="reader_demo")
    world.add_bot(BOT, token=TOKEN, username="speaker_demo_bot")
    them = [world.add_channel(3001 + at, username=f"canary_{at}_demo", members=[READER]) for at in range(3)]
    posts = Posts()
    async with TelegramServer(world) as server:
        service = Service.configured(tmp_path, server, ["@absent_demo", *(f"@{one.username}" for one in them)])
        _configure(tmp_path, form)
        keys = _keys(tmp_path)
        said = await _signed_in(service)
        keys += _keys(tmp_path)
        await _begun(service, posts, them)
        trouble(server.faults)
        await _live(service, server, posts, them)
        await service.kill()
        await service.start(form="text")
        await _live(service, server, posts, them)
        assert await service.stop() == 0
    log = "\n".join([*said, *service.log])
    for secret in (*_forms_of(*keys), API_HASH, TOKEN, TOKEN.partition(":")[2], PHONE[1:], CODE, PASSWORD, CANARY):
        assert secret.casefold() not in log.casefold()
    _is_a_log(service.log, form)


def _configure(folder: Path, form: str) -> None:
    """Adds a bot, and the form of the log."""
    path = folder / "config.toml"
    text = path.read_text("utf-8").replace(_CONFIGURED, f'{_CONFIGURED}format = "{form}"\n')
    text = text.replace(f'api_hash = "{API_HASH}"', f'api_hash = "{API_HASH}"\nbot_token = "{TOKEN}"')
    path.write_text(text, "utf-8")


async def _signed_in(service: Service) -> list[str]:
    """What is said while nobody is signed in, while somebody does, and before that mistypes things."""
    (service.folder / "data" / SESSION).unlink()
    await service.start()
    assert service.process is not None
    assert await service.process.wait() == 3
    await service.stop()
    _, mistyped = await _login(service, PHONE, CODE[::-1])
    code, typed = await _login(service, PHONE, CODE, PASSWORD[::-1], PASSWORD)
    assert code == 0, "\n".join(typed)
    return mistyped + typed


async def _login(service: Service, *answers: str) -> tuple[int | None, list[str]]:
    """The command's exit code, and all that it says."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "login", "--config", str(service.folder / "config.toml")),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate("\n".join([*answers, ""]).encode())
    return process.returncode, said.decode().splitlines()


async def _begun(service: Service, posts: Posts, them: list[WorldChannel]) -> None:
    """A start in peace: what stands in the channels is read, and something is matched and sent."""
    for channel in them:
        posts.fill(channel)
    await service.start()
    await _until(lambda: sum("channel watched" in line for line in service.log) == len(them))
    for channel in them:
        posts.fill(channel)
    await _until(lambda: any("message sent" in line for line in service.log))


async def _live(service: Service, server: TelegramServer, posts: Posts, them: list[WorldChannel]) -> None:
    """All that can go wrong in a few seconds, and in the end somebody ends the session."""
    before = len(service.log)
    for _ in range(3):
        for channel in them:
            posts.fill(channel)
        await asyncio.sleep(0.4)
        for packet in posts.malformed(them[0]):
            server.push_raw(packet, READER)
        await asyncio.sleep(0.3)
        server.cut()
        await asyncio.sleep(0.3)
    them[1].forbid(READER)
    server.cut()
    await asyncio.sleep(0.5)
    them[1].allow(READER)
    them[1].join(READER)
    server.revoke(READER)
    server.cut()
    await _until(lambda: any("signed out" in line for line in service.log[before:]))
    server.restore(READER)


async def _until(condition: Callable[[], bool]) -> None:
    for _ in range(450):
        if condition():
            return
        await asyncio.sleep(0.1)
    raise AssertionError("it never came true")


def _keys(folder: Path) -> list[tuple[bytes, str]]:
    """The session in force: its key, and the whole of it as a string."""
    path = folder / "data" / SESSION
    session = SQLiteSession(str(path))
    try:
        return [(session.auth_key.key, StringSession.save(session))]
    finally:
        session.close()


def _forms_of(*keys: tuple[bytes, str]) -> Iterator[str]:
    """A piece of each session, however it is written down."""
    for key, string in keys:
        yield string[40:70]
        yield key[60:80].hex()
        for start in range(3):  # base64 puts three bytes together, and what stood before the key is not known
            piece = key[60 + start : 90]
            yield base64.b64encode(piece).decode()[:30]
            yield base64.urlsafe_b64encode(piece).decode()[:30]
        yield repr(key[60:80])[2:-1]


_EVENTS = "started|signed in|channel watched|message sent|connection lost|signed out|its text is withheld|stopped"


def _is_a_log(lines: list[str], form: str) -> None:
    """It tells what happened, and libraries had something to say that was withheld."""
    events = [line for line in lines if _is_event(line, form)]
    log = "\n".join(events)
    assert len(events) > 20
    for event in _EVENTS.split("|"):
        assert event in log
    assert "Traceback" not in "\n".join(lines)


def _is_event(line: str, form: str) -> bool:
    """Notices to the operators stand between the events, as text for people."""
    if form == "json":
        return line.startswith("{") and {"event", "level", "timestamp"} <= set(json.loads(line))
    return re.match(r"\d{4}-\d\d-\d\dT\S+ \[\w+ *\]", line) is not None
