"""What the destinations would have been told: alerts, edits of them, bundles and digests, in the order of time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import time, timedelta

import pytest

from bot.cron import Cron
from bot.desk import Telling
from bot.model import Alert, Bundle, Digest, Origin, Reason, Revision
from bot.query.lexicon import Lexicon
from bot.replay import judgements, tellings
from bot.rules import Rules
from bot.schedule import Daily, Never, QuietHours
from bot.text.footers import Footers
from tests.made import DESK, ME, at, deleted, edited, post, posted, rule, rules

FLAG = "Над посольством Сирии в Москве поднят новый флаг, здание работает в обычном режиме, сообщил источник"
ROAD = "Колонна сирийской техники вышла в сторону Латакии, дорога из Сирии перекрыта с утра для всех машин"


def told(revisions: Iterable[Revision], by: Rules) -> list[Telling]:
    return list(tellings(revisions, by, Footers()))


def alerts(tellings: Iterable[Telling]) -> list[tuple[str, bool]]:
    """The alerts among them, each with whether it edits another."""
    return [
        (f"{one.message.post.id} {len(one.message.also)}", one.instead_of is not None)
        for one in tellings
        if isinstance(one.message, Alert)
    ]


@pytest.fixture
def syria(lexicon: Lexicon) -> Rules:
    return rules(rule("syria", "~Сирия"), lexicon=lexicon)


def test_an_alert_names_every_topic_of_the_post_in_its_destination(lexicon: Lexicon) -> None:
    by = rules(
        rule("syria", "Сирия"),
        rule("flag", "флаг", "digest"),
        rule("desk", "Москва", destination=DESK),
        lexicon=lexicon,
    )
    first, second, *_ = told([posted(post(FLAG))], by)
    assert isinstance(first.message, Alert)
    assert isinstance(second.message, Alert)
    assert (first.message.topics, [hit.text for hit in first.message.hits]) == (("Syria", "Flag"), ["Сирии", "флаг"])
    assert (second.message.destination, second.message.topics) == (DESK, ("Desk",))


def test_a_repost_edits_the_alert_to_say_where_else_it_ran(syria: Rules) -> None:
    said = [posted(post(FLAG)), posted(post(FLAG, "beta_demo", minutes=5)), posted(post(FLAG, "gamma_demo", minutes=6))]
    assert alerts(told(said, syria)) == [("alfa_demo/1 0", False), ("alfa_demo/1 1", True), ("alfa_demo/1 2", True)]


def test_an_edit_of_an_alerted_post_edits_the_alert(syria: Rules) -> None:
    before, after = post(FLAG), post(FLAG + ". Дополнено.")
    first, change, digest = told([posted(before), edited(after, 5)], syria)
    assert isinstance(change.message, Alert)
    assert change.instead_of == first.message
    assert change.message.edited
    assert change.message.post.text == after.text
    assert isinstance(digest.message, Digest)
    assert digest.message.topics[0].stories[0].edited


def test_an_edit_that_says_the_same_is_none(syria: Rules) -> None:
    assert alerts(told([posted(post(FLAG)), edited(post(FLAG), 5)], syria)) == [("alfa_demo/1 0", False)]


def test_an_alerted_post_that_vanishes_is_said_to_be_deleted(syria: Rules) -> None:
    _, change, digest = told([posted(post(FLAG)), deleted(post(FLAG), 5)], syria)
    assert isinstance(change.message, Alert)
    assert change.message.deleted
    assert isinstance(digest.message, Digest)
    assert digest.message.topics[0].stories[0].deleted


def test_an_edit_that_brings_a_hit_alerts_and_is_marked(syria: Rules) -> None:
    [alert, _] = told([posted(post("Пока неизвестно")), edited(post(FLAG), 5)], syria)
    assert isinstance(alert.message, Alert)
    assert (alert.at, alert.message.edited, alert.instead_of) == (at(5), True, None)


def test_what_was_sent_two_days_ago_is_no_longer_edited_but_told_by_the_digest(syria: Rules) -> None:
    revisions = [posted(post(FLAG)), edited(post(FLAG + "!!! Опровергнуто"), 48 * 60)]
    digests = [one.message for one in told(revisions, syria) if isinstance(one.message, Digest)]
    assert alerts(told(revisions, syria)) == [("alfa_demo/1 0", False)]
    assert [digest.topics[0].stories[0].edited for digest in digests] == [False, True]


def test_what_was_told_with_others_is_edited_too(lexicon: Lexicon) -> None:
    by = rules(rule("syria", "~Сирия"), lexicon=lexicon, quiet=QuietHours(time(11), time(13)))
    said = [
        posted(post(FLAG)),
        posted(post(ROAD, number=2, minutes=5)),
        posted(post(FLAG, "beta_demo", minutes=70)),
        edited(post("Опровергнуто"), 80),
        deleted(post(ROAD, number=2, minutes=5), 90),
    ]
    bundle, carried, corrected, gone, digest = told(said, by)
    for before, now in ((bundle, carried), (carried, corrected), (corrected, gone)):
        assert now.instead_of == before.message
    assert isinstance(gone.message, Bundle)
    first, second = gone.message.alerts
    assert (first.post.text, len(first.also), first.edited, second.deleted) == ("Опровергнуто", 1, True, True)
    assert isinstance(digest.message, Digest)
    assert [story.post.text for story in digest.message.topics[0].stories] == ["Опровергнуто", ROAD]


def test_a_digest_shows_a_retraction_as_it_reads_now(syria: Rules) -> None:
    *_, digest = told([posted(post(FLAG)), edited(post("Ошибка, забудьте"), 5)], syria)
    assert isinstance(digest.message, Digest)
    [story] = digest.message.topics[0].stories
    assert (story.post.text, story.edited) == ("Ошибка, забудьте", True)


def test_every_post_of_a_story_is_in_the_digest_also_a_second_one_of_its_channel(syria: Rules) -> None:
    said = [posted(post(FLAG)), posted(post(FLAG, "beta_demo", minutes=5)), posted(post(FLAG, number=2, minutes=9))]
    *_, digest = told(said, syria)
    assert isinstance(digest.message, Digest)
    [story] = digest.message.topics[0].stories
    assert [carrier.link for carrier in story.also] == ["https://t.me/beta_demo/1", "https://t.me/alfa_demo/2"]


def test_where_else_it_ran_stays_named_when_it_was_deleted(syria: Rules) -> None:
    copy = post(FLAG, "beta_demo", minutes=5)
    messages = told([posted(post(FLAG)), posted(copy), deleted(copy, 6)], syria)
    assert alerts(messages) == [("alfa_demo/1 0", False), ("alfa_demo/1 1", True), ("alfa_demo/1 1", True)]
    also = [[one.deleted for one in each.message.also] for each in messages if isinstance(each.message, Alert)]
    assert also == [[], [False], [True]]


def test_one_story_stands_once_among_what_waited(lexicon: Lexicon) -> None:
    by = rules(rule("syria", "Сирия"), rule("flag", "знамя"), lexicon=lexicon, quiet=QuietHours(time(11), time(13)))
    bundle, _ = told([posted(post(FLAG)), posted(post(FLAG + " знамя", "beta_demo", minutes=5))], by)
    assert isinstance(bundle.message, Bundle)
    [alert] = bundle.message.alerts
    assert (alert.names, len(alert.also)) == (("syria", "flag"), 1)


def test_no_topic_of_a_story_that_waited_is_lost(lexicon: Lexicon) -> None:
    by = rules(rule("syria", "Сирия"), rule("flag", "знамя"), lexicon=lexicon, quiet=QuietHours(time(11), time(13)))
    bundle, _ = told([posted(post("Сирия")), edited(post("знамя"), 5)], by)
    assert isinstance(bundle.message, Bundle)
    assert [alert.names for alert in bundle.message.alerts] == [("syria",), ("flag",)]


def test_a_line_out_of_order_is_told_when_it_comes(syria: Rules) -> None:
    said = [posted(post("Сирия раз", minutes=540)), posted(post("Сирия два", number=2, minutes=60))]
    moments = [(one.at, type(one.message)) for one in told(said, syria)]
    assert moments == [(at(540), Alert), (at(540), Alert), (at(32 * 60), Digest)]


def test_an_alert_about_an_old_post_is_edited_as_long_as_any_other(lexicon: Lexicon) -> None:
    by, day = rules(rule("syria", "~Сирия"), lexicon=lexicon, digests=Never()), 24 * 60
    said = [
        posted(post("Погода")),
        edited(post(FLAG), 5 * day),
        posted(post("Погода", "beta_demo", 2, minutes=6 * day + 60)),
        deleted(post(FLAG), 6 * day + 120),
    ]
    first, gone = told(said, by)
    assert gone.instead_of == first.message


def test_topics_of_one_title_are_still_two(lexicon: Lexicon) -> None:
    by = rules(
        rule("syria", "Сирия"), rule("flag", "знамя", "urgent"), lexicon=lexicon, quiet=QuietHours(time(11), time(13))
    )
    by = replace(by, topics={name: replace(topic, title="Всё") for name, topic in by.topics.items()})
    said = [
        posted(post(FLAG)),
        posted(post("Поднято знамя, новое, над зданием в самом центре", "beta_demo", minutes=5)),
    ]
    assert [type(one.message) for one in told(said, by)] == [Alert, Bundle, Digest]


def test_a_deletion_is_told_however_late_it_comes(syria: Rules) -> None:
    day = 24 * 60
    said = [
        posted(post(FLAG)),
        posted(post(ROAD, "beta_demo", minutes=5 * day)),
        deleted(post(FLAG), 6 * day),
    ]
    digests = [one.message for one in told(said, syria) if isinstance(one.message, Digest) and one.message.topics]
    assert [[story.deleted for story in digest.topics[0].stories] for digest in digests] == [[False], [False], [True]]


def test_a_digest_of_a_week_knows_what_became_of_its_posts(lexicon: Lexicon) -> None:
    by, day = rules(rule("syria", "~Сирия", "digest"), lexicon=lexicon, digests=Cron.parse("0 8 * * mon")), 24 * 60
    said = [
        posted(post(FLAG, minutes=day)),
        deleted(post(FLAG, minutes=day), day + 60),
        posted(post(ROAD, "beta_demo", minutes=6 * day)),
    ]
    [digest] = [one.message for one in told(said, by) if isinstance(one.message, Digest)]
    assert [story.deleted for story in digest.topics[0].stories] == [True, False]


def test_a_line_that_matches_nothing_moves_the_clock_too(syria: Rules) -> None:
    said = [
        posted(post(FLAG)),
        posted(post("Погода", number=2, minutes=540)),
        posted(post(ROAD, number=3, minutes=60)),
    ]
    moments = [one.at for one in told(said, syria)]
    assert moments == [at(), at(480), at(540), at(32 * 60)]


def test_before_anything_was_read_there_is_no_digest(lexicon: Lexicon) -> None:
    by = rules(rule("syria", "~Сирия"), lexicon=lexicon, empty_digests=True)
    played = list(tellings([posted(post(FLAG))], by, Footers(), at(-60 * 24 * 40)))
    assert [type(one.message) for one in played] == [Alert, Digest]


def test_a_gap_in_the_recordings_is_not_told_day_by_day(lexicon: Lexicon) -> None:
    by = rules(rule("syria", "~Сирия"), lexicon=lexicon, empty_digests=True)
    said = [posted(post(FLAG)), posted(post(ROAD, number=2, minutes=365 * 24 * 60))]
    assert [type(one.message) for one in told(said, by)] == [Alert, Digest, Alert, Digest]


def test_an_edit_after_the_beginning_of_an_older_post_brings_what_it_brings(syria: Rules) -> None:
    plain = post("Пока неизвестно", number=2)
    said = [posted(post(FLAG)), posted(plain), edited(post(FLAG + "!"), 20), edited(post(ROAD, number=2), 21)]
    judged = list(judgements(said, syria, Footers(), at(10)))
    assert [(str(one.revision.post.id), decision.reason) for one in judged for decision in one.decisions] == [
        ("alfa_demo/2", "edit")
    ]


def test_an_edit_of_what_only_a_digest_told_is_not_told_again(lexicon: Lexicon) -> None:
    by = rules(rule("syria", "~Сирия", "digest"), lexicon=lexicon)
    said = [posted(post(FLAG)), edited(post(FLAG + ", дополнено"), 9 * 60)]
    assert [type(one.message) for one in told(said, by)] == [Digest]


def test_a_digest_holds_every_match_of_its_period_alerted_ones_too(lexicon: Lexicon) -> None:
    by = rules(rule("syria", "~Сирия"), rule("road", "дорога", "digest"), lexicon=lexicon)
    [_, _, digest] = told([posted(post(FLAG)), posted(post(ROAD, number=2, minutes=30))], by)
    assert digest.at == at(8 * 60)
    assert isinstance(digest.message, Digest)
    assert (digest.message.since, digest.message.until) == (at(), at(8 * 60))
    assert [(topic.title, topic.posts) for topic in digest.message.topics] == [("Syria", 2), ("Road", 1)]
    assert (digest.message.posts, digest.message.stories, digest.message.channels) == (2, 2, 1)


def test_a_post_at_the_very_moment_of_a_digest_is_in_it_and_in_no_other(syria: Rules) -> None:
    said = [posted(post(FLAG, minutes=8 * 60)), posted(post(ROAD, number=2, minutes=8 * 60 + 1))]
    digests = [one.message for one in told(said, syria) if isinstance(one.message, Digest)]
    assert [(digest.until, digest.posts) for digest in digests] == [(at(8 * 60), 1), (at(32 * 60), 1)]


def test_an_empty_period_is_said_where_that_is_asked_for(lexicon: Lexicon) -> None:
    def count(*, empty: bool) -> int:
        by = rules(rule("syria", "~Сирия"), lexicon=lexicon, empty_digests=empty)
        said = [posted(post(FLAG)), posted(post(ROAD, number=2, minutes=3 * 24 * 60))]
        return sum(isinstance(one.message, Digest) for one in told(said, by))

    assert (count(empty=False), count(empty=True)) == (2, 4)


def test_each_destination_has_its_own_digest(lexicon: Lexicon) -> None:
    by = rules(rule("syria", "Сирия"), rule("desk", "флаг", destination=DESK), lexicon=lexicon)
    digests = [one.message for one in told([posted(post(FLAG))], by) if isinstance(one.message, Digest)]
    assert [(digest.destination, [topic.title for topic in digest.topics]) for digest in digests] == [
        (ME, ["Syria"]),
        (DESK, ["Desk"]),
    ]


def test_digests_that_are_switched_off_never_come(lexicon: Lexicon) -> None:
    by = rules(rule("syria", "Сирия"), lexicon=lexicon, digests=Never())
    assert [type(one.message) for one in told([posted(post(FLAG))], by)] == [Alert]


def test_what_waited_for_the_end_of_quiet_hours_is_one_message(lexicon: Lexicon) -> None:
    by = rules(rule("syria", "~Сирия"), lexicon=lexicon, quiet=QuietHours(time(11), time(14)))
    said = [
        posted(post(FLAG)),
        posted(post(ROAD, number=2, minutes=10)),
        posted(post(FLAG, "beta_demo", minutes=20)),
        posted(post("Сирия: всё", number=3, minutes=120)),
    ]
    bundle, alert, _ = told(said, by)
    assert isinstance(bundle.message, Bundle)
    assert (bundle.at, bundle.message.reason) == (at(120), Reason.QUIET)
    assert [(str(one.post.id), len(one.also)) for one in bundle.message.alerts] == [
        ("alfa_demo/1", 1),
        ("alfa_demo/2", 0),
    ]
    assert isinstance(alert.message, Alert)


def test_what_an_urgent_alert_has_told_meanwhile_does_not_wait_any_longer(lexicon: Lexicon) -> None:
    by = rules(
        rule("syria", "~Сирия"), rule("flag", "знамя", "urgent"), lexicon=lexicon, quiet=QuietHours(time(11), time(14))
    )
    said = [posted(post(FLAG)), posted(post(FLAG + " знамя", "beta_demo", minutes=20))]
    assert [type(one.message) for one in told(said, by)] == [Alert, Digest]


def test_alerts_beyond_the_limit_are_one_message_when_there_is_room(lexicon: Lexicon) -> None:
    by = rules(rule("syria", "~Сирия"), lexicon=lexicon, max_per_minute=2)
    said = [posted(post(f"Сирия {number}", number=number, minutes=number / 60)) for number in range(1, 6)]
    first, second, bundle, _ = told(said, by)
    assert isinstance(first.message, Alert)
    assert isinstance(second.message, Alert)
    assert isinstance(bundle.message, Bundle)
    assert (bundle.at, bundle.message.reason, len(bundle.message.alerts)) == (at(1 + 1 / 60), Reason.BURST, 3)


def test_a_digest_is_told_at_its_time_though_nothing_is_posted(lexicon: Lexicon) -> None:
    by = rules(rule("syria", "~Сирия"), lexicon=lexicon, digests=Cron.parse("0 13,14 * * *"), empty_digests=True)
    said = [posted(post(FLAG)), posted(post(ROAD, number=2, minutes=150))]
    assert [(one.at, type(one.message)) for one in told(said, by)] == [
        (at(), Alert),
        (at(60), Digest),
        (at(120), Digest),
        (at(150), Alert),
        (at(25 * 60), Digest),
    ]


def test_what_is_told_never_goes_back_in_time(lexicon: Lexicon) -> None:
    by = rules(
        rule("syria", "~Сирия"),
        lexicon=lexicon,
        max_per_minute=1,
        digests=Daily((time(13), time(20))),
        empty_digests=True,
    )
    said = [posted(post(f"Сирия {number}", number=number, minutes=number * 17)) for number in range(100)]
    moments = [one.at for one in told(said, by)]
    assert moments == sorted(moments)


def test_a_forward_is_told_as_a_carrier_of_the_story(syria: Rules) -> None:
    origin = Origin(channel="alfa_demo", post=1, date=at())
    said = [posted(post(FLAG)), posted(post("Сирия! " + ROAD, "beta_demo", minutes=9, origin=origin))]
    assert alerts(told(said, syria)) == [("alfa_demo/1 0", False), ("alfa_demo/1 1", True)]


def test_an_old_story_is_forgotten_and_a_digest_of_long_ago_still_whole(lexicon: Lexicon) -> None:
    by = rules(rule("syria", "~Сирия"), lexicon=lexicon, fold_window=timedelta(hours=1))
    said = [posted(post(f"Сирия, день {day}", number=day, minutes=day * 24 * 60)) for day in range(30)]
    digests = [one.message for one in told(said, by) if isinstance(one.message, Digest)]
    assert [digest.posts for digest in digests] == [1] * 30


@pytest.mark.parametrize("play", [judgements, tellings])
def test_nothing_comes_of_nothing(play: Callable[..., Iterable[object]], syria: Rules) -> None:
    assert list(play([], syria, Footers())) == []
