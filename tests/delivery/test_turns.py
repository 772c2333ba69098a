"""Whose turn it is: the most urgent first, one a chat, and when there will be more to do."""

from __future__ import annotations

from datetime import datetime, timedelta
from time import perf_counter
from typing import TYPE_CHECKING

from bot.delivery.turns import ENDLESS, PATIENCE, Amend, Ask, Drop, GiveUp, Send, Turn, Turns
from bot.model import Destination
from bot.pacing import GATHERING, MOST, SPAN, Attempt
from bot.ports import Lane, Later, Outcome, Outgoing, Refused, Unknown, Voice
from bot.storage.outbox import Edit, Waiting
from bot.voices import Voices
from tests.made import DESK, GROUP, ME, at

if TYPE_CHECKING:
    from bot.ports import Sender

CHAT, OTHER = -7, -8


class Somebody:
    """An account that is never asked for anything."""

    def __init__(self, account: int) -> None:
        self.account = account

    async def chat(self, destination: Destination) -> int | Later | Refused | Unknown:
        raise NotImplementedError

    async def send(self, outgoing: Outgoing) -> Outcome:
        raise NotImplementedError


BOT: Sender = Somebody(42)
READER: Sender = Somebody(7)


def waits(id_: int, lane: Lane = Lane.ALERT, to: Destination = DESK, *, minutes: float = 0) -> Waiting:
    return Waiting(
        id=id_,
        destination=to,
        lane=lane,
        voice=Voice.SPEAKER,
        made=at(),
        not_before=at(minutes),
        tries=0,
        weight=1,
        refused=False,
        account=None,
        chat=None,
    )


def edit(id_: int, chat: int = CHAT, account: int = 42) -> Edit:
    return Edit(id_, DESK, chat, account, 100 + id_, at(-9), at(-5), at(-8))


def turns(*rows: Waiting, reader: Sender | None = READER) -> Turns:
    """What waits, where `DESK` and `ME` are one chat and `GROUP` another."""
    voices = Voices(bot=True)
    voices.speaks(Voice.SPEAKER, BOT)
    voices.speaks(Voice.READER, reader)
    made = Turns(voices)
    for to, chat in ((DESK, CHAT), (ME, CHAT), (GROUP, OTHER)):
        made.know(42, to, chat)
    for row in rows:
        made.put(row)
    return made


def ids(found: tuple[list[Turn], datetime | None]) -> list[int]:
    return [turn.edit.id if isinstance(turn, Amend | Drop) else turn.row.id for turn in found[0]]


def full(made: Turns, messages: int = MOST) -> None:
    made.chat(CHAT).attempts[1] = Attempt(at(-0.5), messages)


def test_the_most_urgent_lane_goes_first_and_in_it_the_oldest_of_a_chat() -> None:
    made = turns(waits(1, Lane.DIGEST), waits(2, to=ME), waits(3), waits(4, Lane.DIGEST, GROUP))
    assert ids(made.due(at())) == [2, 4]
    made.drop(waits(2, to=ME))
    assert ids(made.due(at())) == [3, 4]


def test_a_digest_that_is_late_goes_before_all_that_is_newer() -> None:
    made = turns(waits(1, Lane.URGENT), waits(2, Lane.DIGEST), waits(3, Lane.URGENT, ME))
    assert ids(made.due(at(60))) == [1]
    made.drop(waits(1, Lane.URGENT))
    assert ids(made.due(at(59))) == [3]
    assert ids(made.due(at(60))) == [2]


def test_what_waits_for_its_moment_holds_up_its_lane_only() -> None:
    made = turns(waits(1, minutes=3), waits(2), waits(3, Lane.DIGEST))
    assert ids(made.due(at())) == [3]
    made.drop(waits(3, Lane.DIGEST))
    assert made.due(at()) == ([], at(3))


def test_a_busy_chat_has_no_turn() -> None:
    made = turns(waits(1), waits(2, to=GROUP))
    made.chat(CHAT).busy = True
    made.edits = [edit(9)]
    assert ids(made.due(at())) == [2]


def test_nothing_less_urgent_passes_what_waits_for_room() -> None:
    made = turns(waits(1)._replace(weight=11), waits(2, Lane.DIGEST))
    full(made, 10)
    made.edits = [edit(9)]
    assert made.due(at()) == ([], at(-0.5) + SPAN)


