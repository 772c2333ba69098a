"""What a person at a terminal sees."""

from __future__ import annotations

import io

import pytest

from bot.model import Entity
from bot.terminal import Progress, Style, harmless, shown, wants_colour

PAINTED, PLAIN = Style(colour=True), Style(colour=False)


class Screen(io.StringIO):
    """A stream that says whether it is a terminal."""

    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


def test_a_hit_is_painted_and_the_rest_is_not() -> None:
    assert PAINTED.highlight("в Сирии", [(2, 7)]) == "в \x1b[1;33mСирии\x1b[0m"


def test_without_colour_the_text_is_as_it_was() -> None:
    assert PLAIN.highlight("в Сирии", [(2, 7)]) == "в Сирии"


def test_overlapping_hits_repeat_no_letter() -> None:
    assert PLAIN.highlight("abcdef", [(1, 4), (2, 5), (0, 2)]) == "abcdef"


@pytest.mark.parametrize("hostile", ["\x1b[2J", "\x07", "\u202eтекст", "\u2066", "\x9b31m", "\x00", "\r"])
def test_no_text_can_steer_the_terminal(hostile: str) -> None:
    shown = PLAIN.highlight(f"a{hostile}b", [(0, 1)])
    assert len(shown) == len(f"a{hostile}b")
    assert not set("\x1b\x07\u202e\u2066\x9b\x00\r") & set(shown)


def test_a_lone_surrogate_can_be_printed() -> None:
    assert harmless("\ud83d!").encode() == "\ufffd!".encode()


@pytest.mark.parametrize(("choice", "terminal", "painted"), [("always", False, True), ("never", True, False)])
def test_a_choice_of_colour_is_kept(choice: str, terminal: bool, painted: bool) -> None:  # noqa: FBT001
    assert wants_colour(choice, Screen(terminal=terminal)) is painted


def test_nothing_is_painted_into_a_pipe_by_itself() -> None:
    assert not wants_colour("auto", Screen(terminal=False))


def test_no_color_is_heeded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert not wants_colour("auto", Screen(terminal=True))


class Hands:
    """A clock whose hands are set by the test."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_short_command_shows_no_progress() -> None:
    screen, clock = Screen(terminal=True), Hands()
    progress = Progress("posts", screen, clock)
    clock.now += 0.9
    progress.update(10, 5, 10)
    assert screen.getvalue() == ""


def test_a_long_command_says_how_far_it_is_and_how_long_it_takes() -> None:
    screen, clock = Screen(terminal=False), Hands()
    progress = Progress("posts", screen, clock)
    clock.now += 10
    progress.update(12_000, 25, 100)
    assert screen.getvalue() == "12,000 posts, 25%, 30 s left\n"


def test_on_a_terminal_the_line_is_renewed_and_makes_room() -> None:
    screen, clock = Screen(terminal=True), Hands()
    progress = Progress("posts", screen, clock)
    clock.now += 2
    progress.update(1, 1, 2)
    progress.clear()
    progress.clear()
    assert screen.getvalue() == "\r\x1b[K1 posts, 50%, 2 s left\r\x1b[K"


def test_without_a_known_size_only_the_count_is_told() -> None:
    screen, clock = Screen(terminal=False), Hands()
    progress = Progress("posts", screen, clock)
    clock.now += 2
    progress.update(1_000, 0, 0)
    assert screen.getvalue() == "1,000 posts\n"


MESSAGE = "Syria 😀\nв Сирии и там\nt.me/zastava_demo/17"
ENTITIES = (
    Entity("bold", 0, 8),
    Entity("bold", 11, 5),
    Entity("text_url", 19, 3, "https://example.org/a"),
    Entity("text_url", 23, 20, "https://t.me/zastava_demo/17"),
)


def test_a_message_is_shown_with_its_addresses() -> None:
    assert shown(MESSAGE, ENTITIES, PLAIN) == "Syria 😀\nв Сирии и там (https://example.org/a)\nt.me/zastava_demo/17"


def test_a_message_is_shown_in_colours() -> None:
    assert shown(MESSAGE, ENTITIES, PAINTED) == (
        "\x1b[1;36mSyria 😀\x1b[0m\nв \x1b[1;33mСирии\x1b[0m и там\x1b[2m (https://example.org/a)\x1b[0m\nt.me/zastava_demo/17"
    )


def test_a_message_cannot_steer_the_terminal() -> None:
    text = shown("a\x1b[2J\ud83d", [Entity("text_url", 0, 1, "https://a/\x1b[2J")], PAINTED)
    assert text == "a\x1b[2m (https://a/\ufffd[2J)\x1b[0m\ufffd[2J\ufffd"


@pytest.mark.parametrize(
    "entities",
    [
        [Entity("bold", 1, 1)],
        [Entity("bold", 0, 99), Entity("bold", 1, 1)],
        [Entity("bold", 5, 9)],
        [Entity("bold", -3, 2)],
        [Entity("bold", 0, 0)],
    ],
    ids=str,
)
def test_entities_that_do_not_fit_lose_no_letter(entities: list[Entity]) -> None:
    assert shown("абвг", entities, PLAIN) == "абвг"
