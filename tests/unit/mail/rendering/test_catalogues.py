"""Every word on a reader's page stands in every catalogue, with the same {names}."""

import ast
import re
from pathlib import Path

import pytest
from jinja2 import Environment
from jinja2.ext import extract_from_ast

from digest.mail.rendering.catalogues import Catalogues, accepted

ROOT = Path(__file__).parents[4]
PYTHON = [*(ROOT / "digest/web").rglob("*.py"), ROOT / "digest/tasks/readers/notice_mail.py"]
CATALOGUES = Catalogues(ROOT / "templates/languages")
_PLACE = re.compile(r"\{\w+\}")


def texts() -> set[str]:
    """Return the texts that readers' templates and pages translate; the desk speaks English."""
    found: set[str] = set()
    for path in (ROOT / "templates/web").glob("*.j2"):
        source = path.read_text()
        for _, _, said in extract_from_ast(Environment().parse(source), ["_"]):
            found.add(str(next(filter(None, said)) if isinstance(said, tuple) else said))
        found |= set(re.findall(r'view\.words\("([^"]+)"', source))
    for path in PYTHON:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                found |= {str(node.args[0].value)} if name in ("words", "mark") else set()
    return found


@pytest.mark.parametrize("language", [one for one in CATALOGUES.languages if one != "en"])
def test_every_text_is_translated_with_its_names(language: str) -> None:
    words = CATALOGUES.translator(language).words

    assert {text for text in texts() if not words.get(text)} == set()
    for text, said in words.items():
        assert sorted(_PLACE.findall(text)) == sorted(_PLACE.findall(said)), text


def test_texts_are_found_in_templates_and_in_python() -> None:
    assert {"Get {title} by email", "Check your inbox", "Page {number} of {total}", "Daily"} <= texts()


@pytest.mark.parametrize(
    ("header", "languages"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", ["de-AT", "de", "en"]),
        ("en;q=0.1, fr", ["fr", "en"]),
        ("de;q=0, *, sv;q=x, \x00", []),
        ("", []),
    ],
)
def test_the_browsers_languages_come_best_first(header: str, languages: list[str]) -> None:
    assert accepted(header) == languages
