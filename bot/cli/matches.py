"""A match as one line of JSON, the same for whoever prints it: replay, run and export (contract, section 2)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from bot.judge import Judgement
from bot.model import Reason

if TYPE_CHECKING:
    from bot.storage.archive import ArchivedMatch


def as_json(judged: Iterable[Judgement]) -> Iterator[str]:
    """Each match that was judged once."""
    for judgement in judged:
        post = judgement.revision.post
        for decision in judgement.decisions:
            match = decision.match
            yield _line(
                channel=post.channel.name,
                id=post.number,
                date=post.date.isoformat(),
                topic=match.topic,
                keywords=list(match.keywords),
                hits=[hit.as_json() for hit in match.hits],
                reason=decision.reason,
            )


def as_line(found: ArchivedMatch) -> str:
    """A match that was stored."""
    return _line(
        channel=found.channel.name,
        id=found.number,
        date=found.date.isoformat(),
        topic=found.topic,
        keywords=found.keywords,
        hits=found.hits,
        reason=found.reason,
    )


def _line(*, reason: Reason, **found: object) -> str:
    line = {**found, "decision": reason.verdict.value, "reason": reason.value}
    return json.dumps(line, ensure_ascii=False) + "\n"
