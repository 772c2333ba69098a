"""From a judgement to the alerts that tell it, at once or held, as values. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from bot.judge import Judgement
from bot.model import Alert, Carrier, Decision, Destination, Happening, Hit, Match, Reason, Verdict
from bot.rules import Rules


class Held(NamedTuple):
    """An alert that waits, with its like, until ``due``."""

    alert: Alert
    reason: Reason
    due: datetime


def alerts(judgement: Judgement, rules: Rules, also: tuple[Carrier, ...]) -> Iterator[Alert | Held]:
    """What the destinations are told of one post, one message each; ``also``: where else its story ran.

    An alert names every topic that the post is of in its destination, also those that the digest alone would tell.
    """
    by_destination: dict[Destination, list[Decision]] = {}
    for decision in judgement.decisions:
        by_destination.setdefault(decision.destination, []).append(decision)
    for destination, decisions in by_destination.items():
        here = [match for match in judgement.matches if rules.topics[match.topic].destination == destination]
        alert = Alert(
            destination=destination,
            story=judgement.story,
            names=tuple(match.topic for match in here),
            topics=tuple(rules.topics[match.topic].title for match in here),
            post=judgement.revision.post,
            hits=hits_of(here),
            also=also,
            edited=judgement.revision.happening is Happening.EDITED,
            urgent=any(decision.reason is Reason.URGENT for decision in decisions),
        )
        if any(decision.reason.verdict is Verdict.ALERT for decision in decisions):
            yield alert
        else:
            waits = {(decision.due, decision.reason) for decision in decisions if decision.due is not None}
            yield from (Held(alert, reason, due) for due, reason in sorted(waits))


def hits_of(matches: Iterable[Match]) -> tuple[Hit, ...]:
    """The hits of several topics, each once, in reading order as far as they share a part."""
    return tuple(dict.fromkeys(sorted((hit for match in matches for hit in match.hits), key=_in_text_first)))


def _in_text_first(hit: Hit) -> tuple[bool, str, int, int]:
    return hit.kind != "text", hit.kind, hit.start, hit.end
