"""The layers hold: imports point strictly down, no module is too long, no banned word is in the code."""

import ast
import functools
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "digest"
MODULES = sorted(PACKAGE.rglob("*.py"))

LAYERS = {
    "safe_text": -1, "errors": 0, "bounded_cache": 0, "clock": 0, "config_path": 0, "private_files": 0, "models": 0, "resources": 1, "settings": 10, "rules": 11, "articles": 12, "mail": 12,
    "store": 20, "net": 20, "tasks": 30, "tracing": 35, "bootstrap": 40, "sending": 41, "scheduler": 50, "job_queue": 50, "web": 50, "demo": 51, "cli": 60,
    "__main__": 70,
}  # fmt: skip
OWNERS = {
    "apscheduler": {"scheduler.py"},
    "jinja2": {
        "mail/rendering/templates.py",
        "mail/rendering/markers.py",
        "mail/rendering/sandbox.py",
        "web/shared/pages.py",
    },
    "httpx2": {"net/http.py"},
    "PIL": {"articles/thumbnails.py"},
    "smtplib": set(),
    "aiosmtpd": {"demo/catcher.py", "net/inbound/lmtp.py"},
    "argon2": {"tasks/desk/passwords.py"},
    "alembic": {"store/schema.py", "store/migrations"},
    "fastapi": {"web", "demo/catcher.py"},
    "cyclopts": {"cli"},
    "dns": {"net/dns.py"},
    "flufl": {"mail/reports/fallback.py"},
    "imap_tools": {"net/inbound/imap.py"},
    "imaplib": {"net/inbound/imap.py"},
    "opentelemetry": {"tracing.py"},
    "procrastinate": {"job_queue.py"},
    "prometheus_client": {"tasks/ledger/metrics.py"},
    "uvicorn": {"web/server.py", "web/connections.py"},
}
BANNED = re.compile(r"\b(campaign|blast|contact|blacklist|issue|manager|helper|utils)\w*\b", re.I)


@functools.cache
def nodes(path: Path) -> list[ast.AST]:
    """List the nodes of a file's syntax tree, the module first."""
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


