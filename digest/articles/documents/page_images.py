"""Choose the image of a page: of those that its metadata states, else of those that its story shows."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from lxml import html
from lxml.etree import XPath

from digest.articles.documents.credits import is_outside
from digest.articles.documents.jsonld import Node, texts
from digest.articles.html.cleaning import safe_url
from digest.articles.html.image_choice import ImageCandidate, candidate, choose_among
from digest.articles.html.images import resolve_images
from digest.articles.html.trees import matches, tags_in

_OPEN_GRAPH = ("og:image", "og:image:url", "og:image:secure_url")
_OTHERS = ("twitter:image", "twitter:image:src", "parsely-image-url")
_LINKED = ".//link[@rel='image_src']/@href | .//*[@itemprop='image']/@src | .//*[@itemprop='image']/@content"
_STORY = XPath(".//*[@itemprop='articleBody'] | .//article | .//main | .//*[@role='main']")
_AFTER_HEADLINE = XPath("(.//h1)[last()]/following::img")
_OF_OTHERS = re.compile(
    r"(?:^|[\s_-])(?:authors?|byline|avatar|bio|profile|logo|icons?|share|social|sharing|newsletter|promo|advert|ads?|sponsor(?:ed)?"
    r"|related|teasers?|recirc|more|cards?|comments?|toolbar|nav|menu|widget)(?:$|[\s_-])",
    re.I,
)
_IS_IMAGE = re.compile(r"\.(?:jpe?g|png|gif|webp|avif)(?:$|[?#])|/(?:File|Datei|Fichier|Archivo):", re.I)
# Where browsers put the images of a page that they save, in their languages: they are nowhere on the web.
_SAVED_BESIDE = re.compile(
    r"(?:\./)?[^/:?#]+[_-](?:files|fichiers|Dateien|archivos|bestanden|pliki|ficheiros|arquivos|file)/", re.I
)
_DRAWN = ("img", "amp-img", "amp-anim", "source")
# What a reference may stand for in HTML, and no tree takes back (XML 1.0, 2.2).
_NO_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MOST = 20
_HIGHEST = 6


def find_image(page: html.HtmlElement, node: Node, url: str) -> tuple[str | None, str | None]:
    """Return the URL and the alternative text of a page's image.

    The page's images are changed: nothing else may read them afterwards.
    """
    graph = list(_open_graph(page))
    of_node = texts(node.get("image") or node.get("thumbnailUrl"), "url", "contentUrl", "@id")
    others = [*_others(page), *_candidates(of_node), *_candidates(page.xpath(_LINKED))]
    shown = list(_shown(page, url))
    groups = [[one for one in group if safe_url(one.url, url)] for group in (graph, others, shown)]
    chosen = choose_among(*groups)
    if chosen is None:
        return None, next((one.alt for one in graph if one.alt), None)
    name = _name(chosen.url)
    alts = (one.alt for group in groups for one in group if one.alt and _name(one.url) == name)
    return safe_url(chosen.url, url), chosen.alt or next(alts, None)


def _open_graph(page: html.HtmlElement) -> Iterator[ImageCandidate]:
    """Yield the images of Open Graph: what follows one is about it (ogp.me, "Arrays")."""
    found: list[dict[str, str]] = []
    for meta in page.iter("meta"):
        name = (meta.get("property") or meta.get("name") or "").lower()
        value = (meta.get("content") or "").strip()
        if not value or not name.startswith("og:image"):
            continue
        if name in _OPEN_GRAPH:
            if name == "og:image" or not found or "url" not in found[-1]:
                found.append({"url": value})
        elif found:
            found[-1].setdefault(name.rpartition(":")[2], value)
    for one in found[:_MOST]:
        made = candidate(one["url"], alt=one.get("alt"), width=one.get("width"), height=one.get("height"))
        if made is not None:
            yield made


def _others(page: html.HtmlElement) -> Iterator[ImageCandidate]:
    stated = {
        (meta.get("property") or meta.get("name") or "").lower(): (meta.get("content") or "").strip()
        for meta in page.iter("meta")
    }
    for name in _OTHERS:
        if made := candidate(stated.get(name), alt=stated.get("twitter:image:alt")):
            yield made


def _candidates(urls: Sequence[str]) -> Iterator[ImageCandidate]:
    return filter(None, map(candidate, urls[:_MOST]))


def _shown(page: html.HtmlElement, url: str) -> Iterator[ImageCandidate]:
    """Yield the images in the story, and those below its headline where nothing is marked as the story."""
    for element in page.iter(*_DRAWN):
        for name, value in element.items():
            if _NO_XML.search(value):
                element.set(name, _NO_XML.sub("", value))
    resolve_images(page, tags_in(page))
    holders = matches(_STORY, page)
    images = [image for holder in holders[:_HIGHEST] for image in islice(holder.iter("img"), _MOST)]
    for image in dict.fromkeys((*images, *islice(matches(_AFTER_HEADLINE, page), _MOST))):
        is_elsewhere = _SAVED_BESIDE.match(image.get("src") or "") is not None
        if not is_elsewhere and not _is_of_others(image, url) and not is_outside(image):
            made = candidate(
                image.get("src"), alt=image.get("alt"), width=image.get("width"), height=image.get("height")
            )
            if made is not None:
                yield made


def _is_of_others(image: html.HtmlElement, url: str) -> bool:
    """Return whether an image belongs to an author, a teaser or the site."""
    for holder in islice(image.iterancestors(), _HIGHEST):
        if holder.tag in ("article", "main", "body"):
            return False
        if holder.tag == "header" and not any(
            one.tag in ("article", "main") for one in holder.iterancestors()
        ):
            return True
        if _OF_OTHERS.search(f"{holder.get('class') or ''} {holder.get('id') or ''}"):
            return True
        href = (holder.get("href") or "").strip() if holder.tag == "a" else ""
        if href and not href.startswith("#") and not _IS_IMAGE.search(href):
            leads_to = safe_url(href, url) or ""
            if leads_to.partition("#")[0].rstrip("/") != url.partition("#")[0].rstrip("/"):
                return True
    return False


def _name(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[2]
