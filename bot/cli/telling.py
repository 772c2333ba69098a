"""Messages as a person at a terminal reads them: each under a line that says when and where it goes out."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple
from zoneinfo import ZoneInfo

from bot.desk import Telling
from bot.model import Alert, Bundle, Digest
from bot.render.alert import alert
from bot.render.bundle import bundle
from bot.render.digest import digest
from bot.render.richtext import Message
from bot.render.times import Times
from bot.terminal import Style, headed, one_line


def as_text(telling: Telling, zone: ZoneInfo, style: Style) -> str:
    """The message under its heading; of an edit that only says where else a story ran, no more than that."""
    at = Times(zone, telling.at, telling.at).whole(telling.at)
    where = telling.message.destination
    if telling.instead_of is not None and (news := _carried(telling.instead_of, telling.message)):
        said = (
            f"edit: the {_WHAT[type(telling.message)]} to {where} about {news.about}: also in {', '.join(news.names)}"
        )
        return style.dim(f"──── {at} · {said} ────") + "\n\n"
    what = ("" if telling.instead_of is None else "edit: the ") + _WHAT[type(telling.message)]
    parts = _rendered(telling.message, zone)
    rendered = []
    for number, part in enumerate(parts, 1):
        of = f", part {number} of {len(parts)}" if len(parts) > 1 else ""
        rendered.append(headed(f"{at} · {what}{of} to {where}", part.text, part.entities, style))
    return "".join(rendered)


_WHAT = {Alert: "alert", Bundle: "alerts in one message", Digest: "digest"}


def _rendered(message: Alert | Bundle | Digest, zone: ZoneInfo) -> list[Message]:
    match message:
        case Alert():
            return [alert(message, zone)]
        case Bundle():
            return [part.message for part in bundle(message, zone)]
        case Digest():
            return digest(message, zone)


class _News(NamedTuple):
    about: str
    names: list[str]


def _carried(before: Alert | Bundle, now: Alert | Bundle | Digest) -> _News | None:
    """The channels that an edit adds to one story, where that is all that it does."""
    if isinstance(before, Bundle) and isinstance(now, Bundle):
        pairs = zip(before.alerts, now.alerts, strict=True)
        changed = [(old, new) for old, new in pairs if old is not new and old != new]
        return _carried(*changed[0]) if len(changed) == 1 else None
    if not isinstance(before, Alert) or not isinstance(now, Alert) or replace(now, also=before.also) != before:
        return None
    known = set(before.also)
    about = one_line(now.post.link or str(now.post.id)).removeprefix("https://")
    names = [one_line(carrier.channel) for carrier in now.also if carrier not in known and not carrier.deleted]
    return _News(about, names) if names else None
