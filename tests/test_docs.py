"""What exists is documented: every command, every setting, the two commands of the README."""

import importlib
import importlib.util
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from digest.cli import build
from digest.cli.command_table import COMMANDS, GROUPS
from digest.settings import Settings, load_settings
from digest.settings.inbound import ImapSettings
from digest.settings.loading import table_of
from digest.settings.settings import RESERVED
from tests.conftest import skip_unless_ci

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "config.example.toml"


def test_the_example_settings_load_as_they_are() -> None:
    assert load_settings(EXAMPLE).digests[0].name == "world"


@pytest.mark.parametrize("table", sorted(set(Settings.model_fields) - set(RESERVED)))
def test_every_setting_is_in_the_example(table: str) -> None:
    model = table_of(table)
    assert model is not None
    text = EXAMPLE.read_text()
    written = tomllib.loads(text)[table]
    names = written[0] if isinstance(written, list) else written
    for name, field in model.model_fields.items():
        key = field.alias or name
        shown = rf"^# (?:{key} = |\[{table}\.{key}\]$)"
        assert key in names or re.search(shown, text, re.MULTILINE), f"[{table}] {key}"


def test_every_setting_of_the_imap_folder_is_in_the_example() -> None:
    table = EXAMPLE.read_text().partition("# [inbound.imap]\n")[2].partition("\n\n")[0]

    assert set(re.findall(r"^# (\w+) = ", table, re.MULTILINE)) == set(ImapSettings.model_fields)


def test_every_command_is_documented_and_has_help() -> None:
    documented = (ROOT / "docs" / "commands.md").read_text()
    app = build()
    for name in app:
        if name.startswith("-"):
            continue
        command = app[name]
        assert command.help, name
        inner = (
            [one for one in command if not one.startswith("-")]
            if name in [group[0] for group in GROUPS]
            else []
        )
        for one in inner or [""]:
            assert f"digest {name} {one}".strip() in documented, f"digest {name} {one}"


@pytest.mark.parametrize(
    ("name", "place", "summary"), [*COMMANDS, *(command for group in GROUPS for command in group[2])]
)
def test_a_commands_line_in_the_help_is_its_own_first_sentence(name: str, place: str, summary: str) -> None:
    module, function = place.split(":")
    own = getattr(importlib.import_module(f"digest.cli.{module}"), function).__doc__
    assert own.split("\n")[0] == summary


def test_the_readme_has_the_two_commands() -> None:
    readme = (ROOT / "README.md").read_text()

    assert "pip install uv && uv run digest demo" in readme
    assert "pip install uv && uv run pytest" in readme
    assert "pip install uv && uv run pytest" in (ROOT / ".ci" / "run").read_text()


LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
PAGES = [*sorted((ROOT / "docs").glob("*.md")), *sorted(ROOT.glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_link_of_the_documentation_leads_to_something(page: Path) -> None:
    for target in LINK.findall(page.read_text()):
        if not target.startswith(("https://", "mailto:")):
            file, _, anchor = target.partition("#")
            found = (page.parent / file) if file else page
            assert found.exists(), f"{page.name} links to {target}"
            assert not anchor or anchor in anchors(found), f"{page.name} links to {target}"


def anchors(page: Path) -> set[str]:
    """List the anchors of a page's headings, as Markdown renderers make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def test_the_documentation_builds_as_a_site_without_a_network(tmp_path: Path) -> None:
    if importlib.util.find_spec("mkdocs") is None:
        skip_unless_ci("no mkdocs here: run `uv sync --group docs`")
    command = [
        sys.executable,
        "-m",
        "mkdocs",
        "build",
        "--strict",
        "--quiet",
        "--site-dir",
        str(tmp_path / "site"),
    ]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    )

    assert done.returncode == 0, done.stderr
    assert "Architecture" in (tmp_path / "site" / "index.html").read_text()
    assert not re.findall(
        r'(?:src|<link[^>]*href)="https?://', (tmp_path / "site" / "index.html").read_text()
    )


def test_every_page_of_the_documentation_is_in_the_site() -> None:
    listed = (ROOT / "mkdocs.yml").read_text()
    for page in (ROOT / "docs").glob("*.md"):
        assert f": {page.name}\n" in listed, f"mkdocs.yml does not name {page.name}"
