"""What is written of a batch: matches, alerts as they are frozen, what is held, and who was told."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import time
from pathlib import Path

import pytest

from bot.cursor import Cursor
from bot.entries import Entries, entries
from bot.intake import Intake
from bot.judge import Arrival, Known, judge
from bot.model import Carrier, Channel, Happening, Post, PostId, Reason, Revision, Stands
from bot.ports import Lane
from bot.query.lexicon import Lexicon
from bot.rules import Rules
from bot.schedule import QuietHours
from bot.storage import notices
from bot.storage.database import Connection, Database
from bot.storage.matches import Revised
from bot.storage.outbox import Saying, random_id
from bot.storage.posts import Message
from bot.stories.stories import Stories
from bot.text.footers import Footers
from bot.triage import Pace
from tests.made import DESK, ME, at, edited, post, posted, rule, rules

ALFA = Channel(id=-1001000000001, username="alfa_demo")
ID = str(ALFA.id)
SECRET = b"s" * 32
FLAG = "Над посольством Сирии поднят новый флаг"
CURSORS: Mapping[int, Cursor] = {}


def said(text: str = FLAG, number: int = 11) -> Post:
    return replace(post(text, number=number), channel=ALFA)


def of(
    *arrivals: Arrival,
    by: Rules,
    taken: Intake | None = None,
    also: tuple[Carrier, ...] = (),
    stored: Sequence[Message] = (),
) -> Entries:
    """The entries of what was seen at noon."""
    judged = judge(arrivals, by, Stories(by.fold_window), Footers(), Pace())
    taken = taken or Intake(arrivals=list(arrivals))
    return entries(judged, taken, CURSORS, by, lambda *_: also, seen=at(), secret=SECRET, stored=stored)


@pytest.fixture
def by(lexicon: Lexicon) -> Rules:
    return rules(
        rule("syria", "Сирия"),
        rule("bases", "Хмеймим", "urgent"),
        rule("desk", "флаг", destination=DESK),
        lexicon=lexicon,
    )


def test_a_match_is_written_as_the_match_object_has_it(by: Rules) -> None:
    first, second = of(Arrival(posted(said()), at()), by=by).matches
    assert (first.channel, first.number, first.topic, first.title) == (ALFA.id, 11, "syria", "Syria")
    assert (json.loads(first.keywords), first.reason, first.due, first.seen) == (["Сирия"], Reason.NEW, None, at())
    assert json.loads(first.hits) == [{"in": "text", "start": 16, "end": 21, "text": "Сирии"}]
    assert (first.story, first.destination, second.destination) == (PostId(ID, 11), ME, DESK)


def test_an_alert_is_frozen_as_it_reads_now(by: Rules) -> None:
    also = (Carrier("Beta", at(-5), "https://t.me/beta_demo/7"),)
    [mine, desk] = of(Arrival(posted(said()), at()), by=by, also=also).messages
    assert (mine.destination, mine.lane, mine.made, mine.forward) == (ME, Lane.ALERT, at(), None)
    assert mine.says == (Saying(PostId(ID, 11), int(ID), 11, ("syria",), urgent=False, edited=False),)
    assert FLAG in mine.message.text
    assert "Beta" in mine.message.text
    assert mine.random_id == random_id(SECRET, mine.key) != desk.random_id
    assert mine.key != desk.key


def test_an_alert_may_be_the_post_itself_under_a_short_header(by: Rules) -> None:
    """All messages of an album that are there go, whether they came now or before."""
    album = replace(said(), album=7)

    def row(number: int, deleted: bool = False, post: int = 11) -> Message:  # noqa: FBT001, FBT002 - in a table of rows
        gone = at() if deleted else None
        return Message(int(ID), number, Stands.POST, 7, post, at(), at(), gone, None, "{}")

    taken = Intake(messages={(int(ID), 13): row(13), (int(ID), 14): row(14, deleted=True)})
    stored = [row(11), row(12), row(14), row(20, post=20)]
    [mine, _] = of(Arrival(posted(album), at()), by=replace(by, forward=True), taken=taken, stored=stored).messages
    assert mine.message.text == "Syria\n@\u2060alfa_demo · 8 Dec 2024, 12:00\nt.me/alfa_demo/11"
    assert mine.forward
    assert (mine.forward.channel, mine.forward.username, mine.forward.numbers) == (ALFA.id, "alfa_demo", (11, 12, 13))
    assert mine.forward.random_ids == tuple(random_id(SECRET, f"{mine.key} forward {each}") for each in (11, 12, 13))
    assert FLAG in mine.forward.excerpt.text


@pytest.mark.parametrize(
    "hidden",
    [
        replace(said(), protected=True),
        replace(said(), channel=Channel(id=ALFA.id, title="Alfa")),
    ],
)
def test_what_cannot_be_forwarded_is_an_excerpt_at_once(by: Rules, hidden: Post) -> None:
    row = Message(int(ID), 11, Stands.POST, None, 11, at(), at(), None, None, "{}")
    found = of(Arrival(posted(hidden), at()), by=replace(by, forward=True), stored=[row])
    [mine, _] = found.messages
    assert mine.forward is None
    assert FLAG in mine.message.text
    [told] = found.notices.values()
    assert "cannot be forwarded" in told.what
    assert not of(Arrival(posted(hidden), at()), by=by, stored=[row]).notices


def test_a_post_that_is_gone_already_is_an_excerpt(by: Rules) -> None:
    [mine, _] = of(Arrival(posted(said()), at()), by=replace(by, forward=True)).messages
    assert mine.forward is None


def test_the_messages_that_stand_are_looked_at_when_a_story_goes_on(by: Rules) -> None:
    known = Known(topics=frozenset({"syria"}), story=PostId(ID, 7), post=said("Сирия"))
    vanished = Revision(Happening.DELETED, at(5), replace(said(), deleted=at(5)))
    assert of(Arrival(posted(said()), at()), by=by).changed == set()
    found = of(Arrival(edited(said(), 5), at(), known), by=by)
    assert (found.changed, found.unsaid, found.lapsed) == ({PostId(ID, 7)}, set(), [(ALFA.id, 11)])
    assert found.revised == [Revised(int(ID), 11, at(), None, ("syria", "desk"))]
    found = of(Arrival(vanished, at(), known), by=by)
    assert (found.changed, found.unsaid, found.lapsed) == ({PostId(ID, 7)}, {PostId(ID, 7)}, [(ALFA.id, 11)])
    assert found.revised == [Revised(int(ID), 11, None, None, None)]


def test_an_alert_that_is_urgent_goes_in_its_own_lane(by: Rules) -> None:
    assert [row.lane for row in of(Arrival(posted(said("Хмеймим")), at()), by=by).messages] == [Lane.URGENT]


def test_what_a_destination_was_told_of_is_written(by: Rules) -> None:
    told = of(Arrival(posted(said(FLAG + ", Хмеймим")), at()), by=by).told
    story = PostId(ID, 11)
    assert sorted(told, key=str) == sorted(
        [
            *((story, ME, "syria", False, at()), (story, ME, "bases", True, at())),
            (story, DESK, "desk", False, at()),
        ],
        key=str,
    )


def test_what_is_held_is_no_message(by: Rules) -> None:
    quiet = replace(by, quiet=QuietHours(time(11), time(13)))
    found = of(Arrival(posted(said()), at()), by=quiet)
    assert found.messages == []
    assert [(one.destination, one.reason, one.due, one.channel, one.number) for one in found.held] == [
        (ME, Reason.QUIET, at(60), ALFA.id, 11),
        (DESK, Reason.QUIET, at(60), ALFA.id, 11),
    ]
    assert {one.due for one in found.matches} == {at(60)}


def test_what_was_found_before_is_renewed_and_told_no_more(by: Rules) -> None:
    known = Known(topics=frozenset({"syria"}), story=PostId(ID, 11), post=said("Сирия"))
    found = of(Arrival(edited(said(), 5), at(), known), by=by)
    assert [one.topic for one in found.renewed] == ["syria"]
    assert [(one.topic, one.reason) for one in found.matches] == [("desk", Reason.EDIT)]
    assert [one.destination for one in found.messages] == [DESK]


def test_an_album_that_got_a_lower_number_is_renamed_in_its_story(by: Rules) -> None:
    taken = Intake(moves=[(-1001000000001, 12, 11)])
    assert of(by=by, taken=taken).renamed == [(PostId(ID, 12), PostId(ID, 11))]


def test_the_same_batch_makes_the_same_entries(by: Rules) -> None:
    first, second = (of(Arrival(posted(said()), at()), by=by) for _ in range(2))
    assert first.messages == second.messages
    assert first.matches == second.matches


async def test_entries_that_are_written_twice_stand_once(tmp_path: Path, by: Rules) -> None:
    found = of(Arrival(posted(said()), at()), by=replace(by, quiet=None))
    async with Database.opened(tmp_path) as database:
        await database.write(found.write)
        before = await rows_of(database)
        await database.write(found.write)
        assert await rows_of(database) == before
    assert before == {"match": 2, "member": 1, "told": 2, "outbox": 2, "held": 0}


async def test_a_batch_in_which_nothing_matches_takes_two_statements(tmp_path: Path, by: Rules) -> None:
    row = Message(int(ID), 11, Stands.POST, None, 11, at(), at(), None, None, "{}")
    found = of(Arrival(posted(said("Погода")), at()), by=by, taken=Intake(messages={(row.channel, 11): row}))
    statements: list[str] = []

    def traced(c: Connection) -> None:
        c.set_trace_callback(statements.append)
        found.write(c)
        c.set_trace_callback(None)

    async with Database.opened(tmp_path) as database:
        await database.write(traced)
    assert [statement.split()[0] for statement in statements] == ["INSERT", "UPDATE"]


async def test_that_something_cannot_be_read_is_told_once(tmp_path: Path, by: Rules) -> None:
    def unreadable(number: int) -> Message:
        return Message(int(ID), number, Stands.UNREADABLE, None, number, None, at(), None, None, None)

    async with Database.opened(tmp_path) as database:
        for number in (11, 12):
            row = unreadable(number)
            await database.write(of(by=by, taken=Intake(messages={(row.channel, number): row})).write)
        [noted] = await notices.untold(database)
    assert "update vedette" in noted.notice.what


async def rows_of(database: Database) -> dict[str, int]:
    counts = {}
    for table in ("match", "member", "told", "outbox", "held"):
        [(counts[table],)] = await database.rows(f"SELECT count(*) FROM {table}")  # noqa: S608 - names of ours
    return counts
