"""The service against the loopback Telegram server: how soon a push is matched and told, how many, in what memory.

The server runs here, the service or its baseline in a process of its own, so that each has a core.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import sqlite3
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.data import posts_of
from bot.model import Channel, Post
from bot.query.lexicon import Lexicon
from bot.query.matcher import Matcher, Topic
from bot.query.parser import parse
from bot.text.morphology.languages import Morphology
from tests.promises.forked import Scale
from tests.promises.service import READER, Service
from tests.promises.telling import Desk, Ledger, Size, numbers
from tests.telegram_server.channel import WorldChannel
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.world import World

_CHANNELS = 20
_PER_SECOND = 200
_SECONDS = 20
#: Posts that come as fast as the server can push them.
_FLOOD = 9_000
_MANY, _MANY_PER_SECOND = 100_000, 700
#: Single posts over so many chats, of which each gets one every few seconds: that is no reason to pace it.
_ALERTS, _CHATS, _EVERY = 240, 15, 0.5
#: What Telethon takes by itself: a client that is told of each update and does nothing about it.
_BASELINE = """
import asyncio, sys
from telethon import TelegramClient, events
from telethon.crypto import rsa
rsa.add_key(open(sys.argv[2]).read(), old=False)
async def main():
    client, left, done = TelegramClient(sys.argv[1], 12345, "x"), int(sys.argv[3]), asyncio.Event()
    @client.on(getattr(events, sys.argv[4])())
    async def handler(event):
        nonlocal left
        left -= hasattr(event, "message")
        if left == 0:
            done.set()
    await client.connect()
    await client.get_me()
    print("ready", flush=True)
    await done.wait()
    print("done", flush=True)
asyncio.run(main())
"""


def run(paths: Sequence[Path]) -> None:
    print("\nLive: the service against the loopback server")
    if not paths:
        print("  the recordings of real posts are absent: skipped")
        return
    texts = [post.text for path in paths for post in posts_of(path) if post.text]
    asyncio.run(_latency(texts))
    asyncio.run(_told())
    asyncio.run(_sustained(texts))
    asyncio.run(_memory(texts))


@dataclass(slots=True)
class _Trial:
    """A world, its server, and a service that watches it."""

    channels: list[WorldChannel]
    server: TelegramServer
    service: Service
    database: Path

    def stored(self) -> int:
        """How many posts, of channels in which no number is left out."""
        try:
            with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as connection:
                [(count,)] = connection.execute("SELECT coalesce(sum(verified), 0) FROM channel")
        except sqlite3.OperationalError:  # it is not there yet
            return 0
        return int(count)


@asynccontextmanager
async def _trial(channels: int = _CHANNELS, *, keywords: Sequence[str] = ()) -> AsyncIterator[_Trial]:
    """Channels without a post; the service is there, but not started."""
    world = World(1)
    world.add_person(READER)
    names = [f"bench_{at:03}_demo" for at in range(channels)]
    made = [world.add_channel(2001 + at, username=name, members=[READER]) for at, name in enumerate(names)]
    with tempfile.TemporaryDirectory() as folder:
        async with TelegramServer(world) as server:
            service = Service.configured(Path(folder), server, [f"@{name}" for name in names], sweep_every="60s")
            config = Path(folder, "config.toml")
            text = config.read_text("utf-8").replace('level = "debug"', 'level = "warning"')
            if keywords:
                text += f"\n[topics.many]\nkeywords = {json.dumps(list(keywords), ensure_ascii=False)}\n"
            config.write_text(text, "utf-8")
            yield _Trial(made, server, service, Path(folder, "data", "vedette.db"))


async def _watching(trial: _Trial) -> None:
    """Starts the service and returns when it watches every channel: each has shown a post."""
    await trial.service.start()
    first = {channel.number: channel.post("Начало") for channel in trial.channels}
    while trial.stored() < len(first):
        await asyncio.sleep(0.2)


async def _latency(texts: Sequence[str]) -> None:
    """From the push to the line that says what matched, of every fourth post."""
    async with _trial() as trial:
        await _watching(trial)
        pushed: dict[tuple[str, int], float] = {}
        took: list[float] = []
        reading = asyncio.create_task(_read(trial.service, pushed, took))
        began = time.perf_counter()
        for at in range(_PER_SECOND * _SECONDS):
            channel, text, now = trial.channels[at % _CHANNELS], texts[at % len(texts)], time.perf_counter()
            number = channel.post(f"Сирия {at}. {text}"[:4000] if at % 4 == 0 else text)
            if at % 4 == 0:
                pushed[channel.username or "", number] = now
            await asyncio.sleep(max(began + (at + 1) / _PER_SECOND - time.perf_counter(), 0))
        await asyncio.sleep(2)
        reading.cancel()
        await trial.service.stop()
    cuts = statistics.quantiles(took, n=100)
    print(
        f"  {_PER_SECOND} posts/s over {_CHANNELS} channels, {_SECONDS} s: push to printed match "
        f"{cuts[49] * 1000:.1f} ms at the median, {cuts[98] * 1000:.0f} ms at p99 ({len(took):,} of {len(pushed):,})"
    )


async def _told() -> None:
    """From the push to the alert's request at the server, of single posts, over chats none of which is being paced."""
    with tempfile.TemporaryDirectory() as name:
        folder, desk = Path(name), Desk(1, Size(_ALERTS, _CHATS, 0), Scale.from_now(datetime.now(UTC), 1))
        async with TelegramServer(desk.world) as server:
            config, ledger = desk.configured(folder, server), Ledger(folder / "data" / "vedette.db")
            text = config.read_text("utf-8").replace('level = "debug"', 'level = "warning"')
            config.write_text(re.sub(r"\nat = .*", "\nat = []", text), "utf-8")
            service, pushed = Service(folder), dict[int, float]()
            await service.start()
            while not ledger.watching(len(desk.sources)):
                await asyncio.sleep(0.2)
            await asyncio.sleep(2)
            for number in range(1, _ALERTS + 1):
                pushed[number] = time.monotonic()
                desk.say()
                await asyncio.sleep(_EVERY)
            await asyncio.sleep(2)
            await service.stop()
    took = [sent.at - pushed[number] for sent in server.sent for number in numbers([sent])]
    cuts = statistics.quantiles(took, n=100)
    print(
        f"  single posts over {_CHATS} chats, {1 / _EVERY:.0f} a second: push to the alert's request "
        f"{cuts[49] * 1000:.1f} ms at the median (goal 50), {cuts[98] * 1000:.0f} ms at p99 (goal 300) "
        f"({len(took):,} of {desk.alerts:,})"
    )


