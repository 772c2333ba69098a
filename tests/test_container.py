"""The image, compose.yaml and docs/deploying.md agree; what needs an engine is proved by `make container-test`."""

from __future__ import annotations

import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from bot.cli.main import app
from bot.config.load import load
from bot.config.secrets import CREDENTIALS
from bot.version import VERSION
from container.composed import SERVICE, Place, composed
from container.installation import CONFIG

ROOT = Path(__file__).parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
PAGE = (ROOT / "docs" / "deploying.md").read_text("utf-8")
EXTRAS = ("uk", "notify")
OWNER = "10001"


def said(instruction: str) -> list[str]:
    """What stands behind an instruction, continued lines joined."""
    lines = DOCKERFILE.replace("\\\n", " ").splitlines()
    return [line.split(maxsplit=1)[1] for line in lines if line.startswith(f"{instruction} ")]


def typed() -> Iterator[list[str]]:
    """The commands of the page that are lines of a shell."""
    for box in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL):
        for line in box.splitlines():
            yield line.split("#", maxsplit=1)[0].split()


def box(language: str) -> str:
    """The first of its kind on the page."""
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


def locked(name: str) -> dict[str, str]:
    """The packages of a lock file, with what stands beside their names."""
    text = (ROOT / name).read_text("utf-8")
    return dict(re.findall(r"^([a-z0-9-]+)(?:\[[a-z,]+\])?==(\S+)", text, re.MULTILINE))


def linted(*words: str) -> str:
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_the_dockerfile_is_in_order() -> None:
    assert linted(str(Path(sys.executable).parent / "hadolint"), "--no-color", "Dockerfile") == ""


def test_compose_yaml_follows_its_schema() -> None:
    program = (sys.executable, "-m", "check_jsonschema")
    assert linted(*program, "--builtin-schema", "vendor.compose-spec", "compose.yaml") == ""


def test_what_the_page_writes_into_compose_override_yaml_follows_the_schema_and_changes_what_is_there(
    tmp_path: Path,
) -> None:
    file = tmp_path / "compose.override.yaml"
    file.write_text(box("yaml"), "utf-8")
    program = (sys.executable, "-m", "check_jsonschema")
    assert linted(*program, "--builtin-schema", "vendor.compose-spec", str(file)) == ""
    read = YAML(typ="safe").load(file)
    assert list(read) == ["services"]
    [(name, changes)] = read["services"].items()
    service = composed()["services"][name]
    assert changes["build"]["args"].keys() <= service["build"]["args"].keys()
    assert changes["environment"].keys() <= service["environment"].keys()
    assert {one["target"] for one in changes["volumes"]} <= {one["target"] for one in service["volumes"]}
    assert set(changes["build"]["args"]["EXTRAS"].split()) == set(EXTRAS)


def test_git_sees_nothing_that_the_page_puts_into_the_clone() -> None:
    ignored = (ROOT / ".gitignore").read_text("utf-8").splitlines()
    for name in ("/config/", "/secrets/", "/compose.override.yaml", "data/"):
        assert name in ignored
        assert name.strip("/") in PAGE


def test_the_secrets_are_asked_for_when_the_block_is_pasted_whole(tmp_path: Path) -> None:
    """Whatever the umask is, the container's user reads them, and nobody else on the server."""
    (tmp_path / "config.example.toml").write_bytes((ROOT / "config.example.toml").read_bytes())
    typed = f"umask 077\n{box('sh')}12345\nhash\n555:token\n"
    shell = ("bash", "-s")
    subprocess.run(shell, cwd=tmp_path, input=typed, text=True, capture_output=True, check=True, timeout=10)
    kept = {path.name: path for path in (tmp_path / "secrets").iterdir()}
    assert {name: path.read_text("utf-8") for name, path in kept.items()} == {
        "telegram_api_id": "12345\n",
        "telegram_api_hash": "hash\n",
        "telegram_bot_token": "555:token\n",
    }
    files = (tmp_path / "config" / "config.toml", *kept.values())
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o644}
    folders = (tmp_path / "config", tmp_path / "secrets")
    assert [stat.S_IMODE(path.stat().st_mode) for path in folders] == [0o755, 0o700]


