"""Text made safe, entities that fit, messages that Telegram takes."""

from __future__ import annotations

import unicodedata

import pytest

from bot.model import Entity
from bot.render.richtext import (
    JOINER,
    Message,
    bold,
    boundary,
    clean,
    joined,
    lines,
    link,
    message,
    one_line,
    split,
    tidy,
)
from tests.render.soundness import check, covered, live


def guarded(text: str) -> str:
    return message(text).text.replace(JOINER, "+")


def test_offsets_are_utf_16_units() -> None:
    made = message("⚡️🇸🇾 ", bold("Сирия"), " ", link("там", "https://example.org"))
    assert made.entities == (Entity("bold", 7, 5), Entity("text_url", 13, 3, "https://example.org"))
    assert [covered(made, entity) for entity in made.entities] == ["Сирия", "там"]


def test_entities_and_text_lose_the_blanks_around_them() -> None:
    made = message("\n ", bold("\u00a0 Сирия \n"), " \n")
    assert made == Message("Сирия", (Entity("bold", 0, 5),))


@pytest.mark.parametrize("text", ["", " ", "\n"], ids=ascii)
def test_an_entity_of_nothing_is_none(text: str) -> None:
    assert message("а", bold(text), "б").entities == ()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("@rybar_demo и почта a@b.example", "@+rybar_demo и почта a@+b.example"),
        ("\uff20everyone @@everyone @", "\uff20+everyone @+@+everyone @+"),
        ("/start", "/+start"),
        ("(/start) 👍/ban", "(/+start) 👍/+ban"),
        ("\u0301/start", "\u0301/+start"),
        ("и/или 1/2 9 / 10 //", "и/или 1/2 9 / 10 //"),
        ("https://t.me/zastava_demo/17?a=/b", "https://t.me/zastava_demo/17?a=/+b"),
        ("HTTP://example.org/a t.me/zastava_demo", "HTTP://example.org/a t.me/zastava_demo"),
        ("tg://user?id=1 xTG://resolve", "tg:+//+user?id=1 xTG:+//+resolve"),
        ("[x](tg://user?id=1) <b> </b> **a**", "[x](tg:+//+user?id=1) <b> </+b> **a**"),
        ("@\x00name /\x00start @\u202ename", "@+\ufffdname /+\ufffdstart @+name"),
    ],
    ids=ascii,
)
def test_nothing_becomes_a_live_mention_or_command(text: str, shown: str) -> None:
    assert guarded(text) == shown
    assert not live(message(text).text)


def test_a_sign_and_a_name_in_two_pieces_are_no_mention() -> None:
    made = message("кто: @", bold("everyone"), " /", bold("start"))
    assert made.text == f"кто: @{JOINER}everyone /{JOINER}start"
    assert [covered(made, entity) for entity in made.entities] == ["everyone", "start"]


def test_a_guarded_text_is_guarded_once() -> None:
    once = message("@a /b tg://c").text
    assert message(once).text == once


def test_what_steers_or_mirrors_is_replaced() -> None:
    assert message("а\x00б\ud83dв\x9bг").text == "а\ufffdб\ufffdв\ufffdг"
    assert guarded("а\u202eб\u2066в\u2069") == "а+б+в+"
    assert message("а\tб\r\nв\u2028г").text == "а б \nв\nг"


@pytest.mark.parametrize(
    "url", ["tg://user?id=1", "javascript:alert(1)", "https://", "https://a b", "https://a\u202e", "//t.me", "", None]
)
def test_only_an_address_of_the_web_becomes_a_link(url: str | None) -> None:
    assert message(link("там", url)) == Message("там")


def test_empty_rows_are_left_out() -> None:
    assert lines([["а"], [], [""], ["б", bold("в")]]) == Message("а\nбв", (Entity("bold", 3, 1),))


def test_joined_messages_keep_what_their_entities_cover() -> None:
    made = joined([message("😀", bold("а")), message(""), message(bold("б"))])
    assert made == Message("😀а\n\nб", (Entity("bold", 2, 1), Entity("bold", 5, 1)))


HEAP = "\u0301\u0489\u0e47" * 900
VOWELS = ["مُحَمَّدٌ", "בְּרֵאשִׁ֖ית", "За\u0301мок", "ཧཱུྃ", "လျှော့", "1️⃣👁️\u200d🗨️🏴\U000e0067\U000e0062\U000e007f", "Việt"]


@pytest.mark.parametrize("letter", ["а", "👁️", "\u200d", "1"], ids=ascii)
def test_of_thousands_of_marks_on_a_letter_a_few_are_kept(letter: str) -> None:
    most = 4 + letter.count("️")
    for heap in (HEAP, "\u200d".join(HEAP)):
        made = message(letter, heap, bold("Сирия"))
        assert sum(unicodedata.category(each) in ("Mn", "Me") for each in made.text) <= most
        assert [covered(made, entity) for entity in made.entities] == ["Сирия"]
        assert clean(clean(heap)) == clean(heap)
    assert one_line(f"С{HEAP}е{HEAP}дьмая", 40).replace(JOINER, "") == f"С{HEAP[:4]}е{HEAP[:4]}дьмая"
    text = f"{letter}{HEAP}Сирия{HEAP}"
    for flat in (False, True):
        tidied = tidy(text, flat=flat)
        assert len(tidied.text) < 20
        at = text.index("Сирия")
        assert tidied.text[tidied.point(at) : tidied.point(at + 5)] == "Сирия"


