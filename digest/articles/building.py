"""Build one parsed article from the parts of a feed item, page or file."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from urllib.parse import urlsplit

from digest.articles.html.cleaning import clean_html, one_line, plain_text, safe_url
from digest.articles.html.image_choice import ImageCandidate, choose_image
from digest.articles.html.titles import Markup, title_line
from digest.articles.parsed import ParsedArticle
from digest.articles.text.identity import canonical_url, content_hash, undecorated
from digest.articles.text.names import cut_names
from digest.articles.text.prose import summarise
from digest.errors import InputError
from digest.rules.articles.topics import slug

_LONGEST_URL = 2_000
_LONGEST_TITLE = 300
_LONGEST_PLACE = 120
_LONGEST_AUTHOR = 200
_LANGUAGE = re.compile(r"[a-zA-Z]{2,3}(?:-[a-zA-Z0-9]{2,8}){0,3}")


def build_article(
    *,
    title: str,
    url: str,
    title_markup: Markup = Markup.UNSTATED,
    html: str = "",
    summary: str = "",
    base_url: str = "",
    own_fragment: str = "",
    guid: str | None = None,
    author: str | None = None,
    image: str | None = None,
    image_alt: str | None = None,
    images: Sequence[ImageCandidate] = (),
    language: str | None = None,
    place: str | None = None,
    agency: str | None = None,
    topics: Iterable[str] = (),
    published_at: datetime | None = None,
    title_formed: bool = False,
    unnamed: str = "",
    canonical: str | None = None,
) -> ParsedArticle:
    """Clean every part; raise InputError if there is no link or nothing to show.

    `summary` and `html` are HTML. `image` is shown whatever else there is; without it the best of `images`
    and of those in the text. `own_fragment` identifies an article whose link is its site's. `unnamed` is the
    title of an article that has an image and no words.
    """
    absolute, compared = _addresses(url, base_url, canonical, own_fragment)
    body = clean_html(html, absolute)
    text = plain_text(body)
    shown, alt = _picture(image, image_alt, images, body, absolute)
    heading = summarise(title_line(title, title_markup), _LONGEST_TITLE)
    named = heading or one_line(summarise(text, 90)) or (summarise(alt or unnamed, 90) if shown else "")
    if not named:
        raise InputError("it has neither a title nor a text; give it one of them")
    return ParsedArticle(
        url=absolute,
        canonical_url=compared,
        title=named,
        title_formed=title_formed or not heading,
        content_hash=content_hash(heading, text or one_line(summary) or ("" if heading else shown or "")),
        guid=one_line(guid)[:500] or None if guid else None,
        summary=summarise(plain_text(clean_html(summary, absolute)) or text),
        html=body,
        text=text,
        author=cut_names(one_line(author), _LONGEST_AUTHOR) or None if author else None,
        image_url=shown,
        image_alt=alt or None,
        language=_language(language or ""),
        place=one_line(place)[:_LONGEST_PLACE] or None if place else None,
        agency=one_line(agency)[:_LONGEST_PLACE] or None if agency else None,
        topics=tuple(dict.fromkeys(filter(None, (slug(topic) for topic in topics)))),
        published_at=published_at,
    )


def _addresses(url: str, base_url: str, canonical: str | None, own_fragment: str) -> tuple[str, str]:
    """Return an article's link and its canonical form."""
    absolute = safe_url(url, base_url)
    if absolute is None:
        raise InputError(f'the link "{one_line(url)[:100]}" is not an http(s) address')
    absolute = undecorated(absolute)
    if not _has_valid_port(absolute):
        raise InputError(f'the link "{one_line(absolute)[:100]}" names a port that does not exist')
    compared = canonical_url(canonical or absolute)
    if own_fragment:
        absolute, compared = (f"{one.partition('#')[0]}#{own_fragment}" for one in (absolute, compared))
    if len(absolute) > _LONGEST_URL or len(compared) > _LONGEST_URL:
        raise InputError(f'the link "{absolute[:60]}..." is longer than {_LONGEST_URL} characters')
    return absolute, compared


def _has_valid_port(url: str) -> bool:
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False


def _picture(
    image: str | None, image_alt: str | None, images: Sequence[ImageCandidate], body: str, absolute: str
) -> tuple[str | None, str]:
    """Return the URL of the image that is shown, and its alternative text."""
    shown, alt = safe_url(image, absolute), image_alt
    if shown is None and (chosen := choose_image(images, body)) is not None:
        shown, alt = safe_url(chosen.url, absolute), chosen.alt or image_alt
    if shown is None or len(shown) > _LONGEST_URL:
        return None, one_line(image_alt)
    return shown, one_line(alt)


def _language(stated: str) -> str | None:
    """Return a language tag (RFC 5646 2.1); None if the text is not one."""
    tag = stated.strip().replace("_", "-")
    return tag if _LANGUAGE.fullmatch(tag) else None
