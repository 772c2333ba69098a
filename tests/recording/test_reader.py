"""Recordings as a whole: several files, every way to hand them over, and what is wrong with them."""

from __future__ import annotations

import gzip
import io
import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.errors import RecordingError
from bot.model import Happening, Problem, Revision
from bot.recording.reader import read

Told = Callable[..., tuple[list[Revision], list[Problem]]]
Row = Callable[..., dict[str, object]]
Write = Callable[..., Path]

ROOT = Path(__file__).parents[2]
DEMO = sorted((ROOT / "bot" / "demo").glob("*.jsonl"))
RECORDINGS = ROOT / "tests" / "recordings"


class Stdin:
    """Standard input that holds some bytes."""

    def __init__(self, content: bytes) -> None:
        self.buffer = io.BytesIO(content)


def test_the_demo_is_read_without_a_problem_and_in_order(told: Told) -> None:
    revisions, problems = told(*DEMO)
    assert problems == []
    moments = [revision.at for revision in revisions]
    assert moments == sorted(moments)
    ids = [revision.post.id for revision in revisions if revision.happening is Happening.POSTED]
    assert len(ids) == len(set(ids))
    assert {revision.post.id for revision in revisions} == set(ids)
    assert sum(revision.happening is Happening.EDITED for revision in revisions) == 6
    assert sum(revision.happening is Happening.DELETED for revision in revisions) == 3


def test_bad_lines_are_skipped_and_named_and_the_good_ones_stay(told: Told) -> None:
    path = RECORDINGS / "bad.jsonl"
    revisions, problems = told(path)
    assert [revision.post.number for revision in revisions] == [1, 15]
    assert revisions[1].post.text.count("\ufffd") == 1
    assert [problem.where for problem in problems] == [f"{path}:{number}" for number in (*range(2, 7), *range(8, 15))]
    assert {problem.kind for problem in problems} == {"skipped"}
    assert str(problems[3]) == f'{path}:5: id must be a whole number, here it is "5"'


def test_lines_no_file_should_hold_are_problems_and_no_exceptions(told: Told, write: Write, line: Row) -> None:
    nested = b'{"channel": "x_demo", "id": 1, "date": "2024-12-08T01:00:00+00:00", "text": %s}'
    path = write(
        line(1),
        nested % (b"[" * 50_000 + b"]" * 50_000),
        nested % (b'"a\x00b"'),
        nested % (b"9" * 5_000),
        nested % (b'"' + b"x" * 20_000_000 + b'"'),
        b"\xff\xfe" * 100,
        b"",
        b" \t\r",
        line(2),
    )
    revisions, problems = told(path)
    assert [revision.post.number for revision in revisions] == [1, 2]
    assert [problem.where for problem in problems] == [f"{path}:{number}" for number in range(2, 7)]
    assert "longer than 16 MB" in problems[3].why


def test_a_post_of_many_megabytes_is_a_post(told: Told, write: Write, line: Row) -> None:
    revisions, problems = told(write(line(1, text="x" * 10_000_000)))
    assert len(revisions[0].post.text) == 10_000_000
    assert problems == []


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\r\n"])
def test_an_empty_file_tells_nothing(told: Told, tmp_path: Path, content: bytes) -> None:
    for packed in (content, gzip.compress(content)):
        path = tmp_path / "a.jsonl"
        path.write_bytes(packed)
        assert told(path) == ([], [])


def test_gzip_is_known_by_its_bytes_and_not_by_its_name(told: Told, tmp_path: Path) -> None:
    plain = DEMO[0].read_bytes()
    misnamed, unnamed = tmp_path / "a.jsonl.gz", tmp_path / "b.jsonl"
    misnamed.write_bytes(plain)
    unnamed.write_bytes(gzip.compress(plain))
    assert told(misnamed) == told(unnamed) == told(DEMO[0])


def test_windows_marks_and_line_ends_change_nothing(told: Told, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + DEMO[0].read_bytes().replace(b"\n", b"\r\n"))
    assert told(path) == told(DEMO[0])


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("indent", [None, 1])
def test_an_export_reads_the_same_in_every_dress(
    told: Told, tmp_path: Path, pack: Callable[[bytes], bytes], indent: int | None
) -> None:
    export = RECORDINGS / "zastava_export" / "result.json"
    value = json.loads(export.read_bytes())
    path = tmp_path / "any.name"
    path.write_bytes(pack(b"\xef\xbb\xbf" + json.dumps(value, indent=indent, ensure_ascii=False).encode() + b"\n"))
    assert told(path) == told(export)


def test_a_gzip_cut_off_tells_what_came_before_and_one_problem(told: Told, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(DEMO[0].read_bytes())[:-4])
    revisions, problems = told(path)
    assert revisions == told(DEMO[0])[0]
    (problem,) = problems
    assert problem.kind == "skipped"
    lines = DEMO[0].read_bytes().count(b"\n")
    assert str(problem).startswith(f"{path}:{lines + 1}: the gzip stream breaks off")


def test_the_last_line_of_a_gzip_cut_off_counts_if_it_is_whole(told: Told, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(DEMO[0].read_bytes().rstrip())[:-4])
    assert told(path)[0] == told(DEMO[0])[0]


