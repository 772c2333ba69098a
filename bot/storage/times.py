"""Times as the tables hold them: whole microseconds since 1970, UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_integer(time: datetime) -> int:
    """Exact, whatever the zone of an aware time. TypeError for one without a zone."""
    return (time - _EPOCH) // _MICROSECOND


def from_integer(microseconds: int) -> datetime:
    """Aware, in UTC."""
    return _EPOCH + timedelta(microseconds=microseconds)


def to_integer_if(time: datetime | None) -> int | None:
    return None if time is None else to_integer(time)


def from_integer_if(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else from_integer(microseconds)
