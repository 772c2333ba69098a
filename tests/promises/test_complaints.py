"""What users of other programs suffer from, complaint by complaint, and that it cannot happen here.

A row is one complaint: which of the pains it belongs to, in which threads people describe it (repository and number),
what they suffer, and a small scenario in which it would show. Most are played to the whole service, against the
loopback server; those about matching alone are put to the matcher that it runs.

KAB is Hootrix/keyword_alert_bot, TF Heavrnl/TelegramForwarder, tgcf aahnik/tgcf.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from bot.errors import QueryError
from bot.model import Channel, Media, Post
from bot.query.lexicon import Lexicon
from bot.query.matcher import Matcher, Topic
from bot.query.parser import parse
from tests.promises.service import READER
from tests.promises.speaking import A_WHILE, Scene, bold, links, speaking
from tests.promises.telling import BOT

STORY = "Колонна техники вошла в Сирию с севера и движется по главной дороге к столице, сообщают местные жители"
ALERT = '\n[topics.{name}]\ntitle = "{name}"\nkeywords = [{keywords}]\ndeliver = "{deliver}"\n'


def topic(name: str, *keywords: str, deliver: str = "alert", **more: str) -> str:
    """A topic's table."""
    quoted = ", ".join(f"'{keyword}'" for keyword in keywords)
    rest = "".join(f"{key} = {value}\n" for key, value in more.items())
    return ALERT.format(name=name, keywords=quoted, deliver=deliver) + rest


SYRIA = topic("Syria", "Сирия")


@dataclass(frozen=True, slots=True)
class Stage:
    """What a scenario plays on."""

    folder: Path
    lexicon: Lexicon

    def found(self, keyword: str, text: str) -> list[str]:
        """What a keyword hits in a text."""
        matcher = Matcher([Topic(name="any", keywords=(parse(keyword),))], self.lexicon)
        post = Post(channel=Channel(own="any_demo"), number=1, date=datetime(2026, 11, 23, tzinfo=UTC), text=text)
        return [hit.text for match in matcher.match(post) for hit in match.hits]


class Row(NamedTuple):
    """One complaint. ``pain``: its number among all; ``name`` tells rows apart."""

    pain: int
    name: str
    threads: str
    suffers: str
    check: Callable[[Stage], Awaitable[None]]


# --- matching ---------------------------------------------------------------------------------------------


async def inflected(stage: Stage) -> None:
    assert stage.found("Сирия", "новости из Сирии") == ["Сирии"]
    assert stage.found("дом", "домики у дома") == ["дома"]
    assert stage.found("ёлка", "елки стоят") == ["елки"]


async def whole_words_in_any_case(stage: Stage) -> None:
    assert stage.found("база", "БАЗА пуста, а на базаре людно") == ["БАЗА"]
    assert stage.found("case:МИД", "мид не мид, а МИД") == ["МИД"]


async def all_of_several_words_and_none_of_others(stage: Stage) -> None:
    assert stage.found("Сирия Асад -футбол", "Асад покинул Сирию")
    assert not stage.found("Сирия Асад -футбол", "Асад и Сирия: футбол")
    assert not stage.found("Сирия Асад -футбол", "Сирия без него")


async def each_channel_its_own_topics(stage: Stage) -> None:
    topics = topic("Syria", "Сирия", channels='["@other_demo"]') + topic("Bases", "авиабаза")
    async with speaking(stage.folder, topics=topics) as scene:
        await scene.start()
        scene.source.post("Сирия, сказал один")
        scene.source.post("Авиабаза пуста")
        scene.other.post("Сирия, сказал другой")
        await scene.told("Авиабаза")
        await scene.told("сказал другой")
        await scene.nothing_more(2)


async def expressions_that_match_what_they_say(stage: Stage) -> None:
    assert stage.found("/С-?[34]00/i", "прибыли с-400 и С300") == ["с-400", "С300"]
    with pytest.raises(QueryError):
        parse("/[/")


