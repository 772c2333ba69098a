"""Which lines a channel repeats under its posts. A value that learns post by post.

Nearly half of real Russian news posts end in such a line («Подписаться», «Прислать новость»), often with
a keyword in it. A line is a footer once it has stood among the last lines of three posts of its channel;
a post's first line never is, so a siren that is repeated word for word stays a post.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from bot.model import Happening, Revision

#: Posts of a channel under which a line must have stood.
POSTS = 3
#: How many revisions a recording is read ahead, so that a channel's first footers are known for what they are.
AHEAD = 1000
_LINES = 5
_LONGEST = 200
_REMEMBERED = 256


class Footers:
    def __init__(self) -> None:
        #: Of each channel, how often lines stood there: by their hashes, for of 500 channels the texts take 50 MB.
        self._counts: dict[str, dict[int, int]] = {}
        self._footers: dict[str, set[int]] = {}

    def learn(self, channel: str, text: str) -> None:
        """Takes note of a new post's last lines. Edits are not to be learnt: they would count a line twice."""
        if "\n" not in text:
            return
        counts = self._counts.setdefault(channel, {})
        for line in dict.fromkeys(map(str.strip, text.rsplit("\n", _LINES)[1:])):
            if line and len(line) <= _LONGEST:
                key = line_key(line)
                counts[key] = count = counts.pop(key, 0) + 1
                if count == POSTS:
                    self._footers.setdefault(channel, set()).add(key)
        if len(counts) > _REMEMBERED:
            self._forget(channel)

    def start(self, channel: str, text: str) -> int | None:
        """The code point at which the footer of this text begins; None when it has none."""
        footer = self._footers.get(channel)
        return start_of(footer, text) if footer else None

    def _forget(self, channel: str) -> None:
        """Keeps the newer half of the lines."""
        kept = dict(list(self._counts[channel].items())[_REMEMBERED // 2 :])
        self._counts[channel] = kept
        self._footers[channel] = {line for line, count in kept.items() if count >= POSTS}


def learning(revisions: Iterable[Revision], footers: Footers) -> Iterator[Revision]:
    """The same revisions, each handed on when the footers of the next `AHEAD` have been learnt."""
    ahead: deque[Revision] = deque()
    for revision in revisions:
        if revision.happening is Happening.POSTED:
            footers.learn(revision.post.channel.key, revision.post.text)
        ahead.append(revision)
        if len(ahead) > AHEAD:
            yield ahead.popleft()
    yield from ahead


def start_of(footer: set[int], text: str) -> int | None:
    """The code point at which a text's trailing lines begin that are all in ``footer`` (as `line_key` has them)."""
    start, end = None, len(text)
    while (newline := text.rfind("\n", 0, end)) != -1:
        line = text[newline + 1 : end].strip()
        if line:
            if line_key(line) not in footer or not text[:newline].strip():
                break
            start = newline + 1
        end = newline
    return start


def line_key(line: str) -> int:
    """What is the same for equal lines of one process, whatever spaces stand around them."""
    return hash(line.strip())
