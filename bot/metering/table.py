"""The metrics: a metric is a line in `METRICS`, and one in docs/metrics.md. Values in, values out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

from bot.ports import Lane
from bot.storage.counts import Fate
from bot.telemetry.metrics import Metric, Sample
from bot.version import VERSION
from bot.vitals import Link, Vitals

Labels = TypeVar("Labels", bound=tuple[str, ...])

#: Channels, topics or methods that have a line of their own, at most.
MOST = 1_000
#: Lanes that messages are made in; what is edited stays in its own.
_LANES = [lane for lane in Lane if lane is not Lane.EDIT]


class Reached(NamedTuple):
    """How far a watched channel was read: when that was all there is, and how many numbers are missing."""

    name: str
    read_at: datetime | None
    missing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How things stood at ``at``; what is counted is counted since this process began.

    ``matches``: by topic; ``settled``: messages by what became of them; ``open``: those still to be sent; ``due``:
    since when one of them might have gone; ``edits``: how many that were sent may have to be edited. ``channels``: at
    most `MOST` of the ``watched``, of which ``lost`` cannot be read; ``missing``: not found yet. ``rests``: until when
    methods rest; ``mute``: until when an account sends nothing. ``connections``, ``calls`` and ``waits``, how often
    Telegram asked for a rest: of each account, the latter two also by method.
    """

    at: datetime
    vitals: Vitals
    stored: int
    matches: Mapping[str, int]
    settled: Mapping[tuple[Fate, Lane], int]
    open: Mapping[Fate, int]
    due: datetime | None
    edits: int
    channels: tuple[Reached, ...]
    watched: int
    lost: int
    missing: int
    rests: Mapping[str, datetime]
    mute: datetime | None
    notices: int
    connections: Mapping[str, int]
    calls: Mapping[tuple[str, str], int]
    waits: Mapping[tuple[str, str], int]
    sweeps: int
    swept: timedelta


#: The samples of a metric, by what was seen, and by the time at which they are asked for.
Reading = Callable[[Look, datetime], Iterable[Sample]]


def told(look: Look, now: datetime) -> Iterator[tuple[Metric, Iterable[Sample]]]:
    """All of them."""
    return ((metric, reading(look, now)) for metric, reading in METRICS)


def _value(value: Callable[[Look], float]) -> Reading:
    return lambda look, _: [Sample(value(look))]


def _moment(moment: Callable[[Look], datetime | None]) -> Reading:
    """As seconds since 1970; nothing where there is none."""
    return lambda look, _: [Sample(at.timestamp()) for at in [moment(look)] if at is not None]


def _by(values: Callable[[Look], Mapping[str, float]]) -> Reading:
    """One sample for each value of the label."""
    return _by_all(lambda look: {(name,): value for name, value in values(look).items()})


def _by_all(values: Callable[[Look], Mapping[Labels, float]]) -> Reading:
    """One for each of the values that several labels have together."""
    return lambda look, _: [Sample(value, labels) for labels, value in sorted(values(look).items())[:MOST]]


def _lanes(fate: Fate) -> Reading:
    return _by(lambda look: {lane: look.settled.get((fate, lane), 0) for lane in _LANES})


def _version(_look: Look, _now: datetime) -> Iterable[Sample]:
    return [Sample(1, (VERSION,))]


def _links(look: Look, _: datetime) -> Iterator[Sample]:
    for account, link in (("reader", look.vitals.link), ("bot", look.vitals.speaker)):
        if link is not None:
            yield from (Sample(link is state, (account, state)) for state in Link)


def _lag(look: Look, now: datetime) -> Iterable[Sample]:
    return [Sample(_ago(one.read_at, now), (one.name,)) for one in look.channels if one.read_at is not None]


def _oldest(look: Look, now: datetime) -> Iterable[Sample]:
    return [Sample(_ago(look.due or now, now))]


def _resting(look: Look, now: datetime) -> Iterable[Sample]:
    left = {method: -(now - until).total_seconds() for method, until in look.rests.items() if until > now}
    return [Sample(seconds, (method,)) for method, seconds in sorted(left.items())[:MOST]]