async def a_pattern_that_takes_for_ever(stage: Stage) -> None:
    began = time.monotonic()
    assert not stage.found("/(a+)+$/", "a" * 50_000 + "b")
    assert time.monotonic() - began < 5


# --- noise and duplicates ---------------------------------------------------------------------------------


async def new_and_edited_is_one_alert(stage: Stage) -> None:
    async with speaking(stage.folder) as scene:
        await scene.start()
        number = scene.source.post(STORY)
        await scene.told("Колонна")
        for version in range(3):
            scene.source.edit(number, f"{STORY}, версия {version}")
        await scene.told("edited", "версия 2")
        await scene.nothing_more(1)


async def several_keywords_are_one_alert(stage: Stage) -> None:
    topics = topic("Syria", "Сирия", "Дамаск", "столица") + topic("Columns", "колонна", "техника")
    async with speaking(stage.folder, topics=topics) as scene:
        await scene.start()
        scene.source.post(f"{STORY}: это Дамаск")
        alert = await scene.told("Syria", "Columns")
        assert {"Колонна", "техники", "Сирию", "столице", "Дамаск"} <= set(bold(alert))
        await scene.nothing_more(1)


async def reactions_are_no_news(stage: Stage) -> None:
    async with speaking(stage.folder) as scene:
        await scene.start()
        number = scene.source.post(STORY)
        alert = await scene.told("Колонна")
        for _ in range(3):
            scene.source.react(number)
        await scene.nothing_more(1)
        assert alert.edits == []
        # After an edit Telegram does not mark reactions as hidden any more.
        scene.source.edit(number, f"{STORY}. Дополнено")
        await scene.told("Дополнено")
        for _ in range(3):
            scene.source.react(number)
        await scene.nothing_more(1)
        assert len(alert.edits) == 1


async def a_link_preview_is_no_edit(stage: Stage) -> None:
    async with speaking(stage.folder) as scene:
        await scene.start()
        number = scene.source.post(f"{STORY} https://example.org/")
        alert = await scene.told("Колонна")
        scene.source.preview(number, "Сирия: колонна техники")
        await scene.nothing_more(1)
        assert "edited" not in alert.reads


async def reposts_are_one_story(stage: Stage) -> None:
    async with speaking(stage.folder) as scene:
        await scene.start()
        scene.source.post(STORY)
        await scene.told("Колонна")
        scene.other.post(f"❗️{STORY}. Подробности следуют")
        await scene.told("Колонна", "Also in", "Other")
        await scene.nothing_more(1)


async def an_album_is_one_alert(stage: Stage) -> None:
    async with speaking(stage.folder) as scene:
        await scene.start()
        for at in range(4):
            scene.source.post(STORY if at == 2 else "", album=77, media=Media(kind="photo"))
        alert = await scene.told("Колонна")
        assert "4 photos" in alert.reads or "photo" in alert.reads
        assert any(link.endswith("source_demo/1") for link in links(alert))
        await scene.nothing_more(1)


async def nights_are_quiet(stage: Stage) -> None:
    async with speaking(stage.folder, more='\n[alerts]\nquiet_hours = "23:00-07:00"\n') as scene:
        await scene.start()
        scene.skip_to(23, 30)
        scene.source.post(STORY)
        await scene.nothing_more(0)
        scene.skip_to(7, days=1)
        await scene.told("Колонна")
        await scene.nothing_more(1)


async def urgent_and_the_rest(stage: Stage) -> None:
    topics = topic("Alarm", "тревога", deliver="urgent") + topic("Syria", "Сирия", deliver="digest")
    at = '\n[digest]\nchat = "@desk_demo"\nat = ["13:00"]\n'
    async with speaking(stage.folder, topics=topics, more=at) as scene:
        await scene.start()
        scene.source.post(STORY)
        scene.source.post("Воздушная тревога в городе")
        await scene.told("тревога")
        await scene.nothing_more(1)
        scene.skip_to(13)
        await scene.told("Digest", "Колонна", "тревога")


