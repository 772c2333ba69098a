"""How far this machine's clock is ahead of Telegram's, as Telegram tells it, or as the library's refusals betray.

Messages of MTProto carry their time, and what is more than half a minute from the future, or five minutes old, is
refused (https://core.telegram.org/mtproto/description#message-identifier-msg-id). A machine whose clock is behind so
refuses all that it is told, in silence: no call is ever answered. The one trace is what the library then logs.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from telethon.tl import functions

from bot.telegram.account import Account

#: The logger of what checks the times, and what it says of a message that it does not take: with its number, of which
#: the upper half is when it was sent.
_LOGGER = "telethon.network.mtprotostate"
_REFUSALS = ("very new message", "very old message")


class Refusals(logging.Filter):
    """``ahead``: how far the clock is ahead by the newest message that was refused for its time; None: none was.

    Nothing else of a record is looked at, and none is kept. It lets through what would have been let through without.
    """

    def __init__(self) -> None:
        super().__init__()
        self.ahead: timedelta | None = None

    def filter(self, record: logging.LogRecord) -> bool:
        if any(said in str(record.msg) for said in _REFUSALS) and isinstance(record.args, tuple):
            for number in record.args:
                if isinstance(number, int):
                    self.ahead = timedelta(seconds=round(record.created - (number >> 32)))
        return record.levelno >= logging.getLogger(_LOGGER.rpartition(".")[0]).getEffectiveLevel()


@contextmanager
def refusals() -> Iterator[Refusals]:
    """Takes note of messages that are refused for their time, of all clients of this process, in the block."""
    log, noted = logging.getLogger(_LOGGER), Refusals()
    before = log.level
    # What the program's own log leaves out has to be heard all the same.
    log.setLevel(logging.WARNING)
    log.addFilter(noted)
    try:
        yield noted
    finally:
        log.removeFilter(noted)
        log.setLevel(before)


async def measured(account: Account) -> timedelta:
    """How far this machine's clock is ahead of Telegram's at least, negative: behind. Raises as `Account.call` does.

    Nothing where that can be explained by how long the answer took.
    """
    before = time.time()
    config = await account.call(functions.help.GetConfigRequest())
    after = time.time()
    told = config.date.timestamp()  # in whole seconds, rounded down
    if before > told + 1:
        return timedelta(seconds=round(before - told - 1))
    return timedelta(seconds=round(min(after - told, 0)))


def in_words(ahead: timedelta) -> str:
    """2 min 10 s behind: to ten seconds, so that it says the same a minute later."""
    seconds = round(abs(ahead) / timedelta(seconds=10)) * 10
    amounts = {"d": seconds // 86400, "h": seconds // 3600 % 24, "min": seconds // 60 % 60, "s": seconds % 60}
    said = " ".join([f"{amount} {unit}" for unit, amount in amounts.items() if amount][:2])
    return f"{said} {'behind' if ahead < timedelta(0) else 'ahead of'}"
