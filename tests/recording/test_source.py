"""Bytes, lines and gzip."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.errors import RecordingError
from bot.recording import source as module
from bot.recording.source import BrokenOff, Meter, Source, opened, size


def source(content: bytes, at_once: int | None = None) -> Source:
    file = io.BytesIO(content)
    return Source("a", (lambda _: file.read(at_once)) if at_once else file.read, Meter(0, None))


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("at_once", [1, 2, 7, None])
def test_lines_are_the_same_however_the_bytes_come(pack: Callable[[bytes], bytes], at_once: int | None) -> None:
    content = b"\xef\xbb\xbfa\n\nb\r\n\xd0\xa1\n\nlast"
    assert list(source(pack(content), at_once).lines()) == [b"a", b"", b"b\r", b"\xd0\xa1", b"", b"last"]


def test_nothing_has_no_lines() -> None:
    assert list(source(b"").lines()) == []
    assert list(source(b"\xef\xbb\xbf").lines()) == []
    assert list(source(gzip.compress(b"")).lines()) == []


def test_what_was_looked_at_is_still_read() -> None:
    bytes_ = source(b"a\nb\nc", at_once=2)
    assert bytes_.more()
    assert bytes_.head == b"a\nb\n"  # three bytes at least, to see a byte order mark
    assert b"".join(bytes_.chunks()) == b"a\nb\nc"


def test_a_line_too_long_is_none_and_the_next_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_LINE", 40_000)
    content = b"a\n" + b"x" * 200_000 + b"\nb\n" + b"y" * 200_000
    assert list(source(content).lines()) == [b"a", None, b"b", None]


def test_gzip_members_one_after_the_other_are_one_file_and_zeros_are_padding() -> None:
    packed = gzip.compress(b"a\n") + gzip.compress(b"b\n") + b"\0" * 600
    assert list(source(packed, at_once=5).lines()) == [b"a", b"b"]


def lines_of(packed: bytes) -> tuple[list[bytes | None], BrokenOff]:
    """The lines before the stream breaks off, which it has to."""
    lines: list[bytes | None] = []
    try:
        for line in source(packed).lines():
            lines.append(line)  # noqa: PERF402 - a list made at once would be lost with the exception
    except BrokenOff as broken:
        return lines, broken
    pytest.fail("the stream did not break off")


def test_a_gzip_cut_off_gives_what_came_before() -> None:
    plain = b"".join(b"line %d\n" % number for number in range(20_000))
    packed = gzip.compress(plain)
    lines, broken = lines_of(packed[: len(packed) // 2])
    assert len(lines) > 9_000
    assert lines == [b"line %d" % number for number in range(len(lines))]
    assert "the gzip stream breaks off" in str(broken)


def test_a_gzip_without_its_last_bytes_gives_every_line() -> None:
    lines, broken = lines_of(gzip.compress(b"a\nb")[:-4])
    assert lines == [b"a"]
    assert broken.rest == b"b"


def test_a_damaged_gzip_gives_what_stands_before_the_damage() -> None:
    compress = zlib.compressobj(wbits=31)
    before = compress.compress(b"".join(b"line %d\n" % n for n in range(1000))) + compress.flush(zlib.Z_FULL_FLUSH)
    lines, broken = lines_of(before + b"\xff" * 100)
    assert lines == [b"line %d" % number for number in range(1000)]
    assert "the gzip stream breaks off" in str(broken)


def test_a_disk_that_fails_breaks_the_file_off() -> None:
    contents = iter([b"a\nb\nc"])

    def read(_: int) -> bytes:
        for content in contents:
            return content
        raise OSError(5, "Input/output error")

    with pytest.raises(BrokenOff, match=r"cannot be read on \(Input/output error\)"):
        list(Source("a", read, Meter(0, None)).lines())


def test_a_missing_file_a_directory_and_nonsense_are_refused_with_what_would_be_right(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"none\.jsonl does not exist; give a recording"):
        size(tmp_path / "none.jsonl")
    with pytest.raises(RecordingError, match=r"is a directory; give the files in it, for example .*/\*\.jsonl\."):
        size(tmp_path)
    (tmp_path / "result.json").write_bytes(b"{}")
    with pytest.raises(RecordingError, match=r"is a directory; give .*result\.json\."):
        size(tmp_path)
    with pytest.raises(RecordingError, match="cannot be read"):
        size(tmp_path / "a\0b")
    with pytest.raises(RecordingError, match="cannot be read"):
        size(tmp_path / ("x" * 5000))


def test_a_file_without_permission_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"")
    monkeypatch.setattr("os.access", lambda *_: False)  # the tests may run as root, who may read everything
    with pytest.raises(RecordingError, match="permission denied; make it readable"):
        size(path)


def test_a_file_that_vanishes_before_it_is_opened_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="cannot be read: No such file"), opened(tmp_path / "a", Meter(0, None)):
        pass


def test_bytes_are_counted_as_they_lie_on_the_disk() -> None:
    packed = gzip.compress(b"line\n" * 100_000)
    meter = Meter(len(packed), None)
    assert sum(1 for _ in Source("a", io.BytesIO(packed).read, meter).lines()) == 100_000
    assert meter.done == len(packed)