def test_a_chat_that_asked_for_a_wait_gets_nothing_and_an_account_that_did_sends_nothing() -> None:
    made = turns(waits(1), waits(2, to=GROUP))
    made.chat(CHAT).held = at(4)
    made.edits = [edit(9)]
    assert ids(made.due(at())) == [2]
    made.rests[42] = at(5)
    assert made.due(at()) == ([], at(5))


def test_a_destination_of_which_the_chat_is_not_known_is_asked_for_once() -> None:
    made = turns(waits(1), waits(2, Lane.URGENT))
    made.know(42, DESK, None)
    made.edits = [edit(9)]
    [ask] = made.due(at())[0]
    assert ask == Ask(waits(2, Lane.URGENT), BOT)
    made.asking.add(DESK)
    assert made.due(at())[0] == []


def test_a_notice_is_not_held_up_by_a_chat_that_could_not_be_found() -> None:
    made = turns(waits(1), waits(2, Lane.NOTICE))
    made.know(42, DESK, None)
    made.refusing[DESK] = at(10)
    assert ids(made.due(at())) == [2]
    made.held[DESK] = at(1)
    assert made.due(at()) == ([], at(1))


def test_only_who_may_have_sent_it_repeats_it() -> None:
    made = turns(waits(1)._replace(account=7), waits(2))
    made.know(7, DESK, CHAT)
    [send] = made.due(at())[0]
    assert isinstance(send, Send)
    assert (send.row.id, send.sender) == (1, READER)


def test_what_an_absent_account_may_have_sent_steps_aside_for_a_day() -> None:
    made = turns(waits(1)._replace(account=7), waits(2), reader=None)
    assert ids(made.due(at())) == [2]
    made.drop(waits(2))
    assert made.due(at()) == ([], at() + PATIENCE)
    assert made.due(at() + PATIENCE)[0] == [GiveUp(waits(1)._replace(account=7))]


def test_what_an_account_may_have_sent_that_is_none_of_ours_is_given_up() -> None:
    made = turns(waits(1)._replace(account=5))
    assert made.due(at())[0] == [GiveUp(waits(1)._replace(account=5))]


def test_edits_go_one_a_chat_where_nothing_waits_that_may_go() -> None:
    made = turns(waits(1, minutes=3))
    made.edits = [edit(8), edit(9), edit(10, OTHER)]
    assert ids(made.due(at())) == [8, 10]
    assert ids(made.due(at(-5) + GATHERING - timedelta(seconds=1))) == []


def test_beside_what_was_refused_twice_the_next_one_is_tried_and_no_other() -> None:
    refused = waits(1, minutes=3)._replace(refused=True, tries=1)
    made = turns(refused, waits(2), waits(3))
    assert ids(made.due(at())) == []
    made.put(refused._replace(tries=2))
    assert ids(made.due(at())) == [2]
    made.put(waits(2, minutes=3)._replace(refused=True, tries=2))
    assert ids(made.due(at())) == []


def test_what_has_had_no_answer_for_a_day_holds_up_nobody() -> None:
    tried = waits(1, minutes=60 * 24 + 1)._replace(account=42, tries=ENDLESS)
    made = turns(tried, waits(2))
    assert ids(made.due(at(60 * 24 - 1))) == []
    assert ids(made.due(at(60 * 24))) == [2]


def test_when_the_clock_is_put_back_a_wait_is_as_long_as_before() -> None:
    made = turns(waits(1, minutes=65), waits(2, to=GROUP))
    made.rests[42] = made.chat(CHAT).held = made.held[DESK] = made.refusing[DESK] = at(65)
    made.shift(timedelta(hours=1), at())
    assert made.due(at()) == ([], at(5))
    assert ids(made.due(at(5))) == [1, 2]


def test_edits_that_nobody_can_make_are_dropped() -> None:
    made = turns()
    made.edits = [
        edit(1)._replace(number=None),
        edit(2, account=5),
        edit(3)._replace(sent=at(-47 * 60)),
        edit(4)._replace(chat=None),
    ]
    assert made.due(at())[0] == [Drop(each) for each in made.edits]


def test_a_look_does_not_depend_on_how_much_waits() -> None:
    made = turns(*(waits(n, to=(DESK, GROUP)[n % 2]) for n in range(10_000)))
    began = perf_counter()
    for _ in range(100):
        assert len(made.due(at())[0]) == 2
    assert perf_counter() - began < 1
