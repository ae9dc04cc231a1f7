"""A list that is joined from what is kept gives what a program that has kept nothing renders for it."""

import random
from collections.abc import Hashable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given
from hypothesis import settings as trying
from hypothesis import strategies as st

from digest.mail.assembly import Assembler
from digest.mail.rendering.catalogues import Catalogues
from digest.mail.rendering.renderer import Renderer
from digest.models import Article, Edition, Form
from digest.models.cadence import CORRECTION
from digest.rules.editions.selection import Choice, Chosen
from digest.settings import Settings, load_settings
from digest.store.articles.duplicates import OtherSource
from digest.store.articles.images import Copy
from digest.tasks.composing.content import EditionContents, Layout
from digest.tasks.composing.variants import VariantContent
from tests.conftest import write_config
from tests.support.editions import compose
from tests.support.samples import HEADERS, NOW, OWN, VALUES, examples, hostile_text
from tests.unit.mail.rendering.test_splicing import both_parts, rendered_for

FOLDER = Path(__file__).parents[4] / "templates" / "email"
CATALOGUES = Catalogues(FOLDER.parent / "languages")
HEADERS_OF_ALL = replace(HEADERS, subject=None)
LOOKS = ("front-page", "headlines", "letter")
SECTIONS = ("world", "science", "", "not-of-the-digest")


def article(number: int, title: str = "", **other: Any) -> Article:
    """Make an article whose body has what encodings trip over."""
    return Article(
        id=number, source="newsroom", canonical_url=f"https://x.example/{number}", content_hash="",
        url=f"https://x.example/{number}?a=1&b=2", title=title or f"Story {number} – “q” = .", topics=["world"],
        summary=f"Number {number}, in short.", html=f"<p>.Text of <em>{number}</em> = é</p>" * number,
        text=f".Text of {number} = é", image_url=f"https://x.example/{number}.png", first_seen_at=NOW,
        word_count=230 * number, language=(None, "de", "ar")[number % 3], **other,
    )  # fmt: skip


ARTICLES = {number: article(number) for number in range(1, 9)}
GONE = article(9, withdrawn_at=NOW)
TOLD = OtherSource(90, 2, "The Tide", "Elsewhere", "https://tide.example/2", ("world",), NOW)
COPY = Copy("3" * 64, NOW)
EDITION: dict[str, Any] = {
    "digest": "front-page",
    "cadence": "daily",
    "period": "2026-11-23",
    "freeze_at": NOW,
    "deadline_at": NOW,
}


