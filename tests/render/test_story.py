"""The lines a post and its story are told in."""

from __future__ import annotations

import pytest

from bot.model import Carrier, Channel, Media, Origin, Post
from bot.render.richtext import message
from bot.render.story import Flags, address, also_in, channel, media, said, topics_line, who_line
from bot.render.times import Times
from tests.render.conftest import LONDON, hits, posted, utc
from tests.render.soundness import covered

TIMES = Times(LONDON, utc(8, 9), utc(8, 9))


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
    ("origin", "told"),
    [
        (Origin(name="Чёрный штурман", channel="shturman_demo"), "forwarded from Чёрный штурман"),
        (Origin(channel="shturman_demo"), "forwarded from shturman_demo"),
        (Origin(channel="-1001900000011"), "forwarded"),
        (Origin(), "forwarded"),
    ],
    ids=str,
)
def test_a_forward_names_its_origin(origin: Origin, told: str) -> None:
    assert who_line(posted(origin=origin), "09:14", "edited") == f"Седьмая застава · 09:14 · {told} · edited"


@pytest.mark.parametrize(
    ("kinds", "told"),
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
def test_what_hangs_on_a_post_is_counted_by_kind(kinds: list[str], told: str) -> None:
    assert media(posted(media=tuple(Media(kind=kind) for kind in kinds)), ()) == told


def test_one_file_is_named_and_several_are_counted() -> None:
    one = Media(kind="document", file_name="отчёт.pdf")
    assert media(posted(media=(Media(kind="photo"), one)), ()) == "photo, file отчёт.pdf"
    assert media(posted(media=(one, one)), ()) == "2 files"


def test_a_file_that_was_hit_is_named_once() -> None:
    post = posted(media=(Media(kind="document", file_name="Хмеймим.pdf"),))
    assert media(post, hits(post, "Хмеймим")) == "file"
    assert said(post, hits(post, "Хмеймим"), 700, flat=False).text == "Взрывы в Сирии\n\nFile: Хмеймим.pdf"


def test_other_parts_that_were_hit_stand_on_lines_of_their_own() -> None:
    post = posted(
        "Опрос",
        media=(
            Media(kind="poll", text="Где база?\nВ Сирии\nНа Луне"),
            Media(kind="webpage", title="База Хмеймим", text="unseen"),
            Media(kind="audio", title="Сирия, ночь"),
        ),
    )
    made = said(post, hits(post, "Сирии", "Сирия", "Хмеймим"), 700, flat=False)
    assert made.text == "Опрос\n\nPoll: Где база? В Сирии На Луне\nPreview: База Хмеймим\nMedia: Сирия, ночь"
    assert [covered(made, entity) for entity in made.entities] == ["Сирии", "Хмеймим", "Сирия"]


def test_a_post_without_text_shows_what_else_it_says() -> None:
    poll = Media(kind="poll", text="Где база?\nВ Сирии")
    assert said(posted("", media=(poll,)), (), 700, flat=False).text == "Poll: Где база? В Сирии"
    assert said(posted(""), (), 700, flat=False).text == ""


def test_hits_of_an_older_text_are_not_shown() -> None:
    """An edit may have changed the text under them."""
    found = hits(posted("Взрывы в Сирии"), "Сирии")
    assert said(posted("Взрывы в городе"), found, 700, flat=False).entities == ()


def test_an_address_is_shown_and_leads_there() -> None:
    made = message(*address(posted()))
    assert made.text == "t.me/zastava_demo/17"
    assert [entity.url for entity in made.entities] == ["https://t.me/zastava_demo/17"]
    assert [entity.url for entity in message(*address(posted(url="t.me/a_demo/1"))).entities] == [
        "https://t.me/a_demo/1"
    ]


def test_a_private_channel_has_its_address_too() -> None:
    post = Post(channel=Channel(id=-1001900000011, title="Закрытый"), number=5, date=utc(8, 9), text="а")
    assert message(*address(post)).text == "t.me/c/1900000011/5"


def test_a_post_without_an_address_has_none() -> None:
    assert address(Post(channel=Channel(own="архив"), number=5, date=utc(8, 9), text="а")) == []


def test_other_carriers_are_named_with_links() -> None:
    made = message(*also_in([*carriers(1), Carrier("Архив", utc(9, 1), None)], TIMES, 400, 8))
    assert made.text == "Also in: Channel 0 10:00, Архив 9 Dec, 01:00"
    assert [covered(made, entity) for entity in made.entities] == ["Channel 0"]


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
    assert said(post, hits(post, "Сирия"), 700, flat=False).text == "а\n\nFile: Сирия.pdf"


def test_a_name_of_nothing_but_hits_is_cut_when_enough_are_bold() -> None:
    post = posted("а", media=(Media(kind="document", file_name="да нет " * 9),))
    made = said(post, hits(post, "нет"), 700, flat=False)
    assert made.text == "а\n\nFile: " + "да нет " * 5 + "да…"
    assert len(made.entities) == 5
