"""What is judged of a batch of posts: matches, stories, and each decision with its reason."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import time, timedelta

import pytest

from bot.judge import Arrival, Judged, Judgement, Known, judge
from bot.model import Channel, Happening, Media, Origin, Post, PostId, Revision
from bot.query.lexicon import Lexicon
from bot.rules import ChannelRule, Rules
from bot.schedule import QuietHours
from bot.stories.stories import Stories
from bot.text.footers import Footers
from bot.triage import Pace
from tests.made import DESK, ME, at, deleted, edited, post, posted, rule, rules

LONG = "Над посольством Сирии в Москве поднят новый флаг, здание работает в обычном режиме, сообщил источник"
OTHER = "Колонна военной техники вышла из Тартуса в сторону Латакии, дорога перекрыта с самого утра для всех машин"


class Court:
    """Judges batch after batch, as the service does."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.stories = Stories(rules.fold_window)
        self.footers = Footers()
        self.pace = Pace()

    def arrivals(self, *batch: Arrival) -> tuple[Judgement, ...]:
        judged: Judged = judge(batch, self.rules, self.stories, self.footers, self.pace)
        self.stories.merge(judged.stories)
        self.pace = judged.pace
        return judged.judgements

    def posts(self, *said: Post) -> tuple[Judgement, ...]:
        return self.arrivals(*(Arrival(posted(one), one.date) for one in said))


def reasons(judgements: Sequence[Judgement]) -> list[str]:
    return [f"{decision.match.topic} {decision.reason}" for one in judgements for decision in one.decisions]


@pytest.fixture
def court(lexicon: Lexicon) -> Court:
    return Court(
        rules(
            rule("syria", "Сирия"),
            rule("bases", "Тартус; Хмеймим", "urgent"),
            rule("talks", "переговоры", "digest"),
            rule("desk", "Сирия", destination=DESK),
            lexicon=lexicon,
        )
    )


def test_a_post_of_no_topic_is_no_matter(court: Court) -> None:
    assert court.posts(post("Погода в Москве")) == ()


def test_each_topic_of_a_post_is_decided_in_the_topics_order(court: Court) -> None:
    [judgement] = court.posts(post("Переговоры о Сирии"))
    assert reasons([judgement]) == ["syria new", "talks digest", "desk new"]
    assert [decision.destination for decision in judgement.decisions] == [ME, ME, DESK]
    assert judgement.story == PostId("alfa_demo", 1)


def test_a_repost_in_another_channel_folds_into_the_story(court: Court) -> None:
    court.posts(post(LONG))
    [again] = court.posts(post(LONG + "!", "beta_demo", 7, minutes=10))
    assert reasons([again]) == ["syria folded", "desk folded"]
    assert again.story == PostId("alfa_demo", 1)


def test_posts_of_one_channel_do_not_fold_into_each_other(court: Court) -> None:
    assert reasons(court.posts(post(LONG), post(LONG, number=2, minutes=1))) == ["syria new", "desk new"] * 2


def test_a_later_post_of_the_story_alerts_again_if_it_brings_a_topic(lexicon: Lexicon) -> None:
    court = Court(rules(rule("syria", "Сирия"), rule("flag", "трикотаж"), lexicon=lexicon))
    court.posts(post(LONG))
    [again] = court.posts(post(LONG + " трикотаж", "beta_demo", minutes=5))
    assert reasons([again]) == ["syria folded", "flag new"]


def test_a_later_post_alerts_again_if_it_raises_the_story_to_urgent(court: Court) -> None:
    court.posts(post(LONG))
    [again] = court.posts(post(LONG + " Хмеймим", "beta_demo", minutes=5))
    assert reasons([again]) == ["syria folded", "bases urgent", "desk folded"]


def test_a_forward_folds_whatever_was_added_to_it(court: Court) -> None:
    court.posts(post(LONG))
    origin = Origin(channel="alfa_demo", post=1, date=at())
    [again] = court.posts(post("Сирия, смотрите сами", "beta_demo", minutes=90, origin=origin))
    assert reasons([again]) == ["syria folded", "desk folded"]


