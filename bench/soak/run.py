"""The soak itself: lives of the service and what lies between them, figures by the day, and the verdict."""

from __future__ import annotations

import asyncio
import gc
import logging
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import NoReturn

from bench.soak.clock import SoakClock
from bench.soak.inside import clocked, living
from bench.soak.ledger import Ledger, Span
from bench.soak.report import HEADING, Figures, Plan, give_back, growth, heap, on_time, resident, row
from bench.soak.world import DAY, HOUR, READER, TOKEN, Outside
from bot.config.load import parse_settings
from bot.config.settings import LogFormat, LogLevel, Settings
from bot.storage.database import NAME
from bot.telemetry.log import configure
from tests.promises.service import API_HASH

_DIGESTS = (timedelta(hours=8), timedelta(hours=20))
_SHOWN = 10
_CONFIG = """
timezone = "UTC"
data_dir = "{folder}/data"

[telegram]
api_id = 12345
api_hash = "{api_hash}"
bot_token = "{token}"

[telegram.server]
address = "{host}:{port}"
public_key = "{folder}/server.pem"

[watch]
channels = [{channels}]

[digest]
chat = "@desk_demo"
at = ["08:00", "20:00"]
max_stories = 1000

[topics.syria]
keywords = ["Сирия", "Асад"]
deliver = "alert"
chat = "@alerts_demo"

[topics.bases]
keywords = ['"военная база"']

[storage]
keep = "{keep}d"
"""


