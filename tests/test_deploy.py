"""What stands in deploy/ fits the program: its files, commands, settings and ports exist."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from digest.cli.command_table import COMMANDS
from digest.settings import load_settings

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
NAMES = {command.name for command in COMMANDS}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    return loaded


def steps(path: Path) -> list[tuple[str, str]]:
    """Return the instructions of a Dockerfile, each with its arguments, continued lines joined."""
    text = re.sub(r"\\\n\s*", " ", path.read_text(encoding="utf-8"))
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines)]


def test_everything_that_the_image_copies_is_in_the_repository() -> None:
    for word, rest in steps(DEPLOY / "Dockerfile"):
        if word == "COPY" and not rest.startswith("--from"):
            for name in rest.split()[:-1]:
                assert (ROOT / name).exists(), name


def test_the_image_runs_as_nobody_in_particular_and_from_named_versions() -> None:
    found = steps(DEPLOY / "Dockerfile")

    users = [rest for word, rest in found if word == "USER"]
    assert users == ["10001"]
    assert [word for word, _ in found].index("USER") > max(
        index for index, (word, _) in enumerate(found) if word == "RUN"
    )
    for word, rest in found + steps(DEPLOY / "relay" / "Dockerfile"):
        if word == "FROM":
            assert re.search(r":[\d.]+", rest), rest


def test_the_image_starts_with_a_command_of_ours_and_serves_the_port_that_it_names() -> None:
    found = dict(steps(DEPLOY / "Dockerfile"))
    example = tomllib.loads((ROOT / "config.example.toml").read_text(encoding="utf-8"))

    assert found["ENTRYPOINT"] == '["digest"]'
    assert re.findall(r"\w+", found["CMD"])[0] in NAMES
    assert found["EXPOSE"] == str(example["web"]["port"])


def test_the_versions_that_the_image_pins_are_those_of_the_tests() -> None:
    """The step that writes constraints.txt is run as it stands."""
    (step,) = [
        rest
        for word, rest in steps(DEPLOY / "Dockerfile")
        if "constraint-dependencies" in rest and word == "RUN"
    ]
    code = re.search(r'python -c "(.*)" > constraints.txt', step)
    assert code is not None

    done = subprocess.run(
        [sys.executable, "-c", code[1]], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert len(done.stdout.splitlines()) > 50
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in done.stdout.splitlines())


def test_every_service_of_ours_runs_a_command_that_exists_without_rights(compose: dict[str, Any]) -> None:
    ours = {
        name: service for name, service in compose["services"].items() if "DIGEST_SMTP__HOST" in str(service)
    }

    assert set(ours) == {"web", "worker"}
    for service in ours.values():
        assert service["command"][0] in NAMES
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["user"] == "10001"
    assert ours["worker"]["deploy"]["replicas"] == 2


def test_the_compose_files_environment_is_settings_that_load(
    compose: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = (ROOT / "config.example.toml").read_text(encoding="utf-8")
    config = tmp_path / "config.toml"
    config.write_text(re.sub(r"^secret = .*$", "", written, flags=re.M), encoding="utf-8")
    for name, value in compose["services"]["web"]["environment"].items():
        monkeypatch.setenv(name, re.sub(r"\$\{\w+:\?[^}]*\}", "long-enough-for-a-secret", value))

    settings = load_settings(config)

    assert settings.database_url.startswith("postgresql+psycopg://digest:")
    assert settings.smtp.host in compose["services"]
    assert settings.web.host == "0.0.0.0"


def test_no_secret_stands_in_the_compose_file(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET", name) or "@" in str(value):
                assert re.search(r"\$\{\w+:\?", value), name


@pytest.mark.parametrize("name", ["Caddyfile", "nginx.conf"])
def test_the_proxies_pass_to_the_port_of_the_pages(name: str) -> None:
    example = tomllib.loads((ROOT / "config.example.toml").read_text(encoding="utf-8"))

    assert f"127.0.0.1:{example['web']['port']}" in (DEPLOY / name).read_text(encoding="utf-8")
