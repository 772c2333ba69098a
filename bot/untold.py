"""Which of several alerts that waited are told: those that nothing else says, and of very many only the foremost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import NamedTuple

from bot.model import Alert, PostId

_PLACE = itemgetter(0)
#: So many stories one bundle tells; a digest tells all that there were.
MOST = 100


class Told(NamedTuple):
    """What a message has said: a story, and of which topics (their names) it is."""

    story: PostId
    names: frozenset[str]


def untold(waiting: Iterable[Alert], told: Iterable[Told]) -> list[Alert]:
    """Those that no message has told meanwhile and no other of them tells too, all of one destination.

    An alert is told by whatever says the same story with every topic of it.
    """
    said: dict[PostId, list[frozenset[str]]] = {}
    for one in told:
        said.setdefault(one.story, []).append(one.names)
    kept: dict[PostId, list[tuple[int, frozenset[str], Alert]]] = {}
    for place, alert in enumerate(waiting):
        names, here = frozenset(alert.names), kept.setdefault(alert.story, [])
        others = [*said.get(alert.story, ()), *(others for _, others, _ in here)]
        if not any(names <= other for other in others):
            kept[alert.story] = [*(one for one in here if not one[1] <= names), (place, names, alert)]
    return [alert for _, _, alert in sorted((one for here in kept.values() for one in here), key=_PLACE)]


def foremost(alerts: Sequence[Alert]) -> list[Alert]:
    """Those of which a bundle has room, in their order: what is urgent, then what most posts carry, then the latest."""
    places = sorted(range(len(alerts)), key=lambda at: (alerts[at].urgent, len(alerts[at].also), at), reverse=True)
    return [alerts[at] for at in sorted(places[:MOST])]
