"""Which lines a channel repeats under its posts. A value that learns post by post; knows nothing but texts.

Nearly half of real Russian news posts end in such a line («Подписаться», «Прислать новость»), often with
a keyword in it. A line is a footer once it has stood among the last lines of three posts of its channel;
a post's first line never is, so a siren that is repeated word for word stays a post.
"""

from __future__ import annotations

from collections import OrderedDict

#: Posts of a channel under which a line must have stood.
POSTS = 3
_LINES = 5
_LONGEST = 200
_REMEMBERED = 128


class Footers:
    def __init__(self) -> None:
        self._counts: dict[str, OrderedDict[str, int]] = {}

    def learn(self, channel: str, text: str) -> None:
        """Takes note of a new post's last lines. Edits are not to be learnt: they would count a line twice."""
        if "\n" not in text:
            return
        counts = self._counts.setdefault(channel, OrderedDict())
        for line in {line_key(line) for line in text.split("\n")[1:][-_LINES:]}:
            if line and len(line) <= _LONGEST:
                counts[line] = counts.pop(line, 0) + 1
        while len(counts) > _REMEMBERED:
            # The least repeated goes first, and of those the one not seen for longest.
            del counts[min(counts, key=counts.__getitem__)]

    def start(self, channel: str, text: str) -> int | None:
        """The code point at which the footer of this text begins; None when it has none."""
        counts = self._counts.get(channel)
        if not counts or "\n" not in text:
            return None
        return start_of({line for line, count in counts.items() if count >= POSTS}, text)


def start_of(footer: set[str], text: str) -> int | None:
    """The code point at which a text's trailing lines begin that are all in ``footer`` (as `line_key` has them)."""
    start, end = None, len(text)
    while (newline := text.rfind("\n", 0, end)) != -1 and any(line.strip() for line in text[:newline].split("\n")):
        line = line_key(text[newline + 1 : end])
        if line and line not in footer:
            break
        if line:
            start = newline + 1
        end = newline
    return start


def line_key(line: str) -> str:
    """What a line is equal to: letter case and spaces do not matter."""
    return " ".join(line.split()).casefold()
