"""What is different between two configurations, and what the operators are told of it."""

from __future__ import annotations

import copy
import os
import time
from collections.abc import Iterator, Mapping

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.config.diff import Changes, ChannelChange, Setting, TopicChange, changes

cases = settings(max_examples=int(os.environ.get("VEDETTE_CASES", "150")), deadline=None)

Plain = dict[str, object]
BASE: Plain = {
    "timezone": "Europe/London",
    "data_dir": "data",
    "telegram": {"api_id": 123456, "api_hash": "hash", "server": {"address": "127.0.0.1:4430", "dc_id": 2}},
    "watch": {
        "channels": [{"channel": "@rybar_demo"}, {"channel": "@starshe_demo", "label": "Starshe", "topics": ["syria"]}],
        "join": True,
        "history": "24h",
    },
    "digest": {"chat": "me", "at": ["08:00", "20:00"], "max_stories": 15},
    "topics": {
        "syria": {"title": "Syria", "keywords": ["Сирия", "Дамаск"], "exclude": ["футбол"], "deliver": "alert"},
        "навоз": {"title": "Навоз", "keywords": ["навоз"]},
    },
    "operators": {"users": [1], "notify": ["ntfy://user:password@ntfy.sh/topic"]},
}


def changed(path: str, value: object, base: Plain = BASE) -> Plain:
    """The configuration with one key set; None removes it."""
    new = copy.deepcopy(base)
    *tables, key = path.split(".")
    table = new
    for name in tables:
        inner = table.setdefault(name, {})
        assert isinstance(inner, dict)
        table = inner
    if value is None:
        del table[key]
    else:
        table[key] = value
    return new


def test_nothing_is_different_from_itself() -> None:
    found = changes(BASE, copy.deepcopy(BASE))
    assert not found
    assert found == Changes()
    assert found.lines() == ()


def test_an_absent_key_and_none_are_the_same() -> None:
    assert not changes(BASE, {**BASE, "metrics": None})
    assert not changes({**BASE, "metrics": None}, {**BASE, "metrics": {"listen": None}})


def test_keywords_and_exclusions_are_told_apart() -> None:
    new = changed("topics.syria.keywords", ["Сирия", "Алеппо", "Хомс"], changed("topics.syria.exclude", ["теннис"]))
    found = changes(BASE, new)
    topic = TopicChange(
        name="syria",
        keywords_added=("Алеппо", "Хомс"),
        keywords_removed=("Дамаск",),
        exclude_added=("теннис",),
        exclude_removed=("футбол",),
    )
    assert found == Changes(topics_changed=(topic,))
    assert found.lines() == (
        'topic syria: 2 keywords added: "Алеппо", "Хомс"',
        'topic syria: 1 keyword removed: "Дамаск"',
        'topic syria: 1 exclusion added: "теннис"',
        'topic syria: 1 exclusion removed: "футбол"',
    )


def test_another_key_of_a_topic_is_told_with_what_it_was() -> None:
    found = changes(BASE, changed("topics.syria.deliver", "urgent", changed("topics.syria.chat", "@desk_demo")))
    [topic] = found.topics_changed
    assert set(topic.settings) == {Setting("deliver", "alert", "urgent"), Setting("chat", None, "@desk_demo")}
    assert set(found.lines()) == {
        'topic syria: deliver: "alert" → "urgent"',
        'topic syria: chat: none → "@desk_demo"',
    }


def test_topics_come_and_go() -> None:
    found = changes(BASE, changed("topics", {"iran": {"keywords": ["Иран"]}}))
    assert (found.topics_added, found.topics_removed) == (("iran",), ("syria", "навоз"))
    assert found.lines() == ("1 topic added: iran", '2 topics removed: syria, "навоз"')


