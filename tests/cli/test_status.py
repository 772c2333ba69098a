"""`vedette status`: what the service looks like, beside it, for a person and for a program."""

from __future__ import annotations

import asyncio
import fcntl
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.cli.glance import SHOWN
from bot.cursor import Cursor
from bot.folder import held
from bot.model import Notice, Peer, Reason
from bot.ports import Lane
from bot.render.richtext import Message
from bot.render.times import Times
from bot.schedule import Daily, next_moment
from bot.standing import Standing
from bot.storage import addresses, attempts, bundles, channels, digests, facts, notices, outbox, quotas, routes, vitals
from bot.storage.addresses import Sought
from bot.storage.bundles import Hold
from bot.storage.database import Connection, Database
from bot.storage.outbox import Row
from bot.storage.times import to_integer
from bot.vitals import Link, Vitals
from bot.watch import folder as watched_folder
from tests.cli.conftest import ROOT, Vedette
from tests.made import DESK, ME

NOW = datetime.now(UTC).replace(microsecond=0)
READ = NOW - timedelta(minutes=200)
ALFA, BRAVO, CHARLIE = -1001000000001, -1001000000002, -1001000000003
KEYS = [
    *("now", "data_dir", "running", "database", "channels", "missing", "posts", "matches", "outbox", "next_message"),
    *("held", "waits", "notices", "health", "sought", "speaker", "digests", "dead_letters", "budgets"),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory, and a configuration that names it, in the working directory."""
    monkeypatch.chdir(tmp_path)
    configure(tmp_path, "@alfa_demo", "-1001000000002", "https://t.me/+AAAAAbbbbbCCCCCd")
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def configure(at: Path, *names: str, extra: str = "") -> None:
    lines = [
        'timezone = "Asia/Kolkata"',
        "[watch]",
        f"channels = {json.dumps(names)}",
        extra,
        '[digest]\nchat = "me"\n[topics.syria]\nkeywords = ["Сирия"]',
    ]
    (at / "config.toml").write_text("\n".join(lines), "utf-8")


Work = Callable[[Connection], object]


def written(folder: Path, *works: Work) -> None:
    async def write() -> None:
        async with Database.opened(folder) as database:
            for work in works:
                await database.write(work)

    asyncio.run(write())


def channel(id_: int, name: str | None, title: str | None = None, *, top: int = 10, history: bool = True) -> Work:
    peer = Peer(id=id_, access_hash=1, username=name, title=title, joined=True)
    cursor = Cursor(floor=1, began=5, verified=10, top=top, history_read=history)
    return lambda c: channels.put(c, 7, peer, cursor)


def read_at(id_: int, at: datetime) -> Work:
    return lambda c: channels.set_read(c, [id_], at)


def refused(id_: int, why: str) -> Work:
    return lambda c: channels.set_refused(c, id_, why)


def row(key: str, made: datetime) -> Row:
    return Row(key, DESK, Lane.ALERT, Message("Сирия"), made, 42)


def as_json(vedette: Vedette) -> dict[str, Any]:
    ran = vedette("status", "--json")
    assert (ran.code, ran.err) == (0, "")
    found: dict[str, Any] = json.loads(ran.out)
    assert list(found) == KEYS
    return found


@pytest.mark.usefixtures("folder")
def test_without_a_database_it_says_so(vedette: Vedette) -> None:
    ran = vedette("status")
    assert (ran.code, ran.out) == (
        0,
        "vedette is not running in data\n  there is no database yet; `vedette run` makes it\n",
    )
    found = as_json(vedette)
    assert (found["database"], found["posts"], found["channels"]) == (False, 0, [])
    assert found["outbox"] == {"waits": 0, "tried": 0, "sent": 0, "refused": 0}


@pytest.mark.usefixtures("folder")
def test_it_makes_nothing(vedette: Vedette, tmp_path: Path) -> None:
    (tmp_path / "data").rmdir()
    assert "no database yet" in vedette("status").out
    assert not (tmp_path / "data").exists()


def test_it_sees_a_service_that_runs_and_does_not_disturb_it(vedette: Vedette, folder: Path) -> None:
    assert not as_json(vedette)["running"]
    with held(folder):
        at_work = "vedette is starting, or another of its commands is at work, in data\n"
        assert vedette("status").out.startswith(at_work)
        assert as_json(vedette)["running"]
    with held(folder), pytest.raises(BlockingIOError), locked(folder / "lock"):
        pass


@contextmanager
def locked(path: Path) -> Iterator[None]:
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def busy(folder: Path, soon: datetime) -> None:
    """A service in which everything is going on."""
    written(
        folder,
        channel(ALFA, "alfa_demo", "Альфа", top=1244),
        read_at(ALFA, READ),
        channel(BRAVO, None, "Bravo"),
        refused(BRAVO, "CHANNEL_PRIVATE"),
        channel(CHARLIE, "charlie_demo"),
        lambda c: outbox.add(c, [row("one", NOW), row("two", NOW)]),
        lambda c: outbox.claim(c, 1, 7, None),
        lambda c: outbox.postpone(c, 1, soon, "FLOOD_WAIT"),
        lambda c: bundles.hold(c, [Hold(ME, Reason.QUIET, soon, ALFA, 9, NOW)]),
        lambda c: quotas.set_quota(c, "messages.getHistory", soon, 0.5, NOW),
        lambda c: quotas.set_quota(c, "contacts.resolveUsername", NOW - timedelta(hours=1), 1, NOW),
        lambda c: notices.tell(c, "bravo", Notice("Bravo cannot be read", ("CHANNEL_PRIVATE",)), NOW),
    )


def told(at: datetime) -> str:
    now = datetime.now(UTC)
    return Times(ZoneInfo("Asia/Kolkata"), now, now).near(at)


def next_digest(after: datetime) -> datetime:
    moment = next_moment(Daily((time(8), time(20))), ZoneInfo("Asia/Kolkata"), after)
    assert moment is not None
    return moment


def test_a_person_reads_how_things_stand(vedette: Vedette, folder: Path) -> None:
    soon = NOW + timedelta(hours=1)
    busy(folder, soon)
    ran = vedette("status")
    assert ran.code == 0
    assert ran.out.splitlines() == [
        "vedette is not running in data",
        "  channels  2 watched, 1 behind, 1 refused, 1 not found yet",
        "  stored    0 posts, 0 matches",
        f"  messages  1 waiting, 1 tried without an answer; the next may go {told(soon)}",
        f"  held      1 post for me until {told(soon)} (quiet)",
        f"  digest    next {told(next_digest(NOW))} to me",
        f"  waits     Telegram takes no messages.getHistory before {told(soon)}",
        "  budget    0 of 26 messages.getHistory in 31 s, at 50% of the pace",
        "channels that are not found yet",
        f"  {'t.me/+AAAA…':<32}  not looked up yet",
        "channels",
        "  -1001000000002 Bravo              cannot be read: CHANNEL_PRIVATE · not read yet",
        "  @alfa_demo Альфа                  1,234 behind · read up to 3 h ago",
        "what the operators were told last",
        f"  {told(NOW)} · Bravo cannot be read (not told yet)",
        "    CHANNEL_PRIVATE",
    ]


def test_of_what_is_held_beyond_its_moment_it_says_so(vedette: Vedette, folder: Path) -> None:
    passed = datetime.now(UTC) - timedelta(minutes=1)
    busy(folder, passed)
    assert f"  held      1 post for me due since {told(passed)} (quiet)" in vedette("status").out.splitlines()


def test_a_program_reads_the_same(vedette: Vedette, folder: Path) -> None:
    soon = NOW + timedelta(hours=1)
    busy(folder, soon)
    found = as_json(vedette)
    assert [(one["id"], one["watched"], one["behind"], one["refused"]) for one in found["channels"]] == [
        (str(BRAVO), True, 0, "CHANNEL_PRIVATE"),
        (str(ALFA), True, 1234, None),
        (str(CHARLIE), False, 0, None),
    ]
    assert found["channels"][1] == {
        "id": str(ALFA),
        "username": "alfa_demo",
        "title": "Альфа",
        "watched": True,
        "joined": True,
        "verified": 10,
        "top": 1244,
        "behind": 1234,
        "read_at": READ.isoformat(),
        "history_read": True,
        "refused": None,
        "standing": "joined",
        "lag": pytest.approx((datetime.now(UTC) - READ).total_seconds(), abs=60),
        "silent_since": None,
    }
    assert found["missing"] == ["t.me/+AAAA…"]
    assert found["outbox"] == {"waits": 1, "tried": 1, "sent": 0, "refused": 0}
    assert found["next_message"] == soon.isoformat()
    bundle = {"destination": "me", "reason": "quiet", "posts": 1, "since": NOW.isoformat(), "due": soon.isoformat()}
    assert found["held"] == [bundle]
    assert found["waits"] == [{"method": "messages.getHistory", "until": soon.isoformat()}]
    notice = {"at": NOW.isoformat(), "what": "Bravo cannot be read", "details": ["CHANNEL_PRIVATE"], "told": None}
    assert found["notices"] == [notice]
    assert [one["code"] for one in found["health"]["reasons"]] == ["not-running"]
    pages = {"method": "messages.getHistory", "used": 0, "most": 26, "span": 31.0, "share": 0.5}
    assert pages in found["budgets"]


def refused_twice(folder: Path, again: datetime) -> None:
    """Of three messages to a desk two are refused; a notice was taken back, and went another way."""
    made = [row(key, NOW - timedelta(hours=hours)) for key, hours in (("one", 3), ("two", 1), ("three", 0))]
    written(
        folder,
        lambda c: outbox.add(c, [*made, made[0]._replace(key="four", lane=Lane.NOTICE)]),
        lambda c: outbox.refuse(c, 1, "CHAT_WRITE_FORBIDDEN", again),
        lambda c: outbox.refuse(c, 2, "CHAT_WRITE_FORBIDDEN"),
        lambda c: outbox.refuse(c, 4, routes.TAKEN_BACK),
    )


def test_messages_that_no_chat_took_are_told_with_why_and_when_they_are_tried_again(
    vedette: Vedette, folder: Path
) -> None:
    again = NOW + timedelta(minutes=10)
    refused_twice(folder, again)
    what = f"2 messages to @desk_demo, up to 3 h old: CHAT_WRITE_FORBIDDEN · tried again {told(again)}"
    assert f"  refused   {what}" in vedette("status").out.splitlines()
    letters = as_json(vedette)["dead_letters"]
    assert [(one["made"], one["again"]) for one in letters] == [
        ((NOW - timedelta(hours=1)).isoformat(), None),
        ((NOW - timedelta(hours=3)).isoformat(), again.isoformat()),
    ]
    assert (letters[0]["destination"], letters[0]["lane"]) == ("@desk_demo", "alert")
    assert letters[0]["why"] == "CHAT_WRITE_FORBIDDEN"


def test_notices_that_took_another_way_are_not_among_what_was_refused(vedette: Vedette, folder: Path) -> None:
    notice = row("one", NOW)._replace(lane=Lane.NOTICE)
    written(
        folder,
        lambda c: outbox.add(c, [notice, notice._replace(key="two"), notice._replace(key="three")]),
        lambda c: outbox.refuse(c, 1, "the bot has never been started there"),
        lambda c: outbox.refuse(c, 2, routes.TAKEN_BACK),
        lambda c: outbox.confirm(c, 3, 1, None, NOW),
    )
    lines = vedette("status").out.splitlines()
    assert "  messages  0 waiting, 1 sent" in lines
    assert not [line for line in lines if "refused" in line]
    found = as_json(vedette)
    assert (found["outbox"]["refused"], found["dead_letters"]) == (0, [])


def test_until_when_telegram_lets_the_bot_send_nothing_is_told(vedette: Vedette, folder: Path) -> None:
    until = NOW + timedelta(hours=3)
    written(folder, lambda c: attempts.rest(c, 555, until, "PEER_FLOOD", NOW))
    said = f"  waits     Telegram takes no messages from the bot before {told(until)}"
    assert said in vedette("status").out.splitlines()
    assert as_json(vedette)["waits"] == [{"method": "messages from the bot", "until": until.isoformat()}]


def test_when_the_next_digests_come_is_told_and_which_are_due(vedette: Vedette, folder: Path) -> None:
    toml = (
        '[topics.two]\nkeywords = ["Ливан"]\nchat = "@desk_demo"\n[topics.three]\nkeywords = ["Асад"]\nchat = "-1001"'
    )
    with (folder.parent / "config.toml").open("a") as file:
        file.write(f"\n{toml}\n")
    since = NOW - timedelta(days=2)
    written(folder, lambda c: digests.keep(c, [DESK], since))
    due = next_digest(since)
    lines = vedette("status").out.splitlines()
    assert f"  digest    due since {told(due)} to @desk_demo" in lines
    assert f"  digest    next {told(next_digest(NOW))} to me, -1001" in lines
    assert {"destination": "@desk_demo", "next": due.isoformat()} in as_json(vedette)["digests"]


def test_how_the_bot_stands_with_telegram_is_told(vedette: Vedette, folder: Path) -> None:
    with held(folder), locked(folder / "alive"):
        answered = datetime.now(UTC) - timedelta(seconds=30)
        written(folder, sign_of_life(speaker=Link.UP, speaker_answered=answered))
        assert "  bot       connected · answered 30 s ago" in vedette("status").out.splitlines()
        assert as_json(vedette)["speaker"] == "up"


def sign_of_life(**changed: Any) -> Work:
    now = datetime.now(UTC)
    seen = Vitals(
        started=now - timedelta(hours=5),
        written=now,
        link=Link.UP,
        answered=now - timedelta(seconds=150),
        passed=now - timedelta(seconds=170),
        behind=0,
        waiting=0,
        skew=None,
        sweep_every=timedelta(minutes=1),
    )
    return lambda c: vitals.put(c, replace(seen, **changed))


def test_of_a_service_that_runs_a_person_reads_first_what_is_wrong(vedette: Vedette, folder: Path) -> None:
    busy(folder, NOW + timedelta(minutes=1))
    started = NOW - timedelta(minutes=20)
    with held(folder), locked(folder / "alive"):
        written(folder, sign_of_life(started=started, skew=timedelta(seconds=-40)))
        lines = vedette("status").out.splitlines()
    unknown = "of no channel is it known what was posted in the last 3 min; look at the log for what stops it"
    assert lines[:7] == [
        "vedette is running in data",
        f"  health    unhealthy (no-pass): {unknown}",
        "            degraded (clock): the clock of this machine is 40 s behind Telegram's; set it right",
        "            degraded (refused): 1 channel cannot be read: -1001000000002",
        "            degraded (behind): 1 channel is behind: @alfa_demo",
        f"  telegram  connected · answered 2 min ago · all read up to 2 min ago · running since {told(started)}",
        "  channels  2 watched, 1 behind, 1 refused, 1 not found yet",
    ]


def test_a_service_that_is_well_is_said_to_be(vedette: Vedette, folder: Path) -> None:
    configure(folder.parent, "@alfa_demo")
    with held(folder), locked(folder / "alive"):
        written(folder, channel(ALFA, "alfa_demo"), read_at(ALFA, datetime.now(UTC)), sign_of_life())
        assert vedette("status").out.splitlines()[1] == "  health    healthy"
        assert as_json(vedette)["health"]["healthy"]


def test_what_is_looked_for_in_vain_is_told_with_why_and_when_it_is_tried_again(vedette: Vedette, folder: Path) -> None:
    again, name = NOW + timedelta(hours=1), "@nobody_demo"
    configure(folder.parent, name, "@later_demo")
    nobody = Sought(name, Standing.SOUGHT, "there is nobody of this name", NOW, 2, again)
    written(
        folder,
        lambda c: addresses.seek(c, 7, [name, "@later_demo"], NOW),
        lambda c: addresses.set_sought(c, 7, nobody),
    )
    lines = vedette("status").out.splitlines()
    assert lines[lines.index("channels that are not found yet") + 1 :][:2] == [
        f"  {name:<32}  not found: there is nobody of this name · tried again {told(again)}",
        f"  {'@later_demo':<32}  not looked up yet",
    ]
    assert as_json(vedette)["sought"][1] == {
        "reference": name,
        "standing": "sought",
        "why": "there is nobody of this name",
        "since": NOW.isoformat(),
        "tries": 2,
        "not_before": again.isoformat(),
    }


def test_no_invite_link_is_told_whole(vedette: Vedette, folder: Path) -> None:
    link = "t.me/+AAAAAbbbbbCCCCCd"
    sought = Sought(link, Standing.ASKED, "its administrators were asked", NOW, 1, NOW + timedelta(hours=1))
    written(folder, lambda c: addresses.seek(c, 7, [link], NOW), lambda c: addresses.set_sought(c, 7, sought))
    for ran in (vedette("status"), vedette("status", "--json")):
        assert "asked" in ran.out
        assert link not in ran.out
    assert [one["reference"] for one in as_json(vedette)["sought"]] == ["t.me/+AAAA…"]


def test_a_channel_is_told_with_how_the_account_stands_with_it(vedette: Vedette, folder: Path) -> None:
    configure(folder.parent, "@alfa_demo", "@charlie_demo", str(BRAVO))
    written(
        folder,
        *(channel(ALFA, "alfa_demo"), read_at(ALFA, READ), channel(BRAVO, None), channel(CHARLIE, "charlie_demo")),
        lambda c: channels.set_standing(c, ALFA, Standing.POLLED),
        lambda c: channels.set_standing(c, BRAVO, Standing.BANNED),
        refused(BRAVO, "this account was thrown out of it"),
        read_at(CHARLIE, datetime.now(UTC) + timedelta(hours=1)),
    )
    lines = vedette("status").out.splitlines()
    assert [line[36:] for line in lines[lines.index("channels") + 1 :]] == [
        "banned: this account was thrown out of it · not read yet",
        "read up to 3 h ago · polled",
        "read up to 0 s ago",
    ]


def test_a_channel_that_is_silent_against_its_habit_is_told(vedette: Vedette, folder: Path) -> None:
    last = NOW - timedelta(days=4)
    known = json.dumps({ALFA: to_integer(last)})
    written(folder, channel(ALFA, "alfa_demo"), read_at(ALFA, READ), lambda c: facts.put(c, "silent channels", known))
    assert "silent for 4 days, which is unusual · read up to 3 h ago" in vedette("status").out
    assert as_json(vedette)["channels"][0]["silent_since"] == last.isoformat()


def test_how_many_names_were_looked_up_today_is_told(vedette: Vedette, folder: Path) -> None:
    now = datetime.now(UTC)
    calls = [("contacts.resolveUsername", 60), ("contacts.resolveUsername", 9), ("messages.getHistory", 0.1)]
    written(
        folder,
        *(
            lambda c, m=method, h=hours: quotas.note_call(c, m, now - timedelta(hours=h), NOW - timedelta(days=9))
            for method, hours in calls
        ),
        lambda c: quotas.set_quota(c, "*", now, 0.3, now),
    )
    lines = vedette("status").out.splitlines()
    assert [line for line in lines if "budget" in line] == ["  budget    1 of 60 look-ups of a name in 24 h"]


def test_a_channel_is_watched_by_whatever_the_configuration_calls_it(vedette: Vedette, folder: Path) -> None:
    configure(folder.parent, "@Alfa_Demo", "https://t.me/+AAAAAbbbbbCCCCCd", str(CHARLIE))
    written(
        folder,
        channel(ALFA, "ALFA_demo"),
        channel(BRAVO, None),
        lambda c: channels.refer(c, "t.me/+AAAAAbbbbbCCCCCd", BRAVO),
        channel(CHARLIE, "charlie_demo"),
    )
    found = as_json(vedette)
    assert all(one["watched"] for one in found["channels"])
    assert found["missing"] == []


def test_with_a_folder_that_was_never_seen_every_channel_is_watched(vedette: Vedette, folder: Path) -> None:
    configure(folder.parent, extra='folder = "News"')
    written(folder, channel(CHARLIE, "charlie_demo"))
    assert [one["watched"] for one in as_json(vedette)["channels"]] == [True]


def test_of_a_folder_what_it_held_last_is_watched(vedette: Vedette, folder: Path) -> None:
    configure(folder.parent, "@alfa_demo", extra='folder = "News"')
    held_last = json.dumps({"name": "News", "channels": {str(BRAVO): "Bravo"}})
    known = [channel(ALFA, "alfa_demo"), channel(BRAVO, None), channel(CHARLIE, "charlie_demo")]
    written(folder, *known, lambda c: facts.put(c, "folder", held_last))
    found = {one["id"]: one["watched"] for one in as_json(vedette)["channels"]}
    assert found == {str(ALFA): True, str(BRAVO): True, str(CHARLIE): False}

    async def as_the_service_reads_it() -> object:
        async with Database.opened(folder, writable=False) as database:
            return await watched_folder.held(database, "News")

    assert asyncio.run(as_the_service_reads_it()) == {BRAVO: "Bravo"}


def test_of_many_channels_a_person_reads_those_that_need_a_look(vedette: Vedette, folder: Path) -> None:
    configure(folder.parent, *(f"-100{number}" for number in range(1000000001, 1000001001)))
    written(folder, *(channel(-1001000000000 - number, None, top=10 + number % 7) for number in range(1, 101)))
    lines = vedette("status").out.splitlines()
    listed = lines[lines.index("channels") + 1 :]
    assert len(listed) == SHOWN + 1
    assert listed[-1] == "  … and 50 more"
    assert "6 behind" in listed[0]
    assert "  … and 850 more" in lines
    assert len(as_json(vedette)["channels"]) == 100


def test_a_history_that_is_still_being_read_is_said(vedette: Vedette, folder: Path) -> None:
    written(folder, channel(ALFA, "alfa_demo", history=False))
    assert "not read yet · history not read yet" in vedette("status").out


def test_no_name_steers_the_terminal(vedette: Vedette, folder: Path) -> None:
    written(
        folder,
        channel(ALFA, "alfa_demo", "A\x1b]0;owned\x07\nB\u202e"),
        refused(ALFA, "\x1b[2J"),
        lambda c: notices.tell(c, "alfa", Notice("\x1b[31m\nA", ("\x9b2J\nB",)), NOW),
    )
    out = vedette("status").out
    assert not set(out) & set("\x1b\x07\x9b\u202e")
    assert "B" not in [line.strip() for line in out.splitlines()]


def test_a_database_of_a_newer_version_is_told_of(vedette: Vedette, folder: Path) -> None:
    written(folder, lambda c: c.execute("PRAGMA user_version = 999"))
    ran = vedette("status")
    assert ran.code != 0
    assert "newer vedette" in ran.err


def test_every_key_is_documented(vedette: Vedette, folder: Path) -> None:
    busy(folder, NOW)
    refused_twice(folder, NOW)
    page = (ROOT / "docs" / "running.md").read_text("utf-8")
    found = as_json(vedette)
    lists = [found["channels"][0], found["held"][0], found["notices"][0], found["outbox"], *found["waits"]]
    lists += [*found["digests"], *found["dead_letters"]]
    lists += [*found["sought"], *found["budgets"], found["health"], *found["health"]["reasons"]]
    assert [key for keys in (found, *lists) for key in keys if f"`{key}`" not in page] == []


def test_it_looks_beside_a_service_that_writes(vedette: Vedette, folder: Path) -> None:
    async def look() -> str:
        async with Database.opened(folder) as database:
            await database.write(channel(ALFA, "alfa_demo", top=12))
            return (await asyncio.to_thread(vedette, "status")).out

    assert "2 behind" in asyncio.run(look())
