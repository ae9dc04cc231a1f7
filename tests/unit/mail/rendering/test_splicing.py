"""A spliced message says what a message rendered for its reader alone would say."""

import quopri
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.errors import SettingsError
from digest.mail.message import Composition
from digest.mail.rendering.content import Card, Content, Section
from digest.mail.rendering.renderer import Renderer, Rendering
from tests.support.editions import compose
from tests.support.samples import CONTENT, HEADERS, LEAD, OWN, STORIES, VALUES, examples, hostile_text

FOLDER = Path(__file__).parents[4] / "templates" / "email"
RENDERER = Renderer(FOLDER)

names = hostile_text | st.just("") | st.just("n" * 200)
local_parts = st.text("abc.é=王-_+&'", min_size=1, max_size=60).map(lambda text: f"{text}@readers.example")


def both_parts(rendering: Rendering, values: Mapping[str, str]) -> tuple[str, str]:
    """Return the decoded parts of a reader's message."""
    message = Composition(rendering, HEADERS).compose(OWN, values)
    boundary = message.head.partition(b'boundary="')[2].partition(b'"')[0]
    _, text, html, _ = message.body.split(b"--" + boundary)
    decoded = (quopri.decodestring(part.partition(b"\r\n\r\n")[2]).decode() for part in (text, html))
    first, second = decoded
    return first, second


def rendered_for(renderer: Renderer, content: Content, values: Mapping[str, str]) -> tuple[str, str]:
    """Render for one reader alone, with no slot anywhere."""
    known = renderer.render(content).own_values(values)
    return both_parts(renderer.render_for(content, known), values)


looks = st.sampled_from(["front-page", "headlines", "letter"])


@settings(max_examples=examples(150), deadline=None)
@given(name=names, address=local_parts, look=looks)
def test_spliced_is_what_rendered_would_be(name: str, address: str, look: str) -> None:
    values = VALUES | {"name": name, "address": address}
    content = replace(CONTENT, look=look)
    assert both_parts(RENDERER.render(content), values) == rendered_for(RENDERER, content, values)


@settings(max_examples=examples(90), deadline=None)
@given(
    title=hostile_text,
    summary=hostile_text,
    subject=hostile_text,
    order=st.permutations(STORIES),
    look=looks,
    left_out=st.integers(0, 3),
)
def test_a_join_of_cards_is_what_rendered_would_be(
    title: str, summary: str, subject: str, order: list[Card], look: str, left_out: int
) -> None:
    story = replace(STORIES[0], title=title, summary=summary)
    cards = tuple(story if card is STORIES[0] else card for card in order)
    content = replace(
        CONTENT, subject=subject, preheader=title, sections=(Section("S", cards),), related=cards[:3],
        look=look, left_out=left_out,
    )  # fmt: skip

    joined = RENDERER.render(content)

    assert both_parts(joined, VALUES) == rendered_for(Renderer(FOLDER), content, VALUES)
    assert compose(joined, HEADERS, OWN, VALUES) == compose(
        Renderer(FOLDER).render(content), HEADERS, OWN, VALUES
    )


def test_another_list_of_known_articles_is_not_drawn_again() -> None:
    renderer = Renderer(FOLDER)
    first = replace(CONTENT, sections=(Section("S", STORIES),), look="headlines")
    renderer.render(first)
    drawn = renderer._templates._environment.get_template("headlines.html.j2")
    calls = []
    original = drawn.render
    drawn.render = lambda *a, **k: calls.append(1) or original(*a, **k)  # type: ignore[func-returns-value,method-assign]

    other = replace(first, sections=(Section("S", STORIES[::-1]),), subject="Another", lead=LEAD, left_out=9)
    renderer.render(other)

    # A card that stands elsewhere in the list is the same card.
    assert not calls


DECIDING = {
    "a condition": "{% if reader.name %}Dear {{ reader.name }}{% else %}Dear reader{% endif %}",
    "a filter": "{{ reader.name | upper }}",
    "a filter over a join": "{{ ('x' ~ reader.name) | upper }}",
    "a comparison": "{{ 'you' if reader.address == 'siobhan.obrien@readers.example' else 'not you' }}",
    "a loop": "{% for sign in reader.name %}{{ sign }}-{% endfor %}",
    "a length": "{{ reader.name | length }}",
    "a method": "{{ reader.address.split('@')[0] }}",
    "a test": "{{ reader.name is string }}",
    "an encoded link": "<a href='https://x.example/{{ reader.name | urlencode }}'>x</a>",
    "a subject's length": "{{ content.subject | length }}",
    "a card's title": "{% if content.lead.title %}{{ content.lead.title | upper }}{% endif %}",
    "a dead branch": "{{ reader.name if false else 'fine' }}",
    "a comment": "<!-- {{ reader.name }} -->",
    "an attribute": '<p title="{{ reader.name }}">x</p>',
}


@pytest.mark.parametrize("name", ["Siobhán O'Brien", "", 'A "B" <c> & d\u00a0e'])
@pytest.mark.parametrize("what", DECIDING)
def test_a_template_that_decides_on_what_comes_later_is_rendered_with_it(
    what: str, name: str, tmp_path: Path
) -> None:
    document = (FOLDER / "front-page.html.j2").read_text("utf-8")
    (tmp_path / "front-page.html.j2").write_text(document.replace("<h1", f"{DECIDING[what]}<h1"), "utf-8")
    renderer = Renderer(FOLDER, tmp_path)
    values = VALUES | {"name": name}

    found = both_parts(renderer.render(CONTENT), values)

    assert found == rendered_for(renderer, CONTENT, values)
    assert "Slot" not in "".join(found)


def test_a_role_that_no_macro_draws_is_named(tmp_path: Path) -> None:
    (tmp_path / "front-page.html.j2").write_text('{{ show(content.lead, "leed") }}', "utf-8")
    with pytest.raises(SettingsError, match=r'front-page\.html\.j2, line 1: no macro "leed" draws a card'):
        Renderer(FOLDER, tmp_path).render(CONTENT)