def test_a_batch_is_judged_the_same_in_whatever_order_it_arrives(court: Court) -> None:
    batch = [
        Arrival(posted(post(LONG, "alfa_demo", 1)), at(20)),
        Arrival(posted(post(LONG, "beta_demo", 1, minutes=1)), at(20)),
        Arrival(posted(post(OTHER, "gamma_demo", 1, minutes=1)), at(20)),
        Arrival(posted(post(OTHER, "alfa_demo", 2, minutes=2)), at(20)),
    ]
    outcomes = {
        judge(order, court.rules, court.stories, court.footers, court.pace).judgements
        for order in itertools.permutations(batch)
    }
    assert len(outcomes) == 1
    assert reasons(outcomes.pop()) == [
        "syria new",
        "desk new",
        "syria folded",
        "desk folded",
        "bases urgent",
        "bases folded",
    ]


def test_judging_changes_nothing_until_its_stories_are_merged(court: Court) -> None:
    batch = [Arrival(posted(post(LONG)), at())]
    first = judge(batch, court.rules, court.stories, court.footers, court.pace)
    second = judge(batch, court.rules, court.stories, court.footers, court.pace)
    assert first.judgements == second.judgements
    assert reasons(second.judgements) == ["syria new", "desk new"]


def test_what_a_first_reading_brings_never_alerts(court: Court) -> None:
    [judgement] = court.arrivals(Arrival(posted(post(LONG)), at(), history=True))
    assert reasons([judgement]) == ["syria history", "desk history"]
    [again] = court.posts(post(LONG, "beta_demo", minutes=5))
    assert reasons([again]) == ["syria folded", "desk folded"]


def test_a_post_first_seen_late_is_told_with_its_like(court: Court) -> None:
    [late] = court.arrivals(Arrival(posted(post(LONG)), at(31)))
    assert [(d.reason, d.due) for d in late.decisions] == [("late", at(31))] * 2


def test_a_post_seen_just_in_time_is_not_late(court: Court) -> None:
    assert reasons(court.arrivals(Arrival(posted(post(LONG)), at(30)))) == ["syria new", "desk new"]


def test_a_post_older_than_six_hours_is_told_by_the_digest_and_a_fresh_repost_alerts(court: Court) -> None:
    [late] = court.arrivals(Arrival(posted(post(LONG)), at(361)))
    assert [(d.reason, d.due) for d in late.decisions] == [("late", None)] * 2
    assert reasons(court.posts(post(LONG, "beta_demo", minutes=365))) == ["syria new", "desk new"]


def test_alerts_wait_for_the_end_of_quiet_hours_and_urgent_ones_take_the_rest_along(lexicon: Lexicon) -> None:
    court = Court(
        rules(
            rule("syria", "Сирия"),
            rule("bases", "Хмеймим", "urgent"),
            lexicon=lexicon,
            quiet=QuietHours(time(11), time(13)),
        )
    )
    [waits] = court.posts(post("Сирия: без перемен"))
    assert [(d.reason, d.due) for d in waits.decisions] == [("quiet", at(60))]
    assert reasons(court.posts(post("Сирия: Хмеймим", "beta_demo", minutes=5))) == ["syria new", "bases urgent"]


def test_alerts_beyond_the_limit_of_a_minute_are_folded_by_destination(lexicon: Lexicon) -> None:
    court = Court(
        rules(rule("syria", "Сирия"), rule("desk", "Дамаск", destination=DESK), lexicon=lexicon, max_per_minute=2)
    )
    texts = ["Сирия раз", "Сирия два", "Сирия три", "Сирия четыре", "Дамаск пять"]
    judged = court.posts(*(post(text, number=n, minutes=n / 60) for n, text in enumerate(texts)))
    assert reasons(judged) == ["syria new", "syria new", "syria burst", "syria burst", "desk new"]
    assert {d.due for j in judged for d in j.decisions if d.reason == "burst"} == {at(1)}


def test_an_edit_that_brings_a_hit_alerts_marked_as_an_edit(court: Court) -> None:
    said = post("Пока неизвестно")
    assert court.posts(said) == ()
    [judgement] = court.arrivals(Arrival(edited(post(LONG), 5), at(5), known=Known()))
    assert reasons([judgement]) == ["syria edit", "desk edit"]


