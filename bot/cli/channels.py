"""Channels as they are typed on the command line."""

from __future__ import annotations

from bot.errors import VedetteError
from bot.model import ChannelRef
from bot.terminal import one_line


def channel_typed(typed: str, what: str) -> ChannelRef:
    """The channel that was meant, as in a configuration; here a name may go without its @. ``what``: the argument."""
    from bot.config.references import NotAReference, channel_ref, is_suspect

    try:
        return channel_ref(typed)
    except NotAReference as error:
        try:
            return channel_ref(f"@{typed}")
        except NotAReference:
            shown = "" if is_suspect(typed) else f" {one_line(typed)}"
            raise VedetteError(f"{what}{shown}: {error}") from None
