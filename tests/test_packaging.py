"""The built wheel holds all that the program needs, and runs without the checkout."""

import ast
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the wheel's content."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def run(installed: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "digest", *arguments],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(installed)}, capture_output=True, text=True,
    )  # fmt: skip


def test_the_wheel_holds_the_templates_the_samples_and_no_tests(installed: Path) -> None:
    bundled = installed / "digest" / "_bundled"
    for name in (
        "templates/email/frame.html.j2",
        "templates/web/desk/desk.css",
        "templates/web/home.html.j2",
        "seeds/feed.xml",
        "config.example.toml",
    ):
        assert (bundled / name).is_file(), name
    assert not (installed / "tests").exists()


def test_the_wheel_runs_from_a_folder_of_its_own(installed: Path, tmp_path: Path) -> None:
    where = run(installed, tmp_path, "--version")
    assert where.returncode == 0, where.stderr
    begun = run(installed, tmp_path, "init")
    assert begun.returncode == 0, begun.stderr
    assert (tmp_path / "config.toml").stat().st_mode & 0o077 == 0, "only its owner reads the secret"
    assert (tmp_path / "digest.db").stat().st_mode & 0o077 == 0, "nor the addresses"
    assert "config.toml exists and is kept" in run(installed, tmp_path, "init").stdout

    demo = run(installed, tmp_path, "demo", "--no-serve", "--dir", "x")
    assert demo.returncode == 0, demo.stderr
    assert len(list((tmp_path / "x" / "outbox").glob("*.eml"))) == 25


def test_what_pages_and_postgresql_need_is_an_extra_and_its_absence_is_one_line(
    installed: Path, tmp_path: Path
) -> None:
    (metadata,) = installed.glob("*.dist-info/METADATA")
    required = [line for line in metadata.read_text().splitlines() if line.startswith("Requires-Dist: ")]
    always = [line for line in required if "extra ==" not in line]
    assert not [line for line in always if re.search("trafilatura|psycopg|procrastinate|itsdangerous", line)]
    assert [line for line in required if "lxml-html-clean" in line], "an older pip would leave it out"

    run(installed, tmp_path, "init")
    (tmp_path / "page.html").write_text("<!doctype html><html><body><p>The bridge is open.</p></body></html>")
    without = (
        "import sys; sys.modules.update(trafilatura=None, psycopg=None)\n"
        "from digest.cli import main; main(sys.argv[1:])"
    )

    def said(*arguments: str, **environment: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", without, *arguments], cwd=tmp_path, capture_output=True, text=True,
            env={**os.environ, "PYTHONPATH": str(installed), **environment},
        )  # fmt: skip
        assert done.returncode in (1, 2), done.stdout
        return done.stderr

    page = said("articles", "add", "page.html")
    assert page.endswith(
        'trafilatura is not installed, which web pages need: install "newsletter-digest[pages]"\n'
    )
    database = said("status", DIGEST_DATABASE__URL="postgresql://ann@db/news")
    assert database == (
        'psycopg is not installed, which [database] url needs: install "newsletter-digest[postgres]"\n'
    )


def distribution(requirement: str) -> str:
    """Return the name of what a requirement asks for, as PEP 503 writes it."""
    named = re.match(r"[\w.-]+", requirement)
    assert named is not None
    return re.sub(r"[-_.]+", "-", named[0]).lower()


def test_every_library_that_is_imported_is_declared() -> None:
    """What comes with another library today need not come with its next version."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [name for extra in project["optional-dependencies"].values() for name in extra]
    declared = {distribution(name) for name in (*project["dependencies"], *extras)}
    known = packages_distributions()
    undeclared = set()
    for path in (ROOT / "digest").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            for top in {name.partition(".")[0] for name in names} - sys.stdlib_module_names - {"digest"}:
                if declared.isdisjoint(map(distribution, known.get(top, [top]))):
                    undeclared.add(top)

    assert not undeclared
