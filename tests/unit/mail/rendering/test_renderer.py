"""Rendering: templates are data, hostile content stays text, each language reads its own way."""

import quopri
import re
from dataclasses import replace
from pathlib import Path

import pytest

from digest.errors import SettingsError
from digest.mail.message import named
from digest.mail.rendering.content import Card, Content
from digest.mail.rendering.renderer import BodyPlaceholders, Renderer, Rendering
from digest.mail.rendering.text_part import wrap
from digest.models import Form
from digest.models.look import Brand, Colours, Logo
from tests.support.samples import ARABIC, CONTENT, LEAD, VALUES

FOLDER = Path(__file__).parents[4] / "templates" / "email"
RENDERER = Renderer(FOLDER)


def parts(content: Content, values: dict[str, str] = VALUES) -> tuple[str, str]:
    """Render for a reader and decode both parts."""
    rendering: Rendering = RENDERER.render(content)
    known = rendering.own_values(values)
    text, html = (
        quopri.decodestring(b"".join(BodyPlaceholders(named(kind, pieces)).filled(known))).decode()
        for kind, pieces in (("text ", rendering.text), ("html ", rendering.html))
    )
    return text.replace("\r\n", "\n"), html.replace("\r\n", "\n")


def test_the_text_part_has_every_story_in_the_same_order_as_the_html() -> None:
    text, html = parts(CONTENT)
    links = ["bridge", "sponge", "markt", "lamp"]
    for part in (text, html):
        places = [part.index(f"https://courier.example/{link}") for link in links]
        assert places == sorted(places)


def test_a_lines_length_in_the_text_part_is_what_a_terminal_shows_at_once() -> None:
    long = replace(LEAD, title="word " * 40, summary="字" * 200, author="n" * 90)
    text, _ = parts(replace(CONTENT, lead=long))
    for line in text.splitlines():
        assert len(line) <= 72 or " " not in line.strip(), line


def test_a_title_form_shows_no_summary_and_a_full_one_shows_the_text() -> None:
    text, html = parts(CONTENT)
    assert "Das steht im Text nicht." not in text + html
    assert "He counted each one." in text
    assert "<em>each</em>" in html


def test_a_template_expression_in_content_is_text() -> None:
    card = replace(LEAD, title="{{ 7 * 7 }} {% include 'base.css' %}", summary="{{ content }}")
    text, html = parts(replace(CONTENT, lead=card, subject="{{ 7 * 7 }}"))
    for part in (text, html):
        assert "{{ 7 * 7 }} {% include" in part
        assert "{{ content }}" in part


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", " javascript:x", ""])
def test_a_link_of_another_scheme_is_left_out(url: str) -> None:
    text, html = parts(replace(CONTENT, lead=replace(LEAD, url=url, image_url=url)))
    assert "javascript:" not in text + html
    assert "data:text" not in text + html
    assert LEAD.title in text


def test_content_that_holds_a_slots_marker_does_not_become_a_slot() -> None:
    text, html = parts(replace(CONTENT, lead=replace(LEAD, title="qzSLOTNAMEzq and qzSLOTADDRESSzq")))
    assert "qzSLOTNAMEzq and qzSLOTADDRESSzq" in text
    assert "qzSLOTNAMEzq and qzSLOTADDRESSzq" in html


def test_a_right_to_left_language_sets_the_direction_and_a_story_of_another_its_own() -> None:
    _, html = parts(ARABIC)
    assert re.search(r'<html[^>]* lang="ar"[^>]* dir="rtl"', html)
    assert re.search(r'<td[^>]* lang="en" dir="ltr"', html)


def test_names_are_isolated_and_what_we_say_of_a_foreign_article_is_in_our_language() -> None:
    _, html = parts(ARABIC)
    assert "بقلم <bdi>Elsa Ångström</bdi>" in html
    foreign = re.search(r'<div lang="en" dir="ltr" style="text-align: right">.*?</div>', html, re.S)
    assert foreign is not None
    assert re.search(r'<p class="byline"[^>]* dir="rtl" lang="ar"', foreign[0])


def test_a_reading_time_of_one_minute_is_not_said() -> None:
    for minutes, said in ((1, False), (2, True)):
        text, html = parts(replace(CONTENT, lead=replace(LEAD, reading_minutes=minutes), sections=()))
        assert ("min read" in html, "min read" in text) == (said, said)


def test_a_hostile_name_in_a_phrase_is_escaped() -> None:
    _, html = parts(replace(CONTENT, lead=replace(LEAD, author="</bdi><b>Ida", place="<i>Quay")))
    assert "By <bdi>&lt;/bdi&gt;&lt;b&gt;Ida</bdi>" in html
    assert "<bdi>&lt;i&gt;Quay</bdi>" in html


def test_a_reader_without_a_name_is_greeted_without_one() -> None:
    text, html = parts(CONTENT, VALUES | {"name": "  "})
    assert "For you" in text
    assert "For you" in html


