"""Matches become a digest: counts, stories, who else carried them, and a bar line."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.digest import compose, filled, in_order
from bot.model import Channel, Destination, Digest, DigestStory, Found, Hit, Match, Me, PartKind, Post, PostId

cases = settings(max_examples=int(os.environ.get("VEDETTE_CASES", "150")), deadline=None)

SINCE = datetime(2024, 12, 8, 8, tzinfo=UTC)
UNTIL = SINCE + timedelta(hours=12)
TOPICS = (("syria", "Syria"), ("oil", "Oil"))
HOME = Destination(Me())

composed = partial(
    compose, destination=HOME, topics=TOPICS, since=SINCE, until=UNTIL, channels=3, max_stories=15
)  # what no test is about


def post(channel: str, number: int, minute: float = 0, text: str = "Асад бежал") -> Post:
    """A post, so many minutes into the period."""
    name = Channel(username=f"{channel}_demo", title=channel.title())
    return Post(channel=name, number=number, date=SINCE + timedelta(minutes=minute), text=text)


def hit(text: str) -> Hit:
    return Hit(PartKind.TEXT, 0, len(text), text)


def found(one: Post, story: Post | None = None, topic: str = "syria", at: float = 0, word: str = "Асад") -> Found:
    """A match, committed so many minutes into the period."""
    return Found(one, Match(topic, (word,), (hit(word),)), (story or one).id, SINCE + timedelta(minutes=at))


def leads(digest: Digest) -> list[list[str]]:
    return [[str(story.post.id) for story in topic.stories] for topic in digest.topics]


def channels(story: DigestStory) -> list[str]:
    return [carrier.channel for carrier in story.also]


def test_an_empty_period_is_a_digest_without_topics() -> None:
    assert composed([], behind=("Rybar",), lost=("Sova",), history=True) == Digest(
        destination=HOME,
        since=SINCE,
        until=UNTIL,
        topics=(),
        posts=0,
        stories=0,
        channels=3,
        behind=("Rybar",),
        lost=("Sova",),
        history=True,
    )


def test_topics_come_as_configured_and_those_no_longer_configured_last_by_name() -> None:
    names = ["zoo", "oil", "arms", "syria"]
    digest = composed([found(post("a", number), topic=name) for number, name in enumerate(names)])
    assert [topic.title for topic in digest.topics] == ["Syria", "Oil", "arms", "zoo"]


def test_a_topic_without_posts_is_left_out() -> None:
    assert [topic.title for topic in composed([found(post("a", 1), topic="oil")]).topics] == ["Oil"]


def test_the_first_post_of_the_period_leads_with_its_own_hits() -> None:
    first, second = post("b", 7, 10), post("a", 3, 20)
    digest = composed([found(second, first, word="Асада"), found(first, word="Асад")])
    [story] = digest.topics[0].stories
    assert story.post == first
    assert story.hits == (hit("Асад"),)


def test_posts_of_one_instant_are_led_by_channel_and_number() -> None:
    story = post("x", 1)
    rivals = [post("b", 1, 5), post("a", 10, 5), post("a", 9, 5)]
    assert leads(composed([found(one, story) for one in rivals])) == [["a_demo/9"]]


def test_where_else_it_ran_are_its_other_posts_by_date() -> None:
    first = post("a", 1, 0)
    others = [post("c", 9, 30), post("b", 5, 20), post("b", 4, 10), post("a", 2, 40)]
    [story] = composed([found(one, first) for one in [first, *others]]).topics[0].stories
    assert channels(story) == ["B", "B", "C", "A"]
    assert [carrier.link for carrier in story.also] == [
        "https://t.me/b_demo/4",
        "https://t.me/b_demo/5",
        "https://t.me/c_demo/9",
        "https://t.me/a_demo/2",
    ]
    assert story.also[0].date == others[2].date


def test_carriers_from_before_the_period_and_of_foreign_channels_count_as_where_else_it_ran() -> None:
    origin, lead = post("z", 1, -600), post("a", 2, 5)
    abroad = post("m", 3, 9)
    digest = composed([found(lead, origin)], carriers={origin.id: [abroad, lead, origin]})
    [story] = digest.topics[0].stories
    assert story.post == lead
    assert channels(story) == ["Z", "M"]
    assert (digest.posts, digest.stories) == (1, 1)


def test_a_post_that_carried_the_story_in_another_topic_is_where_else_it_ran() -> None:
    first, second = post("a", 1, 0), post("b", 2, 5)
    digest = composed([found(first), found(second, first, topic="oil")])
    assert [channels(topic.stories[0]) for topic in digest.topics] == [["B"], ["A"]]


def test_the_most_widely_carried_story_comes_first_then_the_earlier() -> None:
    late_and_wide, early, same_time = post("a", 3, 60), post("b", 2, 10), post("a", 1, 10)
    repeats = [post("a", 4, 70), post("a", 5, 80)]  # of one channel: no wider for it
    digest = composed(
        [
            *(found(one) for one in (early, same_time, late_and_wide)),
            *(found(one, early) for one in repeats),
            found(post("c", 8, 90), late_and_wide),
            found(post("b", 9, 90), late_and_wide),
        ]
    )
    assert leads(digest) == [["a_demo/3", "b_demo/2", "a_demo/1"]]


def test_stories_beyond_the_most_are_counted() -> None:
    digest = composed([found(post("a", number, number)) for number in range(20)], max_stories=15)
    [topic] = digest.topics
    assert (len(topic.stories), topic.more, topic.posts) == (15, 5, 20)
    assert composed([found(post("a", 1))], max_stories=0).topics[0].more == 1


def test_what_is_of_two_topics_counts_once_overall() -> None:
    both = post("a", 1)
    digest = composed([found(both), found(both, topic="oil"), found(post("b", 2), both)])
    assert (digest.posts, digest.stories) == (2, 1)
    assert [topic.posts for topic in digest.topics] == [2, 1]


def test_of_a_match_that_was_committed_twice_the_later_one_counts() -> None:
    before, after = post("a", 1, text="Асад бежал"), post("a", 1, text="Асад и Путин")
    digest = composed([found(after, at=9, word="Путин"), found(before, at=3)])
    [topic] = digest.topics
    assert (digest.posts, topic.posts) == (1, 1)
    assert topic.stories[0].post.text == "Асад и Путин"
    assert topic.stories[0].hits == (hit("Путин"),)


def test_of_twins_that_were_committed_at_once_it_does_not_matter_which_comes_first() -> None:
    twins = [found(post("a", 1, text=text)) for text in ("Асад бежал", "Асад и Путин")]
    assert composed(twins) == composed(twins[::-1])


def test_of_two_versions_of_a_carrier_it_does_not_matter_which_comes_first() -> None:
    lead, twin = post("a", 1), post("b", 1)
    renamed = replace(twin, channel=replace(twin.channel, title="Renamed"))
    elsewhere = replace(twin, url="https://t.me/b_demo/1?single")
    for one, other in permutations([twin, renamed, elsewhere], 2):
        there, back = ({lead.id: row} for row in ([one, other], [other, one]))
        assert composed([found(lead)], carriers=there) == composed([found(lead)], carriers=back)


def test_a_story_says_that_its_post_was_edited_or_deleted() -> None:
    one, two = post("a", 1, 1), post("a", 2, 2)
    stories = composed([found(one), found(two)], edited=[one.id], deleted={two.id}).topics[0].stories
    assert [(story.edited, story.deleted) for story in stories] == [(True, False), (False, True)]


# --- the bar line -----------------------------------------------------------------------------------------


def bars(minutes: list[float], period: timedelta = timedelta(hours=12)) -> tuple[int, ...]:
    matches = [found(post("a", number, minute)) for number, minute in enumerate(minutes)]
    return composed(matches, until=SINCE + period).topics[0].bars


def test_twelve_hours_are_twelve_slices_that_end_with_their_last_instant() -> None:
    assert bars([1, 60, 61, 600, 720]) == (2, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1)


def test_a_post_from_before_the_period_is_in_the_first_slice_and_one_from_after_it_in_the_last() -> None:
    assert bars([-5000, 0, 9999]) == (2, *[0] * 10, 1)


@pytest.mark.parametrize(
    ("period", "slices"),
    [
        (timedelta(days=7), 12),
        (timedelta(hours=3), 6),
        (timedelta(hours=1), 2),
        (timedelta(minutes=5), 1),
        (timedelta(0), 1),
    ],
)
def test_a_short_period_has_fewer_slices(period: timedelta, slices: int) -> None:
    assert len(bars([1, 2], period)) == slices


# --- properties -------------------------------------------------------------------------------------------

posts = st.builds(
    post,
    st.sampled_from("abc"),
    st.integers(1, 3),
    st.sampled_from([-90, 0, 1, 5, 300, 720]),
    st.sampled_from(["x", "\ud800"]),
)
everything = st.lists(
    st.builds(found, posts, posts, st.sampled_from(["syria", "oil", "gone"]), st.integers(0, 2), st.sampled_from("ab")),
    max_size=25,
)
carried = st.dictionaries(posts.map(lambda one: one.id), st.lists(posts, max_size=4), max_size=4)


@pytest.mark.fuzz
@cases
@given(matches=everything, carriers=carried, data=st.data())
def test_the_order_in_which_matches_come_does_not_matter(
    matches: list[Found], carriers: dict[PostId, list[Post]], data: st.DataObject
) -> None:
    digest = composed(matches, carriers=carriers)
    shuffled = {story: data.draw(st.permutations(of)) for story, of in reversed(carriers.items())}
    assert composed(data.draw(st.permutations(matches)), carriers=shuffled) == digest


@pytest.mark.fuzz
@cases
@given(matches=everything, carriers=carried, most=st.integers(0, 3))
def test_nothing_found_is_lost_or_counted_twice(
    matches: list[Found], carriers: dict[PostId, list[Post]], most: int
) -> None:
    digest = composed(matches, carriers=carriers, max_stories=most)
    assert digest.posts == len({one.post.id for one in matches})
    shown = {topic.title: topic for topic in digest.topics}
    for name, title in [*TOPICS, ("gone", "gone")]:
        ids = {one.post.id for one in matches if one.match.topic == name}
        assert (title in shown) == bool(ids)
        if not ids:
            continue
        topic = shown[title]
        assert topic.posts == sum(topic.bars) == len(ids)
        assert len(topic.stories) == min(most, len(topic.stories) + topic.more)
        for story in topic.stories:
            assert story.post.id in ids
            links = [story.post.link, *(carrier.link for carrier in story.also)]
            assert len(links) == len(set(links))


@pytest.mark.fuzz
@cases
@given(matches=everything, carriers=carried, most=st.integers(0, 3))
def test_a_digest_of_posts_that_say_nothing_is_filled_with_what_they_say(
    matches: list[Found], carriers: dict[PostId, list[Post]], most: int
) -> None:
    # A table holds a match once, and of a post the one version that it has now.
    latest = {(one.post.id, one.match.topic): one for one in matches}
    posts = {one.post.id: one.post for one in latest.values()}
    whole = [one._replace(post=posts[one.post.id]) for one in latest.values()]
    bare = [
        one._replace(post=replace(one.post, text=""), match=one.match._replace(keywords=(), hits=())) for one in whole
    ]
    hits = {(one.post.id, one.match.topic): one.match.hits for one in whole}
    names = in_order(TOPICS, {one.match.topic for one in whole})
    slight = composed(bare, carriers=carriers, max_stories=most)
    assert filled(slight, names, posts, hits) == composed(whole, carriers=carriers, max_stories=most)


def test_a_post_that_is_not_known_any_more_stays_as_it_is() -> None:
    bare = composed([found(post("a", 1, text=""))])
    [story] = filled(bare, ["syria"], {}, {}).topics[0].stories
    assert (story.post, story.hits) == (post("a", 1, text=""), ())


def test_ten_thousand_matches_are_composed_in_well_under_a_second() -> None:
    matches = [
        found(
            post(f"c{number % 300}", number, number % 720, "Асад " * 100),
            post("a", number % 4000),
            "syria" if number % 3 else "oil",
        )
        for number in range(10_000)
    ]
    started = time.perf_counter()
    digest = composed(matches)
    assert digest.posts == 10_000
    assert time.perf_counter() - started < 1
