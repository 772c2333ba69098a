"""What builds and runs containers on this machine: a Docker engine that answers, else buildah and podman as root."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parent.parent
#: Where Debian and its kin keep the certificates that this machine trusts; a build trusts them too.
_TRUSTED = Path("/etc/ssl/certs/ca-certificates.crt")
#: Podman's defaults ask for more open files than a machine may grant, and for a runtime that not every one can use.
_CONFIG = """\
[containers]
default_ulimits = ["nofile=1024:{files}", "nproc=4096:4096"]
[engine]
{runtime}cgroup_manager = "cgroupfs"
events_logger = "file"
"""


class CannotError(Exception):
    """This machine can build or run no containers; the text says why, and what would help."""


class Done(NamedTuple):
    """How a command ended: its exit code, and what it wrote to either stream."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """``builder`` is the command that builds, up to the options of one build."""

    program: str
    builder: tuple[str, ...]
    environment: Mapping[str, str]

    def build(self, tag: str, *options: str) -> None:
        """Builds the Dockerfile of this project, in the place of what had this tag."""
        before = self.seen("image", "inspect", "--format={{.Id}}", tag).out
        words = (*self.builder, *options, "-t", tag, "-f", str(ROOT / "Dockerfile"), str(ROOT))
        done = subprocess.run(words, env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode:
            said = (done.stdout + done.stderr).splitlines()[-30:]
            raise AssertionError("\n".join(["the image cannot be built:", *said]))
        if before and before != self.seen("image", "inspect", "--format={{.Id}}", tag).out:
            self.seen("image", "rm", before.strip())

    def seen(self, *words: str) -> Done:
        """Runs a command to its end, while nothing else goes on."""
        done = subprocess.run(
            (self.program, *words), env=self.environment, capture_output=True, text=True, check=False, timeout=120
        )
        return Done(done.returncode, done.stdout, _said_inside(done.stderr))

    async def call(self, *words: str, said: str = "") -> Done:
        """Runs a command to its end; ``said`` is its standard input."""
        process = await asyncio.create_subprocess_exec(
            *(self.program, *words),
            env=self.environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await asyncio.wait_for(process.communicate(said.encode()), 120)
        return Done(process.returncode or 0, out.decode(), _said_inside(err.decode()))

    def looked_at(self, name: str) -> dict[str, Any]:
        """What the engine knows of an image or a container."""
        done = self.seen("inspect", name)
        assert done.code == 0, done.err
        found: dict[str, Any] = json.loads(done.out)[0]
        return found


def engine(cache: Path) -> Engine:
    """The one to be used; ``cache`` is a folder for what it needs. Raises CannotError."""
    if sys.platform != "linux":
        raise CannotError("containers see its loopback addresses only where they share its kernel, on Linux")
    if shutil.which("docker") and _answers("docker", "info", "--format", "{{.ServerVersion}}"):
        return Engine(program="docker", builder=("docker", "build"), environment=os.environ)
    missing = [name for name in ("buildah", "podman") if shutil.which(name) is None]
    if missing:
        are = "are" if len(missing) > 1 else "is"
        raise CannotError(f"no Docker engine answers, and {' and '.join(missing)} {are} not installed")
    if os.geteuid() != 0:
        raise CannotError("no Docker engine answers, and buildah and podman are used as root, which this user is not")
    trusted = ("-v", f"{_TRUSTED}:{_TRUSTED}:ro") if _TRUSTED.exists() else ()
    return Engine(
        program="podman",
        # An image in the OCI's own format has no health check; one of Docker's has.
        builder=(
            *("buildah", "build", "--isolation", "chroot", "--network", "host", "--format", "docker"),
            *("--layers", "--pull=never", *trusted),
        ),
        environment={"CONTAINERS_CONF": str(_configured(cache)), **os.environ},
    )


def _said_inside(text: str) -> str:
    """Without what podman says of itself where there is no systemd: that no timer will ask for the health."""
    lines = text.splitlines(keepends=True)
    return "".join(line for line in lines if not (line.startswith("time=") and "systemd connection" in line))


def _answers(*words: str) -> bool:
    """Whether a command does; one for a Docker engine that is away may also hang."""
    try:
        return subprocess.run(words, capture_output=True, check=False, timeout=10).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def _configured(cache: Path) -> Path:
    cache.mkdir(parents=True, exist_ok=True)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    runtime = 'runtime = "runc"\n' if shutil.which("runc") else ""
    file = cache / "containers.conf"
    file.write_text(_CONFIG.format(files=most, runtime=runtime), encoding="utf-8")
    return file