@pytest.mark.parametrize("word", VOWELS, ids=ascii)
def test_what_languages_and_emoji_need_stays_whole(word: str) -> None:
    for form in ("NFC", "NFD"):
        text = unicodedata.normalize(form, word) * 20
        assert message(text).text == tidy(text, flat=False).text == one_line(text, 999) == text


# --- one line, tidy, boundary -----------------------------------------------------------------------------


def test_one_line_is_cut_with_an_ellipsis() -> None:
    assert one_line("  Седьмая\n застава ", 40) == "Седьмая застава"
    assert one_line("Седьмая застава", 9) == "Седьмая…"


@pytest.mark.parametrize("text", ["", " \n", "\u200b\u2060", "\u202e", "\u0301"], ids=ascii)
def test_one_line_of_nothing_to_be_seen_is_empty(text: str) -> None:
    assert one_line(text, 40) == ""


@pytest.mark.parametrize(
    "text", ["@" * 50, "a @b" * 20, "/a " * 20, "tg://" * 20, "\u0301" * 99, "👨‍👩‍👧" * 20], ids=ascii
)
def test_one_line_keeps_to_its_limit_also_when_it_is_shown(text: str) -> None:
    for limit in range(3, 40):
        assert len(message("(", one_line(text, limit), ")").text) <= limit + 2


def test_blanks_are_tidied_and_points_go_with_the_text() -> None:
    text = " \na  b\n \u200b\n\n\nc\u200bd \n"
    tidied = tidy(text, flat=False)
    assert tidied.text == "a b\n\nc\u200bd"
    for letter in "abcd":
        at = text.index(letter)
        assert tidied.text[tidied.point(at) : tidied.point(at + 1)] == letter
    assert tidy(text, flat=True).text == "a b c\u200bd"


@pytest.mark.parametrize("whole", ["и\u0306", "👨‍👩‍👧", "👉🏽", "🇸🇾", "⚡️", "1️⃣", "@\u2060"], ids=ascii)
def test_a_cut_takes_no_character_apart(whole: str) -> None:
    text = f"аб{whole}вг"
    for point in range(2, 2 + len(whole)):
        assert boundary(text, point) == 2
    assert boundary(text, 2 + len(whole)) == 2 + len(whole)


def test_flags_in_a_row_are_cut_between_two() -> None:
    assert boundary("🇸🇾🇷🇺🇬🇧", 3) == 2
    assert boundary("🇸🇾🇷🇺🇬🇧", 4) == 4


def test_a_letter_with_hundreds_of_marks_is_cut_anyway() -> None:
    assert boundary("a" + "\u0301" * 500, 300) == 300


# --- split ------------------------------------------------------------------------------------------------


def block(letter: str, length: int, entities: int = 0) -> Message:
    return message(
        *[bold(letter) if at % 2 else letter for at in range(2 * entities)], letter * (length - 2 * entities)
    )


def test_blocks_are_packed_and_never_cut_when_they_fit() -> None:
    blocks = [block(letter, 1500) for letter in "abcde"]
    assert [made.text for made in split(blocks)] == [
        "\n\n".join(b.text for b in two) for two in (blocks[:2], blocks[2:4], blocks[4:])
    ]


def test_a_message_is_filled_to_its_last_unit() -> None:
    assert len(split([block("a", 2000), block("b", 2094)])) == 1
    assert len(split([block("a", 2000), block("b", 2095)])) == 2


def test_a_message_holds_a_hundred_entities() -> None:
    assert len(split([block("a", 200, 50), block("b", 200, 50)])) == 1
    assert len(split([block("a", 200, 50), block("b", 200, 51)])) == 2


def test_units_count_and_not_characters() -> None:
    assert len(split([block("😀", 1024), block("😀", 1023)])) == 1
    assert len(split([block("😀", 1024), block("😀", 1024)])) == 2


@pytest.mark.parametrize("unit", ["слово ", "строка слов\n", "😀", "и\u0306", "@a", "a/start", "/a "], ids=ascii)
def test_a_block_larger_than_a_message_is_cut_where_it_does_no_harm(unit: str) -> None:
    text = unit * 4000
    made = split([message("начало ", bold(text))])
    for each in made:
        check(each)
        assert each.units > 3000 or each is made[-1]
        assert [covered(each, entity) in each.text for entity in each.entities] == [True]
    kept = "".join(each.text for each in made).replace(JOINER, "")
    assert "".join(kept.split()) == "".join(("начало " + text).split())


def test_a_cut_does_not_make_a_command_of_a_path() -> None:
    """What stands behind a letter is none; at the start of the next message it would be."""
    check(split([message("a" * 4095 + "/start")])[1])


def test_a_block_of_thousands_of_entities_is_cut() -> None:
    made = split([message(*[bold("а") if at % 2 else "б" for at in range(2000)])])
    for each in made:
        check(each)
    assert "".join(each.text for each in made) == "ба" * 1000
    assert sum(len(each.entities) for each in made) == 1000


def test_nothing_makes_no_message() -> None:
    assert split([]) == []
    assert split([Message(""), message(" ")]) == []
