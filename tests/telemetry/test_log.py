"""The log says what happened, and never what was posted or what opens a door."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.config.settings import LogFormat, LogLevel
from bot.errors import StorageError
from bot.model import Username
from bot.telemetry.log import configure, logger
from tests.made import DESK, post

cases = settings(max_examples=int(os.environ.get("VEDETTE_CASES", "150")), deadline=None)
#: Everything that opens a door, as it is: each of them wherever it may turn up.
SECRETS = {
    "token": "123456789:AAF-demo_demo_demo_demo_demo_demo_12",
    "phone": "+99966 123 45 67",
    "phone, bare": "+9996612345",
    "hash": "0123456789abcdef0123456789abcdef",
    "session": "1" + "ApWapzMBu4Kz_-" * 25 + "=",
    "secret": "ee" + "0123456789abcdef" * 3,
    "proxy": "socks5://anna:verysecret@127.0.0.1:1080",
    "link": "tg://login?token=AQIDBAUGBwg",
}
#: What of them may be seen, being no secret.
OPEN = {"proxy": "verysecret", "link": "AQIDBAUGBwg"}
BODY = "Взрыв в Сирии, слышно у базы"


class Log(NamedTuple):
    stream: io.StringIO

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]


Configured = Callable[..., Log]


@pytest.fixture
def configured() -> Iterator[Configured]:
    """Sets the log up when it is called, and leaves the process as it was."""
    names = ("", "bot")
    before = [(logging.getLogger(name).level, logging.getLogger(name).handlers[:]) for name in names]

    def configure_it(level: LogLevel = LogLevel.DEBUG, form: LogFormat = LogFormat.JSON) -> Log:
        stream = io.StringIO()
        logging.getLogger().handlers.clear()  # those of pytest, which format for themselves
        configure(level, form, stream)
        return Log(stream)

    yield configure_it
    for name, (level, handlers) in zip(names, before, strict=True):
        logging.getLogger(name).setLevel(level)
        logging.getLogger(name).handlers[:] = handlers


def test_a_line_is_an_event_with_its_keys(configured: Configured) -> None:
    log = configured()
    logger("bot.demo").info("page read", channel=Username("alfa_demo"), posts=3, took=timedelta(seconds=2), to=DESK)
    [line] = log.lines
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "page read",
        "level": "info",
        "logger": "bot.demo",
        "channel": "@alfa_demo",
        "posts": 3,
        "took": "0:00:02",
        "to": "@desk_demo",
    }


def test_a_person_reads_one_line_without_colours_in_a_file(configured: Configured) -> None:
    log = configured(form=LogFormat.CONSOLE)
    logger("bot.demo").warning("page refused", channel="Альфа\x1b[31m\n\u202e", why="CHANNEL_PRIVATE")
    [line] = log.stream.getvalue().splitlines()
    assert "page refused" in line
    assert r"channel='Альфа\x1b[31m\n\u202e' why='CHANNEL_PRIVATE'" in line
    assert "\x1b" not in line


@pytest.mark.parametrize("form", LogFormat)
@pytest.mark.parametrize("level", LogLevel)
def test_only_what_is_asked_for_is_logged(configured: Configured, level: LogLevel, form: LogFormat) -> None:
    log = configured(level, form)
    for each in LogLevel:
        getattr(logger("bot.demo"), each)(f"said as {each}")
    levels = list(LogLevel)
    said = [each for each in levels if f"said as {each}" in log.stream.getvalue()]
    assert said == levels[levels.index(level) :]


def test_the_log_is_set_up_anew_and_not_twice(configured: Configured) -> None:
    first, second = configured(), configured()
    logger("bot.demo").info("once")
    assert (first.lines, len(second.lines)) == ([], 1)


@pytest.mark.usefixtures("configured")
def test_before_it_is_set_up_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    logging.getLogger().handlers.clear()
    logger("bot.demo").error("unheard", body=BODY)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["telethon.client.messageparse", "telethon", "aiosqlite", "asyncio", "apscheduler"])
def test_of_a_library_only_who_spoke_and_where_is_left(configured: Configured, name: str) -> None:
    log = configured()
    library = logging.getLogger(name)
    library.debug("Handling update %s", BODY)
    library.info("Got difference: %s", BODY)
    library.warning("No random_id in %s to map to %s", BODY, {"message": BODY})
    library.error(BODY)
    assert BODY not in json.dumps(log.lines, ensure_ascii=False)
    assert [(line["level"], line["logger"], line["event"]) for line in log.lines] == [
        (level, name, "a library has something to say; its text is withheld, since it may hold what was posted")
        for level in ("warning", "error")
    ]
    assert all(line["at"].startswith("test_log.py:") for line in log.lines)


def test_what_a_library_says_again_and_again_is_heard_once(configured: Configured) -> None:
    """A server that is down makes it complain at each attempt, every few seconds."""
    log = configured()
    for _ in range(5):
        logging.getLogger("telethon").warning("Attempt failed: %s", BODY)
    logging.getLogger("telethon").warning("another")
    assert len(log.lines) == 2


def test_a_library_that_turns_itself_up_is_not_heard_either(configured: Configured) -> None:
    log = configured()
    library = logging.getLogger("loud_demo")
    library.setLevel(logging.DEBUG)
    library.info(BODY)
    assert log.lines == []


def test_a_record_that_cannot_be_formatted_is_logged_like_any_other(
    configured: Configured, capfd: pytest.CaptureFixture[str]
) -> None:
    """The standard library would print its text and arguments to standard error."""
    log = configured()
    logging.getLogger("telethon").warning("%d messages", BODY)
    assert len(log.lines) == 1
    assert capfd.readouterr().err == ""


def test_a_stream_that_is_closed_silences_the_log_and_nothing_else(
    configured: Configured, capfd: pytest.CaptureFixture[str]
) -> None:
    configured().stream.close()
    logger("bot.demo").error("unheard", why=BODY)
    assert capfd.readouterr().err == ""


def fail(text: str) -> None:
    raise ValueError(text)


def test_an_exception_is_told_by_its_kind_and_place(configured: Configured) -> None:
    log = configured()
    try:
        try:
            fail(BODY)
        except ValueError as error:
            raise TypeError(BODY) from error
    except TypeError:
        logger("bot.demo").exception("page cannot be read")
    [line] = log.lines
    kind, cause = line["error"].split(", after ")
    assert kind.startswith("TypeError at test_log.py:")
    assert kind.endswith(" test_an_exception_is_told_by_its_kind_and_place")
    assert cause.startswith("ValueError at test_log.py:")
    assert " fail < test_log.py:" in cause
    assert BODY not in log.stream.getvalue()


def test_an_error_of_ours_is_told_in_its_words(configured: Configured) -> None:
    log = configured()
    logger("bot.demo").error("stopped", error=StorageError("the disk is full; make room and start again."))
    assert log.lines[0]["error"] == "StorageError: the disk is full; make room and start again."


def test_the_exceptions_of_a_group_are_told_one_by_one(configured: Configured) -> None:
    log = configured()
    group = ExceptionGroup(BODY, [ValueError(BODY), OSError(28, BODY)])
    logger("bot.demo").error("stopped", error=group)
    assert log.lines[0]["error"] == "ExceptionGroup (ValueError; OSError)"


def test_a_deep_recursion_is_told_in_short(configured: Configured) -> None:
    log = configured()

    def again() -> None:
        again()

    try:
        again()
    except RecursionError as error:
        logger("bot.demo").error("stopped", error=error)
    assert log.lines[0]["error"].count("again") == 8


async def test_an_exception_that_nobody_awaited_keeps_its_text(configured: Configured) -> None:
    """What asyncio says of it is made of the exception's words."""
    log = configured()
    loop = asyncio.get_running_loop()
    loop.call_exception_handler({"message": BODY, "exception": ValueError(BODY)})
    [line] = log.lines
    assert (line["logger"], line["error"]) == ("asyncio", "ValueError")
    assert BODY not in log.stream.getvalue()


