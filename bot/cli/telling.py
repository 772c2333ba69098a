"""Messages as a person at a terminal reads them: each under a line that says when and where it goes out."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from bot.desk import Telling
from bot.model import Alert, Bundle, Digest
from bot.render.alert import alert
from bot.render.bundle import bundle
from bot.render.digest import digest
from bot.render.richtext import Message
from bot.render.times import Times
from bot.terminal import Style, one_line, shown


def as_text(telling: Telling, zone: ZoneInfo, style: Style) -> str:
    """The message under its heading; of an edit that only says where else a story ran, no more than that."""
    at = Times(zone, telling.at, telling.at).whole(telling.at)
    message = telling.message
    if isinstance(message, Alert) and telling.instead_of is not None:
        return _edit(telling.instead_of, message, at, zone, style)
    what, parts = _rendered(message, zone)
    heading = style.dim(f"──── {at} · {what} to {message.destination} ────")
    return "\n".join([heading, *(f"{shown(part.text, part.entities, style)}\n" for part in parts)]) + "\n"


def _rendered(message: Alert | Bundle | Digest, zone: ZoneInfo) -> tuple[str, list[Message]]:
    match message:
        case Alert():
            return "alert", [alert(message, zone)]
        case Bundle():
            return "alerts in one message", bundle(message, zone)
        case Digest():
            return "digest", digest(message, zone)


def _edit(before: Alert, now: Alert, at: str, zone: ZoneInfo, style: Style) -> str:
    """What became of an alert that was sent."""
    about = one_line(now.post.link or str(now.post.id)).removeprefix("https://")
    said = f"──── {at} · the alert to {now.destination} about {about}"
    if before.post == now.post and before.deleted == now.deleted:
        new = [carrier for carrier in now.also if carrier not in before.also]
        names = ", ".join(one_line(carrier.channel) for carrier in new)
        return style.dim(f"{said} now says: also in {names} ────") + "\n\n"
    rendered = alert(now, zone)
    return "\n".join([style.dim(f"{said} is edited ────"), shown(rendered.text, rendered.entities, style), "", ""])
