"""The instant message about one story."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bot.model import Carrier, Media, Origin
from bot.render.alert import alert, header
from tests.render.conftest import LONDON, STAFF, alerted, posted, utc
from tests.render.soundness import check, covered

ALSO = [
    Carrier("Свои в Латакии (чат)", utc(8, 9, 20), "https://t.me/c/1900000007/48278"),
    Carrier("@svodka_demo", utc(9, 0, 31), "https://t.me/svodka_demo/5"),
]


def test_an_alert_says_which_topic_who_and_what(golden: Callable[..., None]) -> None:
    told = alerted(posted(), "Сирии")
    golden("alert_plain", alert(told, LONDON))


def test_an_alert_holds_everything_a_story_has(golden: Callable[..., None]) -> None:
    post = posted(
        STAFF,
        origin=Origin(name="Чёрный штурман"),
        media=(Media(kind="photo"), Media(kind="photo"), Media(kind="document", file_name="Сирия, базы.pdf")),
    )
    told = alerted(post, "Сирии", "база", "Сирия", "svyaz_demo", topics=("Syria", "Bases"), also=ALSO)
    golden("alert_full", alert(replace(told, urgent=True, edited=True), LONDON))


def test_an_alert_of_a_long_post_shows_the_part_with_the_hits(golden: Callable[..., None]) -> None:
    filler = "Который день пишут о том, чего не видели, и читают то, чего не писали. "
    text = f"Заголовок\n\n{filler * 8}В Сирии остались две базы. {filler * 20}Третья — в Тартусе, у моря. {filler * 5}"
    golden("alert_long", alert(alerted(posted(text), "Сирии", "базы", "Тартусе"), LONDON))


def test_a_vanished_post_is_marked(golden: Callable[..., None]) -> None:
    told = alerted(posted("عاجل | الجيش ينسحب من سوريا", title="قنديل بردى"), "سوريا")
    golden("alert_deleted", alert(replace(told, deleted=True), LONDON))


def test_a_story_that_ran_in_thousands_of_channels_keeps_to_its_size() -> None:
    also = [Carrier(f"Канал номер {at}", utc(8, 10), f"https://t.me/channel_demo/{at}") for at in range(5000)]
    made = alert(alerted(posted("Сирия и база. " * 400), "Сирия", "база", also=also), LONDON)
    check(made)
    assert len(made.text) <= 1200
    assert "Also in: Канал номер 0 8 Dec" not in made.text
    assert "Also in: Канал номер 0 10:00, " in made.text
    assert " more\nt.me/zastava_demo/17" in made.text


def test_a_post_of_nothing_but_hits_keeps_them_all_bold() -> None:
    made = alert(alerted(posted("ах " * 1300), "ах", also=ALSO), LONDON)
    check(made)
    assert sum(covered(made, entity) == "ах" for entity in made.entities) == made.text.count("ах")


def test_however_long_all_names_are_one_other_carrier_is_named() -> None:
    also = [Carrier("Очень длинное название канала, которое не кончается", utc(9, 0, at), None) for at in range(30)]
    post = posted(
        "Сирия и все мы где-то там " * 90,
        title="Длинное название " * 20,
        origin=Origin(name="Длинный источник " * 20),
        media=(
            Media(kind="document", file_name="длинное имя " * 20),
            *[Media(kind=kind) for kind in ("photo", "video", "voice", "location")],
        ),
        url="https://t.me/zastava_demo/" + "1" * 90,
    )
    told = alerted(post, "Сирия", topics=["Длинная тема обо всём, чего на свете нет"] * 9, also=also)
    made = alert(replace(told, urgent=True, edited=True, deleted=True), LONDON)
    check(made)
    assert 1050 < len(made.text) <= 1200
    assert "\nAlso in: Очень длинное название" in made.text


def test_a_dozen_other_carriers_is_enough() -> None:
    also = [Carrier(f"К{at}", utc(8, 10), None) for at in range(30)]
    assert "К11 10:00 and 18 more" in alert(alerted(posted(), "Сирии", also=also), LONDON).text


def test_a_header_says_why_a_post_was_forwarded(golden: Callable[..., None]) -> None:
    told = alerted(posted(origin=Origin(name="Чёрный штурман")), "Сирии", topics=("Syria", "Bases"), also=ALSO)
    golden("header", header(replace(told, urgent=True, edited=True, deleted=True), LONDON))


def test_a_header_is_short_whatever_there_is_to_say() -> None:
    many = [Carrier("Свои в Латакии (чат)", utc(8, 9, each), f"https://t.me/c/1/{each}") for each in range(60)]
    made = header(alerted(posted(title="Т" * 500), topics=["Syria " * 20] * 9, also=many), LONDON)
    check(made)
    assert len(made.text) < 700
    assert made.text.count("\n") == 3
