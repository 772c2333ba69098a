"""Each locked package has a wheel for both architectures that the image is for: nothing has to be compiled."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from container.base_image import base
from container.engine import ROOT

pytestmark = pytest.mark.timeout(900)
#: The glibc of Debian bookworm, and the oldest that wheels of today are made for. https://peps.python.org/pep-0600/
_GLIBC, _OLDEST = 36, 17
#: As the kernel calls what Docker calls amd64 and arm64.
_ARCHITECTURES = ("x86_64", "aarch64")
#: Plain Python that comes as source alone, as the Dockerfile says.
_SOURCE_ALONE = "pyaes"


def locked(name: str) -> dict[str, str]:
    """The entries of a lock file by their packages, with their hashes; also those for other systems than this one."""
    text = (ROOT / name).read_text("utf-8")
    entries = re.finditer(r"^([a-z0-9-]+)==.*\n(?:[ \t]+.*\n)*", text, re.MULTILINE)
    return {one[1]: re.sub(r" ; .*(?= \\$)", "", one[0], count=1, flags=re.MULTILINE) for one in entries}


def missing(entries: dict[str, str], architecture: str, folder: Path) -> str:
    """What pip says where it cannot have all of these as wheels for the image's Python; nothing is installed."""
    file = folder / f"{architecture}.txt"
    file.write_text("".join(entries.values()), "utf-8")
    release = base().release
    tags = [f"manylinux_2_{minor}_{architecture}" for minor in range(_GLIBC, _OLDEST - 1, -1)]
    words = (
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--dry-run"),
        *("--no-deps", "--ignore-installed", "--only-binary=:all:", "--require-hashes", "--requirement", str(file)),
        *("--target", str(folder / "nowhere"), "--implementation=cp", f"--python-version={release}"),
        *(f"--abi=cp{release.replace('.', '')}", "--abi=abi3", "--abi=none"),
        *(f"--platform={tag}" for tag in (*tags, f"manylinux2014_{architecture}")),
    )
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=600)
    return "" if done.returncode == 0 else done.stderr


@pytest.mark.parametrize("architecture", _ARCHITECTURES)
@pytest.mark.parametrize("name", ["requirements.txt", "requirements-uk.txt", "requirements-notify.txt"])
@pytest.mark.usefixtures("runner")
def test_all_that_is_locked_comes_as_wheels(
    name: str, architecture: str, tmp_path: Path, figures: dict[str, str]
) -> None:
    entries = locked(name)
    del entries[_SOURCE_ALONE]
    if missing({"setuptools": entries["setuptools"]}, architecture, tmp_path):
        pytest.skip("no package index answers here")
    assert missing(entries, architecture, tmp_path) == ""
    figures[f"wheels of {name} for {architecture}"] = f"{len(entries)} of {len(entries)}"


@pytest.mark.usefixtures("runner")
def test_what_has_no_wheel_is_seen(tmp_path: Path) -> None:
    """Or the proof would prove nothing: there are none of this one at all."""
    entries = {one: locked("requirements.txt")[one] for one in ("setuptools", _SOURCE_ALONE)}
    said = missing(entries, "aarch64", tmp_path)
    if missing({"setuptools": entries["setuptools"]}, "aarch64", tmp_path):
        pytest.skip("no package index answers here")
    assert f"No matching distribution found for {_SOURCE_ALONE}" in said
