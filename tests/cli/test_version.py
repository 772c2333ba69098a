"""``vedette --version``."""

from __future__ import annotations

import tomllib

from tests.cli.conftest import ROOT, Vedette


def test_the_version_is_that_of_the_package(vedette: Vedette) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    ran = vedette("--version")
    assert (ran.code, ran.out, ran.err) == (0, f"vedette {project['version']}\n", "")