async def seventy_pings_become_a_few(stage: Stage) -> None:
    async with speaking(stage.folder, more="\n[alerts]\nmax_per_minute = 2\n") as scene:
        await scene.start()
        for number in range(70):
            scene.source.post(f"Сирия, сообщение № {number:02}.")
        await scene.until(lambda: sum(one.text.count("№ ") for one in scene.said()) == 70)
        # Two at once, and what came after them in one message, or as many as its length takes.
        assert len(scene.said()) <= 2 + 4


# --- what an alert shows ----------------------------------------------------------------------------------


async def an_alert_shows_what_was_said(stage: Stage) -> None:
    async with speaking(stage.folder) as scene:
        await scene.start()
        scene.source.post(f"Вторая строка.\n\n{STORY}\n\nЧетвёртая строка.")
        alert = await scene.told(STORY, "Source", "Вторая строка", "Четвёртая строка")
        assert bold(alert)[-1:] == ["Сирию"] or "Сирию" in bold(alert)


async def protected_channels_are_told(stage: Stage) -> None:
    async with speaking(stage.folder) as scene:
        scene.source.protected = True
        await scene.start()
        scene.source.post(STORY)
        await scene.told(STORY)


async def private_channels_are_linked(stage: Stage) -> None:
    async with speaking(stage.folder) as scene:
        hidden = scene.world.add_channel(2009, title="Hidden", invite="AbCdEfGh12345678", members=[READER])
        scene.watched.append("https://t.me/+AbCdEfGh12345678")
        await scene.start()
        number = hidden.post(STORY)
        alert = await scene.told(STORY, "Hidden")
        assert any(link.endswith(f"t.me/c/2009/{number}") for link in links(alert))


async def no_sign_breaks_an_alert(stage: Stage) -> None:
    text = "Сирия <b>_*[`~>#+-=|{}.!\\ &amp; </b https://example.org/a_b_c ]( *"
    async with speaking(stage.folder) as scene:
        await scene.start()
        scene.source.post(text)
        # A sign that no font shows keeps </b from being a command.
        await scene.told("<b>_*[`~>#+-=|{}.!\\ &amp; </", "https://example.org/a_b_c ]( *")
        assert not any(write.refused for write in scene.server.writes)


