"""Held alerts in one message."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from bot.model import Alert, Bundle, Carrier, Media, Reason
from bot.render.bundle import bundle, part
from bot.render.richtext import Message
from tests.render.conftest import LONDON, ME, STAFF, alerted, posted, utc
from tests.render.soundness import check_all


def held(reason: Reason, alerts: Sequence[Alert]) -> Bundle:
    same_day = reason is Reason.BURST
    return Bundle(
        destination=ME,
        reason=reason,
        since=utc(8, 9) if same_day else utc(7, 23),
        until=utc(8, 9, 1),
        alerts=tuple(alerts),
    )


TWO = [
    alerted(posted(date=utc(8, 9)), "Сирии", topics=("Syria", "Bases")),
    alerted(
        posted(STAFF, number=18, date=utc(8, 9, 1), media=(Media(kind="photo"),)),
        "Сирии",
        "база",
        also=[Carrier("Свои в Латакии", utc(8, 9, 5), "https://t.me/c/1900000007/48278")],
    ),
]


def messages(told: Bundle) -> list[Message]:
    return [part.message for part in bundle(told, LONDON)]


@pytest.mark.parametrize("reason", [Reason.BURST, Reason.LATE, Reason.QUIET])
def test_a_bundle_says_why_it_comes_and_tells_its_stories(golden: Callable[..., None], reason: Reason) -> None:
    golden(f"bundle_{reason}", *messages(held(reason, TWO)))


def test_one_alert_is_one() -> None:
    [made] = messages(held(Reason.BURST, TWO[:1]))
    assert made.text.startswith("1 more alert within a minute\n8 Dec 2024, 09:00 – 09:01\n\nSyria, Bases\n")
    [made] = messages(held(Reason.LATE, TWO[:1]))
    assert made.text.startswith("While away: 1 story\n")


def test_a_large_bundle_is_split_between_stories() -> None:
    stories = [alerted(posted(f"{STAFF} {STAFF}", number=at), "Сирии") for at in range(60)]
    made = messages(held(Reason.LATE, stories))
    check_all(made)
    assert len(made) > 2
    for message in made[1:]:
        assert message.text.startswith("Syria\nСедьмая застава")
    for message in made:
        assert message.text.rsplit("\n", 1)[1].startswith("t.me/zastava_demo/")
    assert sum(message.text.count("t.me/zastava_demo/") for message in made) == 60


def test_it_is_known_which_stories_stand_in_which_part() -> None:
    told = held(Reason.LATE, [alerted(posted(f"{STAFF} {STAFF}", number=at), "Сирии") for at in range(60)])
    made = bundle(told, LONDON)
    assert [alert for one in made for alert in one.alerts] == list(told.alerts)
    for at, one in enumerate(made):
        again = part(replace(told, alerts=one.alerts), LONDON, of=60, first=at == 0)
        assert again == one.message
        assert again.text.count("t.me/zastava_demo/") == len(one.alerts)


def test_a_part_is_told_anew_as_it_reads_now() -> None:
    told = held(Reason.LATE, [replace(TWO[1], deleted=True)])
    assert part(told, LONDON, of=2, first=False).text.startswith("Syria · deleted\n")
    assert part(told, LONDON, of=2, first=True).text.startswith("While away: 2 stories\n")


def test_a_part_that_has_grown_tells_less_of_each_story() -> None:
    """Where else they ran is counted first, then less is said; a part that is too long even so is left as it is."""
    stories = [alerted(posted(f"{number} {STAFF} {STAFF}", number=number), "Сирии") for number in range(12)]
    told = bundle(held(Reason.LATE, stories), LONDON)[0].alerts
    also = [Carrier("Свои в Латакии", utc(8, 9, at), f"https://t.me/c/1900000007/{at}") for at in range(7)]
    assert len(told) < len(stories)
    some = [replace(each, also=tuple(also)) for each in told[:3]]
    ran_on = held(Reason.LATE, [*some, *told[3:]])
    counted = part(ran_on, LONDON, of=12, first=True)
    check_all([counted])
    assert counted.text.count("Also in 7 other posts") == 3
    gone = held(Reason.LATE, [replace(each, also=tuple(also), edited=True, deleted=True) for each in told])
    shorter = part(gone, LONDON, of=12, first=True)
    check_all([shorter])
    assert shorter.text.count(" · edited · deleted\n") == len(told)
    assert len(shorter.text) < len(counted.text)
    assert not part(replace(gone, alerts=gone.alerts * 2), LONDON, of=24, first=True).fits()


def test_of_very_many_it_says_that_it_tells_some() -> None:
    made = messages(replace(held(Reason.LATE, TWO), more=2_998))
    assert made[0].text.startswith(
        "While away: 3,000 stories\n7 Dec, 23:00 – 8 Dec 2024, 09:01\n"
        "Here are the 2 most widely carried; the digest counts all.\n\n"
    )


def test_what_was_missed_is_told_of_the_time_at_which_it_was_posted() -> None:
    told = replace(held(Reason.LATE, TWO), since=utc(8, 12), until=utc(8, 12))
    [made] = messages(told)
    assert made.text.startswith("While away: 2 stories\n8 Dec 2024, 09:00 – 12:00\n")
    [made] = messages(replace(told, reason=Reason.QUIET))
    assert made.text.startswith("While it was quiet: 2 stories\n8 Dec 2024, 12:00 – 12:00\n")