def test_an_export_in_a_gzip_cut_off_tells_what_came_before(told: Told, tmp_path: Path) -> None:
    path = tmp_path / "result.json.gz"
    path.write_bytes(gzip.compress((RECORDINGS / "zastava_export" / "result.json").read_bytes())[:-4])
    revisions, problems = told(path)
    assert len(revisions) == 24
    assert str(problems[-1]).startswith(f"{path}: message 29: the gzip stream breaks off")


@pytest.mark.parametrize(
    "packed", [b"\x1f\x8b", b"\x1f\x8b\x08garbage that is no gzip at all", gzip.compress(b"", mtime=0)[:-1]]
)
def test_a_gzip_that_never_begins_is_one_problem(told: Told, tmp_path: Path, packed: bytes) -> None:
    path = tmp_path / "a"
    path.write_bytes(packed)
    revisions, (problem,) = told(path)
    assert revisions == []
    assert str(problem).startswith(f"{path}:1: the gzip stream breaks off")


def test_a_file_that_cannot_be_read_is_refused_at_the_call(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="does not exist"):
        read([DEMO[0], tmp_path / "none"], lambda _: None)
    with pytest.raises(RecordingError, match="is a directory"):
        read([DEMO[0], tmp_path], lambda _: None)
    with pytest.raises(RecordingError, match="only once"):
        read([Path("-"), Path("-")], lambda _: None)


def test_an_account_is_refused_before_the_first_revision_of_any_file(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text('{"chats": {"list": []}}')
    with pytest.raises(RecordingError, match="export a single chat"):
        next(read([DEMO[0], path], lambda _: None))


def test_no_file_at_all_tells_nothing(told: Told) -> None:
    assert told() == ([], [])


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_dash_is_standard_input(told: Told, monkeypatch: pytest.MonkeyPatch, pack: Callable[[bytes], bytes]) -> None:
    for path in (DEMO[0], RECORDINGS / "zastava_export" / "result.json"):
        monkeypatch.setattr(sys, "stdin", Stdin(pack(path.read_bytes())))
        assert told(Path("-"))[0] == told(path)[0]
    monkeypatch.setattr(sys, "stdin", Stdin(b"x\n"))
    assert str(told(Path("-"))[1][0]).startswith("-:1: not JSON")


def test_a_closed_standard_input_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(RecordingError, match="Standard input is closed"):
        next(read([Path("-")], lambda _: None))


def test_a_pipe_tells_each_line_while_it_is_still_open(tmp_path: Path, line: Row) -> None:
    """Two lines suffice to see the first: the reader must not wait for a full buffer."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    seen = threading.Event()

    def write_slowly() -> None:
        with path.open("wb", buffering=0) as pipe:
            pipe.write(json.dumps(line(1)).encode() + b"\n" + json.dumps(line(2)).encode() + b"\n")
            seen.wait(10)

    writer = threading.Thread(target=write_slowly)
    writer.start()
    totals: list[tuple[int, int]] = []
    revisions = read([path], lambda _: None, lambda done, total: totals.append((done, total)))
    try:
        assert next(revisions).post.number == 1
        assert not seen.is_set()
    finally:
        seen.set()
    assert len(list(revisions)) == 1
    writer.join()
    assert [total for _, total in totals] == [0]


def test_progress_counts_the_bytes_on_the_disk(write: Write, line: Row) -> None:
    plain = write(*(line(number) for number in range(2_500)))
    bad = write(*([b"x"] * 2_500), name="bad.jsonl")
    packed = plain.with_suffix(".gz")
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    total = sum(path.stat().st_size for path in (plain, bad, packed))
    calls: list[tuple[int, int]] = []
    for _ in read([plain, bad, packed], lambda _: None, lambda done, all_: calls.append((done, all_))):
        pass
    assert len(calls) == 8
    assert {all_ for _, all_ in calls} == {total}
    assert [done for done, _ in calls] == sorted(done for done, _ in calls)
    assert calls[-1] == (total, total)


def test_at_equal_moments_the_file_given_first_leads(told: Told, write: Write, line: Row) -> None:
    first = write(*(line(number, channel="a_demo") for number in range(3)), name="a")
    second = write(*(line(number, channel="b_demo") for number in range(3)), name="b")
    for files in ((first, second), (second, first)):
        order = [revision.post.channel.name for revision in told(*files)[0]]
        assert order == [f"{file.name}_demo" for file in files for _ in range(3)]


def test_files_that_overlap_are_told_once(told: Told, tmp_path: Path) -> None:
    lines = DEMO[0].read_bytes().splitlines(keepends=True)
    parts = [lines[:6], lines[2:], lines]
    paths = [tmp_path / f"{number}.jsonl" for number in range(3)]
    for path, part in zip(paths, parts, strict=True):
        path.write_bytes(b"".join(part))
    assert told(*paths) == told(DEMO[0])


def test_an_export_and_a_recording_of_one_channel_are_one_channel(told: Told, write: Write) -> None:
    export = RECORDINGS / "zastava_export" / "result.json"
    recorded = [
        {
            "channel": {"id": -1001900000014, "username": "dezhurka_demo"},
            "id": revision.post.number,
            "date": revision.post.date.isoformat(),
            "text": revision.post.text,
        }
        for revision in told(export)[0]
    ]
    assert len(told(export, write(*recorded))[0]) == 24


def test_reading_may_be_left_in_the_middle(write: Write, line: Row) -> None:
    revisions: Iterator[Revision] = read([write(line(1), line(2))], lambda _: None)
    assert next(revisions).post.number == 1
    del revisions  # warnings are errors: a file left open would be one
