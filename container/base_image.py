"""The image that ours is made from: the one that is there, else the official one, else a likeness of it.

The likeness is for machines that reach Debian's packages and no registry of images: Debian's smallest system and a
CPython of the same release, which lies on this machine (``BASE_PYTHON``, or pyenv's). It proves the Dockerfile, and not
what the official image is made of.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from container.engine import ROOT, CannotError, Engine

#: Of Debian: what CPython's own libraries are linked to, and what the official image holds beside it.
_PACKAGES = (
    *("ca-certificates", "netbase", "tzdata", "libbz2-1.0", "libcrypt1", "libexpat1", "libffi8"),
    *("liblzma5", "libncursesw6", "libnsl2", "libreadline8", "libsqlite3-0", "libssl3", "libtirpc3", "libuuid1"),
    "zlib1g",
)
#: Not in the official image either.
_LEFT_OUT = (
    "__pycache__",
    "lib/python*/test",
    "lib/python*/config-*",
    "idlelib",
    "turtledemo",
    "lib/python*/site-packages/*",
)
_UNREAD = ("man", "doc", "locale")
#: A package that has done its work brings all of Perl; another one stands for it. https://wiki.debian.org/UsrMerge
_FINISHING = (
    'chroot "$1" apt-get install --yes --quiet usr-is-merged usrmerge-',
    'chroot "$1" apt-get purge --yes --quiet --auto-remove usrmerge "perl-modules-5.*" "libperl5.*"',
    'rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/* "$1"/var/log/*',
)


class Base(NamedTuple):
    """What stands behind FROM: ``python:RELEASE-slim-DEBIAN``."""

    name: str
    release: str
    debian: str


def base() -> Base:
    """The one that the Dockerfile names, in both of its stages."""
    found = set(
        re.findall(r"^FROM (python:([0-9.]+)-slim-(\w+))", (ROOT / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    )
    assert len(found) == 1, f"one base image for both stages: {found}"
    return Base(*found.pop())


def provide(engine: Engine, cache: Path) -> None:
    """Sees that the base image is there. A Docker engine sees to it by itself. Raises CannotError."""
    wanted = base()
    here = f"localhost/{wanted.name}"
    if engine.program == "docker" or engine.seen("image", "exists", here).code == 0:
        return
    official = f"docker.io/library/{wanted.name}"
    if engine.seen("pull", "--quiet", official).code == 0:
        engine.seen("tag", official, here)
        return
    if shutil.which("mmdebstrap") is None:
        raise CannotError(f"{official} cannot be pulled, and mmdebstrap is not installed to make a likeness of it")
    _made(engine, wanted, here, cache)


def _made(engine: Engine, wanted: Base, tag: str, cache: Path) -> None:
    archive, tree = cache / f"{wanted.debian}.tar", cache / "python"
    if not archive.exists():
        _debian(wanted.debian, archive)
    _python(_prefix(wanted.release), wanted.release, tree)
    _run(engine, "podman", "import", "--quiet", *_changes(), str(archive), f"{tag}-debian")
    (cache / "Dockerfile").write_text(
        f"FROM {tag}-debian\nCOPY python /usr/local\n"
        "RUN ldconfig && export PYTHONDONTWRITEBYTECODE=1 && python -m ensurepip && ln -sf pip3 /usr/local/bin/pip"
        " && pip install --no-compile --no-cache-dir --upgrade pip\n",
        encoding="utf-8",
    )
    _run(engine, *engine.builder, "-t", tag, str(cache))
    shutil.rmtree(tree)


def _changes() -> tuple[str, ...]:
    path = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
    return ("--change", f"ENV PATH={path}", "--change", "ENV LANG=C.UTF-8", "--change", "CMD python3")


def _debian(name: str, archive: Path) -> None:
    part = archive.with_suffix(".part.tar")
    _run(
        None,
        *("mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(_PACKAGES)}"),
        *(f"--dpkgopt=path-exclude=/usr/share/{one}/*" for one in _UNREAD),
        *(f"--customize-hook={one}" for one in _FINISHING),
        *(name, str(part)),
    )
    part.rename(archive)


def _prefix(release: str) -> Path:
    """Where a CPython of this release lies that still runs when it is moved."""
    if named := os.environ.get("BASE_PYTHON"):
        return Path(named)
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    if found := sorted(versions.glob(f"{release}.*")):
        return found[-1]
    raise CannotError(f"no CPython {release} is here to make a likeness of the base image; name one in BASE_PYTHON")


def _python(prefix: Path, release: str, tree: Path) -> None:
    shutil.rmtree(tree, ignore_errors=True)
    leave = [f"--exclude={pattern}" for pattern in _LEFT_OUT]
    tree.mkdir(parents=True)
    archive = subprocess.run(
        ("tar", "-C", prefix, *leave, "-cf", "-", "bin", "include", "lib"), capture_output=True, check=True
    )
    subprocess.run(("tar", "-C", tree, "-xf", "-"), input=archive.stdout, check=True)
    programs = tree / "bin"
    for script in (*programs.glob("pip*"), *programs.glob("idle*"), *programs.glob("*-gdb.py")):
        script.unlink()
    for link, target in (("python3", f"python{release}"), ("python", "python3")):
        (programs / link).unlink(missing_ok=True)
        (programs / link).symlink_to(target)
    libraries = [str(file) for file in (programs / f"python{release}", *tree.rglob("*.so*")) if not file.is_symlink()]
    if shutil.which("strip"):
        subprocess.run(("strip", "--strip-unneeded", *libraries), capture_output=True, check=False)


def _run(engine: Engine | None, *words: str) -> None:
    environment = None if engine is None else engine.environment
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stdout + done.stderr).splitlines()[-5:]
        raise CannotError("\n".join([f"no base image: {words[0]} failed", *said]))
