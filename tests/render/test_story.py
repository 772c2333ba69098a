"""The lines a post and its story are told in."""

from __future__ import annotations

import re

import pytest

from bot.model import Carrier, Channel, Entity, Media, Origin, Post
from bot.render.richtext import Message, message
from bot.render.story import Flags, address, also_in, channel, extras, media, said, topics_line, who_line
from bot.render.times import Times
from tests.render.conftest import LONDON, hits, posted, utc
from tests.render.soundness import covered

TIMES = Times(LONDON, utc(8, 9), utc(8, 9))
REPORT = Media(kind="document", file_name="Хмеймим.pdf")
POLL = Media(kind="poll", text="Где база?\nВ Сирии\nНа Луне")


def told(post: Post, *words: str, limit: int = 700) -> tuple[Message, str]:
    """What was said, and what hangs on the post besides."""
    shown = extras(post, hits(post, *words), limit)
    return said(post, hits(post, *words), shown, limit, flat=False), media(post, shown)


def carriers(count: int, link: str | None = "https://t.me/other_demo/1") -> list[Carrier]:
    return [Carrier(f"Channel {number}", utc(8, 10, number % 60), link) for number in range(count)]


def test_topics_come_with_a_mark_and_with_what_became_of_the_post() -> None:
    assert topics_line(["Syria", "Bases"], Flags(), urgent=False).text == "Syria, Bases"
    assert (
        topics_line(["Syria"], Flags(edited=True, deleted=True), urgent=True).text
        == "🚨 Urgent · Syria · edited · deleted"
    )


def test_a_channel_is_called_by_its_title() -> None:
    assert channel(posted()) == "Седьмая застава"
    assert channel(posted(title="\u200b")) == "zastava_demo"


@pytest.mark.parametrize(
    ("origin", "named"),
    [
        (Origin(name="Чёрный штурман", channel="shturman_demo"), "forwarded from Чёрный штурман"),
        (Origin(channel="shturman_demo"), "forwarded from @\u2060shturman_demo"),
        (Origin(channel="Чёрный штурман"), "forwarded from Чёрный штурман"),
        (Origin(channel="Two Majors"), "forwarded from Two Majors"),
        (Origin(channel="MID"), "forwarded from MID"),
        (Origin(channel="-1001900000011"), "forwarded"),
        (Origin(), "forwarded"),
    ],
    ids=str,
)
def test_a_forward_names_its_origin(origin: Origin, named: str) -> None:
    assert who_line(posted(origin=origin), "09:14", "edited") == f"Седьмая застава · 09:14 · {named} · edited"


@pytest.mark.parametrize(
    ("kinds", "line"),
    [
        ([], ""),
        (["photo"], "photo"),
        (["photo", "photo", "video"], "2 photos, video"),
        (["photo", "webpage"], "photo"),
        (["hologram\u202e@everyone", "\x00"], "2 attachments"),
        (["voice", "voice", "video_note"], "2 voice messages, video message"),
    ],
    ids=str,
)
def test_what_hangs_on_a_post_is_counted_by_kind(kinds: list[str], line: str) -> None:
    assert media(posted(media=tuple(Media(kind=kind) for kind in kinds)), ()) == line


def test_one_file_is_named_and_several_are_counted() -> None:
    one = Media(kind="document", file_name="отчёт.pdf")
    assert media(posted(media=(Media(kind="photo"), one)), ()) == "photo, file отчёт.pdf"
    assert media(posted(media=(one, one)), ()) == "2 files"


def test_a_file_or_a_poll_that_is_shown_does_not_hang_there_as_well() -> None:
    made, hung = told(posted(media=(REPORT, Media(kind="photo"))), "Хмеймим")
    assert (made.text, hung) == ("Взрывы в Сирии\n\nFile: Хмеймим.pdf", "photo")
    made, hung = told(posted("Опрос", media=(POLL,)), "Сирии")
    assert (made.text, hung) == ("Опрос\n\nPoll: Где база? · В Сирии · На Луне", "")
    made, hung = told(posted("", media=(REPORT,)))
    assert (made.text, hung) == ("File: Хмеймим.pdf", "")