def test_an_edit_that_brings_no_topic_is_judged_and_decides_nothing(court: Court) -> None:
    court.posts(post(LONG))
    [judgement] = court.arrivals(Arrival(edited(post(LONG + "."), 5), at(5), known=Known(frozenset({"syria", "desk"}))))
    assert judgement.decisions == ()
    assert [match.topic for match in judgement.matches] == ["syria", "desk"]


def test_an_edit_that_takes_the_hit_away_is_judged_too(court: Court) -> None:
    court.posts(post(LONG))
    [judgement] = court.arrivals(Arrival(edited(post("Удалено автором"), 5), at(5), known=Known(frozenset({"syria"}))))
    assert (judgement.matches, judgement.decisions, judgement.story) == ((), (), PostId("alfa_demo", 1))


def test_an_edit_brings_a_topic_that_another_post_of_the_story_has_told(court: Court) -> None:
    court.posts(post(LONG + " Хмеймим"))
    court.posts(post(LONG, "beta_demo", minutes=1))
    change = edited(post(LONG + " Хмеймим", "beta_demo", minutes=1), 9)
    [judgement] = court.arrivals(Arrival(change, at(9), known=Known(frozenset({"syria", "desk"}))))
    assert reasons([judgement]) == ["bases story"]


def test_an_edit_finds_its_story_when_that_is_long_forgotten(lexicon: Lexicon) -> None:
    court = Court(rules(rule("syria", "Сирия"), rule("flag", "знамя"), lexicon=lexicon, fold_window=timedelta(hours=1)))
    court.posts(post(LONG))
    court.posts(post("Сирия: новый день", "beta_demo", minutes=24 * 60))
    story = PostId("alfa_demo", 1)
    late = edited(post(LONG + " знамя"), 25 * 60)
    [judgement] = court.arrivals(Arrival(late, at(25 * 60), Known(frozenset({"syria"}), story)))
    assert (judgement.story, reasons([judgement])) == (story, ["flag edit"])
    gone = deleted(post(LONG), 26 * 60)
    assert [one.story for one in court.arrivals(Arrival(gone, at(26 * 60), Known(frozenset({"syria"}), story)))] == [
        story
    ]


def test_a_late_edit_of_a_known_post_is_not_late(court: Court) -> None:
    court.posts(post("Пока неизвестно"))
    [judgement] = court.arrivals(Arrival(edited(post(LONG), 600), at(600), known=Known()))
    assert reasons([judgement]) == ["syria edit", "desk edit"]


def test_a_link_preview_that_comes_later_is_no_edit_but_what_it_brings_is_found(court: Court) -> None:
    said = post(LONG)
    court.posts(said)
    known = Known(frozenset({"syria", "desk"}), said.id, said)
    shown = replace(said, media=(Media(kind="webpage", title="Хмеймим сегодня"),))
    [judgement] = court.arrivals(Arrival(edited(shown, 5), at(5), known))
    assert (reasons([judgement]), judgement.revision.happening) == (["bases urgent"], Happening.GREW)
    plain = replace(said, media=(Media(kind="webpage", title="Погода"),))
    assert court.arrivals(Arrival(edited(plain, 6), at(6), known)) == ()


def test_another_picture_is_an_edit(court: Court) -> None:
    said = replace(post(LONG), media=(Media(kind="photo"),))
    court.posts(said)
    change = edited(replace(said, media=(Media(kind="video"),)), 5)
    [judgement] = court.arrivals(Arrival(change, at(5), Known(frozenset({"syria", "desk"}), said.id, said)))
    assert judgement.revision.happening is Happening.EDITED


def test_an_album_that_grows_within_its_batch_is_one_post(court: Court) -> None:
    tail = post("Сирия, вторая часть", number=11)
    whole = Revision(Happening.GREW, at(), post("Хмеймим\nСирия, вторая часть", number=10))
    judged = court.arrivals(Arrival(whole, at(), Known(), formerly=tail.id), Arrival(posted(tail), at()))
    assert reasons(judged) == ["syria new", "desk new", "bases urgent"]
    assert [one.formerly for one in judged] == [None, tail.id]