def test_a_post_is_no_value_of_a_key(configured: Configured) -> None:
    log = configured()
    said = post(BODY)
    logger("bot.demo").info("stored", post=said, id=said.id, all=[said], parts=said.parts(), one={"text": said})
    assert BODY not in json.dumps(log.lines, ensure_ascii=False)
    [line] = log.lines
    assert (line["post"], line["id"], line["all"]) == ("<Post>", "alfa_demo/1", ["<Post>"])
    assert (line["parts"], line["one"]) == (["<Part>"], {"text": "<Post>"})


@pytest.mark.parametrize("key", ["token", "bot_token", "api_hash", "phone", "session", "password", "auth_key", "proxy"])
@pytest.mark.parametrize("form", LogFormat)
def test_a_key_that_names_a_credential_is_withheld(configured: Configured, key: str, form: LogFormat) -> None:
    log = configured(form=form)
    logger("bot.demo").info("signed in", **{key: "canary"}, inner={key: ["canary"], key.upper(): b"canary"})
    assert "canary" not in log.stream.getvalue()


@pytest.mark.fuzz
@pytest.mark.parametrize("form", LogFormat)
@pytest.mark.parametrize("name", SECRETS)
def test_a_credential_is_withheld_wherever_it_stands(configured: Configured, name: str, form: LogFormat) -> None:
    log = configured(form=form)
    word = st.text(max_size=12)

    @cases
    @given(before=word, after=word)
    def everywhere(before: str, after: str) -> None:
        say(f"{before} {SECRETS[name]} {after}")
        assert OPEN.get(name, SECRETS[name]) not in log.stream.getvalue()
        log.stream.seek(0)
        log.stream.truncate()

    everywhere()


def say(text: str) -> None:
    """Lets it turn up in every way there is."""
    ours, theirs = logger("bot.demo"), logging.getLogger("telethon.demo")
    ours.info("said", why=text, more=[text, {"deep": (text,)}], raw=text.encode("utf-8", "replace"))
    ours.info(text)
    ours.warning("failed", error=StorageError(text), other=OSError(text))
    theirs.warning("%s", text)
    theirs.critical(text, exc_info=ValueError(text))
    try:
        fail(text)
    except ValueError:
        ours.exception("failed")


@pytest.mark.parametrize(
    "harmless",
    [
        "-1001234567890",
        "alfa_demo/123456",
        "2024-12-08T14:30:00+02:00",
        "messages.getHistory",
        "https://t.me/alfa_demo/123456789",
    ],
)
def test_what_only_looks_a_little_like_a_credential_is_shown(configured: Configured, harmless: str) -> None:
    log = configured()
    logger("bot.demo").info("said", why=harmless)
    assert log.lines[0]["why"] == harmless