def test_restoring_leaves_the_backup_alone_in_the_databases_place(tmp_path: Path) -> None:
    [script] = re.findall(r"--entrypoint sh vedette -c '(.*?)' < backup.db", PAGE)
    for name in ("vedette.db", "vedette.db-wal", "vedette.db-shm", "reader.session"):
        (tmp_path / name).write_bytes(b"before")
    (tmp_path / "vedette.db").chmod(0o644)
    shell = ("sh", "-c", script.replace("/data", str(tmp_path)))
    subprocess.run(shell, input=b"backup", check=True, timeout=10)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        "vedette.db": b"backup",
        "reader.session": b"before",
    }
    assert stat.S_IMODE((tmp_path / "vedette.db").stat().st_mode) == 0o600


@pytest.mark.parametrize(("extras", "ends"), [("", 0), ("uk notify", 0), ("ukr notify", 1)])
def test_an_extra_that_there_is_not_ends_the_build(extras: str, ends: int, tmp_path: Path) -> None:
    [loop] = re.findall(r"for extra in .*? done", DOCKERFILE)
    for extra in EXTRAS:
        (tmp_path / f"requirements-{extra}.txt").touch()
    shell = ("sh", "-c", f"{loop} && exit 0")
    done = subprocess.run(shell, cwd=tmp_path, env={"EXTRAS": extras}, capture_output=True, check=False)
    assert done.returncode == ends


def test_the_code_can_be_read_in_the_image_whatever_the_clone_allows() -> None:
    copied, made = DOCKERFILE.index("COPY bot "), DOCKERFILE.index('chmod -R a+rX "$SITE/bot"')
    assert copied < made < DOCKERFILE.index("\nFROM ", copied)


def test_data_dir_of_the_example_is_the_volume() -> None:
    example = load(ROOT / "config.example.toml", {})
    [folder] = said("WORKDIR")[1:]
    assert str(Path(folder) / example.data_dir) == "/data"
    assert said("VOLUME") == ['["/data"]']
    assert f"install -d -m 700 -o {OWNER} -g {OWNER} /data" in DOCKERFILE
    assert DOCKERFILE.index("install -d -m 700") < DOCKERFILE.index("\nVOLUME")
    assert said("USER") == [f"{OWNER}:{OWNER}"]


def test_the_configuration_lies_in_the_folder_that_is_mounted() -> None:
    [bind] = [one for one in composed()["services"][SERVICE]["volumes"] if one["type"] == "bind"]
    assert (bind["source"], bind["target"], bind["read_only"]) == ("./config", "/config", True)
    assert "VEDETTE_CONFIG=/config/config.toml" in DOCKERFILE
    assert "| `config/config.toml` | `/config/config.toml` |" in PAGE


def test_each_credential_is_a_secret_and_a_file() -> None:
    file = composed()
    service = file["services"][SERVICE]
    names = [f"telegram_{key}" for key in CREDENTIALS]
    assert service["secrets"] == list(file["secrets"]) == names
    assert service["environment"] == {f"{name.upper()}_FILE": f"/run/secrets/{name}" for name in names}
    for name in names:
        assert file["secrets"][name] == {"file": f"./secrets/{name}"}
        assert f"for name in {' '.join(names)}; do" in box("sh")


def test_the_service_is_as_closed_as_it_can_be() -> None:
    service = composed()["services"][SERVICE]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"ports", "privileged", "user", "network_mode", "cap_add", "init"} & set(service)
    assert {"mem_limit", "pids_limit", "logging", "stop_grace_period", "restart"} <= set(service)


def test_container_test_proves_all_that_compose_yaml_says(tmp_path: Path) -> None:
    options = Place(tmp_path, "volume").options()
    assert f"--volume={tmp_path}/config:/config:ro" in options
    assert f"--volume={tmp_path}/secrets/telegram_api_id:/run/secrets/telegram_api_id:ro" in options
    assert {"--volume=volume:/data", "--read-only", "--cap-drop=ALL"} <= set(options)
    file = tmp_path / "config.toml"
    file.write_text(CONFIG.format(address="127.0.0.1:4430", keyword="Сирия"), "utf-8")
    assert load(file, {}).data_dir == Path("data")


