"""Every word of readers' pages and of mail to readers stands in every catalogue, with the same {names}."""

import ast
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from jinja2 import Environment, nodes
from jinja2.ext import extract_from_ast

from digest.errors import SettingsError
from digest.mail.rendering.catalogues import Catalogues, accepted
from digest.mail.rendering.dates import format_day, format_moment
from digest.mail.rendering.language_tags import direction
from digest.mail.rendering.names import Names

ROOT = Path(__file__).parents[4]
PYTHON = [*(ROOT / "digest/web").rglob("*.py"), ROOT / "digest/tasks/readers/notice_mail.py"]
FOLDER = ROOT / "templates/languages"
CATALOGUES = Catalogues(FOLDER)
ENGLISH = CATALOGUES.translator("en")
EXPECTED = {"ar", "de", "en", "es", "fr", "hy", "it", "nl", "pl", "pt", "ru", "sv"}
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


def phrases_of_templates() -> set[str]:
    """Return the names that mail templates `say`."""
    found: set[str] = set()
    for path in (ROOT / "templates/email").glob("*.j2"):
        for call in Environment().parse(path.read_text()).find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == "say":
                found.add(str(call.args[0].as_const()))
    return found


def test_the_languages_are_those_that_are_promised() -> None:
    assert set(CATALOGUES.languages) == EXPECTED


@pytest.mark.parametrize("language", sorted(EXPECTED - {"en"}))
def test_every_text_is_translated_with_its_names(language: str) -> None:
    words = CATALOGUES.translator(language).words

    assert {text for text in texts() if not words.get(text)} == set()
    for text, said in words.items():
        assert sorted(_PLACE.findall(text)) == sorted(_PLACE.findall(said)), text


@pytest.mark.parametrize("language", sorted(EXPECTED - {"en"}))
def test_a_catalogue_holds_nothing_that_no_page_says(language: str) -> None:
    assert CATALOGUES.translator(language).words.keys() - texts() == set()


@pytest.mark.parametrize("language", sorted(EXPECTED))
def test_every_phrase_of_mail_stands_in_every_catalogue_with_its_places(language: str) -> None:
    phrases = CATALOGUES.translator(language).phrases

    assert phrases.keys() == ENGLISH.phrases.keys()
    for key, phrase in phrases.items():
        assert set(_PLACE.findall(phrase)) == set(_PLACE.findall(ENGLISH.phrases[key])), key


def test_what_mail_templates_say_is_in_the_english_catalogue() -> None:
    said = phrases_of_templates()

    assert {"unsubscribe", "ask", "why"} <= said
    assert said <= ENGLISH.phrases.keys()


def test_texts_are_found_in_templates_and_in_python() -> None:
    assert {"Get {title} by email", "Check your inbox", "Page {number} of {total}", "Daily"} <= texts()


def catalogues(folder: Path, **files: str) -> Catalogues:
    for name, phrases in files.items():
        (folder / f"{name}.po").write_text(phrases)
    return Catalogues(folder)


def phrase(key: str, text: str) -> str:
    return f'msgctxt "mail"\nmsgid "{key}"\nmsgstr "{text}"\n\n'


def test_a_catalogue_that_lacks_a_phrase_is_an_error_that_names_it(tmp_path: Path) -> None:
    found = catalogues(
        tmp_path, en=phrase("by", "By {author}") + phrase("for", "For {name}"), fr=phrase("by", "Par")
    )
    with pytest.raises(SettingsError, match=r"fr\.po lacks these phrases of mail: for"):
        found.translator("fr")


def test_a_catalogue_that_cannot_be_read_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "fr.po").write_bytes(phrase("by", "R\xe9dig\xe9").encode("latin-1"))
    found = catalogues(tmp_path, en=phrase("by", "By"))
    with pytest.raises(SettingsError, match=r"fr\.po cannot be read"):
        found.translator("fr")


def test_a_folder_without_english_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"en\.po is missing"):
        Catalogues(tmp_path)


def test_adding_a_language_is_adding_a_file(tmp_path: Path) -> None:
    found = catalogues(tmp_path, en=phrase("by", "By {author}"), da=phrase("by", "Af {author}"))

    assert found.languages == ("da", "en")
    assert found.choose(["da-DK"]).say("by", author="Ida") == "Af Ida"


def test_a_language_without_a_catalogue_is_served_in_english_and_values_are_put_in_once() -> None:
    assert CATALOGUES.choose(["tlh-KX"]).say("by", author="{author} {by}") == "By {author} {by}"


def test_names_are_those_of_the_settings_else_the_usual_words_else_the_slug() -> None:
    names, german = Names({"de": {"world": "Welt", "daily": "jeden Morgen"}}), CATALOGUES.translator("de")

    assert names.topic("de-AT", "world") == "Welt"
    assert names.topic("sv", "city-hall") == "City hall"
    assert names.cadence(german, "daily") == "jeden Morgen"
    assert names.cadence(german, "weekly") == "wöchentlich"
    assert names.cadence(CATALOGUES.translator("sv"), "daily") == "dagligen"
    assert names.cadence(german, "two-a-day") == "two a day"
    assert names.text("de", "Unnamed") == "Unnamed"


@pytest.mark.parametrize("language", sorted(EXPECTED))
def test_dates_are_written_in_the_language(language: str) -> None:
    at = datetime(2026, 12, 3, 0, 1, tzinfo=UTC)
    day = format_day(at, language, "Europe/Paris")

    assert ("December" in day) == (language == "en")
    assert ("December" in format_moment(at, language, "Europe/Paris")) == (language == "en")


def test_moments_are_told_in_the_zone_and_an_unknown_language_is_no_error() -> None:
    at = datetime(2026, 12, 3, 0, 1, tzinfo=UTC)

    assert format_moment(at, "en", "Europe/Paris") == "3 December, 01:01"
    assert format_moment(at, "de-AT", "UTC") == "3. Dezember, 00:01"
    assert "، " in format_moment(at, "ar", "UTC", CATALOGUES.choose(["ar"]).say("comma"))
    assert format_day(at, "tlh-KX", "UTC").endswith("2026")


def test_arabic_alone_of_them_is_written_from_the_right() -> None:
    assert {one for one in EXPECTED if direction(one) == "rtl"} == {"ar"}


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
