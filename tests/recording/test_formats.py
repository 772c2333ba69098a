"""What a file is, told by its beginning."""

from __future__ import annotations

import pytest

from bot.recording.formats import ENOUGH, Format, recognise

LINE = b'{"channel": "x_demo", "id": 1}'
PRETTY = b'{\n "name": "X",\n "type": "public_channel",\n "id": 5,\n "messages": [\n  {\n   "id": 1'


@pytest.mark.parametrize(
    ("head", "whole", "found"),
    [
        (b"", True, Format.LINES),
        (b" \n", False, None),
        (LINE + b"\n", False, Format.LINES),
        (b"\r\n" + LINE + b"\r\n", False, Format.LINES),
        (LINE, True, Format.LINES),
        (LINE, False, None),
        (b"[1]", False, Format.LINES),
        (b"\x00\xff", False, Format.LINES),
        (b"{broken\n", False, Format.LINES),
        (b"{\n", False, None),
        (b"{\n", True, Format.LINES),
        (PRETTY, False, Format.CHAT),
        (PRETTY.replace(b"\n", b""), False, Format.CHAT),
        (b'{"messages": []}', True, Format.CHAT),
        (b'{"messages": 5}\n', False, Format.LINES),
        (b'{"messages": 5,\n "x": 1', True, Format.LINES),
        (b'{"x": {"messages": [\n', True, Format.LINES),
        (b'{"text": "\\"messages\\": [', True, Format.LINES),
        (b'{"chats": {"list": []}}', True, Format.ACCOUNT),
        (b'{\n "about": "x",\n "contacts": {', False, Format.ACCOUNT),
        (b'{"text": "' + b"x" * ENOUGH, False, Format.LINES),
        (b'{"x": ' + b"[" * ENOUGH, False, Format.LINES),
    ],
)
def test_the_beginning_tells_the_format(head: bytes, whole: bool, found: Format | None) -> None:  # noqa: FBT001
    assert recognise(head, whole=whole) is found
