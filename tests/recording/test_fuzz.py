"""Whatever stands in a file: it ends in revisions and problems, never in an exception."""

from __future__ import annotations

import gzip
import json
import os
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.errors import RecordingError
from bot.model import Problem, Revision
from bot.recording.reader import read

pytestmark = pytest.mark.fuzz
cases = settings(max_examples=int(os.environ.get("VEDETTE_CASES", "150")), deadline=None)

ROOT = Path(__file__).parents[2]
LINES = [
    line
    for path in (*sorted((ROOT / "bot/demo").glob("*.jsonl")), ROOT / "tests/recordings/edits.jsonl")
    for line in path.read_bytes().splitlines()
]
EXPORT = (ROOT / "tests/recordings/zastava_export/result.json").read_bytes()
START = datetime(2024, 12, 8, tzinfo=UTC)

KEYS = st.sampled_from(
    [
        "channel",
        "id",
        "date",
        "text",
        "entities",
        "views",
        "forwards",
        "edit_date",
        "deleted",
        "fwd_from",
        "grouped_id",
        "reply_to",
        "media",
        "protected",
        "url",
        "username",
        "title",
        "name",
        "post",
        "type",
        "offset",
        "length",
        "kind",
        "file_name",
        "messages",
        "chats",
        "list",
        "date_unixtime",
        "poll",
        "question",
        "answers",
        "text_entities",
        "href",
        "photo",
        "file",
        "media_type",
        "forwarded_from",
        "forwarded_from_id",
    ]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(1 << 70), 1 << 70)
    | st.floats()
    | st.text(st.characters(), max_size=20)
    | st.datetimes().map(lambda date: date.isoformat() + "+00:00")
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6), max_leaves=12
)


def told(*files: bytes) -> tuple[list[Revision], list[Problem]]:
    """What these files tell; what goes wrong besides problems and a refused file is a defect."""
    problems: list[Problem] = []
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, f"{number}") for number in range(len(files))]
        for path, content in zip(paths, files, strict=True):
            path.write_bytes(content)
        revisions = list(read(paths, problems.append))
    for revision in revisions:
        assert revision.post.id.channel
        assert revision.post.parts()
        assert revision.post.text.encode("utf-16-le") is not None
    return revisions, problems


def survives(*files: bytes) -> None:
    try:
        told(*files)
    except RecordingError as error:
        assert "export a single chat" in str(error)  # noqa: PT017 - only sometimes raised


@cases
@given(st.binary(max_size=300))
@example(b"\x1f\x8b")
@example(b'{"messages": [')
@example(b"{" * 70_000)
def test_random_bytes(content: bytes) -> None:
    survives(content)
    survives(gzip.compress(content))


@cases
@given(st.lists(VALUES, max_size=5), st.booleans())
def test_random_json(values: list[object], ascii_: bool) -> None:  # noqa: FBT001
    lines = [json.dumps(value, ensure_ascii=ascii_).encode("utf-8", "surrogatepass") for value in values]
    survives(b"\n".join(lines))
    survives(json.dumps({"messages": values, "id": values}).encode())
    survives(b'{"id": 5,\n"messages": [' + b",".join(lines))


@cases
@given(st.data())
def test_good_lines_with_one_value_replaced(data: st.DataObject) -> None:
    lines = []
    for raw in data.draw(st.lists(st.sampled_from(LINES), min_size=1, max_size=6)):
        line = json.loads(raw)
        line[data.draw(KEYS)] = data.draw(VALUES)
        lines.append(json.dumps(line).encode())
    survives(b"\n".join(lines))


@cases
@given(st.data())
def test_good_messages_with_one_value_replaced(data: st.DataObject) -> None:
    export = json.loads(EXPORT)
    export["messages"] = data.draw(st.lists(st.sampled_from(export["messages"]), max_size=6))
    for message in export["messages"]:
        message[data.draw(KEYS)] = data.draw(VALUES)
    survives(json.dumps(export).encode())


@cases
@given(st.data())
def test_good_files_with_bytes_replaced(data: st.DataObject) -> None:
    lines = data.draw(st.lists(st.sampled_from(LINES), min_size=1, max_size=4))
    for plain in (b"\n".join(lines), EXPORT[:4000]):
        content = gzip.compress(plain) if data.draw(st.booleans()) else plain
        at = data.draw(st.integers(0, len(content)))
        survives(content[:at] + data.draw(st.binary(max_size=8)) + content[at + data.draw(st.integers(0, 8)) :])


@st.composite
def recordings(draw: st.DrawFn) -> list[bytes]:
    """A recording in order: posts, edits, deletions and albums of two channels, every line at a moment of its own."""
    lines: list[bytes] = []
    posts: list[dict[str, object]] = []
    for second in range(draw(st.integers(1, 25))):
        at = (START + timedelta(seconds=7 * second)).isoformat()
        change = draw(st.sampled_from(["post", "post", "album", "edit", "delete", "again"]))
        living = [post for post in posts if "deleted" not in post]
        if change in ("post", "album") or not living:
            channel = draw(st.sampled_from(["one_demo", "two_demo"]))
            post: dict[str, object] = {"channel": channel, "id": second, "date": at, "text": f"текст {second}"}
            if change == "album":
                post["grouped_id"] = draw(st.integers(1, 3))
            posts.append(post)
        else:
            post = draw(st.sampled_from(living))
            if change == "edit":
                post |= {"edit_date": at, "text": f"правка {second}"}
            elif change == "delete":
                post["deleted"] = at
        lines.append(json.dumps(post).encode())
    return lines


@cases
@given(recordings(), st.data())
def test_a_recording_in_several_files_tells_what_it_tells_in_one(lines: list[bytes], data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(lines)), max_size=3)))
    files = [b"\n".join(lines[start:end]) for start, end in zip([0, *cuts], [*cuts, len(lines)], strict=True)]
    assert told(*files) == told(b"\n".join(lines))


@cases
@given(recordings(), st.data())
def test_files_that_overlap_tell_what_one_tells(lines: list[bytes], data: st.DataObject) -> None:
    overlaps = st.tuples(st.integers(0, len(lines)), st.integers(0, len(lines)))
    parts = [lines[start:end] for start, end in data.draw(st.lists(overlaps, max_size=3))]
    assert told(b"\n".join(lines), *(b"\n".join(part) for part in parts)) == told(b"\n".join(lines))


@cases
@given(st.lists(st.sampled_from(LINES), max_size=12), st.lists(st.sampled_from(LINES), max_size=12))
def test_reading_twice_tells_the_same(one: list[bytes], other: list[bytes]) -> None:
    files = b"\n".join(one), b"\n".join(other)
    assert told(*files)[0] == told(*files)[0]


@cases
@given(st.lists(st.integers(0, 3), min_size=1, max_size=20))
def test_equal_moments_stay_in_the_order_of_the_files(minutes: list[int]) -> None:
    files: list[list[bytes]] = [[], [], []]
    expected = []
    for file in range(3):
        for number, minute in enumerate(sorted(minutes)):
            at = (START + timedelta(minutes=minute)).isoformat()
            channel = f"file_{file}"
            files[file].append(json.dumps({"channel": channel, "id": number, "date": at}).encode())
            expected.append((minute, file, number))
    revisions, problems = told(*(b"\n".join(file) for file in files))
    assert problems == []
    found = [(int(each.post.channel.name[-1]), each.post.number) for each in revisions]
    assert found == [(file, number) for _, file, number in sorted(expected)]