def test_an_edit_that_says_the_same_is_nothing(court: Court) -> None:
    said = post(LONG)
    court.posts(said)
    again = Arrival(edited(replace(said, views=9), 5), at(5), Known(frozenset({"syria"}), said.id, said))
    assert court.arrivals(again) == ()


def test_an_edit_of_an_old_post_does_not_alert_for_a_topic_that_is_newer_than_the_post(court: Court) -> None:
    said = post(LONG)
    change = Arrival(edited(post(LONG + ", дополнено"), 5), at(5), Known(frozenset({"syria"}), said.id, said))
    assert reasons(court.arrivals(change)) == []
    brings = Arrival(edited(post(LONG + " Хмеймим"), 6), at(6), Known(frozenset({"syria"}), said.id, said))
    assert reasons(court.arrivals(brings)) == ["bases urgent"]


def test_a_post_and_its_edit_in_one_batch_are_decided_once(court: Court) -> None:
    said = post(LONG + " переговоры")
    batch = [Arrival(posted(said), at(9)), Arrival(edited(post(LONG + " Хмеймим"), 5), at(9), Known())]
    assert reasons(court.arrivals(*batch)) == ["syria new", "talks digest", "desk new", "bases urgent"]


def test_what_goes_along_with_an_urgent_late_post_in_quiet_hours_does_not_wait_apart(lexicon: Lexicon) -> None:
    by = rules(
        rule("syria", "Сирия"),
        rule("bases", "Хмеймим", "urgent"),
        lexicon=lexicon,
        quiet=QuietHours(time(11), time(14)),
    )
    [judgement] = Court(by).arrivals(Arrival(posted(post("Сирия: Хмеймим")), at(45)))
    assert [(d.match.topic, d.reason, d.due) for d in judgement.decisions] == [
        ("syria", "late", at(45)),
        ("bases", "late", at(45)),
    ]


def test_alerts_that_would_be_folded_into_quiet_hours_wait_for_their_end(lexicon: Lexicon) -> None:
    by = rules(rule("syria", "Сирия"), lexicon=lexicon, max_per_minute=1, quiet=QuietHours(time(12, 1), time(13)))
    judged = Court(by).posts(post("Сирия раз", minutes=0.5), post("Сирия два", number=2, minutes=0.6))
    assert [(d.reason, d.due) for j in judged for d in j.decisions] == [("new", None), ("quiet", at(60))]


def test_a_part_of_an_album_that_comes_late_is_late(court: Court) -> None:
    court.posts(post("Пока неизвестно", number=10))
    grown = Arrival(Revision(Happening.GREW, at(300), post(LONG, number=10)), at(300), Known())
    assert reasons(court.arrivals(grown)) == ["syria late", "desk late"]


def test_a_second_siren_is_news_though_another_channel_repeated_the_first(court: Court) -> None:
    court.posts(post("Сирена, Сирия"), post("Сирена, Сирия", "beta_demo", minutes=1))
    assert reasons(court.posts(post("Сирена, Сирия", number=2, minutes=10))) == ["syria new", "desk new"]


def test_a_channel_is_the_same_in_any_letter_case(court: Court) -> None:
    court.posts(post(LONG))
    assert reasons(court.posts(post(LONG, "Alfa_Demo", 2, minutes=5))) == ["syria new", "desk new"]


def test_two_channels_that_bore_one_name_are_two(court: Court) -> None:
    first, second = (replace(post(LONG), channel=Channel(id=-100_111 - n, username="alfa_demo")) for n in range(2))
    court.posts(first)
    assert reasons(court.posts(replace(second, date=at(5)))) == ["syria folded", "desk folded"]
    assert first.id != second.id


def test_an_old_post_that_is_first_seen_with_its_edit_is_late(court: Court) -> None:
    [judgement] = court.arrivals(Arrival(edited(post(LONG), 60), at(60)))
    assert reasons([judgement]) == ["syria late", "desk late"]