@dataclass(slots=True)
class Soak:
    """One soak, as it goes on."""

    plan: Plan
    folder: Path
    clock: SoakClock
    outside: Outside
    ledger: Ledger
    say: Callable[[str], None]
    began: float = field(default_factory=time.monotonic)
    days: list[Figures] = field(default_factory=list)
    hours: Counter[int] = field(default_factory=Counter)
    methods: Counter[str] = field(default_factory=Counter)
    log: int = 0
    lives: int = 0
    stored: int = 0

    async def run(self) -> None:
        """All of it; what was wrong stands in the ledger."""
        async with self.outside.server as server:
            settings = self._configured(server.host, server.port)
            chance = Random(f"lives {self.plan.seed}")
            outside = [asyncio.create_task(one) for one in (self.outside.speak(), self.outside.harm())]
            beside = [asyncio.create_task(one) for one in (self._by_the_hour(), self._by_the_day())]
            end = self.clock.now() + self.plan.days * DAY
            with clocked(self.clock, self.plan.look):
                while self.clock.now() < end:
                    await self._live(
                        settings, min(end - self.clock.now(), chance.uniform(2, 6) * DAY), [*outside, *beside]
                    )
                    stopped = self.clock.now()
                    await self.clock.sleep(HOUR * chance.uniform(0.8, 2))
                    self.ledger.absent.append(Span(stopped, self.clock.now()))
                for task in outside:
                    await _ended(task)
                for task in beside:
                    await _ended(task)
                # What nobody was told of is found by the check of each channel's newest posts.
                await self._live(settings, DAY / 2 + 2 * HOUR, [], last=True)

    async def _live(
        self, settings: Settings, span: timedelta, tasks: list[asyncio.Task[NoReturn]], *, last: bool = False
    ) -> None:
        """One life of the service. At the end of the ``last`` one, when all is calm, everything is checked."""
        self.lives += 1
        end = self.clock.now() + span
        async with living(settings, self.clock) as life:
            while self.clock.now() < end:
                await self.clock.sleep(min(HOUR, end - self.clock.now()))
                life.check()
                for task in tasks:
                    if task.done():
                        task.result()
            if last:
                await self.ledger.check_day(last=True)
                self.stored = await self.ledger.check_all()
        # A process of its own would have ended here.
        gc.unfreeze()
        gc.collect()
        give_back()

    def _configured(self, host: str, port: int) -> Settings:
        server, folder = self.outside.server, self.folder
        (folder / "server.pem").write_text(server.public_key)
        (folder / "data").mkdir(mode=0o700)
        server.sign_in_session(folder / "data" / "reader.session", READER)
        text = _CONFIG.format(
            folder=folder,
            api_hash=API_HASH,
            token=TOKEN,
            host=host,
            port=port,
            channels=", ".join(f'"@{name}"' for name in self.outside.traffic.names),
            keep=self.plan.keep // DAY,
        )
        return parse_settings(text, "config.toml", {}, _no_file)

    # --- figures ------------------------------------------------------------------------------------------

    async def _by_the_hour(self) -> NoReturn:
        while True:
            await self.clock.sleep(HOUR)
            calls = self.outside.server.calls
            self.hours.update(int(call.at // 3600) for call in calls if call.person == READER)
            self.methods.update(call.method for call in calls)
            calls.clear()
            with suppress(FileNotFoundError):
                self.log = max(self.log, self._file("-wal").stat().st_size)

    async def _by_the_day(self) -> NoReturn:
        while True:
            await self.clock.sleep(DAY)
            self.ledger.listen()
            if len(self.days) >= 2:
                await self.ledger.check_day()
            self.outside.forget()
            self.days.append(self._measured())
            if len(self.days) % _SHOWN == 0 or self.plan.days < 2 * _SHOWN:
                self.say(row(self.days[-1]))

    def _measured(self) -> Figures:
        return Figures(
            day=len(self.days) + 1,
            posts=self.outside.traffic.posted,
            memory=resident(),
            heap=heap(),
            database=self._file("").stat().st_size / 1e6,
            log=self.log / 1e6,
            calls=sum(self.hours.values()) / (self.clock.seconds() / 60),
            worst=max(self.hours.values(), default=0) / 60,
            held=sum(self.outside.sizes().values()) + len(self.ledger),
            ours=time.monotonic() - self.began,
        )

    def _file(self, ending: str) -> Path:
        return self.folder / "data" / f"{NAME}{ending}"


def soak(plan: Plan, folder: Path, say: Callable[[str], None]) -> bool:
    """Whether all promises were kept. ``folder`` is empty and local; ``say`` takes lines for a person."""
    clock = SoakClock(plan.look)
    outside = Outside(plan.seed, plan.channels, clock, plan.posts)
    whole = Soak(plan, folder, clock, outside, Ledger(outside, folder / "data", plan.keep, _DIGESTS), say)
    say(f"Soak: {plan.channels} channels, {plan.days} days, keep = {plan.keep // DAY}d, seed {plan.seed}\n{HEADING}")
    with _logged(folder / "service.log"):
        clock.run(whole.run())
    return _judged(whole, say)


def _judged(whole: Soak, say: Callable[[str], None]) -> bool:
    ledger, said = whole.ledger, f"seed {whole.plan.seed}"
    wrong = [f"{what}: {len(those)}, as {those[:5]}" for what, those in ledger.wrong.items()]
    wrong += [*on_time(ledger), *growth(whole.plan, whole.days, ledger, whole.stored)]
    if whole.outside.limit.hits:
        wrong.append(f"Telegram's limit of pages was met {whole.outside.limit.hits} times")
    checked = ledger.checked
    say(
        f"  {whole.lives} lives, {checked['posts']:,} posts checked, {checked['matches']:,} matches told; of "
        f"{whole.stored:,} posts within keep each stands as it should; {whole.clock.leaps:,} leaps"
        if not wrong
        else f"  {whole.lives} lives, {checked['posts']:,} posts and {checked['matches']:,} matches checked"
    )
    calls = ", ".join(f"{count:,} {method}" for method, count in whole.methods.most_common(8))
    for line in (*ledger.notes, f"calls: {calls}", f"messages to a chat within a minute: {ledger.busiest} at most"):
        say(f"  {line}")
    for one in wrong:
        say(f"WRONG ({said}): {one}")
    return not wrong


@contextmanager
def somewhere() -> Iterator[Path]:
    """A folder for a soak: in memory, where there is such a place, for no disk settles a million small transactions."""
    memory = Path("/dev/shm")  # noqa: S108 - a folder of our own is made there
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


@contextmanager
def _logged(path: Path) -> Iterator[None]:
    """Within it the service's warnings go to a file."""
    root, ours = logging.getLogger(), logging.getLogger("bot")
    before = root.handlers[:], root.level, ours.level
    # Whoever else listens, as pytest does, would keep each of a million lines.
    root.handlers.clear()
    with path.open("w", encoding="utf-8") as log:
        configure(LogLevel.WARNING, LogFormat.CONSOLE, log)
        try:
            yield
        finally:
            root.handlers[:], root.level, ours.level = before


def _no_file(path: str) -> NoReturn:
    raise FileNotFoundError(path)


async def _ended(task: asyncio.Task[NoReturn]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