def test_health_is_asked_without_a_shell_and_not_too_often() -> None:
    [check] = said("HEALTHCHECK")
    assert check.endswith('CMD ["python", "-m", "bot", "health"]')
    every = re.search(r"--interval=(\d+)s", check)
    assert every is not None
    assert int(every[1]) >= 30
    start = re.search(r"--start-period=(\S+)", check)
    assert start is not None
    assert f"healthcheck: {{start_period: {start[1]}, start_interval: " in box("yaml")


def test_process_1_is_an_init_that_takes_a_stop_for_no_failure() -> None:
    assert said("ENTRYPOINT") == ['["tini", "-e", "143", "--", "python", "-m", "bot"]']
    assert said("CMD") == ['["run"]']
    assert "apt-get install --yes --no-install-recommends tini" in DOCKERFILE


def test_the_page_lists_the_build_arguments() -> None:
    rows = re.findall(r"^\| `([A-Z]+)` \| (\S+) \|", PAGE, re.MULTILINE)
    arguments = [line.partition("=") for line in said("ARG")]
    assert rows == [
        (name, "none" if default == '""' else f"`{default.strip(chr(34))}`") for name, _, default in arguments
    ]
    assert [default for name, _, default in arguments if name == "VERSION"] == [VERSION]
    assert list(composed()["services"][SERVICE]["build"]["args"]) == ["EXTRAS"]


@pytest.mark.parametrize("extra", EXTRAS)
def test_an_extra_is_locked_to_what_the_tests_run_with(extra: str) -> None:
    name = f"requirements-{extra}.txt"
    assert f"`{extra}`: " in PAGE
    assert (ROOT / name).read_text("utf-8").count("==") <= (ROOT / name).read_text("utf-8").count("--hash=")
    base, wanted, tested = locked("requirements.txt"), locked(name), locked("requirements-dev.txt")
    assert base.items() < wanted.items()
    assert wanted.items() < tested.items()


def test_nothing_is_installed_that_is_not_locked_by_its_hash() -> None:
    installs = [line for line in DOCKERFILE.replace("\\\n", " ").split("&&") if " install --" in line and "pip" in line]
    assert len(installs) == 2
    assert all("--require-hashes" in line and "--only-binary=:all:" in line for line in installs)
    assert "--no-build-isolation" in installs[1]
    assert "setuptools" in locked("requirements.txt")


def test_the_build_is_given_all_that_it_copies_and_nothing_else() -> None:
    given = re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text("utf-8"), re.MULTILINE)
    copied = [word for line in said("COPY") if "--from" not in line for word in line.split()[:-1]]
    assert sorted(copied) == sorted(given)


def test_the_commands_of_the_page_are_there() -> None:
    known = {command.name for command in app.registered_commands}
    asked = set()
    for words in typed():
        if words[:2] != ["docker", "compose"] or SERVICE not in words:
            continue
        rest = words[words.index(SERVICE) + 1 :]
        if "--entrypoint" in words or (words[2] == "exec" and rest[:3] != ["python", "-m", "bot"]):
            continue
        asked.add(rest[0] if words[2] == "run" else rest[3])
    assert asked <= known
    assert {"check", "login", "status", "digest", "backup"} <= asked


def test_the_volume_is_called_as_the_page_says() -> None:
    file = composed()
    [volume] = file["volumes"]
    assert f"volume `{file['name']}_{volume}`" in PAGE


def test_a_machine_that_cannot_says_why_in_one_line(tmp_path: Path) -> None:
    """`make container-test` ends with 0 there: nothing was proved, and nothing is wrong."""
    words = (sys.executable, "-m", "pytest", "container", "-q", "-p", "no:cacheprovider")
    environment = {"PATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    done = subprocess.run(
        words, cwd=ROOT, env=environment, capture_output=True, text=True, encoding="utf-8", check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing was proved, this machine cannot: no Docker engine answers, and buildah and podman" in done.stdout
    assert "passed" not in done.stdout
