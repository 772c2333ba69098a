"""From a judgement to the alerts that tell it, at once or held."""

from __future__ import annotations

from datetime import time

from bot.alert import Held, alerts, hits_of
from bot.judge import Arrival, judge
from bot.model import Alert, Carrier, Hit, Match, PartKind, Post, Reason
from bot.query.lexicon import Lexicon
from bot.rules import Rules
from bot.schedule import QuietHours
from bot.stories.stories import Stories
from bot.text.footers import Footers
from bot.triage import Pace
from tests.made import DESK, ME, at, post, posted, rule, rules


def told(said: Post, by: Rules, also: tuple[Carrier, ...] = (), minutes: float = 0) -> list[Alert | Held]:
    arrival = Arrival(posted(said), at(minutes))
    [judgement] = judge([arrival], by, Stories(by.fold_window), Footers(), Pace()).judgements
    return list(alerts(judgement, by, also))


def test_each_destination_has_one_message_that_names_all_its_topics(lexicon: Lexicon) -> None:
    by = rules(
        rule("syria", "Сирия"),
        rule("talks", "переговоры", "digest"),
        rule("desk", "переговоры", destination=DESK),
        lexicon=lexicon,
    )
    mine, theirs = told(post("Переговоры о Сирии"), by)
    assert isinstance(mine, Alert)
    assert isinstance(theirs, Alert)
    assert (mine.destination, mine.names, mine.topics) == (ME, ("syria", "talks"), ("Syria", "Talks"))
    assert [hit.text for hit in mine.hits] == ["Переговоры", "Сирии"]
    assert (theirs.destination, theirs.names, mine.urgent) == (DESK, ("desk",), False)


def test_what_only_the_digest_tells_makes_no_message(lexicon: Lexicon) -> None:
    by = rules(rule("talks", "переговоры", "digest"), lexicon=lexicon)
    assert told(post("Переговоры"), by) == []


def test_an_urgent_topic_makes_the_whole_message_urgent(lexicon: Lexicon) -> None:
    by = rules(rule("syria", "Сирия"), rule("bases", "Хмеймим", "urgent"), lexicon=lexicon)
    [alert] = told(post("Сирия: Хмеймим"), by)
    assert isinstance(alert, Alert)
    assert alert.urgent


def test_what_waits_says_why_and_until_when(lexicon: Lexicon) -> None:
    by = rules(rule("syria", "Сирия"), lexicon=lexicon, quiet=QuietHours(time(11), time(13)))
    [held] = told(post("Сирия"), by)
    assert isinstance(held, Held)
    assert (held.alert.names, held.reason, held.due) == (("syria",), Reason.QUIET, at(60))


def test_what_is_too_late_to_be_told_makes_no_message(lexicon: Lexicon) -> None:
    by = rules(rule("syria", "Сирия"), lexicon=lexicon)
    assert told(post("Сирия"), by, minutes=361) == []


def test_an_alert_says_where_else_its_story_ran(lexicon: Lexicon) -> None:
    beta = Carrier("@beta_demo", at(-5), None)
    [alert] = told(post("Сирия"), rules(rule("syria", "Сирия"), lexicon=lexicon), (beta,))
    assert isinstance(alert, Alert)
    assert alert.also == (beta,)


def test_hits_of_several_topics_stand_once_the_text_first() -> None:
    link, late, early = (
        Hit(PartKind.LINK, 0, 5, "syria"),
        Hit(PartKind.TEXT, 9, 12, "два"),
        Hit(PartKind.TEXT, 0, 3, "раз"),
    )
    assert hits_of([Match("a", (), (late, link)), Match("b", (), (early, late))]) == (early, late, link)
