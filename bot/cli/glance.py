"""How things stand, for a person: at a glance, what is worst first. The names in it come from strangers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bot.cli.status import shown
from bot.model import Channel
from bot.render.times import Times
from bot.render.words import counted
from bot.standing import Standing
from bot.terminal import one_line
from bot.vitals import STATUS, Code, Link, lasting

if TYPE_CHECKING:
    from bot.cli.beside import Seen
    from bot.cli.status import Status, Stored
    from bot.storage.addresses import Sought
    from bot.storage.outbox import Letter
    from bot.storage.overview import ChannelState

#: Channels that a person is shown, those that need a look first; more are counted.
SHOWN = 50
_DETAILS = 10
_NAME = 32
#: Budgets that last so long are worth a look; the others are full again before one has read that they are not.
_LONG = timedelta(hours=1)


def as_lines(found: Status, times: Times) -> Iterator[str]:
    """The form for a person, who reads local times."""
    folder, now = one_line(str(found.folder)), found.seen.now
    yield f"vedette is {_state(found.seen)} in {folder}"
    if found.stored is None:
        yield "  there is no database yet; `vedette run` makes it"
        return
    for name, said in _summary(found, found.stored, times):
        yield f"  {name:<9} {said}"
    if found.missing:
        sought = {one.written: one for one in found.stored.sought}
        yield "channels that are not found yet"
        yield from _first([_missing(name, sought.get(name), now, times) for name in found.missing])
    if found.watched:
        yield "channels"
        yield from _first([_told(one, found.stored.silent, now) for one in found.watched])
    if found.stored.notices:
        yield "what the operators were told last"
        for one in found.stored.notices:
            untold = "" if one.told else " (not told yet)"
            yield f"  {times.near(one.made)} · {one_line(one.notice.what)}{untold}"
            yield from (f"    {one_line(detail)}" for detail in one.notice.details[:_DETAILS])


def _state(seen: Seen) -> str:
    if not seen.running:
        return "not running"
    return "running" if seen.vitals is not None else "starting, or another of its commands is at work,"


def _summary(found: Status, stored: Stored, times: Times) -> Iterator[tuple[str, str]]:
    yield from _health(found.seen)
    yield from _telegram(found.seen, times)
    counts = {
        "watched": len(found.watched),
        "behind": sum(one.behind > 0 for one in found.watched),
        "refused": sum(one.refused is not None for one in found.watched),
        "not found yet": len(found.missing),
    }
    yield "channels", _counts(counts)
    yield "stored", f"{counted(stored.posts, 'post', 'posts')}, {counted(stored.matches, 'match', 'matches')}"
    yield from _messages(stored, found.seen.now, times)
    yield from _digests(stored.digests, found.seen.now, times)
    for method, until in stored.waits.items():
        yield "waits", f"Telegram takes no {one_line(method)} before {times.near(until)}"
    for one in stored.budgets:
        slower = f", at {one.share:.0%} of the pace" if one.share < 1 else ""
        if (one.used and one.span >= _LONG) or slower:
            yield (
                "budget",
                f"{one.used:,} of {one.most:,} {_CALLS.get(one.method, one.method)} in {lasting(one.span)}{slower}",
            )


#: What a person calls the calls that a budget of days is for.
_CALLS = {"channels.joinChannel": "joins", "contacts.resolveUsername": "look-ups of a name"}


def _health(seen: Seen) -> Iterator[tuple[str, str]]:
    """All that ails it; that it does not run stands above already."""
    reasons = [one for one in seen.reasons if one.code is not Code.NOT_RUNNING]
    for at, one in enumerate(reasons):
        what = one.what.partition(f"; {STATUS}")[0]  # which is what is being read here
        yield "" if at else "health", f"{one.severity} ({one.code}): {one_line(what)}"
    if not seen.reasons:
        yield "health", "healthy"


def _telegram(seen: Seen, times: Times) -> Iterator[tuple[str, str]]:
    if (vitals := seen.vitals) is None:
        return
    parts = [_LINKS[vitals.link]]
    if vitals.answered is not None:
        parts.append(f"answered {lasting(seen.now - vitals.answered)} ago")
    if vitals.passed is not None:
        parts.append(f"all read up to {lasting(seen.now - vitals.passed)} ago")
    yield "telegram", " · ".join([*parts, f"running since {times.near(vitals.started)}"])
    if vitals.speaker is not None:
        answered = vitals.speaker_answered
        ago = [] if answered is None else [f"answered {lasting(seen.now - answered)} ago"]
        yield "bot", " · ".join([_LINKS[vitals.speaker], *ago])


_LINKS = {
    Link.CONNECTING: "connecting",
    Link.UP: "connected",
    Link.SIGNED_OUT: "signed out",
    Link.TOO_OLD: "connected, but this version is too old for it",
}


def _messages(stored: Stored, now: datetime, times: Times) -> Iterator[tuple[str, str]]:
    soon = stored.next_message
    following = f"; the next may go {times.near(soon)}" if soon is not None and soon > now else ""
    outbox = {
        "waiting": stored.outbox["waits"],
        "tried without an answer": stored.outbox["tried"],
        "sent": stored.outbox["sent"],
        "refused": stored.outbox["refused"],
    }
    yield "messages", _counts(outbox) + following
    yield from _refused(stored.letters, now, times)
    for one in stored.held:
        to = one_line(str(one.destination))
        when = "until" if one.due > now else "due since"
        yield "held", f"{counted(one.posts, 'post', 'posts')} for {to} {when} {times.near(one.due)} ({one.reason})"


def _refused(letters: Sequence[Letter], now: datetime, times: Times) -> Iterator[tuple[str, str]]:
    """A line a chat and reason, of what was refused last."""
    alike: dict[tuple[str, str], list[Letter]] = {}
    for one in letters:
        alike.setdefault((str(one.destination), one.why), []).append(one)
    for (to, why), several in [*alike.items()][:_DETAILS]:
        oldest = lasting(now - min(one.made for one in several))
        again = min((one.again for one in several if one.again is not None), default=None)
        following = "not tried again" if again is None else f"tried again {times.near(again)}"
        count = counted(len(several), "message", "messages")
        yield "refused", f"{count} to {one_line(to)}, up to {oldest} old: {one_line(why)} · {following}"


def _digests(digests: Mapping[str, datetime], now: datetime, times: Times) -> Iterator[tuple[str, str]]:
    """When the next ones come: in one line where they come together."""
    together: dict[datetime, list[str]] = {}
    for chat, moment in digests.items():
        together.setdefault(moment, []).append(one_line(chat))
    for moment, chats in sorted(together.items()):
        yield "digest", f"{'due since' if moment <= now else 'next'} {times.near(moment)} to {', '.join(chats)}"


def _counts(counts: dict[str, int]) -> str:
    """The first count, and the others that are not 0."""
    return ", ".join(f"{count:,} {name}" for at, (name, count) in enumerate(counts.items()) if count or not at)


def _missing(name: str, sought: Sought | None, now: datetime, times: Times) -> str:
    name = one_line(shown(name))
    if sought is None or sought.why is None:
        return f"  {name:<{_NAME}}  not looked up yet"
    again = f" · tried again {times.near(sought.not_before)}" if sought.not_before > now else ""
    standing = "not found" if sought.standing is Standing.SOUGHT else sought.standing
    return f"  {name:<{_NAME}}  {standing}: {one_line(sought.why)}{again}"


def _told(one: ChannelState, silent: Mapping[int, datetime], now: datetime) -> str:
    """What is wrong with a channel, how many numbers are not read, and since when none was known to be missing."""
    parts = []
    if one.refused is not None:
        standing = one.standing if one.standing.lost else "cannot be read"
        parts.append(f"{standing}: {one_line(one.refused)}")
    if one.behind:
        parts.append(f"{one.behind:,} behind")
    if (last := silent.get(one.channel.id or 0)) is not None:
        parts.append(f"silent for {lasting(now - last)}, which is unusual")
    parts.append(f"read up to {lasting(now - one.read_at)} ago" if one.read_at else "not read yet")
    if one.refused is None and one.standing is not Standing.JOINED:
        parts.append(one.standing)
    if not one.history_read:
        parts.append("history not read yet")
    return f"  {_name(one.channel):<{_NAME}}  {' · '.join(parts)}"


def _name(channel: Channel) -> str:
    """A title may be long, and name another channel: the address is beside it where there is one."""
    address = f"@{channel.username}" if channel.username else channel.name
    title = one_line(channel.title or "")
    name = f"{address} {title}" if title else address
    return one_line(name if len(name) <= _NAME else f"{name[: _NAME - 1]}…")


def _first(lines: Sequence[str]) -> Iterator[str]:
    yield from lines[:SHOWN]
    if len(lines) > SHOWN:
        yield f"  … and {len(lines) - SHOWN:,} more"
