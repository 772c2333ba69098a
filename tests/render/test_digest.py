"""The scheduled message."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from bot.model import Carrier, Digest, DigestStory, DigestTopic, Post
from bot.render.digest import bars, digest
from tests.render.conftest import KYIV, LONDON, ME, STAFF, hits, posted, utc
from tests.render.soundness import check, check_all


def story(post: Post, *words: str, also: Sequence[Carrier] = ()) -> DigestStory:
    return DigestStory(post, hits(post, *words), tuple(also))


def told(*topics: DigestTopic) -> Digest:
    return Digest(
        destination=ME,
        since=utc(8, 8),
        until=utc(8, 20),
        topics=topics,
        posts=sum(topic.posts for topic in topics),
        stories=sum(len(topic.stories) + topic.more for topic in topics),
        channels=45,
    )


def topic(stories: Sequence[DigestStory], *, title: str = "Syria", more: int = 0) -> DigestTopic:
    return DigestTopic(
        title=title, posts=len(stories) + more, stories=tuple(stories), more=more, bars=(0, 1, 0, 4, len(stories), 2)
    )


WIDE = story(
    posted(STAFF),
    "Сирии",
    "база",
    also=[
        Carrier("Свои в Латакии", utc(8, 9, 20), "https://t.me/c/1900000007/48278"),
        Carrier("@svodka_demo", utc(8, 9, 31), "https://t.me/svodka_demo/5"),
    ],
)
NARROW = story(posted("В Сирии тихо", number=18, date=utc(7, 23)), "Сирии")._replace(edited=True, deleted=True)


def test_a_digest_has_heading_topics_stories_and_foot(golden: Callable[..., None]) -> None:
    whole = told(topic([WIDE, NARROW], more=1234), topic([WIDE], title="Bases"))
    golden("digest", *digest(replace(whole, behind=("@tikhiy_demo", "Копоть"), lost=("Пропавший",)), LONDON))


def test_a_digest_of_days_gives_every_time_its_day(golden: Callable[..., None]) -> None:
    golden("digest_days", *digest(replace(told(topic([NARROW])), since=utc(6, 20)), KYIV))


def test_an_empty_digest_is_one_short_message(golden: Callable[..., None]) -> None:
    golden("digest_empty", *digest(told(), LONDON))


def test_a_first_reading_is_called_so(golden: Callable[..., None]) -> None:
    golden("digest_history", *digest(replace(told(topic([NARROW])), history=True), LONDON))


def test_a_topic_of_which_no_story_is_listed_is_counted() -> None:
    [made] = digest(told(topic([], more=1)), LONDON)
    assert "Syria: 1 post, 1 story\n▁▃▁█▁▅\n\n… and 1 more story\n\n45 channels read" in made.text


def test_a_topic_without_posts_is_left_out() -> None:
    [made] = digest(told(topic([])), LONDON)
    assert "Syria" not in made.text


@pytest.mark.parametrize(
    ("counts", "drawn"),
    [((), ""), ((0, 0), "▁▁"), ((0, 1, 1000), "▁▂█"), ((1, 2, 3, 4, 5, 6, 7), "▂▃▄▅▆▇█"), ((5,), "█"), ((-1, 1), "▁█")],
)
def test_bars_are_scaled_and_an_empty_slice_is_the_lowest(counts: tuple[int, ...], drawn: str) -> None:
    assert bars(counts) == drawn


@pytest.mark.parametrize(("counts", "drawn"), [((4,), False), ((1, 4), False), ((1, 0, 4), True)])
def test_a_line_of_few_bars_is_left_out(counts: tuple[int, ...], drawn: bool) -> None:  # noqa: FBT001 - a case
    [made] = digest(told(replace(topic([NARROW]), bars=counts)), LONDON)
    assert ("█" in made.text) == drawn


def test_a_large_digest_is_split_between_stories_and_no_heading_stands_alone() -> None:
    topics = [topic([WIDE] * size, title=f"Topic {size}") for size in range(1, 16)]
    made = digest(told(*topics), LONDON)
    check_all(made)
    assert len(made) > 5
    assert sum(message.text.count("\n• ") + message.text.startswith("• ") for message in made) == 120
    for message in made[:-1]:
        assert message.text.endswith("\nt.me/zastava_demo/17")
    for message in made[1:]:
        assert message.text.startswith(("• Седьмая", "Topic "))


def test_thousands_of_channels_that_were_not_read_are_counted() -> None:
    names = tuple(f"@channel{at}_demo" for at in range(5000))
    [made] = digest(replace(told(topic([NARROW])), behind=names, lost=names, missing=names), LONDON)
    check(made)
    assert "\nNot found: @\u2060channel0_demo, " in made.text
    assert "Lost: @\u2060channel0_demo, " in made.text
    assert made.text.endswith(" more")


def test_a_digest_of_many_topics_is_made_in_no_time() -> None:
    stories = [story(posted(STAFF * 8, number=at), "Сирии", "база", "а") for at in range(15)]
    started = time.perf_counter()
    made = digest(told(*[topic(stories, title=f"Topic {at}", more=1000) for at in range(20)]), LONDON)
    assert time.perf_counter() - started < 10
    check_all(made)


def test_of_a_post_of_which_another_topic_has_told_less_is_said() -> None:
    long = story(posted("Сирия. " + "Войска занимают позиции у дороги на побережье. " * 12, number=19), "Сирия")
    [said] = digest(told(topic([long]), topic([long], title="Bases")), LONDON)
    first, again = said.text.partition("Bases: ")[::2]
    assert first.count("позиции") > again.count("позиции") > 0
    assert all("t.me/" in each for each in (first, again))