def test_channels_come_go_and_change() -> None:
    listed = [{"channel": "@starshe_demo", "label": "Eddy", "topics": ["syria"]}, {"channel": "-1001234567890"}]
    found = changes(BASE, changed("watch.channels", listed))
    assert found == Changes(
        channels_added=("-1001234567890",),
        channels_removed=("@rybar_demo",),
        channels_changed=(ChannelChange("@starshe_demo", (Setting("label", "Starshe", "Eddy"),)),),
    )
    assert found.lines() == (
        "1 channel added: -1001234567890",
        "1 channel removed: @rybar_demo",
        'channel @starshe_demo: label: "Starshe" → "Eddy"',
    )


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        ("watch.history", "48h", 'watch.history: "24h" → "48h"'),
        ("watch.join", False, "watch.join: true → false"),
        ("digest.max_stories", 20, "digest.max_stories: 15 → 20"),
        ("digest.at", [], 'digest.at: ["08:00", "20:00"] → []'),
        ("timezone", None, 'timezone: "Europe/London" → none'),
        ("log.level", "debug", 'log.level: none → "debug"'),
        ("operators.notify", [], "operators.notify: changed"),
        ("watch.folder", "two\nlines", r'watch.folder: none → "two\nlines"'),
        ("watch.folder", "a" * 99, f'watch.folder: none → "{"a" * 60}…"'),
    ],
)
def test_a_setting_is_told_by_its_path(path: str, value: object, line: str) -> None:
    found = changes(BASE, changed(path, value))
    assert [setting.path for setting in found.settings] == [path]
    assert found.lines() == (line,)
    assert found.restart == ()


@pytest.mark.parametrize(
    ("path", "lines"),
    [
        ("data_dir", ('data_dir: "data" → "other"', "takes effect after a restart: data_dir")),
        ("log.format", ('log.format: none → "other"', "takes effect after a restart: log.format")),
        ("metrics.listen", ('metrics.listen: none → "other"', "takes effect after a restart: metrics.listen")),
        ("telegram.api_hash", ("telegram.api_hash: changed", "takes effect after a restart: telegram.api_hash")),
        (
            "telegram.server.address",
            ("telegram.server.address: changed", "takes effect after a restart: telegram.server.address"),
        ),
    ],
)
def test_what_needs_a_restart_says_so_and_credentials_are_not_shown(path: str, lines: tuple[str, ...]) -> None:
    found = changes(BASE, changed(path, "other"))
    assert found.restart == (path,)
    assert found.lines() == lines


def test_a_key_that_only_begins_like_one_that_needs_a_restart_does_not() -> None:
    assert changes(BASE, {**BASE, "data_directory": "x"}).restart == ()


def test_another_order_of_the_same_is_a_difference_of_its_own() -> None:
    new = changed("topics.syria.keywords", ["Дамаск", "Сирия"])
    new["topics"] = dict(reversed(list(new["topics"].items())))  # type: ignore[attr-defined]
    found = changes(BASE, new)
    assert found == Changes(reordered=("topics", "topics.syria.keywords"))
    assert found.lines() == ("only the order changed: topics, topics.syria.keywords",)


def test_a_keyword_that_stands_twice_is_removed_once() -> None:
    found = changes(changed("topics.syria.keywords", ["Сирия", "Дамаск", "Сирия"]), BASE)
    assert found.topics_changed == (TopicChange(name="syria", keywords_removed=("Сирия",)),)


def test_a_long_list_is_shortened() -> None:
    keywords = ["Сирия", "Дамаск", *[f"слово{number}" for number in range(20)]]
    [line] = changes(BASE, changed("topics.syria.keywords", keywords)).lines()
    assert line.startswith('topic syria: 20 keywords added: "слово0", ')
    assert line.endswith('"слово7" and 12 more')


def test_many_changed_topics_are_counted() -> None:
    old, new = ({"topics": {f"t{n}": {"title": title} for n in range(23)}} for title in ("a", "b"))
    lines = changes(old, new).lines()
    assert len(lines) == 21
    assert lines[-1] == "and 3 more topics changed"


def test_the_code_of_an_invite_is_not_shown_whole() -> None:
    lines = changes(BASE, changed("watch.channels", [{"channel": "t.me/+AbCdEf_-12345678"}])).lines()
    assert lines[0] == "1 channel added: t.me/+AbCd…"


def test_ten_thousand_keywords_take_milliseconds() -> None:
    old, new = ({"topics": {"a": {"keywords": [f"{word}{n}" for n in range(10_000)]}}} for word in ("слово", "дело"))
    started = time.perf_counter()
    lines = changes(old, new).lines()
    assert time.perf_counter() - started < 0.5
    assert [line.split(":")[1] for line in lines] == [" 10000 keywords added", " 10000 keywords removed"]


# --- properties ------------------------------------------------------------------------------------------------

words = st.sampled_from(["Сирия", "база", "a b", "", '"', "\ud800", "t.me/+AbCdEf_-1234"])
lists = st.lists(words, max_size=4)
secrets = st.sampled_from(["s3cret-one", "s3cret-two"])


def table(**keys: st.SearchStrategy[object]) -> st.SearchStrategy[Plain]:
    return st.fixed_dictionaries({}, optional=keys)


