"""Whatever an edition holds, its HTML is not cut by mail programs, and the way to leave stands in it."""

import quopri
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digest.mail.rendering.content import Card, Content, Elsewhere, Section
from digest.mail.rendering.renderer import Renderer
from digest.models import Form
from digest.rules.editions.selection import Choice, Chosen
from digest.rules.editions.shortening import ROOM, fit
from tests.support.editions import compose
from tests.support.samples import CONTENT, HEADERS, OWN, POSTAL, VALUES, examples, hostile_text
from tests.support.standards import check_digest, parse

RENDERER = Renderer(Path(__file__).parents[3] / "templates" / "email")
LOOKS = ("front-page", "headlines", "letter")
WORST = VALUES | {"name": "\U00010348" * 200, "address": "é" * 31 + "@" + "x" * 180 + ".example"}

_paragraphs = hostile_text.map(
    lambda text: "<p>" + text.replace("&", "&amp;").replace("<", "&lt;") * 9 + "</p>"
)
_bodies = st.lists(_paragraphs, min_size=1, max_size=3).flatmap(
    lambda few: st.integers(1, 400).map(lambda times: "".join(few) * times)
)


@st.composite
def cards(draw: st.DrawFn, number: int = 0) -> Card:
    """Draw an article as large as the store lets it be."""
    title = draw(hostile_text | st.just("\U00010348" * 300) | st.just("&" * 300))[:300] or "t"
    return Card(
        id=number,
        form=Form.FULL,
        title=title,
        url="https://x.example/" + draw(st.sampled_from(["a", "é%20" * 400, "?a=1&" * 300])),
        summary=draw(hostile_text | st.just("s" * 600)),
        html=draw(_bodies),
        image_url=draw(st.sampled_from([None, "https://x.example/p.png"])),
        image_alt=draw(hostile_text)[:300],
        author=draw(st.none() | hostile_text.map(lambda text: text[:200] or None)),
        section="World",
        language=draw(st.sampled_from(["en", "ar"])),
        also_at=tuple(Elsewhere("S" * 100, "https://y.example/" + "y" * 1_900) for _ in range(draw(st.integers(0, 3)))),
    )  # fmt: skip


def shown(content: Content, known: Mapping[int, Card], chosen: Chosen) -> Content:
    """Return the content of a completed list."""
    of = [
        replace(
            known[c.article_id], form=c.form, html=known[c.article_id].html if c.form is Form.FULL else ""
        )
        for c in chosen.choices
    ]
    related = tuple(replace(known[number], form=Form.TITLE, html="") for number in chosen.related)
    sections = (Section("S", tuple(of[1:])),) if of[1:] else ()
    return replace(content, lead=of[0], sections=sections, related=related, left_out=chosen.left_out)


@settings(max_examples=examples(25), deadline=None, suppress_health_check=list(HealthCheck))
@given(
    few=st.lists(cards(), min_size=1, max_size=5),
    times=st.integers(1, 30),
    look=st.sampled_from(LOOKS),
    form=st.sampled_from(Form),
)
def test_any_edition_fits_and_every_article_is_in_or_rolls_over(
    few: list[Card], times: int, look: str, form: Form
) -> None:
    known = {number: replace(card, id=number) for number, card in enumerate(few * times)}
    content = replace(CONTENT, look=look, archive_url="https://courier.example/archive/world/daily/x")
    chosen = Chosen(tuple(Choice(number, form, "s") for number in known), 0, tuple(known)[:4])

    found = fit(chosen, lambda one: RENDERER.measure(shown(content, known, one)))
    rendering = RENDERER.render(shown(content, known, found))
    raw = compose(rendering, HEADERS, OWN, WORST)

    check_digest(raw, POSTAL)
    part = list(parse(raw).iter_parts())[1]
    html = quopri.decodestring(str(part.get_payload()))
    assert len(str(part.get_payload())) <= ROOM
    assert WORST["unsubscribe_url"].encode() in html[:ROOM]
    assert POSTAL.encode() in html[:ROOM]
    assert len(found.choices) + found.left_out == len(known)
    if found.left_out:
        assert re.search(f"{found.left_out} more online", html.decode())


def test_thirty_texts_of_a_megabyte_each_are_an_edition_like_any_other() -> None:
    card = Card(
        id=0, form=Form.FULL, title="Minutes", url="https://x.example/", summary="All of them",
        html="<p>and so on</p>" * 70_000, section="World", language="en",
    )  # fmt: skip
    known = {number: replace(card, id=number) for number in range(30)}
    chosen = Chosen(tuple(Choice(number, Form.FULL, "s") for number in known))

    found = fit(chosen, lambda one: RENDERER.measure(shown(CONTENT, known, one)))

    assert [choice.form for choice in found.choices] == [Form.SUMMARY] * 30


def test_the_measure_is_what_the_longest_reader_gets_at_most() -> None:
    for look in LOOKS:
        content = replace(CONTENT, look=look)
        raw = compose(RENDERER.render(content), HEADERS, OWN, WORST)
        size = len(str(list(parse(raw).iter_parts())[1].get_payload()))
        assert size <= RENDERER.measure(content) <= size + 8_000