def _mute(look: Look, now: datetime) -> Iterable[Sample]:
    return [Sample(_ago(now, look.mute or now))]


def _ago(then: datetime, now: datetime) -> float:
    return max((now - then).total_seconds(), 0.0)


_ACCOUNT_METHOD = "account", "method"

METRICS: tuple[tuple[Metric, Reading], ...] = (
    (Metric("vedette_build_info", "Always 1; its label is the version that runs.", ("version",)), _version),
    (Metric("vedette_start_timestamp_seconds", "When the service began."), _moment(lambda look: look.vitals.started)),
    (Metric("vedette_look_timestamp_seconds", "When these figures were looked up."), _moment(lambda look: look.at)),
    (Metric("vedette_link", "1 for how an account stands with Telegram.", ("account", "state")), _links),
    (Metric("vedette_answer_timestamp_seconds", "When Telegram answered."), _moment(lambda look: look.vitals.answered)),
    (Metric("vedette_connections_total", "Connections.", ("account",)), _by(lambda look: look.connections)),
    (
        Metric("vedette_clock_skew_seconds", "How far the machine's clock is ahead, where that matters."),
        _value(lambda look: 0 if look.vitals.skew is None else look.vitals.skew.total_seconds()),
    ),
    (Metric("vedette_pass_timestamp_seconds", "Of then all is stored."), _moment(lambda look: look.vitals.passed)),
    (Metric("vedette_sweeps_total", "Sweeps that were answered."), _value(lambda look: look.sweeps)),
    (
        Metric("vedette_sweep_seconds_total", "How long these sweeps took together."),
        _value(lambda look: look.swept.total_seconds()),
    ),
    (Metric("vedette_readings_waiting", "Readings that wait for a turn."), _value(lambda look: look.vitals.waiting)),
    (Metric("vedette_channels_watched", "Channels that are watched."), _value(lambda look: look.watched)),
    (Metric("vedette_channels_refused", "Watched ones that cannot be read."), _value(lambda look: look.lost)),
    (Metric("vedette_channels_missing", "Channels that were not found yet."), _value(lambda look: look.missing)),
    (Metric("vedette_channel_lag_seconds", "How long ago nothing was known to be missing.", ("channel",)), _lag),
    (
        Metric("vedette_channel_behind", "Numbers that are known of and not stored.", ("channel",)),
        _by(lambda look: {one.name: one.missing for one in look.channels}),
    ),
    (Metric("vedette_posts_stored_total", "Messages of channels, as stored."), _value(lambda look: look.stored)),
    (Metric("vedette_matches_total", "Matches that were stored.", ("topic",)), _by(lambda look: look.matches)),
    (Metric("vedette_messages_sent_total", "Messages that stand in their chats.", ("lane",)), _lanes(Fate.SENT)),
    (Metric("vedette_messages_refused_total", "Messages that will not be sent.", ("lane",)), _lanes(Fate.GIVEN_UP)),
    (
        Metric("vedette_outbox_messages", "Messages that are still to be sent.", ("state",)),
        _by(lambda look: {fate: look.open.get(fate, 0) for fate in Fate if fate.open}),
    ),
    (Metric("vedette_outbox_oldest_seconds", "How long the message has waited that might go first."), _oldest),
    (Metric("vedette_edits_waiting", "Sent messages that may have to be edited."), _value(lambda look: look.edits)),
    (Metric("vedette_notices_total", "Notices for the operators."), _value(lambda look: look.notices)),
    (Metric("vedette_calls_total", "Calls to Telegram.", _ACCOUNT_METHOD), _by_all(lambda look: look.calls)),
    (
        Metric("vedette_flood_waits_total", "Waits that Telegram asked for.", _ACCOUNT_METHOD),
        _by_all(lambda look: look.waits),
    ),
    (Metric("vedette_flood_wait_seconds", "How long the method still rests.", ("method",)), _resting),
    (Metric("vedette_sending_rest_seconds", "How long an account still sends nothing."), _mute),
)