def test_what_finds_no_line_of_its_own_hangs_there() -> None:
    made, hung = told(posted(media=(REPORT, POLL)), "Хмеймим", "Сирии", limit=300)
    assert (made.text, hung) == ("Взрывы в Сирии\n\nFile: Хмеймим.pdf", "poll")
    assert told(posted(media=(POLL, REPORT)), "Хмеймим", "Луне", limit=300)[1] == "file Хмеймим.pdf"
    assert told(posted(media=(REPORT,) * 3), "Хмеймим")[1] == "2 files"


def test_other_parts_that_were_hit_stand_on_lines_of_their_own() -> None:
    webpage, audio = (
        Media(kind="webpage", title="База Хмеймим", text="unseen"),
        Media(kind="audio", title="Сирия, ночь"),
    )
    made, hung = told(posted("Опрос", media=(POLL, webpage, audio)), "Сирии", "Сирия", "Хмеймим")
    assert made.text == ("Опрос\n\nPoll: Где база? · В Сирии · На Луне\nPreview: База Хмеймим\nMedia: Сирия, ночь")
    assert [covered(made, entity) for entity in made.entities] == ["Сирии", "Хмеймим", "Сирия"]
    assert hung == "audio"


def test_hits_in_a_poll_stay_where_they_are_between_the_signs() -> None:
    poll = Media(kind="poll", text="Цена на нефть\n\n Вырастет \nУпадёт, а нефть @rybar_demo\n")
    made, _ = told(posted("", media=(poll,)), "нефть", "Вырастет", "rybar_demo")
    assert made.text == "Poll: Цена на нефть · Вырастет · Упадёт, а нефть @\u2060rybar_demo"
    assert [covered(made, entity) for entity in made.entities] == ["нефть", "Вырастет", "нефть", "rybar_demo"]


@pytest.mark.parametrize("end", ["", "?"])
def test_a_cut_poll_begins_and_ends_with_words(end: str) -> None:
    for size in range(1, 40):
        poll = Media(kind="poll", text="\n".join(f"{'а' * size} {at:02}{end}" for at in range(60)))
        for hit in ("00", "30", "31", "59"):
            made, _ = told(posted("", media=(poll,)), hit)
            assert [covered(made, entity) for entity in made.entities] == [hit]
            assert not re.search("… ?·|· ?…", made.text)


def test_a_post_without_text_shows_what_else_it_says() -> None:
    assert told(posted("", media=(POLL,)))[0].text == "Poll: Где база? · В Сирии · На Луне"
    assert told(posted(""))[0].text == ""


FOOTER = "Подписаться | Связь"


def test_a_footer_is_not_shown_nor_are_its_links() -> None:
    """Unless it is all there is."""
    links = (Entity("text_url", 0, 11, "https://t.me/zastava_demo"),)
    assert told(posted(f"Взрывы в Сирии\n\n{FOOTER}", footer=16), "Сирии")[0].text == "Взрывы в Сирии"
    made, hung = told(posted(FOOTER, footer=0, entities=links, media=(POLL,)), limit=300)
    assert (made.text, hung) == ("Poll: Где база? · В Сирии · На Луне", "")
    made, hung = told(posted(FOOTER, footer=0, entities=links, media=(Media(kind="photo"),)))
    assert (made.text, hung) == (FOOTER, "photo")


def test_a_hit_in_a_hidden_link_above_the_footer_shows_the_link() -> None:
    links = (Entity("text_url", 0, 6, "https://example.org/siria"), Entity("text_url", 8, 11, "https://t.me/a_demo"))
    post = posted(f"Взрывы\n\n{FOOTER}", footer=8, entities=links)
    made, _ = told(post, "siria")
    assert made.text == "Взрывы\n\nLink: https://example.org/siria"
    assert [covered(made, entity) for entity in made.entities] == ["siria"]


def test_hits_of_an_older_text_are_not_shown() -> None:
    """An edit may have changed the text under them."""
    found = hits(posted("Взрывы в Сирии"), "Сирии")
    assert said(posted("Взрывы в городе"), found, (), 700, flat=False).entities == ()