@pytest.mark.parametrize("extreme", ["no stories", "no lead", "200 stories", "long words"])
def test_extreme_content_renders(extreme: str) -> None:
    many = tuple(replace(LEAD, id=n, url=f"https://courier.example/{n}") for n in range(200))
    changed = {
        "no stories": replace(CONTENT, sections=()),
        "no lead": replace(CONTENT, lead=None, sections=()),
        "200 stories": replace(CONTENT, sections=(replace(CONTENT.sections[0], cards=many),)),
        "long words": replace(CONTENT, lead=replace(LEAD, title="x" * 300, summary="y" * 3000)),
    }[extreme]
    text, html = parts(changed)
    assert VALUES["unsubscribe_url"] in text
    assert VALUES["unsubscribe_url"] in html


@pytest.fixture
def overrides(tmp_path: Path) -> Path:
    folder = tmp_path / "own"
    folder.mkdir()
    return folder


@pytest.mark.parametrize(
    ("template", "says"),
    [
        (
            "line\n{{ content.titel }}",
            "digest.txt.j2, line 2: Content has no attribute 'titel'; did you mean \"title\"?",
        ),
        ("{{ contnet.title }}", "line 1: 'contnet' is undefined; did you mean \"content\"?"),
        ("line\n\n{{ 1 // 0 }}", "digest.txt.j2, line 3: ZeroDivisionError: "),
        ("line\n{% if %}", "template digest.txt.j2, line 2: "),
        ("{{ ''.__class__.__mro__ }}", "template digest.txt.j2, line 1: access to attribute '__class__'"),
        ("{% include 'none.txt' %}", "template digest.txt.j2, line 1: there is no template none.txt"),
    ],
)
def test_a_template_that_cannot_be_used_is_named_with_its_fault(
    overrides: Path, template: str, says: str
) -> None:
    (overrides / "digest.txt.j2").write_text(template)
    with pytest.raises(SettingsError) as error:
        Renderer(FOLDER, overrides).render(CONTENT)
    assert says in str(error.value)


def test_wide_letters_count_twice_when_lines_are_laid_out() -> None:
    assert wrap("王伟 " * 30).splitlines()[0] == " ".join(["王伟"] * 14)


def test_a_card_is_plain_data() -> None:
    assert Card(id=1, form=Form.SUMMARY, title="t", url="u").html == ""


def test_a_look_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(SettingsError) as error:
        RENDERER.require("frontpage")
    assert str(error.value) == (
        'there is no look "frontpage"; there is front-page, headlines, letter; did you mean "front-page"?'
    )


def test_a_publications_own_template_overrides_a_block_and_a_card(overrides: Path) -> None:
    (overrides / "front-page.html.j2").write_text(
        '{% extends "stock/front-page.html.j2" %}\n'
        "{% block styles %}{{ super() }} .ours { color: #010203; }{% endblock %}\n"
        '{% block masthead %}{{ super() }}<tr><td class="ours">Founded 1881</td></tr>{% endblock %}\n'
    )
    (overrides / "front-page.cards.html.j2").write_text(
        "{% macro brief(card) %}<p>Briefly: {{ card.title }}</p>{% endmacro %}"
    )
    (overrides / "harbour.html.j2").write_text('{% extends "stock/letter.html.j2" %}')
    renderer = Renderer(FOLDER, overrides)
    html = decoded(renderer.render(CONTENT))
    assert '<td class="ours" style="color: #010203;">Founded 1881</td>' in html
    assert '<p style="margin: 0;">Briefly: A sponge older' in html
    assert LEAD.title in html  # the cards that are not overridden are ours
    assert VALUES["unsubscribe_url"] in html
    assert renderer.list_looks() == ["front-page", "harbour", "headlines", "letter"]


def decoded(rendering: Rendering) -> str:
    known = rendering.own_values(VALUES)
    pieces = [p if isinstance(p, bytes) else known[p.rstrip("@")].encode() for p in rendering.html]
    return quopri.decodestring(b"".join(pieces)).decode()


def test_colours_fonts_and_logo_are_those_of_the_publication() -> None:
    light, dark = Colours(accent="#004488", ink="#101112"), Colours(paper="#0a0b0c")
    logo = Logo("https://courier.example/logo.png", "The Harbour Courier", 240)
    brand = Brand(light, dark, heading_font="'Old Style', serif", logo=logo)
    for look in ("front-page", "headlines", "letter"):
        html = decoded(Renderer(FOLDER, brand=brand).render(replace(CONTENT, look=look)))
        assert "#004488" in html
        assert "#101112" in html
        assert "#0a0b0c !important" in html
        assert "font-family: 'Old Style', serif" in html
        assert re.search(r'<img[^>]*alt="The Harbour Courier"', html)
        assert re.search(r'<img[^>]*width="240"', html)


def test_an_introduction_stands_in_both_parts_with_its_links() -> None:
    said = '<p>Good <em>morning</em>, <a href="https://courier.example/letters?a=1&amp;b=2">letters</a>.</p>'
    text, html = parts(replace(CONTENT, introduction=said))
    assert "Good morning, letters [a]." in text
    assert "[a] https://courier.example/letters?a=1&b=2" in text
    assert "<em>morning</em>" in html


def test_a_watch_shows_what_matters_in_twelve_lines() -> None:
    text, _ = parts(CONTENT)
    first = text.splitlines()[:12]
    assert first[0] == "World Briefing"
    assert "1. " + LEAD.title in first
    assert LEAD.summary in " ".join(first)
    assert not any("unsubscribe" in line for line in first)
