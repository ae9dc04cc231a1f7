"""The layers hold: imports point strictly down, no module is too long, no banned word is in the code."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "digest"
MODULES = sorted(PACKAGE.rglob("*.py"))

LAYERS = {
    "errors": 0, "clock": 0, "models": 0, "resources": 1, "settings": 10, "rules": 11, "articles": 12, "mail": 12,
    "store": 20, "net": 20, "tasks": 30, "bootstrap": 40, "sending": 41, "scheduler": 50, "web": 50, "demo": 51, "cli": 60,
    "__main__": 70,
}  # fmt: skip
OWNERS = {
    "apscheduler": {"scheduler.py"},
    "jinja2": {"mail/rendering/templates.py", "mail/rendering/fragments.py", "web/shared/pages.py"},
    "httpx2": {"net/http.py"},
    "PIL": {"articles/thumbnails.py"},
    "smtplib": set(),
    "aiosmtpd": {"demo/catcher.py"},
    "argon2": {"tasks/desk/passwords.py"},
    "alembic": {"store/schema.py", "store/migrations"},
    "fastapi": {"web", "demo/catcher.py"},
    "cyclopts": {"cli"},
    "dns": {"net/dns.py"},
    "uvicorn": {"web/server.py"},
}
BANNED = re.compile(r"\b(campaign|blast|contact|blacklist|issue|manager|helper|utils)\w*\b", re.I)


def imports(path: Path) -> list[str]:
    """List the modules that a file imports, in functions and under TYPE_CHECKING too."""
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.extend(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.extend([node.module, *(f"{node.module}.{alias.name}" for alias in node.names)])
    return found


def layer(parts: tuple[str, ...]) -> tuple[str, int]:
    """Give a module's layer by its path below the package."""
    name = parts[0].removesuffix(".py")
    return name, LAYERS[name]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_strictly_down(path: Path) -> None:
    parts = path.relative_to(PACKAGE).parts
    if parts == ("__init__.py",):
        return
    name, own = layer(parts)
    for module in imports(path):
        if module.startswith("digest.") and module.split(".")[1] in LAYERS:
            other, below = layer(tuple(module.split(".")[1:]))
            assert other == name or below < own, f"{name} may not import {module}"


def test_no_import_goes_in_a_circle() -> None:
    graph = {_module(path): {m for m in imports(path) if m.startswith("digest")} for path in MODULES}
    graph = {name: {m for m in found if m in graph and m != name} for name, found in graph.items()}
    # A package's __init__ names its modules; that they do not import it back is the rule here.
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join((*path, name))
        if name not in done:
            for found in graph[name]:
                visit(found, (*path, name))
            done.add(name)

    for name in graph:
        visit(name, ())


def _module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_each_library_that_does_input_or_output_has_one_owner(path: Path) -> None:
    relative = path.relative_to(PACKAGE).as_posix()
    for module in imports(path):
        owners = OWNERS.get(module.split(".")[0])
        assert owners is None or any(relative.startswith(owner) for owner in owners), module


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_module_is_over_400_lines_and_no_name_is_banned(path: Path) -> None:
    source = path.read_text(encoding="utf-8")

    assert len(source.splitlines()) <= 400
    names = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
    names |= {n.name for n in ast.walk(ast.parse(source)) if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    assert not [name for name in names if BANNED.search(name)]


@pytest.mark.parametrize("layer_name", ["rules", "articles", "mail", "store"])
def test_pure_layers_read_no_clock_environment_or_random_source(layer_name: str) -> None:
    banned = re.compile(r"\.now\(|\.utcnow\(|\.today\(")
    for path in (PACKAGE / layer_name).rglob("*.py"):
        assert not {"random", "secrets", "os.environ", "time", "uuid"} & set(imports(path)), path
        assert not banned.search(path.read_text(encoding="utf-8")), path


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["mypy", "--no-error-summary"],
    ],
    ids=["ruff", "format", "mypy"],
)
def test_source_and_tests_are_clean(command: list[str]) -> None:
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr


def test_sending_takes_nothing_into_memory_that_only_other_commands_need() -> None:
    """What reads articles, draws bars, serves pages or asks DNS is imported where it is used."""
    others = [
        "PIL", "aiosmtpd", "alembic", "apscheduler", "argon2", "cryptography", "dns", "email.policy", "fastapi",
        "feedparser", "httpx2", "inscriptis", "lxml", "markdown_it", "nh3", "psycopg", "rich", "starlette",
        "trafilatura", "uvicorn", "yaml",
    ]  # fmt: skip
    program = f"import digest.cli.editions.send, sys; print(*sorted(set({others}) & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == []
