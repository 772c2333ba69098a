"""What a recording is, told by its first bytes and never by its name."""

from __future__ import annotations

import io
import json
from enum import Enum, auto

#: Within so many bytes an export names its list of messages.
ENOUGH = 1 << 16

# An account's export begins with pages of contacts before it comes to its chats.
_ACCOUNT = ("personal_information", "profile_pictures", "contacts", "frequent_contacts", "sessions", "chats")


class Format(Enum):
    """The kinds of recordings."""

    LINES = auto()
    CHAT = auto()
    ACCOUNT = auto()


def recognise(head: bytes, *, whole: bool) -> Format | None:
    """The format of a file that begins with ``head``; None: more of it must be seen. ``whole``: there is no more.

    A first line that is an object of its own is JSON lines unless it is an export on one line. An export
    written over many lines begins with an object that its first line does not end.
    """
    start = head.lstrip()
    if not start:
        return Format.LINES if whole else None
    if not start.startswith(b"{"):
        return Format.LINES
    line, newline, _ = start.partition(b"\n")
    if newline or whole:
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            pass
        else:
            return _of_object(value)
    found = _by_keys(_top_keys(start))
    if found is None and (whole or len(head) >= ENOUGH or (newline and line.strip() != b"{")):
        return Format.LINES
    return found


def _of_object(value: object) -> Format:
    if isinstance(value, dict):
        if isinstance(value.get("messages"), list):
            return Format.CHAT
        chats = value.get("chats")
        if isinstance(chats, dict) and isinstance(chats.get("list"), list):
            return Format.ACCOUNT
    return Format.LINES


def _by_keys(keys: dict[str, str]) -> Format | None:
    if keys.get("messages") == "start_array":
        return Format.CHAT
    if any(keys.get(key) in ("start_map", "start_array") for key in _ACCOUNT):
        return Format.ACCOUNT
    return None


def _top_keys(head: bytes) -> dict[str, str]:
    """The keys of the outermost object as far as it goes, each with the event its value begins with."""
    import ijson

    keys: dict[str, str] = {}
    depth, key = 0, ""
    try:
        for event, value in ijson.basic_parse(io.BytesIO(head), use_float=True):
            if depth == 1 and event == "map_key":
                key = value
            elif depth == 1 and event != "end_map":
                keys[key] = event
                if key == "messages":
                    break
            depth += event.startswith("start_") - event.startswith("end_")
    except (ijson.JSONError, ValueError):  # the head ends in the middle, or is no JSON
        pass
    return keys
