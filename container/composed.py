"""compose.yaml as options of ``docker run`` or ``podman run``, so that what is proved is what it says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from container.engine import ROOT

SERVICE = "vedette"
#: Not about how the container is run, or not to be had without Compose.
_ELSEWHERE = {"build", "image", "restart", "stop_grace_period", "logging"}


def composed() -> dict[str, Any]:
    """The file as it stands."""
    read: dict[str, Any] = YAML(typ="safe").load((ROOT / "compose.yaml").read_text("utf-8"))
    return read


@dataclass(frozen=True, slots=True)
class Place:
    """Where one installation lies: the folder in which compose.yaml would stand, and the name of its volume."""

    folder: Path
    volume: str

    def options(self) -> tuple[str, ...]:
        """All that compose.yaml says of the service."""
        file = composed()
        return tuple(
            option
            for key, value in file["services"][SERVICE].items()
            if key not in _ELSEWHERE
            for option in self._of(key, value, file)
        )

    def _of(self, key: str, value: Any, file: Mapping[str, Any]) -> Iterator[str]:
        match key:
            case "environment":
                yield from (f"--env={name}={text}" for name, text in value.items())
            case "secrets":
                for name in value:
                    yield f"--volume={self.folder / file['secrets'][name]['file']}:/run/secrets/{name}:ro"
            case "volumes":
                yield from map(self._mounted, value)
            case "read_only":
                assert value is True
                yield "--read-only"
            case "tmpfs":
                yield from (f"--tmpfs={one}" for one in value)
            case "cap_drop":
                yield from (f"--cap-drop={one}" for one in value)
            case "security_opt":
                yield from (f"--security-opt={one.removesuffix(':true')}" for one in value)
            case "mem_limit":
                yield f"--memory={value}"
            case "pids_limit":
                yield f"--pids-limit={value}"
            case _:
                raise AssertionError(f"compose.yaml says {key}, which is not proved here")

    def _mounted(self, volume: Mapping[str, Any]) -> str:
        if volume["type"] == "volume":
            return f"--volume={self.volume}:{volume['target']}"
        mode = ":ro" if volume["read_only"] else ""
        return f"--volume={self.folder / volume['source']}:{volume['target']}{mode}"
