"""How an account stands with a channel: found or not, let in or not, able to read it or not."""

from __future__ import annotations

from enum import StrEnum


class Standing(StrEnum):
    """With a channel, or with a reference that leads to none yet. The words are for people."""

    SOUGHT = "sought"  # not found yet
    ASKED = "asked to be let in"  # waits until its administrators say so
    JOINED = "joined"
    POLLED = "polled"  # read without being in it
    PRIVATE = "private"
    BANNED = "banned"  # the account was thrown out
    GONE = "gone"
    NEEDS_PERSON = "needs a person"
    REFUSED = "refused"  # no access for another reason

    @property
    def lost(self) -> bool:
        """Whether nothing can be read in this standing: the account has to be let in, or there is nothing any more."""
        return self in (Standing.PRIVATE, Standing.BANNED, Standing.GONE, Standing.REFUSED)