BLOCKS = [
    {"place": "*lead", "text": "After the *lead*."}, {"place": "world", "text": "See [this](https://courier.example/b)."},
    {"place": "science", "text": "- one\n- two"}, {"place": "*end", "text": "At the end."},
]  # fmt: skip


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Return settings with a digest for each look."""
    found = load_settings(write_config(tmp_path_factory.mktemp("contents"), "sqlite:///never.db"))
    world = found.digest("world").model_copy(update={"topics": ("science", "world")})
    digests = [world.model_copy(update={"name": look, "template": look}) for look in LOOKS]
    return found.model_copy(update={"digests": tuple(digests)})


@st.composite
def variants(draw: st.DrawFn) -> VariantContent:
    """Draw a list as selection, editors, folds and the store could make it."""
    look, is_correction = draw(st.sampled_from(LOOKS)), draw(st.integers(0, 9)) == 0
    ids = draw(st.lists(st.integers(1, 8), unique=True, min_size=1, max_size=8))
    choices = [
        Choice(number, draw(st.sampled_from(list(Form))), draw(st.sampled_from(SECTIONS))) for number in ids
    ]
    edition = EDITION | {
        "digest": look,
        "subject": draw(st.sampled_from(["", "{lead} | {title} {date} {publication} {other}"])),
        "introduction": draw(st.sampled_from(["", "Words of *ours*.\n\nMore of them."])),
        "blocks": draw(st.sampled_from([[], BLOCKS])),
        "freeze_at": NOW + timedelta(days=draw(st.integers(0, 1))),
    }
    related = draw(st.lists(st.integers(1, 9), unique=True, max_size=4))
    articles = ARTICLES | {9: GONE}
    if draw(st.booleans()):
        articles[ids[-1]] = article(ids[-1], draw(hostile_text))
    return VariantContent(
        Edition(**edition | ({"cadence": CORRECTION, "subject": "Corrected"} if is_correction else {})),
        draw(st.sampled_from(["en", "de-AT", "ar", "xx"])),
        Chosen(() if is_correction else tuple(choices), draw(st.integers(0, 2)), tuple(related)),
        articles,
        draw(st.sampled_from([{}, {2: (TOLD,)}, {2: ()}])),
        draw(st.sampled_from([{}, {3: COPY}])),
    )


def test_a_list_of_what_is_known_is_rendered_as_by_who_knows_nothing(settings: Settings) -> None:
    kept = Renderer(FOLDER)
    contents = EditionContents(settings, kept.catalogues)
    assemblers: dict[Hashable, Assembler] = {}

    @trying(
        max_examples=examples(30), deadline=None, phases=(Phase.generate,)
    )  # to shrink a list takes minutes
    @given(variants())
    def check(variant: VariantContent) -> None:
        fresh = Renderer(FOLDER)
        content = EditionContents(settings, fresh.catalogues).of(variant)
        assert contents.of(variant) == content

        rendering = kept.render(content)
        assert rendering == fresh.render(content)
        most = fresh.measure(content)
        assert kept.measure(content) == most
        assert both_parts(rendering, VALUES) == rendered_for(Renderer(FOLDER), content, VALUES)
        named = replace(HEADERS, subject=rendering.subject)
        message = compose(fresh.render(content), named, OWN, VALUES)
        assert compose(rendering, HEADERS_OF_ALL, OWN, VALUES) == message

        layout, skeleton = contents.lay_out(variant), kept.skeleton_of(content)
        assert skeleton is not None
        assembler = assemblers.setdefault(layout.shape, Assembler(skeleton, HEADERS_OF_ALL))
        assert composed(assembler, layout, most) == message
        assert assembler.compose(layout.pieces, most - 1) is None

    check()


def composed(assembler: Assembler, layout: Layout, room: int = 1_000_000) -> bytes:
    composition = assembler.compose(layout.pieces, room)
    assert composition is not None
    return bytes(composition.compose(OWN, VALUES))


def test_lists_of_one_shape_are_joined_by_one_assembler_as_they_are_rendered(settings: Settings) -> None:
    renderer = Renderer(FOLDER)
    contents, orders = EditionContents(settings, renderer.catalogues), random.Random(8)
    choices = [Choice(number, Form.SUMMARY, SECTIONS[number % 2]) for number in ARTICLES]
    assemblers: dict[Hashable, Assembler] = {}
    joined = 0

    for left_out in range(120):
        order = orders.sample(choices, len(choices))
        chosen = Chosen(tuple(order), left_out % 3, tuple(range(1, 1 + left_out % 2)))
        variant = VariantContent(Edition(**EDITION), "en", chosen, ARTICLES, {}, {})
        layout, content = contents.lay_out(variant), contents.of(variant)
        rendering = renderer.render(content)
        if layout.shape in assemblers:
            joined += 1
        else:
            skeleton = renderer.skeleton_of(content)
            assert skeleton is not None
            assemblers[layout.shape] = Assembler(skeleton, HEADERS_OF_ALL)
        assert composed(assemblers[layout.shape], layout) == compose(rendering, HEADERS_OF_ALL, OWN, VALUES)
    assert (
        len(assemblers) == 8
    )  # the lead's section, whether anything is left out, and whether another is named
    assert joined == 112


def test_a_lead_names_its_section_unless_that_stands_right_below_it(settings: Settings) -> None:
    contents = EditionContents(settings, CATALOGUES)

    def lead_section(*sections: str) -> str:
        choices = tuple(Choice(number, Form.SUMMARY, section) for number, section in enumerate(sections, 1))
        content = contents.of(VariantContent(Edition(**EDITION), "en", Chosen(choices), ARTICLES, {}, {}))
        assert content.lead is not None
        return content.lead.section

    assert lead_section("science", "world", "science") == ""
    assert lead_section("world", "world", "science") == "World"
    assert lead_section("world") == "World"


def test_a_card_that_was_never_drawn_in_its_place_is_not_joined(settings: Settings) -> None:
    renderer = Renderer(FOLDER)
    contents = EditionContents(settings, renderer.catalogues)
    choices = tuple(Choice(number, Form.SUMMARY, "world") for number in ARTICLES)

    def variant(order: tuple[Choice, ...], articles: dict[int, Article]) -> VariantContent:
        return VariantContent(Edition(**EDITION), "en", Chosen(order), articles, {}, {})

    first, turned = variant(choices, ARTICLES), variant(choices[::-1], ARTICLES)
    renderer.render(contents.of(first))
    skeleton = renderer.skeleton_of(contents.of(first))
    assert skeleton is not None
    assembler = Assembler(skeleton, HEADERS_OF_ALL)
    assert assembler.compose(contents.lay_out(turned).pieces, 1_000_000) is None
    renderer.render(contents.of(turned))
    assert composed(assembler, contents.lay_out(turned))

    # An article that was changed since has another card, whatever is in stock of the former one.
    changed = variant(choices, ARTICLES | {2: article(2, "Another title")})
    assert assembler.compose(contents.lay_out(changed).pieces, 1_000_000) is None
    rendering = renderer.render(contents.of(changed))
    message = composed(assembler, contents.lay_out(changed))
    assert message == compose(rendering, HEADERS_OF_ALL, OWN, VALUES)
    assert b"Another title" in message


def test_every_reader_another_order_draws_no_document_again(settings: Settings) -> None:
    renderer = Renderer(FOLDER)
    contents, orders = EditionContents(settings, renderer.catalogues), random.Random(7)
    choices = [Choice(number, Form.SUMMARY, "world") for number in ARTICLES]
    drawn = []
    documents: Any = renderer._documents
    finish = documents._inlined
    documents._inlined = lambda document: drawn.append(document) or finish(document)  # type: ignore[func-returns-value]

    def variant(order: list[Choice]) -> VariantContent:
        return VariantContent(Edition(**EDITION), "en", Chosen(tuple(order)), ARTICLES, {}, {})

    for _ in range(60):  # enough for each card to have stood in each place
        renderer.render(contents.of(variant(orders.sample(choices, len(choices)))))
    before = len(drawn)
    found = {
        renderer.render(contents.of(variant(orders.sample(choices, len(choices))))).boundary
        for _ in range(200)
    }
    assert len(drawn) == before
    assert len(found) == 200


def test_the_preheader_and_the_sections_follow_the_list(settings: Settings) -> None:
    contents = EditionContents(settings, CATALOGUES)
    wanted = [(3, "world"), (1, "not-of-the-digest"), (2, "world"), (4, "science"), (5, "world")]
    chosen = Chosen(tuple(Choice(number, Form.TITLE, topic) for number, topic in wanted))
    content = contents.of(VariantContent(Edition(**EDITION), "en", chosen, ARTICLES, {}, {}))

    assert content.lead is not None
    assert content.lead.id == 3
    assert content.preheader == " · ".join(ARTICLES[number].title for number in (1, 2, 4))
    assert [(one.title, [card.id for card in one.cards]) for one in content.sections] == [
        ("Science", [4]), ("World", [2, 5]), ("Not of the digest", [1]),
    ]  # fmt: skip
    alone = replace(chosen, choices=chosen.choices[:1])
    content = contents.of(VariantContent(Edition(**EDITION), "en", alone, ARTICLES, {}, {}))
    assert content.preheader == ARTICLES[3].summary
