"""Messages on a terminal: what, when, to whom, with the hits highlighted."""

from __future__ import annotations

import io
import json
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.model import Destination, Entity, Notice
from bot.ports import Lane, Outgoing, Sent, Unknown
from bot.printer import TerminalSender, log_notice, print_notice
from bot.render.notice import notice
from bot.render.richtext import Message
from bot.terminal import Style
from tests.made import DAY, GROUP

PLAIN = Style(colour=False)
ALERT = Message("Syria\nВзрыв в Сирии", (Entity("bold", 0, 5), Entity("bold", 14, 5)))


class Noon:
    def now(self) -> datetime:
        return DAY

    async def sleep(self, pause: timedelta) -> None:
        raise AssertionError(pause)


def outgoing(message: Message = ALERT, lane: Lane = Lane.ALERT, to: Destination = GROUP) -> Outgoing:
    return Outgoing(id=1, destination=to, lane=lane, random_id=42, message=message)


def sender(stream: io.StringIO, *, colour: bool = False) -> TerminalSender:
    return TerminalSender(stream, ZoneInfo("Europe/Kyiv"), Style(colour=colour), Noon())


async def test_a_message_stands_under_its_local_time_and_its_place() -> None:
    stream = io.StringIO()
    assert await sender(stream).send(outgoing()) == Sent(None)
    heading = "──── 8 Dec 2024, 14:00 · alert to -1001234567890/12 ────"
    assert stream.getvalue() == f"{heading}\nSyria\nВзрыв в Сирии\n\n"


async def test_hits_are_highlighted() -> None:
    stream = io.StringIO()
    await sender(stream, colour=True).send(outgoing())
    assert "Взрыв в \x1b[1;33mСирии\x1b[0m" in stream.getvalue()


@pytest.mark.parametrize("lane", Lane)
async def test_every_lane_has_a_name(lane: Lane) -> None:
    stream = io.StringIO()
    await sender(stream).send(outgoing(lane=lane))
    assert f"14:00 · {'urgent alert' if lane is Lane.URGENT else lane.value} to" in stream.getvalue()


async def test_nothing_in_a_message_steers_the_terminal() -> None:
    stream = io.StringIO()
    await sender(stream).send(outgoing(Message("\x1b]0;owned\x07\u202eСирия")))
    assert not set(stream.getvalue()) & set("\x1b\x07\u202e")


async def test_a_terminal_that_is_gone_leaves_it_open_what_was_read() -> None:
    stream = io.StringIO()
    stream.close()
    assert isinstance(await sender(stream).send(outgoing()), Unknown)
    print_notice(notice(Notice("lost")), stream, PLAIN)


def test_a_notice_is_some_lines() -> None:
    stream = io.StringIO()
    print_notice(notice(Notice("3 channels are behind", ("@alfa_demo", "@bravo_demo"))), stream, PLAIN)
    assert stream.getvalue().replace("\u2060", "") == "3 channels are behind\n@alfa_demo\n@bravo_demo\n"


def test_among_lines_of_json_a_notice_is_one() -> None:
    out, message = io.StringIO(), notice(Notice("3 channels are behind", ("@alfa_demo",)))
    log_notice(message, out, DAY)
    assert json.loads(out.getvalue()) == {"event": "notice", "what": message.text, "timestamp": DAY.isoformat()}