def test_an_album_that_grows_alerts_as_new_and_keeps_its_story_under_a_lower_id(court: Court) -> None:
    tail = post("Сирия, вторая часть", number=11)
    court.posts(tail)
    whole = post("Хмеймим\nСирия, вторая часть", number=10)
    grown = Arrival(
        Revision(Happening.GREW, at(0.1), whole), at(0.1), Known(frozenset({"syria", "desk"})), formerly=tail.id
    )
    [judgement] = court.arrivals(grown)
    assert reasons([judgement]) == ["bases urgent"]
    assert judgement.story == PostId("alfa_demo", 11)
    assert court.stories.overlay().story_of(PostId("alfa_demo", 10)) == PostId("alfa_demo", 11)


def test_a_deletion_is_judged_and_decides_nothing(court: Court) -> None:
    said = post(LONG)
    court.posts(said)
    [judgement] = court.arrivals(Arrival(deleted(said, 5), at(5), known=Known(frozenset({"syria", "desk"}))))
    assert (judgement.matches, judgement.decisions, judgement.story) == ((), (), PostId("alfa_demo", 1))
    assert court.arrivals(Arrival(deleted(post("Погода", number=9), 6), at(6), known=Known())) == ()


def test_a_topic_is_asked_of_its_channels_alone(lexicon: Lexicon) -> None:
    court = Court(
        rules(
            rule("syria", "Сирия", channels=["alfa_demo"]),
            rule("flag", "флаг"),
            lexicon=lexicon,
            channels={"gamma_demo": ChannelRule(topics=frozenset({"syria"}))},
        )
    )
    assert reasons(court.posts(post(LONG))) == ["syria new", "flag new"]
    assert reasons(court.posts(post("Сирия, флаг", "Beta_demo", minutes=1))) == ["flag new"]
    assert court.posts(post("Сирия, флаг", "gamma_demo", minutes=2)) == ()


def test_a_post_bears_the_label_of_its_channel(lexicon: Lexicon) -> None:
    channels = {"alfa_demo": ChannelRule(label="Альфа, наш человек")}
    court = Court(rules(rule("syria", "Сирия"), lexicon=lexicon, channels=channels))
    [judgement] = court.posts(post(LONG, "Alfa_demo", title="Alfa | Подпишись"))
    assert judgement.revision.post.channel == Channel(username="Alfa_demo", title="Альфа, наш человек")


def test_a_hit_in_a_footer_is_none(court: Court) -> None:
    footer = "\n\nПодпишись на Сирию"
    for text in ("Раз", "Два", "Три"):
        court.footers.learn("alfa_demo", text + footer)
    assert court.posts(post("Погода" + footer)) == ()
    assert reasons(court.posts(post("Погода" + footer, "beta_demo"))) == ["syria new", "desk new"]


def test_batches_of_any_size_end_in_the_same_stories(lexicon: Lexicon) -> None:
    said = [
        post(text + f" {n % 3}", channel, n, minutes=n)
        for n, (text, channel) in enumerate(
            itertools.product([LONG, OTHER + " Сирия", LONG[::-1] + " Сирия"], ["alfa_demo", "beta_demo", "gamma_demo"])
        )
    ]
    chance = random.Random(7)  # noqa: S311 - seeded, not secret
    outcomes = set()
    for _ in range(10):
        court = Court(rules(rule("syria", "Сирия"), lexicon=lexicon, max_per_minute=0))
        judged: list[Judgement] = []
        left = list(said)
        while left:
            size = chance.randint(1, len(left))
            batch, left = left[:size], left[size:]
            chance.shuffle(batch)
            judged += court.posts(*batch)
        outcomes.add(tuple((str(one.revision.post.id), str(one.story)) for one in judged))
    assert len(outcomes) == 1


def test_the_fold_window_is_configured(lexicon: Lexicon) -> None:
    court = Court(rules(rule("syria", "Сирия"), lexicon=lexicon, fold_window=timedelta(hours=1)))
    court.posts(post(LONG))
    assert reasons(court.posts(post(LONG, "beta_demo", minutes=61))) == ["syria new"]