topics = table(title=words, keywords=lists, exclude=lists, deliver=words, channels=lists)
channels = st.builds(
    lambda name, rest: {"channel": name, **rest}, st.sampled_from(["@a_demo", "@b_demo", "-1001"]), table(label=words)
)
configurations = table(
    timezone=words,
    data_dir=words,
    telegram=table(api_hash=secrets, proxy=secrets, server=table(address=secrets)),
    watch=table(
        channels=st.lists(channels, max_size=3, unique_by=lambda entry: str(entry["channel"])),
        join=st.booleans(),
        folder=words,
    ),
    topics=st.dictionaries(st.sampled_from(["syria", "a b", "c.d"]), topics, max_size=3),
    operators=table(users=st.lists(st.integers(1, 3), max_size=2), notify=st.lists(secrets, max_size=2)),
    metrics=st.none() | table(listen=words),
)


def leaves(value: object, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    """Every value of a configuration, channels by their names."""
    if path == ("watch", "channels") and isinstance(value, list):
        value = {entry["channel"]: entry for entry in value}
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif value is not None:
        yield path, value


def named(found: Changes, path: tuple[str, ...]) -> bool:
    """Whether the difference of this leaf is told."""
    match path:
        case ("topics", name, *rest):
            topic = next((one for one in found.topics_changed if one.name == name), TopicChange(name=name))
            told = {setting.path for setting in topic.settings}
            told |= {"keywords"} if topic.keywords_added or topic.keywords_removed else set()
            told |= {"exclude"} if topic.exclude_added or topic.exclude_removed else set()
            return name in (*found.topics_added, *found.topics_removed) or ".".join(rest) in told
        case ("watch", "channels", name, *rest):
            entry = next((one for one in found.channels_changed if one.channel == name), None)
            return name in (*found.channels_added, *found.channels_removed) or (
                entry is not None and any(setting.path == ".".join(rest) for setting in entry.settings)
            )
    return any(setting.path == ".".join(path) for setting in found.settings)


def sorted_words(value: object) -> list[str]:
    return sorted(value) if isinstance(value, list) else []


def mirrored(found: Changes) -> Changes:
    def turned(settings: tuple[Setting, ...]) -> tuple[Setting, ...]:
        return tuple(sorted(Setting(path, new, old) for path, old, new in settings))

    return Changes(
        topics_added=found.topics_removed,
        topics_removed=found.topics_added,
        topics_changed=tuple(
            TopicChange(
                name=topic.name,
                keywords_added=topic.keywords_removed,
                keywords_removed=topic.keywords_added,
                exclude_added=topic.exclude_removed,
                exclude_removed=topic.exclude_added,
                settings=turned(topic.settings),
            )
            for topic in sorted(found.topics_changed, key=lambda topic: topic.name)
        ),
        channels_added=found.channels_removed,
        channels_removed=found.channels_added,
        channels_changed=tuple(
            ChannelChange(channel, turned(settings)) for channel, settings in sorted(found.channels_changed)
        ),
        settings=turned(found.settings),
        reordered=tuple(sorted(found.reordered)),
    )


@pytest.mark.fuzz
@cases
@given(old=configurations, new=configurations)
@example(old=BASE, new={})
def test_differences_mirror_each_other(old: Plain, new: Plain) -> None:
    assert mirrored(mirrored(changes(old, new))) == mirrored(changes(new, old))
    assert not changes(old, copy.deepcopy(old))


@pytest.mark.fuzz
@cases
@given(old=configurations, new=configurations)
def test_every_leaf_that_differs_is_named(old: Plain, new: Plain) -> None:
    found = changes(old, new)
    before, after = dict(leaves(old)), dict(leaves(new))
    for path in {**before, **after}:
        here, there = before.get(path), after.get(path)
        if path[0] == "topics" and path[-1] in ("keywords", "exclude"):  # of these the order is told apart
            here, there = sorted_words(here), sorted_words(there)
        if here != there:
            assert named(found, path)
        elif path[0] != "topics" and path[1:2] != ("channels",):
            assert not named(found, path)


@pytest.mark.fuzz
@cases
@given(old=configurations, new=configurations)
def test_no_secret_is_told_or_kept_and_each_change_is_one_line(old: Plain, new: Plain) -> None:
    found = changes(old, new)
    assert bool(found) == bool(found.lines())
    assert "s3cret" not in repr(found)
    for line in found.lines():
        assert "s3cret" not in line
        assert "\n" not in line
        assert "AbCdEf" not in line
