"""Held alerts in one message."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from bot.model import Alert, Bundle, Carrier, Media, Reason
from bot.render.bundle import bundle
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


@pytest.mark.parametrize("reason", [Reason.BURST, Reason.LATE, Reason.QUIET])
def test_a_bundle_says_why_it_comes_and_tells_its_stories(golden: Callable[..., None], reason: Reason) -> None:
    golden(f"bundle_{reason}", *bundle(held(reason, TWO), LONDON))


def test_one_alert_is_one() -> None:
    [made] = bundle(held(Reason.BURST, TWO[:1]), LONDON)
    assert made.text.startswith("1 more alert within a minute\n8 Dec 2024, 09:00 – 09:01\n\nSyria, Bases\n")
    [made] = bundle(held(Reason.LATE, TWO[:1]), LONDON)
    assert made.text.startswith("While away: 1 story\n")


def test_a_large_bundle_is_split_between_stories() -> None:
    stories = [alerted(posted(f"{STAFF} {STAFF}", number=at), "Сирии") for at in range(60)]
    made = bundle(held(Reason.LATE, stories), LONDON)
    check_all(made)
    assert len(made) > 2
    for message in made[1:]:
        assert message.text.startswith("Syria\nСедьмая застава")
    for message in made:
        assert message.text.rsplit("\n", 1)[1].startswith("t.me/zastava_demo/")
    assert sum(message.text.count("t.me/zastava_demo/") for message in made) == 60
