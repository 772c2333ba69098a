"""Posts that are forwarded with a header under them, and the excerpts that stand where they cannot be."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.model import Destination, Me, Peer, Username
from bot.ports import Later, Outgoing, Refused, Sent, Unknown
from bot.storage import channels, chats, outbox
from bot.storage.outbox import Row
from tests.telegram.speaking import BOT, READER, Scene, forward, on_stage, outgoing, peopled
from tests.telegram_server.server import TelegramServer
from tests.telegram_server.world import World

SEND, FORWARD, RESOLVE = "messages.sendMessage", "messages.forwardMessages", "contacts.resolveUsername"
ME, DESK = Destination(Me()), Destination(Username("desk_demo"))
SECOND = timedelta(seconds=1)
NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)


@pytest.fixture
def world() -> World:
    return peopled()


@pytest.fixture
async def scene(server: TelegramServer, tmp_path: Path) -> AsyncIterator[Scene]:
    async with on_stage(server, tmp_path) as scene:
        yield scene


@pytest.mark.parametrize("number", [1, 3])
async def test_a_post_is_forwarded_with_its_header_under_it(scene: Scene, number: int) -> None:
    """An album too: all its messages in one call."""
    numbers = [scene.news.post(f"news {at}", album=9) for at in range(number)]
    told = outgoing(DESK, "Сирия: header", silent=True, forward=forward(5, "lantern_demo", *numbers))
    sender = await scene.bot()
    assert isinstance(await sender.send(told), Sent)
    assert await sender.send(told) == Sent(scene.server.sent[-1].number)
    *above, header = scene.server.sent
    assert [one.forwarded for one in above] == [(scene.news.marked, one) for one in numbers]
    assert [one.random_id for one in above] == [100 + one for one in numbers]
    assert all(one.silent for one in above)
    assert (header.text, header.random_id, header.repeats) == ("Сирия: header", 5, 1)
    assert await chats.address(scene.database, BOT, "@lantern_demo") is not None


async def test_a_forward_goes_to_the_topic(scene: Scene) -> None:
    thread = scene.group.add_topic("Сирия")
    told = outgoing(
        Destination(Username("desk_demo"), thread), forward=forward(5, "lantern_demo", scene.news.post("n"))
    )
    assert isinstance(await (await scene.bot()).send(told), Sent)
    assert [one.thread for one in scene.server.sent] == [thread, thread]


async def test_the_reader_forwards_what_it_watches_without_a_look_up(scene: Scene) -> None:
    scene.news.username = None
    known = Peer(id=scene.news.marked, access_hash=scene.world.access_hash(READER, 5), joined=True)
    await scene.database.write(lambda c: channels.put(c, READER, known, None))
    told = outgoing(ME, forward=forward(5, None, scene.news.post("news")))
    assert isinstance(await (await scene.reader()).send(told), Sent)
    assert [one.forwarded for one in scene.server.sent] == [(scene.news.marked, 1), None]
    assert scene.server.count(RESOLVE) == 0


async def test_a_protected_channel_gives_excerpts_and_is_asked_once(scene: Scene) -> None:
    scene.news.protected = True
    sender = await scene.bot()
    for at in (1, 2):
        told = outgoing(DESK, random_id=at, forward=forward(5, "lantern_demo", scene.news.post("news")))
        outcome = await sender.send(told)
        assert outcome == Sent(scene.server.sent[-1].number, instead="it does not let its posts be forwarded")
    assert scene.server.count(FORWARD) == 1
    assert [(one.text, one.random_id) for one in scene.server.sent] == [
        ("An excerpt of it", 1),
        ("An excerpt of it", 2),
    ]


async def test_a_private_channel_gives_excerpts_and_a_bot_does_not_even_ask(scene: Scene) -> None:
    told = outgoing(DESK, forward=forward(5, None, scene.news.post("news")))
    outcome = await (await scene.bot()).send(told)
    assert isinstance(outcome, Sent)
    assert outcome.instead == "it is private, and the bot cannot see it"
    assert scene.texts == ["An excerpt of it"]
    assert scene.server.count(FORWARD) == 0


@pytest.mark.parametrize("name", ["nobody_demo", "desk_demo"])
async def test_a_channel_whose_name_has_changed_gives_excerpts(scene: Scene, name: str) -> None:
    outcome = await (await scene.bot()).send(outgoing(DESK, forward=forward(5, name, scene.news.post("news"))))
    assert isinstance(outcome, Sent)
    assert outcome.instead
    assert scene.texts == ["An excerpt of it"]


async def test_a_post_that_is_gone_gives_its_excerpt_and_the_next_is_forwarded(scene: Scene) -> None:
    gone, there = scene.news.post("gone"), scene.news.post("there")
    scene.news.delete(gone)
    sender = await scene.bot()
    outcome = await sender.send(outgoing(DESK, forward=forward(5, "lantern_demo", gone)))
    assert outcome == Sent(scene.server.sent[-1].number, instead="the post is gone")
    assert isinstance(await sender.send(outgoing(DESK, random_id=6, forward=forward(5, "lantern_demo", there))), Sent)
    assert scene.server.sent[1].forwarded == (scene.news.marked, there)


async def test_a_chat_that_refuses_is_not_mistaken_for_a_channel_that_does(scene: Scene) -> None:
    sender = await scene.bot()
    told = outgoing(DESK, forward=forward(5, "lantern_demo", scene.news.post("news")))
    scene.group.closed = True
    assert isinstance(await sender.send(told), Refused)
    scene.group.closed = False
    assert await sender.send(told) == Sent(scene.server.sent[-1].number)
    assert len(scene.server.sent) == 2


async def test_in_slow_mode_the_header_follows_later_and_the_post_stands_there_once(scene: Scene) -> None:
    scene.server.faults.refuse(SEND, 420, "SLOWMODE_WAIT_9")
    told = await in_outbox(scene, DESK)
    assert await (await scene.bot()).send(told) == Later(10 * SECOND, "slow mode")
    assert isinstance(await (await scene.bot()).send(again(told)), Sent)
    assert [(one.text, one.repeats) for one in scene.server.sent] == [("news", 0), ("Дамаск: новости", 0)]


# --- what is repeated after a try without an answer -----------------------------------------------------------


async def in_outbox(scene: Scene, destination: Destination) -> Outgoing:
    """A post to be forwarded, as it is claimed for the first time."""
    told = outgoing(destination, forward=forward(5, "lantern_demo", scene.news.post("news")))
    row = Row("alert", destination, told.lane, told.message, NOON, told.random_id, forward=told.forward)
    await scene.database.write(lambda c: outbox.add(c, [row]))
    return told


def again(told: Outgoing) -> Outgoing:
    return replace(told, repeated=True)


@pytest.mark.parametrize("waits", [False, True])
async def test_after_an_excerpt_without_an_answer_the_post_is_not_forwarded(scene: Scene, *, waits: bool) -> None:
    faults = scene.server.faults
    faults.flood_wait(RESOLVE, 1)
    faults.swallow(SEND)
    told = await in_outbox(scene, ME)
    assert isinstance(await (await scene.bot(0.3 * SECOND)).send(told), Unknown)
    if waits:
        faults.flood_wait(SEND, 1)
        assert isinstance(await (await scene.bot()).send(again(told)), Later)
    why = "Telegram does not let the bot look it up just now"
    assert await (await scene.bot()).send(again(told)) == Sent(scene.server.sent[0].number, instead=why)
    assert scene.texts == ["An excerpt of it"]


async def test_after_a_forward_without_an_answer_no_excerpt_is_sent(scene: Scene) -> None:
    scene.server.faults.swallow(FORWARD)
    told = await in_outbox(scene, DESK)
    assert isinstance(await (await scene.bot(0.3 * SECOND)).send(told), Unknown)
    scene.news.protected = True
    assert await (await scene.bot()).send(again(told)) == Sent(scene.server.sent[-1].number)
    assert scene.texts == ["news", "Дамаск: новости"]


async def test_after_a_header_without_an_answer_the_post_is_not_looked_at_again(scene: Scene) -> None:
    scene.server.faults.swallow(SEND)
    told = await in_outbox(scene, DESK)
    assert isinstance(await (await scene.bot(0.3 * SECOND)).send(told), Unknown)
    scene.news.protected = True
    assert await (await scene.bot()).send(again(told)) == Sent(scene.server.sent[-1].number)
    assert scene.texts == ["news", "Дамаск: новости"]
    assert scene.server.count(FORWARD) == 1


async def test_after_an_excerpt_that_was_refused_the_post_may_be_forwarded(scene: Scene) -> None:
    scene.group.closed = True
    told = await in_outbox(scene, DESK)
    sender = await scene.bot()
    assert isinstance(await sender.send(told), Refused)
    scene.group.closed = False
    assert await sender.send(again(told)) == Sent(scene.server.sent[-1].number)
    assert scene.texts == ["news", "Дамаск: новости"]


async def test_after_a_forward_that_had_to_wait_an_excerpt_may_be_sent(scene: Scene) -> None:
    scene.server.faults.flood_wait(FORWARD, 1)
    told = await in_outbox(scene, DESK)
    assert isinstance(await (await scene.bot()).send(told), Later)
    scene.news.protected = True
    assert isinstance(await (await scene.bot()).send(again(told)), Sent)
    assert scene.texts == ["An excerpt of it"]