def test_an_address_is_shown_and_leads_there() -> None:
    made = message(*address(posted()))
    assert made.text == "t.me/zastava_demo/17"
    assert [entity.url for entity in made.entities] == ["https://t.me/zastava_demo/17"]
    nameless = Post(channel=Channel(own="архив"), number=5, date=utc(8, 9), text="а", url="t.me/a_demo/1")
    assert [entity.url for entity in message(*address(nameless)).entities] == ["https://t.me/a_demo/1"]


def test_a_private_channel_has_its_address_too() -> None:
    post = Post(channel=Channel(id=-1001900000011, title="Закрытый"), number=5, date=utc(8, 9), text="а")
    assert message(*address(post)).text == "t.me/c/1900000011/5"


def test_a_post_without_an_address_has_none() -> None:
    assert address(Post(channel=Channel(own="архив"), number=5, date=utc(8, 9), text="а")) == []


def test_other_carriers_are_named_with_links() -> None:
    made = message(*also_in([*carriers(1), Carrier("Архив", utc(9, 1), None)], TIMES, 400, 8))
    assert made.text == "Also in: Channel 0 10:00, Архив 9 Dec, 01:00"
    assert [covered(made, entity) for entity in made.entities] == ["Channel 0"]


def test_a_carrier_that_was_deleted_is_marked() -> None:
    run = [carriers(1)[0]._replace(deleted=True), *carriers(1), Carrier("Архив", utc(9, 1), None, deleted=True)]
    made = message(*also_in(run, TIMES, 400, 8))
    assert made.text == "Also in: Channel 0 10:00 (deleted), 10:00, Архив 9 Dec, 01:00 (deleted)"


def test_the_posts_of_one_channel_stand_together_and_name_it_once() -> None:
    pause, polar = "No Pause", "Polar Telegraph"
    days = [(pause, 8, 1), (polar, 8, 2), (pause, 8, 3), ("Седьмая застава", 8, 4), (pause, 9, 5), (pause, 9, 6)]
    run = [Carrier(name, utc(day, hour), f"https://t.me/a_demo/{hour}") for name, day, hour in days]
    made = message(*also_in(run, TIMES, 400, 8))
    assert made.text == (
        "Also in: No Pause 01:00, 03:00, 9 Dec, 05:00, 06:00, Polar Telegraph 02:00, Седьмая застава 04:00"
    )
    assert [(covered(made, entity), (entity.url or "")[-1]) for entity in made.entities] == [
        ("No Pause", "1"),
        ("03:00", "3"),
        ("9 Dec, 05:00", "5"),
        ("06:00", "6"),
        ("Polar Telegraph", "2"),
        ("Седьмая застава", "4"),
    ]
    assert message(*also_in(run, TIMES, 400, 3)).text == (
        "Also in: No Pause 01:00, 03:00, Polar Telegraph 02:00 and 3 more"
    )
    assert message(*also_in(run, TIMES, 43, 8)).text == "Also in: No Pause 01:00, 03:00 and 4 more"


def test_carriers_beyond_the_room_are_counted() -> None:
    assert message(*also_in(carriers(9), TIMES, 400, 2)).text == "Also in: Channel 0 10:00, Channel 1 10:01 and 7 more"
    assert message(*also_in(carriers(5000), TIMES, 30, 8)).text == "Also in 5,000 other posts"
    assert also_in(carriers(3), TIMES, 5, 8) == []
    assert also_in([], TIMES, 400, 8) == []


def test_carriers_keep_within_their_room() -> None:
    for count in (1, 2, 12, 5000):
        for room in range(0, 200, 7):
            assert len(message(*also_in(carriers(count), TIMES, room, 8)).text) <= room


def test_a_hit_in_several_equal_parts_is_shown_once() -> None:
    post = posted("а", media=(Media(kind="document", file_name="Сирия.pdf"),) * 5)
    assert told(post, "Сирия")[0].text == "а\n\nFile: Сирия.pdf"


def test_a_name_of_nothing_but_hits_is_cut_when_enough_are_bold() -> None:
    post = posted("а", media=(Media(kind="document", file_name="да нет " * 9),))
    made, _ = told(post, "нет")
    assert made.text == "а\n\nFile: " + "да нет " * 5 + "да…"
    assert len(made.entities) == 5