async def nothing_is_too_long(stage: Stage) -> None:
    topics = topic("Syria", "Сирия")
    at = '\n[digest]\nchat = "@desk_demo"\nat = ["13:00"]\nmax_stories = 100\n[alerts]\nmax_per_minute = 0\n'
    async with speaking(stage.folder, topics=topics, more=at) as scene:
        await scene.start()
        for number in range(15):
            scene.source.post(f"Сирия № {number:02}. " + f"🌕 слово {number} " * 250)
        await scene.until(lambda: len(scene.said()) == 15)
        assert max(len(alert.text) for alert in scene.said()) <= 1200
        scene.skip_to(13)
        await scene.until(lambda: all(any(f"№ {at:02}" in one.text for one in scene.said()[15:]) for at in range(15)))
        assert max(len(one.text.encode("utf-16-le")) // 2 for one in scene.said()) <= 4096
        assert not any(write.refused for write in scene.server.writes)


async def a_message_is_plain_text(stage: Stage) -> None:
    async with speaking(stage.folder) as scene:
        await scene.start()
        scene.source.post(STORY, media=Media(kind="photo"))
        await scene.told(STORY)
        requests = [call.request for call in scene.server.calls if call.method == "messages.sendMessage"]
        assert [request.reply_markup for request in requests] == [None] * len(requests)


# --- setup and control ------------------------------------------------------------------------------------


async def renamed_channels_stay_watched(stage: Stage) -> None:
    async with speaking(stage.folder) as scene:
        await scene.start()
        scene.source.rename("renamed_demo")
        await scene.told("renamed_demo", chat=READER)
        number = scene.source.post(STORY)
        alert = await scene.told("Колонна")
        assert any(link.endswith(f"t.me/renamed_demo/{number}") for link in links(alert))


async def chats_go_by_their_ids(stage: Stage) -> None:
    async with speaking(stage.folder) as scene:
        scene.topics = topic("Syria", "Сирия", chat=f'"{scene.desk.marked}"')
        scene.watched[:] = [str(scene.source.marked), "@other_demo"]
        await scene.start()
        scene.source.post(STORY)
        await scene.told("Колонна")


async def everybody_gets_their_own(stage: Stage) -> None:
    async with speaking(stage.folder) as scene:
        thread = scene.desk.add_topic("Bases")
        away = scene.world.add_channel(3002, username="away_demo", admins=[BOT])
        scene.topics = (
            topic("Syria", "Сирия", chat='"@away_demo"')
            + topic("Bases", "авиабаза", chat=f'"@desk_demo/{thread}"')
            + topic("Mine", "столица", chat='"me"')
        )
        await scene.start()
        scene.source.post(STORY)
        scene.source.post("Авиабаза пуста")
        await scene.told("Колонна", chat=away.marked)
        await scene.told("столице", chat=READER)
        assert (await scene.told("Авиабаза")).thread == thread
        await scene.nothing_more(1)


async def a_slip_in_the_file_changes_nothing_and_is_told(stage: Stage) -> None:
    async with speaking(stage.folder) as scene:
        await scene.start()
        scene.topics = topic("Syria", "(Сирия")
        scene.write()
        await scene.told("config.toml", chat=READER)
        scene.source.post(STORY)
        await scene.told("Колонна")
        await scene.nothing_more(1)


async def what_was_changed_is_for_the_operators_alone(stage: Stage) -> None:
    """And no restart is needed."""
    async with speaking(stage.folder, topics=SYRIA) as scene:
        await scene.start()
        scene.source.post("Авиабаза пуста")
        await scene.nothing_more(0)
        scene.topics = topic("Syria", "Сирия", "авиабаза")
        scene.write()
        await scene.told("The configuration was changed", chat=READER)
        scene.other.forbid(READER)
        await scene.told("Other", chat=READER)
        scene.source.post("Авиабаза занята")
        await scene.told("Авиабаза занята")
        await scene.nothing_more(1)


async def a_lost_session_is_told(stage: Stage) -> None:
    async with speaking(stage.folder) as scene:
        await scene.start()
        scene.server.revoke(READER)
        scene.skip_to(13)
        notice = await scene.told("SESSION_REVOKED", chat=READER, within=30)
        assert notice.person == BOT


async def waits_lose_nothing(stage: Stage) -> None:
    async with speaking(stage.folder) as scene:
        await scene.start()
        flood = scene.server.faults.floods("messages.sendMessage", 10, 10, share=1.0, times=2)
        await _five(scene)
        assert (flood.hits, flood.early) == (2, 0)


async def lost_answers_lose_and_double_nothing(stage: Stage) -> None:
    async with speaking(stage.folder) as scene:
        await scene.start()
        scene.server.faults.cut_after("messages.sendMessage", times=2)
        scene.server.faults.still_executing(1)
        await _five(scene)
        await asyncio.sleep(A_WHILE)


async def _five(scene: Scene) -> None:
    """Five posts, each told once and in order."""
    for number in range(5):
        scene.source.post(f"Сирия, сообщение № {number}")
    await scene.until(lambda: len(scene.said()) >= 5, 40)
    assert [one.text.partition("№ ")[2][:1] for one in scene.said()] == list("01234")


ROWS = (
    Row(6, "waits", "tgcf#213 RSStT#575", "told to wait, the message is dropped", waits_lose_nothing),
    Row(6, "answers", "ay-framework#180", "what got no answer is dropped", lost_answers_lose_and_double_nothing),
    Row(13, "inflection", "KAB#121 telemirror#100 snowball#65", "each form has to be typed", inflected),
    Row(14, "words", "tgcf#93 zulip#12563 Alchemy#177", "hits inside words, case matters", whole_words_in_any_case),
    Row(15, "boolean", "KAB#94 TF#3 RSStT#159", "no AND, no NOT", all_of_several_words_and_none_of_others),
    Row(16, "per-source", "tgcf#176 telemirror#145 viperadnan#44", "one filter for all", each_channel_its_own_topics),
    Row(17, "patterns", "tgcf#191", "a pattern with a capital never matches", expressions_that_match_what_they_say),
    Row(17, "redos", "tg_content_factory#1234 OpenWA#379", "one pattern stops all", a_pattern_that_takes_for_ever),
    Row(18, "edits", "KAB#8 KAB#11", "an edited post is alerted again", new_and_edited_is_one_alert),
    Row(18, "keywords", "KAB#18 tgcf#227 TF#27", "an alert for each keyword", several_keywords_are_one_alert),
    Row(19, "reactions", "Telethon#4373 Telethon#4093 matterbridge#1816", "reactions alert", reactions_are_no_news),
    Row(19, "previews", "telegram-bot-api#388 telegram-bot-api#773", "posts come twice", a_link_preview_is_no_edit),
    Row(20, "reposts", "telemirror#52 tgcf#578 FreshRSS#3419", "one story, many alerts", reposts_are_one_story),
    Row(21, "albums", "tgcf#96 tgcf#639 MrMissx#103", "an alert for each picture", an_album_is_one_alert),
    Row(22, "nights", "KAB#6 openclaw#42246 xinyi-relay#125", "pings at night", nights_are_quiet),
    Row(22, "priorities", "watchtower#560 release-monitor#53 unraid#1702", "all or none", urgent_and_the_rest),
    Row(22, "bursts", "InnerWarden#59", "seventy pings a day", seventy_pings_become_a_few),
    Row(23, "text", "KAB#29 KAB#87 KAB#97 el_monitorro#45", "only the keyword shows", an_alert_shows_what_was_said),
    Row(23, "protected", "tgcf#363 tgcf#467 tgcf#545", "protected channels fail", protected_channels_are_told),
    Row(23, "private", "KAB#48 TF#65", "nothing of private channels", private_channels_are_linked),
    Row(24, "markup", "alertmanager#2923 telepush#66 message-pusher#88", "a sign loses it", no_sign_breaks_an_alert),
    Row(24, "length", "grafana-alerting#185 telepush#67 TF#47", "too long is refused", nothing_is_too_long),
    Row(24, "buttons", "TF#98", "buttons of a post lose it", a_message_is_plain_text),
    Row(25, "renamed", "telemirror#145 forwardgram#7", "a renamed channel is lost", renamed_channels_stay_watched),
    Row(25, "ids", "TF#12 TF#38", "-100 ids do not work", chats_go_by_their_ids),
    Row(25, "routing", "miniflux#3429 viperadnan#44 MrMissx#94", "one chat for all", everybody_gets_their_own),
    Row(25, "slips", "tgcf#191", "a slip is taken in silence", a_slip_in_the_file_changes_nothing_and_is_told),
    Row(25, "chatter", "TF#10", "settings and troubles fill the chat", what_was_changed_is_for_the_operators_alone),
    Row(25, "silence", "worldmonitor#3152", "nobody hears that it is signed out", a_lost_session_is_told),
)  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=[f"{row.pain}-{row.name}" for row in ROWS])
async def test_what_others_suffer_from_cannot_happen_here(row: Row, tmp_path: Path, lexicon: Lexicon) -> None:
    await row.check(Stage(tmp_path, lexicon))


def test_every_pain_of_these_groups_has_a_row_with_its_threads() -> None:
    assert {row.pain for row in ROWS} >= set(range(13, 26))
    assert all("#" in thread for row in ROWS for thread in row.threads.split())
