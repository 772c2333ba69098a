"""What joins what, what stays apart, and what each destination was told."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.model import Channel, Destination, Me, Origin, Post, PostId
from bot.stories.member import Member
from bot.stories.stories import LOOKED_AT, Stories
from tests.stories.conftest import WINDOW, made

NEWS = "Взрывы прогремели в окрестностях Дамаска, жители сообщают о работе ПВО и просят не выходить из домов"
REPOST = "❗️ВЗРЫВЫ прогремели в окрестностях Дамаска, жители сообщают о работе ПВО https://example.org @b_demo"
OTHER = "Министр обороны посетил военную базу на побережье и вручил награды тем, кто отличился на учениях"
SIREN = "Воздушная тревога в Киеве"
HOURS = 60
DESK = Destination(Me())

Told = Callable[..., list[str]]


def test_a_repost_in_another_channel_joins_the_story(told: Told) -> None:
    posts = [made("a", 1, NEWS), made("b", 7, REPOST, 5), made("c", 3, OTHER, 6)]
    assert told(posts) == ["a/1", "a/1", "c/3"]
    assert told(posts, Stories(WINDOW)) == ["a/1", "a/1", "c/3"]


def test_posts_of_one_channel_do_not_fold_into_each_other(told: Told) -> None:
    assert told([made("a", 1, NEWS), made("a", 2, NEWS, 5)]) == ["a/1", "a/2"]


def test_a_post_joins_by_another_channels_post_a_story_that_its_own_channel_began(told: Told) -> None:
    assert told([made("a", 1, NEWS), made("b", 2, NEWS, 1), made("a", 3, NEWS, 2)]) == ["a/1", "a/1", "a/1"]


@pytest.mark.parametrize(("minutes", "joins"), [(48 * HOURS, True), (48 * HOURS + 1, False), (-48 * HOURS, True)])
def test_the_window_counts_either_way_and_its_end_is_within(told: Told, minutes: float, *, joins: bool) -> None:
    assert told([made("a", 1, NEWS), made("b", 2, NEWS, minutes)]) == ["a/1", "a/1" if joins else "b/2"]


@pytest.mark.parametrize(("minutes", "joins"), [(60, True), (61, False)])
def test_a_second_siren_is_news(told: Told, minutes: float, *, joins: bool) -> None:
    assert told([made("a", 1, SIREN), made("b", 2, SIREN, minutes)]) == ["a/1", "a/1" if joins else "b/2"]


def test_the_hour_is_no_longer_than_the_window() -> None:
    overlay = Stories(timedelta(minutes=10)).overlay()
    overlay.join(made("a", 1, SIREN))
    assert overlay.join(made("b", 2, SIREN, 11)).story == PostId("b", 2)


def test_one_changed_word_of_few_is_other_news(told: Told) -> None:
    assert told([made("a", 1, "Взрыв слышен в Киеве"), made("b", 2, "Взрыв слышен в Одессе")]) == ["a/1", "b/2"]


def test_eight_words_have_the_whole_window(told: Told) -> None:
    eight = "Силы ПВО сбили над морем три больших беспилотника"
    assert told([made("a", 1, eight), made("b", 2, eight, 10 * HOURS)]) == ["a/1", "a/1"]
    seven = eight.removesuffix(" беспилотника")
    assert told([made("a", 1, seven), made("b", 2, seven, 10 * HOURS)]) == ["a/1", "b/2"]


def test_footers_links_and_names_do_not_count() -> None:
    overlay = Stories(WINDOW).overlay()
    footer = "\nПодписаться на канал, прислать новость, читать нас без рекламы"
    overlay.join(replace(made("a", 1, SIREN + footer), footer=len(SIREN)))
    assert overlay.join(made("b", 2, f"{SIREN} @b_demo https://example.org/1")).story == PostId("a", 1)
    assert overlay.join(made("c", 3, SIREN + footer)).story == PostId("c", 3)


@pytest.mark.parametrize("text", ["", "❗️❗️❗️", "https://example.org", "@a_demo", "\ud83d", " \n"], ids=ascii)
def test_texts_without_words_do_not_fold(told: Told, text: str) -> None:
    assert told([made("a", 1, text), made("b", 2, text)]) == ["a/1", "b/2"]


def test_the_most_similar_story_wins(told: Told) -> None:
    near, far = NEWS + " до утра", NEWS + " до утра, пока не будет объявлен отбой воздушной тревоги"
    assert told([made("a", 1, far), made("a", 2, NEWS), made("b", 3, near)]) == ["a/1", "a/2", "a/2"]


def test_of_equals_the_earlier_story_wins() -> None:
    for first, second in ((2, 1), (1, 2)):
        overlay = Stories(WINDOW).overlay()
        overlay.join(made("a", first, NEWS, first))
        overlay.join(made("a", second, NEWS, second))
        assert overlay.join(made("b", 3, NEWS, 3)).story == PostId("a", 1)


FORWARD = Origin(channel="North_Demo", post=5)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (made("a", 1, NEWS, origin=FORWARD), made("b", 2, OTHER, origin=FORWARD)),
        (made("north_demo", 5, NEWS), made("b", 2, OTHER, origin=FORWARD)),
        (made("b", 2, OTHER, origin=FORWARD), made("north_demo", 5, NEWS)),
        (made("b", 2, "", origin=FORWARD), made("north_demo", 5, "")),
        (
            replace(made("x", 5), channel=Channel(id=-1005, username="north_demo")),
            made("b", 2, origin=Origin(channel="-1005", post=5)),
        ),
        (
            made("a", 1, NEWS, origin=Origin(name="Иван", date=made("a", 1).date)),
            made("b", 2, OTHER, origin=Origin(name="Иван", date=made("a", 1).date)),
        ),
    ],
)
def test_forwards_of_one_origin_fold_whatever_their_text(told: Told, first: Post, second: Post) -> None:
    later = replace(second, date=second.date + WINDOW)
    too_late = replace(later, date=later.date + timedelta(seconds=1))
    assert told([first, later]) == [str(first.id)] * 2
    assert told([first, too_late]) == [str(first.id), str(second.id)]


@pytest.mark.parametrize("origin", [Origin(channel="north_demo", post=6), Origin(name="Иван"), Origin()])
def test_forwards_of_other_or_unknown_origins_do_not_fold(told: Told, origin: Origin) -> None:
    first = made("a", 1, NEWS, origin=replace(origin, post=5) if origin.channel else origin)
    assert told([first, made("b", 2, OTHER, origin=origin)]) == ["a/1", "b/2"]


def test_one_channel_may_forward_the_same_twice(told: Told) -> None:
    assert told([made("a", 1, NEWS, origin=FORWARD), made("a", 2, NEWS, origin=FORWARD)]) == ["a/1", "a/2"]


def test_an_edited_post_keeps_its_story_and_is_known_by_its_new_text() -> None:
    stories = Stories(WINDOW)
    batch = stories.overlay()
    for one in (made("a", 1, NEWS), made("b", 2, NEWS)):
        batch.join(one)
    stories.merge(batch)
    batch = stories.overlay()
    edited = batch.join(made("b", 2, OTHER))
    assert edited.story == PostId("a", 1)
    assert batch.added == (edited,)
    assert batch.members(PostId("a", 1)) == (PostId("a", 1), PostId("b", 2))
    assert batch.join(made("c", 3, OTHER)).story == PostId("a", 1)
    stories.merge(batch)
    assert stories.overlay().join(made("d", 4, OTHER)).story == PostId("a", 1)
    assert len(stories) == 3


def test_a_renamed_album_keeps_story_and_place() -> None:
    stories = Stories(WINDOW)
    batch = stories.overlay()
    batch.join(made("a", 11, NEWS))
    batch.join(made("b", 1, NEWS))
    stories.merge(batch)
    batch = stories.overlay()
    batch.rename(PostId("a", 11), PostId("a", 10))
    batch.rename(PostId("x", 1), PostId("x", 2))
    for _ in range(2):
        assert batch.story_of(PostId("a", 11)) is None
        assert batch.story_of(PostId("a", 10)) == PostId("a", 11)
        assert batch.members(PostId("a", 11)) == (PostId("a", 10), PostId("b", 1))
        assert batch.join(made("a", 10, NEWS, 1)).story == PostId("a", 11)
        stories.merge(batch)
        batch = stories.overlay()
    assert batch.join(made("c", 1, "", origin=Origin(channel="a", post=10))).story == PostId("a", 11)


def test_a_rename_onto_a_member_does_nothing() -> None:
    batch = Stories(WINDOW).overlay()
    batch.join(made("a", 10, NEWS))
    batch.join(made("a", 11, OTHER))
    batch.rename(PostId("a", 11), PostId("a", 10))
    assert [str(member.post) for member in batch.added] == ["a/10", "a/11"]


def test_what_was_told_is_remembered_by_destination() -> None:
    stories = Stories(WINDOW)
    batch = stories.overlay()
    story = batch.join(made("a", 1, NEWS)).story
    batch.tell(story, DESK, "syria", urgent=True)
    batch.tell(story, DESK, "syria", urgent=False)
    batch.tell(story, DESK, "bases", urgent=False)
    assert stories.overlay().told(story, DESK) == {}
    stories.merge(batch)
    again = stories.overlay()
    again.tell(story, DESK, "bases", urgent=True)
    assert again.told(story, DESK) == {"syria": True, "bases": True}
    assert stories.overlay().told(story, DESK) == {"syria": True, "bases": False}
    assert again.told(story, Destination(Me(), thread=2)) == {}


def test_an_overlay_that_missed_a_merge_is_refused() -> None:
    stories = Stories(WINDOW)
    one, two = stories.overlay(), stories.overlay()
    one.join(made("a", 1, NEWS))
    two.join(made("b", 2, OTHER))
    stories.merge(one)
    with pytest.raises(ValueError, match="does not know the last merge"):
        stories.merge(two)


def test_what_is_older_than_the_window_is_forgotten_but_not_what_was_told() -> None:
    stories = Stories(WINDOW)
    batch = stories.overlay()
    batch.join(made("a", 1, NEWS))
    batch.tell(PostId("a", 1), DESK, "syria", urgent=False)
    stories.merge(batch)
    for hours, known in ((48, True), (49, False)):
        batch = stories.overlay()
        batch.join(made("b", hours, OTHER, hours * HOURS))
        stories.merge(batch)
        assert (stories.overlay().story_of(PostId("a", 1)) is not None) is known
        assert stories.overlay().told(PostId("a", 1), DESK) == {"syria": False}


def test_what_was_told_is_kept_of_so_many_stories_the_newest() -> None:
    stories = Stories(WINDOW, most=3)
    for number in (1, 2, 3, 1, 4, 5):
        batch = stories.overlay()
        batch.tell(PostId("a", number), DESK, "syria", urgent=False)
        stories.merge(batch)
    overlay = stories.overlay()
    assert [bool(overlay.told(PostId("a", number), DESK)) for number in range(1, 6)] == [True, False, False, True, True]


def test_at_most_so_many_are_kept_the_newest(told: Told) -> None:
    stories = Stories(WINDOW, most=3)
    told([made("a", number, NEWS, number) for number in (4, 1, 3, 2, 5)], stories)
    assert len(stories) == 3
    assert [stories.overlay().story_of(PostId("a", number)) is not None for number in range(1, 6)] == [
        False,
        False,
        True,
        True,
        True,
    ]


@pytest.mark.parametrize("window", [WINDOW, timedelta.max])
def test_the_first_and_the_last_day_are_days(told: Told, window: timedelta) -> None:
    first = replace(made("a", 1, NEWS), date=datetime.min.replace(tzinfo=UTC))
    last = replace(made("a", 2, NEWS), date=datetime.max.replace(tzinfo=UTC))
    assert told([first, last, first], Stories(window)) == ["a/1", "a/2", "a/1"]


def test_stories_are_rebuilt_from_what_was_stored() -> None:
    stories = Stories(WINDOW)
    stored: dict[PostId, Member] = {}
    for one in (made("a", 1, NEWS), made("b", 2, OTHER), made("a", 1, OTHER), made("c", 3, OTHER)):
        batch = stories.overlay()
        batch.join(one)
        stored |= {member.post: member for member in batch.added}
        stories.merge(batch)
    told = [(PostId("b", 2), DESK, "syria", True), (PostId("x", 9), DESK, "syria", True)]
    again = Stories.rebuilt(WINDOW, stored.values(), told).overlay()
    assert again.members(PostId("a", 1)) == stories.overlay().members(PostId("a", 1))
    assert again.told(PostId("b", 2), DESK) == {"syria": True}
    assert again.told(PostId("x", 9), DESK) == {"syria": True}
    assert again.join(made("d", 4, OTHER)) == stories.overlay().join(made("d", 4, OTHER))


def test_a_flood_folds_all_the_same(told: Told) -> None:
    flood = [made(f"c{number}", 1, NEWS, number / 60) for number in range(LOOKED_AT * 5)]
    assert set(told(flood)) == {"c0/1"}
    assert set(told(flood, Stories(WINDOW))) == {"c0/1"}


def test_a_channel_that_repeats_itself_does_not_bury_the_others(told: Told) -> None:
    row = [made("a", 1, NEWS), *(made("b", number, NEWS, number) for number in range(1, LOOKED_AT * 3))]
    assert set(told(row, Stories(WINDOW))) == {"a/1"}


def test_every_process_comes_to_the_same() -> None:
    code = (
        "from tests.stories.conftest import WINDOW, made\n"
        "from bot.stories.stories import Stories\n"
        f"texts = [{NEWS!r}, {REPOST!r}, {OTHER!r}, {SIREN!r}]\n"
        "overlay = Stories(WINDOW).overlay()\n"
        "for number in range(40):\n"
        "    overlay.join(made(f'c{number % 7}', number, texts[number % 4] + ' ещё' * (number % 3), number))\n"
        "print(overlay.added)\n"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(runs) == 1
    assert "c0" in runs.pop()
