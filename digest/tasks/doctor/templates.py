"""Check the templates by rendering extreme editions."""

import html
import quopri
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from digest.errors import DigestError
from digest.mail.rendering.content import READER_VALUES, Card, Content, Publication, Section
from digest.mail.rendering.quoted_printable import splice
from digest.mail.rendering.renderer import Renderer, Rendering
from digest.models import Form
from digest.rules.editions.shortening import ROOM
from digest.settings import DigestSettings, Settings
from digest.tasks.doctor.findings import Finding, fail, ok
from digest.tasks.doctor.scope import Scope

_DATED_AT = datetime(2026, 1, 1, 7, 0, tzinfo=UTC)
_LONG_WORD = "Donaudampfschifffahrtsgesellschaft" * 9
_WORDS = "The quick clerk wrote down the price of forty-two kinds of fish, and went home."
_LINKS = ("unsubscribe_url", "preferences_url")
_READER = dict.fromkeys(READER_VALUES, "sample") | {link: f"https://reader.example/{link}" for link in _LINKS}


def examine_templates(scope: Scope) -> list[Finding]:
    """Render each digest's extremes; one that cannot be rendered does not stop the others."""
    renderer = scope.renderer()
    found: list[Finding] = []
    for digest in scope.settings.digests:
        for look in dict.fromkeys([digest.template, *renderer.list_looks()]):
            found += _examine_look(renderer, scope.settings, digest, look, {_fault(one) for one in found})
        found += _examine_size(renderer, scope.settings, digest)
    names = ", ".join(digest.name for digest in scope.settings.digests)
    looks = ", ".join(renderer.list_looks())
    return found or [
        ok("templates", f"{names}: every extreme can be rendered in {looks}, with the links to leave")
    ]


def _examine_look(
    renderer: Renderer, settings: Settings, digest: DigestSettings, look: str, known: set[str]
) -> list[Finding]:
    """Render a look's extremes; a fault of another look is not reported again."""
    found: list[Finding] = []
    where = digest.name if look == digest.template else f"{digest.name} as {look}"
    for name, content in list_extremes(settings, digest).items():
        for one in _examine_one(renderer, f"{where}: {name}", replace(content, look=look)):
            if _fault(one) not in known:
                found.append(one)
                known.add(_fault(one))
    return found


def list_extremes(settings: Settings, digest: DigestSettings) -> dict[str, Content]:
    """List the extreme contents, each with its name."""
    plain = _content(settings, digest, 3)
    card = _card(1)
    long = replace(card, title=_LONG_WORD, summary=f"{_LONG_WORD} {_LONG_WORD}", author=_LONG_WORD)
    bare = replace(card, image_url=None, summary="", author=None, published_at=None, url="")
    return {
        "an edition without articles": _content(settings, digest, 0),
        "one article": _content(settings, digest, 1),
        "200 articles": _content(settings, digest, 200),
        "words of 300 characters": replace(plain, lead=long, sections=(Section(_LONG_WORD, (long,)),)),
        "right to left": replace(plain, language="ar", title="موجز العالم", subject="موجز العالم"),
        "articles without image, summary or link": replace(
            plain, lead=bare, sections=(Section("", (bare,)),)
        ),
        "related articles and more online": replace(plain, related=(card, bare), left_out=12),
        "an introduction": replace(plain, introduction=f'<p>{_WORDS} <a href="https://x.example/">x</a></p>'),
        "whole articles": replace(plain, lead=replace(card, form=Form.FULL)),
        "markup in a title": replace(plain, lead=replace(card, title='<b>"&{{ 7 * 7 }}{% x %}</b>')),
    }


def judge_rendering(name: str, rendering: Rendering, postal_address: str) -> list[Finding]:
    """Judge one rendering; nothing is reported if it is complete."""
    found = []
    for part, said in (
        ("HTML", html.unescape(written(rendering, "html"))),
        ("text", written(rendering, "text")),
    ):
        for link in _LINKS:
            if _READER[link] not in said:
                remedy = f"put {{{{ reader.{link} }}}} into the template: the law asks for a way to leave"
                found.append(fail("templates", f"{name}: the {part} has no {link}", remedy))
        if _squeezed(postal_address) not in _squeezed(said):
            remedy = "put {{ content.publication.postal_address }} into the template: the law asks for it"
            found.append(fail("templates", f"{name}: the {part} has no postal address", remedy))
    return found


def _fault(finding: Finding) -> str:
    """Return a fault without its place: a fault of all extremes is reported once."""
    return finding.found.split(": ", 2)[-1]


def _examine_one(renderer: Renderer, name: str, content: Content) -> list[Finding]:
    try:
        rendering = renderer.render(content)
    except DigestError as error:
        return [fail("templates", f"{name}: {error}", "correct the template")]
    except Exception as error:  # noqa: BLE001 - a template may raise whatever its expressions do
        return [fail("templates", f"{name}: {type(error).__name__}: {error}", "correct the template")]
    return judge_rendering(name, rendering, content.publication.postal_address)


def _examine_size(renderer: Renderer, settings: Settings, digest: DigestSettings) -> list[Finding]:
    try:
        shortest = _content(settings, digest, 1)
        title = replace(_card(1), form=Form.TITLE, html="", image_url=None)
        size = renderer.measure(replace(shortest, lead=title))
    except Exception:  # noqa: BLE001 - the extremes have said it
        return []
    return judge_size(digest, size)


def judge_size(digest: DigestSettings, size: int) -> list[Finding]:
    """Judge the size of the shortest edition's HTML; longer ones are shortened until they fit."""
    if size <= ROOM:
        return []
    found = f"{digest.name}: a single title makes {size // 1000} kB of HTML; Gmail cuts at 102 kB"
    return [fail("templates", found, "make the template smaller, so that the link to leave is not cut off")]


def _content(settings: Settings, digest: DigestSettings, count: int) -> Content:
    site = settings.site
    cards = tuple(_card(number) for number in range(1, count + 1))
    return Content(
        publication=Publication(site.name, site.base_url, site.postal_address),
        digest=digest.name,
        title=digest.title,
        cadence=digest.default_cadence,
        period="2026-01-01",
        dated_at=_DATED_AT,
        timezone=site.timezone,
        language=site.language,
        subject=digest.title,
        preheader=_WORDS,
        look=digest.template,
        lead=cards[0] if cards else None,
        sections=(Section("Sample", cards[1:]),) if count > 1 else (),
    )


def _card(number: int) -> Card:
    return Card(
        id=number,
        form=Form.SUMMARY,
        title=f"Sample article {number} of a clerk and many kinds of fish",
        url=f"https://articles.example/{number}",
        summary=f"{_WORDS} {_WORDS}",
        html=f"<p>{_WORDS}</p>",
        text=_WORDS,
        image_url=f"https://articles.example/{number}.jpg",
        image_alt=_WORDS,
        author="A. Clerk",
        source="sample",
        topics=("sample",),
        published_at=_DATED_AT,
        reading_minutes=1,
        language="en",
    )


def written(rendering: Rendering, part: str, reader: Mapping[str, str] = _READER) -> str:
    """Return a part as a reader gets it, decoded."""
    known = rendering.own_values(reader)
    own = rendering.personal(known) if rendering.personal is not None else rendering
    pieces = own.html if part == "html" else own.text
    # A slot's name ends with "@" inside a tag.
    values = {piece: known[piece.rstrip("@")].encode() for piece in pieces if isinstance(piece, str)}
    return quopri.decodestring(splice(pieces, values)).decode("utf-8", "replace")


def _squeezed(text: str) -> str:
    return "".join(text.split())