@functools.cache
def imports(path: Path) -> list[str]:
    """List the modules that a file imports, in functions and under TYPE_CHECKING too."""
    found: list[str] = []
    for node in nodes(path):
        if isinstance(node, ast.Import):
            found.extend(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.extend([node.module, *(f"{node.module}.{alias.name}" for alias in node.names)])
    return found


def place(path: Path) -> str:
    """Return a module's path below the package."""
    return path.relative_to(PACKAGE).as_posix()


def layer(parts: tuple[str, ...]) -> tuple[str, int]:
    """Return a module's layer by its path below the package."""
    name = parts[0].removesuffix(".py")
    return name, LAYERS[name]


def test_imports_point_strictly_down() -> None:
    wrong = []
    for path in MODULES:
        if path == PACKAGE / "__init__.py":
            continue
        name, own = layer(path.relative_to(PACKAGE).parts)
        for module in imports(path):
            if module.startswith("digest.") and module.split(".")[1] in LAYERS:
                other, below = layer(tuple(module.split(".")[1:]))
                if other != name and below >= own:
                    wrong.append(f"{place(path)} may not import {module}")

    assert not wrong


def test_pages_and_commands_reach_the_database_through_tasks_alone() -> None:
    upper = [path for path in MODULES if path.relative_to(PACKAGE).parts[0] in ("cli", "web", "demo")]

    assert len(upper) > 50
    assert not [
        (place(path), module)
        for path in upper
        for module in imports(path)
        if module.startswith("digest.store")
    ]


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


def test_each_library_that_does_input_or_output_has_one_owner() -> None:
    wrong = []
    for path in MODULES:
        for module in imports(path):
            owners = OWNERS.get(module.split(".")[0])
            if owners is not None and not any(place(path).startswith(owner) for owner in owners):
                wrong.append(f"{place(path)} imports {module}")

    assert not wrong


def test_no_module_is_over_400_lines() -> None:
    assert not [place(path) for path in MODULES if len(path.read_text(encoding="utf-8").splitlines()) > 400]


def test_no_name_is_banned() -> None:
    wrong = []
    for path in MODULES:
        names = {node.id for node in nodes(path) if isinstance(node, ast.Name)}
        names |= {node.name for node in nodes(path) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        wrong += [(place(path), name) for name in names if BANNED.search(name)]

    assert not wrong


# Modules under 50 lines with one user that keep a room of their own, each with its reason.
SMALL_ROOMS = {
    "cli/editions/status.py": "what `digest status` imports when its note no longer holds",
    "mail/dkim/canonical.py": "the canonical forms of RFC 6376, beside its keys, records and signer",
    "web/newsroom/routes.py": "a seam: which page needs which role, for all of the newsroom",
    "net/service_manager.py": "a seam: the only socket to a service manager",
    "cli/inbound/pipe.py": "what a process a message may import",
    "store/inbound.py": "the messages that were taken in",
    "tasks/readers/lists/csv_export.py": "a use case that a command calls",
    "tasks/readers/lists/seen_addresses.py": "a table, and nothing else",
    "mail/reports/fallback.py": "the seam to flufl.bounce",
    "rules/delivery/progress.py": "a decision of its own, between the ledger and whoever asks how fast it goes",
    "rules/delivery/return_paths.py": "a seam: composing writes what bounces are read by",
    "rules/editions/approval.py": "a table: what each policy does at the deadline",
    "tasks/ledger/publication_size.py": "a use case that the demo calls",
    "store/keys.py": "a seam: the only reader of secret keys",
    "tasks/sources/folders.py": "a kind of source beside feeds.py",
    "tasks/desk/delivery_controls.py": "a use case that the desk calls",
    "tasks/readers/expiry.py": "a use case that each run calls",
    "tasks/figures/kept_counts.py": "a use case that each run calls",
    "web/desk/home.py": "a page of its own",
    "web/newsroom/settings.py": "a page of its own",
    "rules/readers/scanners.py": "a table: programs that open links by themselves",
    "web/public/images.py": "a page of its own",
    "web/public/metrics.py": "a page of its own",
    "tasks/delivery/meter.py": "a seam: what counts, and knows nothing of who asks",
    "web/shared/conditional.py": "RFC 9110 section 13, and nothing else",
}
MOST_MODULES = 16
PARTICIPLES = re.compile(
    r"^(standing|showing|returning|holding|watching|looking|turning|asking|making|doing)$"
)
NAMES_OF_NO_MODULE = re.compile(
    r"^(campaign|blast|contact|blacklist|issue|manager|service|helper|utils?|data|info|common_.*|misc)s?$"
)


@functools.cache
def users() -> dict[str, set[str]]:
    """Map each module to the modules that import it, packages' own lists of names aside."""
    known = {_module(path): path for path in MODULES}
    found: dict[str, set[str]] = {name: set() for name in known}
    for name, path in known.items():
        if path.name != "__init__.py":
            for module in set(imports(path)) & set(known):
                if module != name:
                    found[module].add(name)
    return found


def test_no_two_folders_import_each_other() -> None:
    folders = {_module(path): path.parent for path in MODULES}
    edges = {
        (folders[user], folders[name])
        for name, by in users().items()
        for user in by
        if PACKAGE not in (folders[user], folders[name]) and folders[user] != folders[name]
    }

    assert not [(str(a), str(b)) for a, b in edges if (b, a) in edges]


def test_no_folder_holds_more_modules_than_one_look_takes_in() -> None:
    for folder in {path.parent for path in MODULES} - {PACKAGE / "store/migrations/versions"}:
        modules = [path.name for path in folder.glob("*.py") if path.name != "__init__.py"]
        assert len(modules) <= MOST_MODULES, f"{folder} holds {len(modules)} modules; part it by its nouns"


def test_a_module_of_few_lines_and_one_user_has_a_reason_to_be_a_module() -> None:
    small = {
        place(path)
        for path in MODULES
        if path.name != "__init__.py"
        and len(users()[_module(path)]) == 1
        and len(path.read_text(encoding="utf-8").splitlines()) < 50
    }

    assert small <= set(SMALL_ROOMS), f"join these to their users: {small - set(SMALL_ROOMS)}"


def test_every_small_room_that_is_excused_exists() -> None:
    assert not [name for name in SMALL_ROOMS if not (PACKAGE / name).exists()]


def test_no_class_name_stands_twice_in_the_package() -> None:
    places: dict[str, list[str]] = {}
    for path in MODULES:
        for node in nodes(path):
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(_module(path))

    assert not {name: found for name, found in places.items() if len(found) > 1}


def test_a_module_is_named_for_its_thing() -> None:
    for path in MODULES:
        for part in (path.stem, *path.relative_to(PACKAGE).parent.parts):
            assert not PARTICIPLES.match(part), f"{place(path)}: name the thing that the module works on"
            assert not NAMES_OF_NO_MODULE.match(part), f"{place(path)} says nothing, or is a banned word"


def test_each_folder_says_what_it_owns_and_which_file_to_open_first() -> None:
    for path in MODULES:
        if path.name == "__init__.py" and path.parent not in (PACKAGE, PACKAGE / "store/migrations/versions"):
            said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
            named = re.search(r"[Oo]pen ([\w/]+\.py) first", said)
            assert named, f"{path} names no file to open first"
            assert (path.parent / named[1]).exists(), f"{path} names {named[1]}, which does not exist"


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
        "feedparser", "httpx2", "lxml", "markdown_it", "nh3", "opentelemetry", "psycopg", "rich", "starlette",
        "sqlalchemy.dialects.postgresql", "trafilatura", "uvicorn", "yaml",
    ]  # fmt: skip
    program = f"import digest.cli.editions.send, sys; print(*sorted(set({others}) & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == []


def test_status_imports_neither_the_parser_of_options_nor_what_other_commands_need() -> None:
    """A monitor asks for it each minute."""
    others = [
        "PIL", "alembic", "argon2", "attr", "babel", "cryptography", "cyclopts", "digest.mail", "digest.web",
        "digest.articles", "digest.net", "dns", "fastapi", "httpx2", "jinja2", "lxml", "nh3", "psycopg", "rich",
        "sqlalchemy.dialects.postgresql",
    ]  # fmt: skip
    program = f"import digest.cli.editions.status, sys; print(*sorted(set({others}) & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == []


# Words that once stood for the field's own, and openings that hide who does what.
RIDDLES = re.compile(
    r"\b(trunks?|sheets? of a shape|by its looking|for who\b|wants of each list|waits for what is of)\b"
)
OPENINGS = re.compile(r"(Gives?|Tells?) (?!somebody )")
DOCUMENTED = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def public_names(tree: ast.Module) -> list[DOCUMENTED]:
    """List the public functions and classes of a module, methods of its public classes too."""
    named = [node for node in tree.body if isinstance(node, DOCUMENTED)]
    public = [node for node in named if not node.name.startswith("_")]
    methods = [inner for node in public if isinstance(node, ast.ClassDef) for inner in node.body]
    return public + [
        inner for inner in methods if isinstance(inner, DOCUMENTED) and not inner.name.startswith("_")
    ]


def test_what_is_public_is_documented_in_plain_words() -> None:
    wrong = []
    for path in MODULES:
        tree = nodes(path)[0]
        assert isinstance(tree, ast.Module)
        wrong += [
            f"{place(path)}: {public.name} has no docstring"
            for public in public_names(tree)
            if not ast.get_docstring(public)
        ]
        for node in nodes(path):
            if isinstance(node, DOCUMENTED | ast.Module):
                said = ast.get_docstring(node) or ""
                name = getattr(node, "name", path.stem)
                if OPENINGS.match(said) and name != "tell":
                    wrong.append(f"{place(path)}: {name}: begin with Return or a verb")
                if riddle := RIDDLES.search(said):
                    wrong.append(f"{place(path)}: {name}: write the glossary's word for {riddle[0]}")

    assert not wrong


TESTS = sorted(path for path in Path(__file__).parent.rglob("*.py") if "node_modules" not in path.parts)


def test_docstrings_of_tests_begin_as_those_of_the_program() -> None:
    assert not [
        (str(path.relative_to(ROOT)), node.name)
        for path in TESTS
        for node in nodes(path)
        if isinstance(node, DOCUMENTED) and OPENINGS.match(ast.get_docstring(node) or "")
    ]


def test_migrations_stand_in_one_line_each_with_the_number_of_its_file() -> None:
    """Two that were written side by side may have the same number, in files of different names."""
    before = None
    for path in sorted((PACKAGE / "store" / "migrations" / "versions").glob("0*.py")):
        written = path.read_text(encoding="utf-8")
        assert f'\nrevision = "{path.name[:4]}"\n' in written, path.name
        assert f"\ndown_revision = {before}\n" in written, path.name
        before = f'"{path.name[:4]}"'
