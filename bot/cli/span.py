"""A span of time as typed on the command line."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from bot.errors import VedetteError
from bot.model import Revision


class Span(NamedTuple):
    """From ``since`` on, up to but not with ``until``; None is open."""

    since: datetime | None
    until: datetime | None

    @classmethod
    def typed(cls, since: str | None, until: str | None, zone: ZoneInfo) -> Span:
        """Moments as ISO 8601, in the zone where they name none."""
        span = cls(_moment(since, "--since", zone), _moment(until, "--until", zone))
        if span.since is not None and span.until is not None and span.since >= span.until:
            raise VedetteError(f"--since {since} is not before --until {until}; nothing can lie between")
        return span

    def ending(self, revisions: Iterable[Revision]) -> Iterable[Revision]:
        """Those that happened before its end; what was before its beginning is for the replay to know of."""
        until = self.until
        return revisions if until is None else (revision for revision in revisions if revision.at < until)


def _moment(text: str | None, option: str, zone: ZoneInfo) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise VedetteError(
            f"{option} {text!r} is no date; write 2024-12-08, 2024-12-08T14:30 or 2024-12-08T14:30+03:00"
        ) from None