async def _read(service: Service, pushed: dict[tuple[str, int], float], took: list[float]) -> None:
    done = len(service.lines)
    while True:
        for line in service.lines[done:]:
            found, now = json.loads(line), time.perf_counter()
            if (began := pushed.get((found["channel"], found["id"]))) is not None and found["topic"] == "syria":
                took.append(now - began)
            done += 1
        await asyncio.sleep(0.001)


async def _sustained(texts: Sequence[str]) -> None:
    """Against both handlers that a program may have: of new messages, as in Telethon's manual, and of raw updates."""
    best = dict.fromkeys(("ours", "NewMessage", "Raw"), 0.0)
    for _ in range(3):
        best["ours"] = max(best["ours"], await _flooded(texts))
        for event in ("NewMessage", "Raw"):
            best[event] = max(best[event], await _flooded_alone(texts, event))
    ours, usual, raw = best.values()
    print(
        f"  as fast as it goes: {ours:,.0f} posts/s stored and matched; an empty Telethon handler takes {usual:,.0f} "
        f"(NewMessage): {ours / usual:.2f} of it; {raw:,.0f} (Raw): {ours / raw:.2f} (best of 3)"
    )


async def _flooded(texts: Sequence[str]) -> float:
    """Posts a second from the first push until all are stored."""
    async with _trial() as trial:
        await _watching(trial)
        before, began = trial.stored(), time.perf_counter()
        await _flood(trial, texts)
        while trial.stored() < before + _FLOOD:
            await asyncio.sleep(0.05)
        took = time.perf_counter() - began
        await trial.service.stop()
        return _FLOOD / took


async def _flooded_alone(texts: Sequence[str], event: str) -> float:
    async with _trial() as trial:
        folder = trial.service.folder
        client = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _BASELINE, str(folder / "data" / "reader.session"), str(folder / "server.pem")),
            *(str(_FLOOD), event),
            stdout=asyncio.subprocess.PIPE,
        )
        assert client.stdout is not None
        await client.stdout.readline()
        began = time.perf_counter()
        await _flood(trial, texts)
        await client.stdout.readline()
        took = time.perf_counter() - began
        await client.wait()
        return _FLOOD / took


async def _flood(trial: _Trial, texts: Sequence[str]) -> None:
    for at in range(_FLOOD):
        trial.channels[at % len(trial.channels)].post(texts[at % len(texts)])
        if at % 50 == 0:
            await asyncio.sleep(0)


async def _memory(texts: Sequence[str]) -> None:
    """Of the service's process with many channels and keywords, at rest and while many posts come.

    The keywords are words of other posts than those that come, less those that would match more than a few of them.
    """
    said, others = texts[: len(texts) // 4], texts[len(texts) // 4 :]
    own, foreign = (set(re.findall("[а-яё]{5,14}", "\n".join(part).lower())) for part in (said, others))
    chance = random.Random(1)
    words = _rare(chance.sample(sorted(foreign - own), min(16_000, len(foreign - own))), said)
    async with _trial(500, keywords=words[:10_000]) as trial:
        await _watching(trial)
        readings = [_resident(trial.service)]
        before = trial.stored()
        for part in range(1, 5):
            began = time.perf_counter()
            for at in range(_MANY // 4):
                trial.channels[at % 500].post(said[chance.randrange(len(said))])
                await asyncio.sleep(max(began + at / _MANY_PER_SECOND - time.perf_counter(), 0))
            while trial.stored() < before + _MANY // 4 * part:
                await asyncio.sleep(0.2)
            readings.append(_resident(trial.service))
        found = len(trial.service.lines)
        await trial.service.stop()
    at_rest, *later = readings
    print(
        f"  500 channels, 10,000 keywords: {at_rest:.0f} MB at rest; {', '.join(f'{each:.0f}' for each in later)} MB "
        f"after each quarter of {_MANY:,} posts at {_MANY_PER_SECOND:,}/s ({found:,} matches)"
    )


def _rare(words: Sequence[str], texts: Sequence[str]) -> list[str]:
    """Those of the words that are found, in any form, in less than one text in a thousand."""
    matcher = Matcher([Topic(name="all", keywords=tuple(map(parse, words)))], Lexicon(Morphology()))
    found = Counter(
        keyword
        for text in texts
        for match in matcher.match(Post(channel=Channel(own="x"), number=1, date=datetime.now(UTC), text=text))
        for keyword in match.keywords
    )
    return [word for word in words if found[word] * 1_000 < len(texts)]


def _resident(service: Service) -> float:
    """Megabytes of memory that a process holds (Linux)."""
    assert service.process is not None
    status = Path("/proc", str(service.process.pid), "status").read_text("ascii")
    return int(status.split("VmRSS:")[1].split()[0]) / 1024
