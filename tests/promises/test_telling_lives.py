"""What people get to see, from a push to what stands in their chats: alerts and their edits, digests, notices.

The whole service runs in the test's process against the loopback server, with a bot that speaks unless a test says
otherwise.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.promises.service import READER
from tests.promises.speaking import Scene, bold, links, speaking
from tests.promises.telling import BOT
from tests.telegram_server.channel import Topic
from tests.telegram_server.rights import GENERAL

#: Long enough to be known again when somebody else says it.
STORY = "Колонна техники вошла в Сирию с севера и движется по главной дороге к столице, сообщают местные жители"
SYRIA = '\n[topics.syria]\ntitle = "Syria"\nkeywords = ["Сирия"]\ndeliver = "{deliver}"\n'
AT_TEN_PAST = '\n[digest]\nchat = "@desk_demo"\nat = ["12:30", "18:00"]\n'
NEVER = '\n[digest]\nchat = "@desk_demo"\nat = []\n'
PERSON = 8001


# --- alerts -----------------------------------------------------------------------------------------------


async def test_an_alert_says_who_said_what_where_and_leads_there(tmp_path: Path) -> None:
    async with speaking(tmp_path) as scene:
        await scene.start()
        number = scene.source.post("Самолёт над Сирией, сообщает пресс-служба")
        alert = await scene.told("Syria", "Source", "Самолёт над Сирией, сообщает пресс-служба")
        assert alert.person == BOT
        assert "Сирией" in bold(alert)
        assert any(link.endswith(f"t.me/source_demo/{number}") for link in links(alert))
        await scene.nothing_more(1)


async def test_a_story_that_runs_elsewhere_too_is_added_to_its_alert(tmp_path: Path) -> None:
    async with speaking(tmp_path) as scene:
        await scene.start()
        scene.source.post(STORY)
        await scene.told("Колонна")
        scene.other.post(STORY)
        alert = await scene.told("Also in", "Other")
        assert "Колонна" in alert.reads
        await scene.nothing_more(1)


async def test_an_alert_says_when_its_post_was_edited_and_when_it_was_deleted(tmp_path: Path) -> None:
    async with speaking(tmp_path) as scene:
        await scene.start()
        number = scene.source.post(STORY)
        await scene.told("Колонна")
        scene.source.edit(number, f"{STORY}. Уточнение: колонна остановилась")
        await scene.told("edited", "Уточнение: колонна остановилась")
        scene.source.delete(number)
        await scene.told("deleted")
        await scene.nothing_more(1)


async def test_an_edit_that_brings_the_word_alerts_and_says_that_it_was_edited(tmp_path: Path) -> None:
    async with speaking(tmp_path) as scene:
        await scene.start()
        number = scene.source.post("Ждём новостей")
        await scene.nothing_more(0)
        scene.source.edit(number, "Ждём новостей из Сирии")
        await scene.told("edited", "Ждём новостей из Сирии")
        await scene.nothing_more(1)


async def test_what_comes_in_a_burst_is_told_in_one_message_when_the_minute_is_over(tmp_path: Path) -> None:
    async with speaking(tmp_path, more="\n[alerts]\nmax_per_minute = 3\n") as scene:
        await scene.start()
        for number in range(8):
            scene.source.post(f"Сирия, сообщение № {number}")
        burst = await scene.told("5 more alerts")
        assert [number for number in range(8) if f"№ {number}" in burst.text] == [3, 4, 5, 6, 7]
        await scene.nothing_more(4)


async def test_what_quiet_hours_held_back_is_one_message_in_the_morning_and_urgent_is_told_at_once(
    tmp_path: Path,
) -> None:
    quiet = '\n[alerts]\nquiet_hours = "23:00-07:00"\n'
    urgent = SYRIA.format(deliver="alert") + '\n[topics.base]\nkeywords = ["=тревога"]\ndeliver = "urgent"\n'
    async with speaking(tmp_path, more=quiet, topics=urgent) as scene:
        await scene.start()
        scene.skip_to(23, 30)
        for number in range(3):
            scene.source.post(f"Сирия ночью, сообщение № {number}")
        scene.source.post("Воздушная тревога")
        await scene.told("Воздушная тревога")
        await scene.nothing_more(1)
        scene.skip_to(7, days=1)
        morning = await scene.told("While it was quiet: 3 stories")
        assert [f"№ {number}" in morning.text for number in range(3)] == [True] * 3
        await scene.nothing_more(2)


async def test_what_was_posted_while_the_service_was_down_is_one_message(tmp_path: Path) -> None:
    async with speaking(tmp_path) as scene:
        await scene.start()
        scene.source.post("Сирия, перед остановкой")
        await scene.told("перед остановкой")
        await scene.stop()
        scene.skip_to(14)
        for number in range(4):
            scene.source.post(f"Сирия, без нас, сообщение № {number}")
        scene.skip_to(15)
        scene.source.post("Сирия, только что")
        await scene.start()
        away = await scene.told("While away: 4 stories")
        assert [f"№ {number}" in away.text for number in range(4)] == [True] * 4
        await scene.told("только что")
        await scene.nothing_more(3)


async def test_what_is_older_than_six_hours_is_for_the_digest_only(tmp_path: Path) -> None:
    async with speaking(tmp_path, more=AT_TEN_PAST) as scene:
        await scene.start()
        await scene.stop()
        scene.source.post("Сирия, давно")
        scene.skip_to(18, 5)
        await scene.start()
        await scene.told("Digest", "Сирия, давно")
        await scene.nothing_more(1)


async def test_the_post_itself_is_forwarded_where_that_is_asked_for_and_a_short_header_stands_under_it(
    tmp_path: Path,
) -> None:
    async with speaking(tmp_path, more='\n[alerts]\nform = "forward"\n') as scene:
        await scene.start()
        number = scene.source.post(STORY)
        header = await scene.told("Syria", "Source")
        [post, _] = scene.said()
        assert post.forwarded == (scene.source.marked, number)
        assert header.number == post.number + 1
        assert len(header.text) < len(STORY) + 100


async def test_a_channel_that_cannot_be_forwarded_gives_excerpts_and_the_operators_hear_of_it_once(
    tmp_path: Path,
) -> None:
    async with speaking(tmp_path, more='\n[alerts]\nform = "forward"\n') as scene:
        scene.source.protected = True
        await scene.start()
        for number in range(2):
            scene.source.post(f"Сирия, сообщение № {number}")
            await scene.told(f"сообщение № {number}", "Syria")
        await scene.told("forward", chat=READER)
        await scene.nothing_more(2)
        await scene.nothing_more(1, READER)


# --- digests ----------------------------------------------------------------------------------------------


async def test_a_digest_comes_at_its_minute_with_all_that_was_found_since_the_last(tmp_path: Path) -> None:
    topics = SYRIA.format(deliver="alert") + '\n[topics.bases]\ntitle = "Bases"\nkeywords = ["авиабаза"]\n'
    async with speaking(tmp_path, more=AT_TEN_PAST, topics=topics) as scene:
        await scene.start()
        scene.source.post("Сирия, сообщение № 1")
        scene.other.post("Авиабаза пуста")
        await scene.told("№ 1")
        await scene.nothing_more(1)
        scene.skip_to(12, 30)
        digest = await scene.told("Digest", "Syria: 1 post", "Bases: 1 post", "№ 1", "Авиабаза пуста")
        assert "2 channels read" in digest.text
        scene.source.post("Сирия, сообщение № 2")
        await scene.told("№ 2")
        scene.skip_to(18)
        await scene.until(lambda: len(scene.said()) == 4)
        assert ("№ 1" in scene.said()[3].text, "№ 2" in scene.said()[3].text) == (False, True)


async def test_a_digest_waits_until_a_sweep_has_seen_what_was_posted_before_its_moment(tmp_path: Path) -> None:
    async with speaking(tmp_path, more=AT_TEN_PAST, topics=SYRIA.format(deliver="digest")) as scene:
        await scene.start()
        scene.server.faults.drop()
        sweep = scene.server.faults.cut_before("messages.getPeerDialogs", times=None)
        scene.source.post("Сирия, никем не услышанная")
        scene.skip_to(12, 30)
        await scene.nothing_more(0)
        sweep.stop()
        await scene.told("Digest", "никем не услышанная", within=30)
        await scene.nothing_more(1)


async def test_a_first_reading_alerts_nobody_and_is_one_digest(tmp_path: Path) -> None:
    async with speaking(tmp_path) as scene:
        for number in range(5):
            scene.source.post(f"Сирия до нас, сообщение № {number}")
        await scene.start()
        digest = await scene.told("First reading")
        assert [f"№ {number}" in digest.text for number in range(5)] == [True] * 5
        await scene.nothing_more(1)


async def test_digests_that_were_missed_become_one_at_the_start(tmp_path: Path) -> None:
    async with speaking(tmp_path, more=AT_TEN_PAST, topics=SYRIA.format(deliver="digest")) as scene:
        await scene.start()
        scene.source.post("Сирия, сообщение № 1")
        await scene.stop()
        scene.skip_to(13, days=2)
        await scene.start()
        await scene.told("Digest", "№ 1")
        await scene.nothing_more(1)


async def test_a_period_with_nothing_says_so_unless_it_shall_not(tmp_path: Path) -> None:
    async with speaking(tmp_path, more=AT_TEN_PAST + "empty = false\n") as scene:
        await scene.start()
        scene.skip_to(12, 31)
        await scene.nothing_more(0)
        await scene.stop()
        scene.more = AT_TEN_PAST
        await scene.start()
        scene.skip_to(18)
        await scene.told("Digest", "nothing found")


async def test_a_digest_in_quiet_hours_comes_without_a_sound(tmp_path: Path) -> None:
    quiet = '\n[digest]\nchat = "@desk_demo"\nat = ["12:30", "18:00"]\n[alerts]\nquiet_hours = "17:00-19:00"\n'
    async with speaking(tmp_path, more=quiet) as scene:
        await scene.start()
        for hour, minute in ((12, 30), (18, 0)):
            scene.skip_to(hour, minute)
            await scene.until(lambda: len(scene.said()) == 1 + (hour == 18))  # noqa: B023 - awaited in the loop
        assert [digest.silent for digest in scene.said()] == [False, True]


# --- where it is told -------------------------------------------------------------------------------------


async def test_topics_of_a_forum_get_what_is_meant_for_them(tmp_path: Path) -> None:
    async with speaking(tmp_path) as scene:
        thread = scene.desk.add_topic("Syria")
        scene.topics = (
            SYRIA.format(deliver="alert")
            + f'chat = "@desk_demo/{thread}"\n\n[topics.bases]\nkeywords = ["авиабаза"]\ndeliver = "alert"\n'
        )
        await scene.start()
        scene.source.post("Сирия сегодня")
        scene.source.post("Авиабаза пуста")
        alerts = await scene.told("Сирия сегодня"), await scene.told("Авиабаза пуста")
        assert [alert.thread for alert in alerts] == [thread, None]
        scene.desk.topics[thread] = Topic.CLOSED
        scene.source.post("Сирия завтра")
        await scene.told("topic", "closed", chat=READER)
        scene.desk.topics[thread] = scene.desk.topics[GENERAL] = Topic.OPEN
        scene.skip_to(14)
        await scene.told("Сирия завтра")


@pytest.mark.parametrize("bot", [True, False], ids=["bot", "reader"])
async def test_me_is_the_chat_with_the_bot_or_saved_messages(bot: bool, tmp_path: Path) -> None:  # noqa: FBT001
    async with speaking(tmp_path, more='\n[digest]\nchat = "me"\nat = []\n', bot=bot) as scene:
        await scene.start()
        scene.source.post("Сирия сегодня")
        alert = await scene.told("Сирия сегодня", chat=READER)
        assert alert.person == (BOT if bot else READER)
        [other] = {BOT, READER} - {alert.person}
        assert not [one for one in scene.server.sent if one.person == other]


async def test_a_bot_that_was_never_started_says_what_to_do_and_tells_all_once_it_is(tmp_path: Path) -> None:
    async with speaking(tmp_path, topics=SYRIA.format(deliver="alert") + f'chat = "{PERSON}"\n') as scene:
        scene.world.add_person(PERSON)
        await scene.start()
        for number in range(3):
            scene.source.post(f"Сирия, сообщение № {number}")
        notice = await scene.told(str(PERSON), "start", chat=READER)
        assert notice.person == BOT
        assert scene.said(PERSON) == []
        scene.world.people[PERSON].started.add(BOT)
        scene.skip_to(14)
        await scene.told("№ 2", chat=PERSON)
        assert ["№" in one.text for one in scene.said(PERSON)] == [True] * 3


@pytest.mark.parametrize(
    ("close", "reopen"),
    [
        (lambda scene: scene.desk.banned.add(BOT), lambda scene: scene.desk.banned.clear()),
        (lambda scene: setattr(scene.desk, "closed", True), lambda scene: setattr(scene.desk, "closed", False)),
    ],
    ids=["banned", "closed"],
)
async def test_a_chat_that_refuses_is_told_once_and_gets_everything_when_it_opens_again(
    close: Callable[[Scene], object], reopen: Callable[[Scene], object], tmp_path: Path
) -> None:
    async with speaking(tmp_path) as scene:
        await scene.start()
        close(scene)
        for number in range(3):
            scene.source.post(f"Сирия, сообщение № {number}")
        await scene.told("desk_demo", chat=READER)
        reopen(scene)
        scene.skip_to(15)
        await scene.until(lambda: len(scene.said()) == 3, 30)
        assert [f"№ {number}" in one.text for number, one in enumerate(scene.said())] == [True] * 3
        refusals = [one for one in scene.said(READER) if "refuse" in one.text]
        assert len(refusals) <= 1


# --- who is still there -----------------------------------------------------------------------------------


async def test_a_reader_who_is_signed_out_is_told_by_the_bot_and_digests_go_on(tmp_path: Path) -> None:
    async with speaking(tmp_path, more=AT_TEN_PAST) as scene:
        await scene.start()
        scene.source.post("Сирия, сообщение № 1")
        await scene.told("№ 1")
        scene.server.revoke(READER)
        scene.skip_to(12, 10)
        await scene.told("SESSION_REVOKED", chat=READER, within=30)
        # Nothing is swept any more, so that it waits for ten minutes, in which it does not sleep.
        for minute in range(30, 45, 4):
            scene.skip_to(12, minute)
            await asyncio.sleep(0.5)
        await scene.told("Digest", "№ 1")


async def test_a_bot_whose_token_was_revoked_is_told_by_the_reader_and_tells_all_when_it_is_back(
    tmp_path: Path,
) -> None:
    async with speaking(tmp_path) as scene:
        await scene.start()
        scene.source.post("Сирия, сообщение № 1")
        await scene.told("№ 1")
        token, scene.world.people[BOT].token = scene.world.people[BOT].token, "900001:another"
        scene.server.revoke(BOT, "AUTH_KEY_UNREGISTERED")
        scene.source.post("Сирия, сообщение № 2")
        scene.skip_to(12, 10)
        notice = await scene.told("bot", chat=READER, within=30)
        assert notice.person == READER
        scene.world.people[BOT].token = token
        scene.server.restore(BOT)
        for minutes in (20, 30, 45):
            scene.skip_to(12, minutes)
        await scene.told("№ 2", within=30)


async def test_a_service_that_stops_and_starts_tells_nothing_twice(tmp_path: Path) -> None:
    async with speaking(tmp_path) as scene:
        for number in range(3):
            await scene.start()
            scene.source.post(f"Сирия, сообщение № {number}")
            await scene.told(f"№ {number}")
            await scene.stop()
        assert len(scene.said()) == 3
        assert not any(sent.repeats for sent in scene.said())


async def test_a_wait_for_which_telegram_asks_is_heeded_and_nothing_is_lost(tmp_path: Path) -> None:
    async with speaking(tmp_path) as scene:
        await scene.start()
        flood = scene.server.faults.floods("messages.sendMessage", 20, 20, share=1.0, times=1)
        began = scene.clock.now()
        for number in range(3):
            scene.source.post(f"Сирия, сообщение № {number}")
        await scene.told("№ 2")
        assert scene.clock.now() - began >= timedelta(seconds=20)
        assert (flood.hits, flood.early) == (1, 0)
        assert [f"№ {number}" in one.text for number, one in enumerate(scene.said())] == [True] * 3


async def test_slow_mode_of_one_chat_holds_up_no_other(tmp_path: Path) -> None:
    topics = (
        SYRIA.format(deliver="alert") + '\n[topics.bases]\nkeywords = ["авиабаза"]\ndeliver = "alert"\nchat = "me"\n'
    )
    async with speaking(tmp_path, topics=topics) as scene:
        scene.desk.slow_mode = 60
        await scene.start()
        for number in range(2):
            scene.source.post(f"Сирия, сообщение № {number}")
        await scene.told("№ 0")
        scene.source.post("Авиабаза пуста")
        await scene.told("Авиабаза", chat=READER)
        assert len(scene.said()) == 1
        await scene.told("№ 1")
