"""Notices on the standard error of whoever runs the service."""

from __future__ import annotations

import io
import json

from bot.model import Notice
from bot.printer import log_notice, print_notice
from bot.render.notice import notice
from bot.terminal import Style
from tests.made import DAY

PLAIN = Style(colour=False)


def test_a_notice_is_some_lines() -> None:
    stream = io.StringIO()
    print_notice(notice(Notice("3 channels are behind", ("@alfa_demo", "@bravo_demo"))), stream, PLAIN)
    assert stream.getvalue().replace("\u2060", "") == "3 channels are behind\n@alfa_demo\n@bravo_demo\n"


def test_nothing_in_a_notice_steers_the_terminal() -> None:
    stream = io.StringIO()
    print_notice(notice(Notice("\x1b]0;owned\x07\u202eСирия")), stream, PLAIN)
    assert not set(stream.getvalue()) & set("\x1b\x07\u202e")


def test_a_notice_that_nobody_reads_stops_nothing() -> None:
    stream = io.StringIO()
    stream.close()
    print_notice(notice(Notice("lost")), stream, PLAIN)


def test_among_lines_of_json_a_notice_is_one() -> None:
    out, message = io.StringIO(), notice(Notice("3 channels are behind", ("@alfa_demo",)))
    log_notice(message, out, DAY)
    assert json.loads(out.getvalue()) == {"event": "notice", "what": message.text, "timestamp": DAY.isoformat()}
