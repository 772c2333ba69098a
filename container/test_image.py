"""What is in the image, and what is not."""

from __future__ import annotations

import json

import pytest

from container.engine import Engine

pytestmark = pytest.mark.timeout(900)
_HARDENED = ("--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--network=none")


def inside(runner: Engine, image: str, code: str) -> str:
    """What Python code prints in a container of the image."""
    done = runner.seen("run", "--rm", *_HARDENED, "--entrypoint=python", image, "-c", code)
    assert done.code == 0, done.err
    return done.out.strip()


def test_it_is_under_200_mb(runner: Engine, image: str, figures: dict[str, str]) -> None:
    size = runner.looked_at(image)["Size"] / 1e6
    figures["image"] = f"{size:.0f} MB"
    assert size < 200


def test_what_it_says_of_itself(runner: Engine, image: str) -> None:
    found = runner.looked_at(image)["Config"]
    assert found["User"] == "10001:10001"
    assert list(found["Volumes"]) == ["/data"]
    assert found["Entrypoint"] == ["tini", "-e", "143", "--", "python", "-m", "bot"]
    assert found["Cmd"] == ["run"]
    labels = {key.removeprefix("org.opencontainers.image."): value for key, value in found["Labels"].items()}
    assert labels["title"] == "vedette"
    assert (labels["version"], labels["revision"]) == ("0.0.0+test", "0123abc")


def test_its_health_check_needs_no_shell(runner: Engine, image: str) -> None:
    found = runner.looked_at(image)
    check = found.get("Healthcheck") or found["Config"]["Healthcheck"]
    assert check["Test"] == ["CMD", "python", "-m", "bot", "health"]
    assert check["Interval"] >= 30e9
    assert check["StartPeriod"] > 0


def test_it_runs_as_nobody_in_particular_without_capabilities(runner: Engine, image: str) -> None:
    status = inside(runner, image, "print(open('/proc/self/status').read())")
    told = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert told["Uid"].split() == ["10001"] * 4
    assert told["Gid"].split() == ["10001"] * 4
    assert int(told["CapEff"], 16) == int(told["CapPrm"], 16) == 0
    assert told["NoNewPrivs"] == "1"


def test_the_volume_is_the_services_own(runner: Engine, image: str) -> None:
    look = "import os; s = os.stat('/data'); print(s.st_uid, s.st_gid, oct(s.st_mode & 0o777))"
    assert inside(runner, image, look) == "10001 10001 0o700"


def test_nothing_in_it_can_be_changed(runner: Engine, image: str) -> None:
    """Also where the root is not read-only: its code belongs to root."""
    look = (
        "import os; print([p for top in ('/opt', '/usr', '/etc', '/config', '/var') for p, _, _ in os.walk(top)"
        " if os.access(p, os.W_OK) and p not in ('/var/tmp',)])"
    )
    done = runner.seen("run", "--rm", "--network=none", "--entrypoint=python", image, "-c", look)
    assert done.out.strip() == "[]", done.err


def test_there_is_no_compiler_and_no_installer_of_packages(runner: Engine, image: str) -> None:
    look = "import shutil; print([n for n in ('gcc', 'cc', 'make', 'git', 'curl', 'wget') if shutil.which(n)])"
    assert inside(runner, image, look) == "[]"
    names = "import importlib.util as u; print([n for n in ('pip', 'setuptools') if u.find_spec(n)])"
    assert inside(runner, image, names) == "[]"


def test_all_of_its_code_is_compiled(runner: Engine, image: str) -> None:
    """The service's own and its packages'; of Python's library what they load."""
    look = (
        "import sys, json, ssl, sqlite3, bot.app, bot.cli.main; from pathlib import Path;"
        "from importlib.util import cache_from_source as compiled;"
        "wanted = {compiled(str(file)) for file in Path(bot.__file__).parent.parent.rglob('*.py')};"
        "specs = [one.__spec__ for one in sys.modules.values()];"
        "wanted |= {one.cached for one in specs if one and one.cached};"
        "print(json.dumps(sorted(file for file in wanted if not Path(file).exists())))"
    )
    assert json.loads(inside(runner, image, look)) == []


def test_the_demo_needs_neither_configuration_nor_network(runner: Engine, image: str) -> None:
    done = runner.seen("run", "--rm", *_HARDENED, image, "demo")
    assert done.code == 0, done.err
    assert "Digest" in done.out


def test_without_a_configuration_it_says_so_and_ends(runner: Engine, image: str) -> None:
    done = runner.seen("run", "--rm", *_HARDENED, image)
    assert done.code == 2
    assert "/config/config.toml" in done.err
    assert "Traceback" not in done.err


def test_the_extras_come_by_a_build_argument(runner: Engine, image: str) -> None:
    tag = f"{image}-extras"
    assert inside(runner, image, "import importlib.util as u; print(u.find_spec('pymorphy3_dicts_uk'))") == "None"
    runner.build(tag, "--build-arg", "EXTRAS=uk notify")
    inside(runner, tag, "import apprise, pymorphy3_dicts_uk; apprise.Apprise().add('ntfy://localhost/topic')")
    done = runner.seen("run", "--rm", *_HARDENED, tag, "explain", "Київ", "у Києві")
    assert done.code == 0, done.err
