"""What is found becomes a digest: topics, in them stories, and of each story who else carried it. No clock.

The order in which matches come does not matter: the same ones always make the same digest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType

from bot.model import Destination, Digest, DigestStory, DigestTopic, Found, Hit, Post, PostId
from bot.stories.carriers import also_in

#: A bar line is a few signs in a heading: at most so many, and none for less than this much time.
_MOST_BARS = 12
_SHORTEST_BAR = timedelta(minutes=30)

_NOTHING: Mapping[PostId, Sequence[Post]] = MappingProxyType({})


def compose(  # noqa: PLR0913 - the facts of a digest, each by its name
    found: Iterable[Found],
    *,
    destination: Destination,
    topics: Sequence[tuple[str, str]],
    since: datetime,
    until: datetime,
    channels: int,
    max_stories: int,
    behind: tuple[str, ...] = (),
    lost: tuple[str, ...] = (),
    missing: tuple[str, ...] = (),
    carriers: Mapping[PostId, Sequence[Post]] = _NOTHING,
    edited: Collection[PostId] = (),
    deleted: Collection[PostId] = (),
    history: bool = False,
) -> Digest:
    """The digest of the period after ``since``, up to and with ``until``.

    ``topics`` are (name, title) in the configuration's order; one that is not among them comes last, under its
    name. ``carriers``: by story, posts of it beside those found, also from before the period and of any channel.
    ``edited`` and ``deleted``: posts that were, since their match was made, also such carriers.
    """
    latest = _latest(found)
    posts = _by_story(latest, carriers)
    titles = dict(topics)
    changed = frozenset(edited), frozenset(deleted)
    matches: dict[str, list[Found]] = {}
    for one in latest:
        matches.setdefault(one.match.topic, []).append(one)
    parts = []
    for name in in_order(topics, matches):
        stories = _stories(matches[name], posts, *changed)
        parts.append(
            DigestTopic(
                title=titles.get(name, name),
                posts=len(matches[name]),
                stories=tuple(stories[:max_stories]),
                more=len(stories[max_stories:]),
                bars=_bars([one.post.date for one in matches[name]], since, until),
            )
        )
    return Digest(
        destination=destination,
        since=since,
        until=until,
        topics=tuple(parts),
        posts=len({one.post.id for one in latest}),
        stories=len({one.story for one in latest}),
        channels=channels,
        behind=behind,
        lost=lost,
        missing=missing,
        history=history,
    )


def in_order(topics: Iterable[tuple[str, str]], names: Collection[str]) -> list[str]:
    """The names of topics as a digest has them: in the order of (name, title), and the others after these."""
    known = dict(topics)
    return [*(name for name in known if name in names), *sorted(set(names) - known.keys())]


def filled(
    digest: Digest,
    names: Sequence[str],
    posts: Mapping[PostId, Post],
    hits: Mapping[tuple[PostId, str], tuple[Hit, ...]],
) -> Digest:
    """A digest that was composed of posts that say nothing, with what they say: only few of all are shown.

    ``names`` are those of its topics, ``hits`` by post and topic. A post that is not known any more stays as it is.
    """

    def whole(topic: DigestTopic, name: str) -> DigestTopic:
        shown = [(story, story.post.id) for story in topic.stories]
        stories = (
            story._replace(post=posts.get(id_, story.post), hits=hits.get((id_, name), ())) for story, id_ in shown
        )
        return replace(topic, stories=tuple(stories))

    return replace(digest, topics=tuple(map(whole, digest.topics, names)))


def _latest(found: Iterable[Found]) -> list[Found]:
    """Each post once a topic, as it was committed last, in the order of the posts."""
    latest: dict[tuple[PostId, str], Found] = {}
    for one in found:
        key = one.post.id, one.match.topic
        latest[key] = max(latest[key], one, key=_version) if key in latest else one
    return sorted(latest.values(), key=lambda one: (*_place(one.post), one.match.topic))


def _version(one: Found) -> tuple[datetime, datetime, str]:
    """Versions of one time are told apart by all that they hold: which comes first must not matter."""
    return one.at, one.post.edited or one.post.date, repr(one)


def _place(post: Post) -> tuple[datetime, str, int]:
    """Where a post stands among others: by date, channel and number."""
    return post.date, post.channel.key, post.number


def _by_story(latest: Iterable[Found], carriers: Mapping[PostId, Sequence[Post]]) -> dict[PostId, list[Post]]:
    """The posts of each story: those found, and those that carried it besides; some may stand there twice."""
    posts: dict[PostId, list[Post]] = {}
    for one in latest:
        posts.setdefault(one.story, []).append(one.post)
    for story, found in posts.items():
        found.extend(carriers.get(story, ()))
    return posts


def _stories(
    matches: Iterable[Found],
    posts: Mapping[PostId, Sequence[Post]],
    edited: frozenset[PostId],
    deleted: frozenset[PostId],
) -> list[DigestStory]:
    """A topic's stories, most widely carried first. Each is told by the first of its matches."""
    leads: dict[PostId, Found] = {}
    for one in matches:
        leads.setdefault(one.story, one)
    stories = []
    for story, lead in sorted(leads.items(), key=lambda item: (-_width(posts[item[0]]), *_place(item[1].post))):
        post = lead.post
        also = also_in(post, posts[story], deleted)
        stories.append(DigestStory(post, lead.match.hits, also, post.id in edited, post.id in deleted))
    return stories


def _width(posts: Iterable[Post]) -> int:
    """How many channels carried a story."""
    return len({post.channel.key for post in posts})


def _bars(dates: Iterable[datetime], since: datetime, until: datetime) -> tuple[int, ...]:
    """How many of these dates are in each equal slice of a period; one outside is in the nearest slice."""
    span = until - since
    count = min(max(span // _SHORTEST_BAR, 1), _MOST_BARS)
    bars = [0] * count
    for date in dates:
        # A slice ends with its last instant, as the period does: so round up, which is down below nought.
        number = -((since - date) * count // span) - 1 if span else 0
        bars[min(max(number, 0), count - 1)] += 1
    return tuple(bars)
