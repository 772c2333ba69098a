"""Which lines are a channel's footer, and where it begins."""

from __future__ import annotations

import pytest

from bot.model import Happening, Revision
from bot.text.footers import AHEAD, POSTS, Footers, learning, line_key, start_of
from tests.made import post

FOOTER = "👉 Топор Live. Подписаться"


def _learnt(*texts: str, channel: str = "c") -> Footers:
    footers = Footers()
    for text in texts:
        footers.learn(channel, text)
    return footers


def _posts(count: int, footer: str = FOOTER) -> list[str]:
    return [f"Новость {number}\n\n{footer}" for number in range(count)]


def test_a_line_under_three_posts_is_a_footer() -> None:
    text = f"Взрыв в Сирии\n{FOOTER}"
    assert _learnt(*_posts(POSTS)).start("c", text) == text.index(FOOTER)


def test_a_line_under_two_posts_is_none_yet() -> None:
    assert _learnt(*_posts(POSTS - 1)).start("c", f"Взрыв\n{FOOTER}") is None


def test_a_footer_belongs_to_its_channel() -> None:
    footers = _learnt(*_posts(POSTS))
    assert footers.start("d", f"Взрыв\n{FOOTER}") is None


def test_the_first_line_is_never_a_footer() -> None:
    """A siren that is repeated word for word stays a post."""
    siren = "Воздушная тревога"
    footers = _learnt(*[f"{siren}\n{siren}"] * POSTS)
    assert footers.start("c", siren) is None
    assert footers.start("c", f"\n \n{siren}") is None
    assert footers.start("c", f"{siren}\n{siren}") == len(siren) + 1


def test_a_footer_of_several_lines_begins_with_the_first_of_them() -> None:
    footer = f"Прислать новость\n\n{FOOTER}\n"
    text = f"Взрыв\nв Дамаске\n{footer}"
    assert _learnt(*_posts(POSTS, footer)).start("c", text) == text.index("Прислать")


def test_a_known_line_above_news_is_no_footer() -> None:
    assert _learnt(*_posts(POSTS)).start("c", f"Взрыв\n{FOOTER}\nв Сирии") is None


def test_blanks_around_a_line_do_not_matter() -> None:
    text = f"Взрыв\n  {FOOTER}\u00a0 "
    assert _learnt(*_posts(POSTS)).start("c", text) == len("Взрыв\n")


def test_a_line_counts_once_a_post() -> None:
    footers = _learnt("\n".join(["Новость", *[FOOTER] * (POSTS + 1)]))
    assert footers.start("c", f"Взрыв\n{FOOTER}") is None


def test_a_line_far_above_the_end_is_not_learnt() -> None:
    texts = [f"Новость\n{FOOTER}\n" + "\n".join(f"{number} {line}" for line in range(5)) for number in range(POSTS)]
    assert _learnt(*texts).start("c", f"Взрыв\n{FOOTER}") is None


def test_a_paragraph_is_not_learnt() -> None:
    paragraph = "а" * 201
    assert _learnt(*_posts(POSTS, paragraph)).start("c", f"Взрыв\n{paragraph}") is None
    assert _learnt(*_posts(POSTS, paragraph[1:])).start("c", f"Взрыв\n{paragraph[1:]}") == len("Взрыв\n")


def test_a_footer_that_goes_on_standing_there_outlives_thousands_of_other_lines() -> None:
    footers = _learnt(*_posts(POSTS))
    for number in range(2000):
        footers.learn("c", f"Новость\nстрока {number}\n{FOOTER if number % 50 == 0 else ''}")
    assert footers.start("c", f"Взрыв\n{FOOTER}") == len("Взрыв\n")


def test_what_stood_under_one_post_is_forgotten_in_time() -> None:
    footers = _learnt(*_posts(1))
    for number in range(2000):
        footers.learn("c", f"Новость\nстрока {number}")
    for text in _posts(POSTS - 1):
        footers.learn("c", text)
    assert footers.start("c", f"Взрыв\n{FOOTER}") is None


@pytest.mark.parametrize("text", ["", "\n", "\n\n\n", "Взрыв", FOOTER, f"\n{FOOTER}"], ids=ascii)
def test_a_text_of_one_line_has_no_footer(text: str) -> None:
    assert _learnt(*_posts(POSTS)).start("c", text) is None


@pytest.mark.parametrize(
    ("text", "start"),
    [("а\nф", 2), ("а\nб\nф\nф", 4), ("а\n\nф\n\n", 3), ("а\nф\nб", None), ("ф\nф", 2), ("\nф\nф", 3), ("а\n\n", None)],
    ids=ascii,
)
def test_a_footer_is_the_longest_run_of_known_lines_at_the_end(text: str, start: int | None) -> None:
    assert start_of({line_key("ф")}, text) == start


def test_a_footer_that_no_longer_stands_there_is_forgotten() -> None:
    footers = _learnt(*_posts(POSTS))
    for number in range(2000):
        footers.learn("c", f"Новость\nстрока {number}")
    assert footers.start("c", f"Взрыв\n{FOOTER}") is None


def test_the_key_of_a_line_has_no_blanks_around_it() -> None:
    assert line_key(" \tПрислать новость\u00a0\r") == line_key("Прислать новость")


def test_the_footers_of_a_recording_are_learnt_some_posts_ahead() -> None:
    said = [Revision(Happening.POSTED, one.date, one) for one in (post(text, number=1) for text in _posts(AHEAD * 2))]
    footers = Footers()
    handed_on = learning(said, footers)
    assert next(handed_on) == said[0]
    assert footers.start("alfa_demo", said[0].post.text) is not None
    assert [said[0], *handed_on] == said


def test_an_edit_teaches_no_footer() -> None:
    said = [Revision(Happening.EDITED, one.date, one) for one in (post(text) for text in _posts(POSTS))]
    footers = Footers()
    assert list(learning(said, footers)) == said
    assert footers.start("alfa_demo", said[0].post.text) is None
