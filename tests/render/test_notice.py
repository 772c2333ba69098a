"""What the operators are told."""

from __future__ import annotations

from collections.abc import Callable

from bot.model import Notice
from bot.render.notice import notice, together
from tests.render.soundness import check


def test_a_notice_is_a_sentence_and_its_details(golden: Callable[..., None]) -> None:
    golden(
        "notice",
        notice(
            Notice(
                "The configuration was refused, the running one stays",
                ("config.toml:14: topics.syria.keywords: a bracket is open; close it", "@zastava_demo is no channel"),
            )
        ),
    )


def test_a_notice_without_details_is_its_sentence() -> None:
    assert notice(Notice("The session was revoked")).text == "The session was revoked"


def test_details_without_room_are_counted() -> None:
    made = notice(Notice("Many", tuple(f"detail {at} 😀" for at in range(5000))))
    check(made)
    assert made.text.startswith("Many\ndetail 0 😀\ndetail 1 😀\n")
    assert made.text.endswith(" more lines")


def test_a_notice_of_nothing_is_no_empty_message() -> None:
    check(notice(Notice("", ("", " "))))
    check(notice(Notice("\u202e\n", ())))


def test_several_at_once_are_one_message_with_a_line_each() -> None:
    lost = [Notice(f"@channel_{at}_demo cannot be watched", ("there is nobody of this name",)) for at in range(500)]
    made = notice(together(lost))
    check(made)
    assert made.text.startswith(
        "500 notices\n• @\u2060channel_0_demo cannot be watched\nthere is nobody of this name\n"
    )
    assert made.text.endswith(" more lines")
    assert together(lost[:1]) == lost[0]
