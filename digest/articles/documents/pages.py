"""Parse a web page, fetched or saved: the article's text by trafilatura, with the page's metadata."""

import contextlib
import logging
import re
from collections.abc import Sequence
from configparser import ConfigParser
from copy import deepcopy
from difflib import SequenceMatcher
from urllib.parse import urljoin, urlsplit

import trafilatura
from lxml.html import HtmlElement
from trafilatura.htmlprocessing import build_html_output
from trafilatura.settings import DEFAULT_CONFIG, Document
from trafilatura.utils import load_html

from digest.articles.building import build_article
from digest.articles.documents.credits import person_of_address, without_credit
from digest.articles.documents.metadata import PageMetadata, read_stated
from digest.articles.html.cleaning import escaped, paragraphs, plain_text
from digest.articles.html.titles import Markup, title_line
from digest.articles.html.trees import (
    Element,
    all_of,
    read_tree,
    remove,
    unnested,
    untangled,
    words_of,
    write_tree,
)
from digest.articles.parsed import ParsedArticle
from digest.articles.plaintext.boilerplate import ALONE, ASKS, ENDS
from digest.articles.text.charsets import decode_page
from digest.articles.text.dates import parse_date
from digest.articles.text.identity import canonical_url
from digest.articles.text.prose import word_count
from digest.errors import InputError

# Its log would quote the page, and what cannot be parsed is reported as an error here.
for _library in ("trafilatura", "htmldate", "justext"):
    logging.getLogger(_library).setLevel(logging.CRITICAL)
_LONGEST = 1_500_000
_LARGE = 300_000
# A search of the whole text takes any year in the story for its date.
_DATES = {"original_date": True, "extensive_search": False, "max_date": "2100-01-01"}
# A shorter text is replaced by all words of the page in one block; a short article is shorter.
_OF_SHORT = deepcopy(DEFAULT_CONFIG)
_OF_SHORT.set("DEFAULT", "MIN_EXTRACTED_SIZE", "25")
_LEAST_SHARE = 0.3
_MOST_TAGS = 50_000
_MANY_TAGS = 12_000
_UNSHOWN = re.compile(r"<(?P<end>/?)(?P<name>style|svg|script)\b(?P<rest>[^<>]*)>?", re.I)
_LONG_VALUE = re.compile(r"""\bcontent\s*=\s*(?:"[^"]{1000,}"|'[^']{1000,}')""")
_STOP = re.compile(r"[.!?…:։。！？؟۔।]|[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.I)
_DOCTYPE = re.compile(r"<!doctype\s+html\b|<html\b", re.I)
_ROOT = re.compile(r"<(?:html|body)\b", re.I)
_LATEST_BEGINNING = 8_000
_PARTS = re.compile(r"\s+[|»«•·–—\\/-]\s+|\s*\|\s*|\s+::?\s+")
_LEAST_HEADING = 12
# The story, a section or more, and the site: "Tide turns » Local » News » The Harbour Post".
_CRUMBS = 3
_CRUMB = re.compile(r"\s+[|»«›>•·]\s+")
_HEADING = re.compile(r"<h[1-3][^>]*>(.*?)</h[1-3]>", re.S | re.I)
_LONGEST_KICKER = 40
_LIKE = 0.85
# Readers' comments in other languages than the library knows.
_COMMENTS = re.compile(
    r"(?:^|[\s_-])(?:comentarios?|kommentare?|commentaires?|commenti|comentários|reacties|yorumlar|komentarze|komentáře|komentari|kommentit"
    r"|kommentarer|hozzászólások|σχόλια|комментарии)(?:$|[\s_-]|liste?|area|box|section)",
    re.I,
)
# What asks to pay, to sign in or to subscribe, where it does not contain the story itself.
_ASKING = re.compile(
    r"(?:^|[\s_-])(?:pay-?wall|reg-?wall|piano|subscri(?:be|ption)|subscribe-\w+|newsletter|sign-?up|mc4wp|leaky|premium|abo)(?:$|[\s_-])",
    re.I,
)
_MOST_ASKED = 60
_FEWEST_WORDS = 8
# What browsers and their extensions note in a page that they save: Chrome and Internet Explorer, SingleFile,
# WebScrapBook.
_SAVED_FROM = re.compile(
    r"<!--\s*saved from url=\(\d{1,5}\)\s*(https?://[^\s<>\"]+)|<!--\s*Page saved with SingleFile\s+url:\s*(https?://[^\s<>\"]+)"
    r"|\sdata-scrapbook-source=\"(https?://[^\s<>\"]+)\"",
    re.I,
)
_LONGEST_LABEL = 160
_NO_ARTICLE = (
    "no article was found in this page; where scripts draw it, save its text from a browser and add that file"
)


def parse_page(
    content: bytes, *, url: str, topics: Sequence[str] = (), saved: bool = False, content_type: str = ""
) -> ParsedArticle:
    """Parse a page; raise InputError if no article is found in it.

    The page's own canonical URL counts only within its host, so that no page can pass for an article of
    another site. A saved page has no host: its canonical URL is the link, else the one that the browser
    noted.
    """
    text = untangled(_whole(decode_page(content, content_type).replace("\0", "")))
    if saved and (noted := _SAVED_FROM.search(text, 0, _LATEST_BEGINNING)) is not None:
        url = next(filter(None, noted.groups()))
    stated = read_stated(text, url)
    shown = unnested(_LONG_VALUE.sub(_cut, _shown(text)))
    if len(shown) > _LONGEST or shown.count("<") > _MOST_TAGS:
        raise InputError(
            f"{url}: this page has over {_LONGEST:,} characters or {_MOST_TAGS:,} tags;"
            " save the article's text and add that"
        )
    found = _extracted(shown, stated.base or url)
    if found is not None and not stated.body and len(found.body) == 1 and found.body[0].tag == "p":
        found = _short(shown, stated.base or url, found)
    author = stated.author or stated.shown.author or (found.author if found else None)
    html = without_credit(_body(found, stated), author)
    told = plain_text(html)
    if not html or (not stated.published_at and (word_count(told) < _FEWEST_WORDS or not _STOP.search(told))):
        raise InputError(f"{url}: {_NO_ARTICLE}")
    own = stated.canonical
    title = _title(found, stated, _host(own if saved and own else url) or "")
    return build_article(
        title=title,
        url=own if saved and own else url,
        html=_without_title(html, title),
        summary=escaped(stated.description or (found.description if found else "") or ""),
        author=_names(author, stated.site),
        image=stated.image,
        image_alt=stated.image_alt,
        language=stated.language or (found.language if found else None),
        topics=(*topics, *stated.topics),
        published_at=stated.published_at
        or stated.shown.published_at
        or parse_date(found.date if found else None),
        canonical=own if own and _host(own) == _host(url) else None,
    )


def _whole(text: str) -> str:
    """Return a page with a root element, without anything that a server or a script wrote before it."""
    begins = _DOCTYPE.search(text, 0, _LATEST_BEGINNING)
    if begins and begins.start() and not _ROOT.search(text, 0, begins.start()):
        text = text[begins.start() :]
    return text if _ROOT.search(text) else f"<!doctype html><html>{text}</html>"


def _shown(text: str) -> str:
    """Remove styles, drawings and scripts other than metadata, in one pass over any nesting."""
    kept, at = [], 0
    within, start = "", 0
    for match in _UNSHOWN.finditer(text):
        name = match["name"].lower()
        if not within and not match["end"] and not (name == "script" and "ld+json" in match["rest"].lower()):
            within, start = name, match.start()
        elif match["end"] and name == within:
            kept.append(text[at:start])
            within, at = "", match.end()
    return "".join((*kept, text[at:]))


def _cut(match: re.Match[str]) -> str:
    """Cut metadata to a length: the library's search for names takes quadratic time."""
    return match[0][:500] + match[0][-1]


def _short(text: str, url: str, block: Document) -> Document:
    """Return a short article with its paragraphs, where the library found one block of all words."""
    found = _extracted(text, url, _OF_SHORT)
    told = (found.text or "") if found else ""
    is_enough = len(told) >= _LEAST_SHARE * len(block.text or "") and _STOP.search(told) is not None
    return found if found is not None and is_enough else block


def _extracted(text: str, url: str, config: ConfigParser = DEFAULT_CONFIG) -> Document | None:
    try:
        tree = load_html(text)
        if tree is None:
            return None
        found = trafilatura.bare_extraction(
            _prepared(tree, url),
            url=url,
            with_metadata=True,
            include_comments=False,
            include_formatting=True,
            include_links=True,
            date_extraction_params=dict(_DATES),
            config=config,
            fast=len(text) > _LARGE or text.count("<") > _MANY_TAGS,
        )
    except (RecursionError, AssertionError, AttributeError, IndexError, KeyError):
        # A page that nobody would write breaks the library in more ways than its documented errors.
        return None
    return found if isinstance(found, Document) and (found.text or "").strip() else None


def _prepared(tree: HtmlElement, url: str) -> HtmlElement:
    """Remove the author's `address`, and resolve links against the page's base: the library knows only the
    host.

    Elements that bear a name of the library's own notation would break its output; they are no HTML.
    """
    for marked in all_of(tree, "hi", "ref"):
        marked.tag = "span"
        marked.attrib.clear()
    for address in all_of(tree, "address"):
        if person_of_address(address):
            remove(address)
    for box in all_of(tree, "div", "section", "aside", "form", "ul", "ol"):
        called = f"{box.get('class') or ''} {box.get('id') or ''}"
        if len(called) > 1 and box.getparent() is not None and _is_no_story(box, called):
            remove(box)
    for link in tree.iter("a"):
        href = (link.get("href") or "").strip()
        if href and not href.startswith("#") and not _SCHEME.match(href):
            with contextlib.suppress(ValueError):
                link.set("href", urljoin(url, href))
    return tree


def _is_no_story(box: Element, called: str) -> bool:
    """Return whether a block is readers' comments, or asks to pay or to subscribe."""
    if _COMMENTS.search(called):
        return next(box.iter("h1"), None) is None
    if not _ASKING.search(called) or word_count(words_of(box)) > _MOST_ASKED:
        return False
    return (
        next(box.iter("button", "form", "input", "a"), None) is not None
        and next(box.iter("h1", "img"), None) is None
    )


def _body(found: Document | None, stated: PageMetadata) -> str:
    """Return the extracted text, or the text in the metadata if that is much longer."""
    extracted = _without_labels(build_html_output(found)) if found else ""
    if word_count(stated.body) > 2 * word_count(found.text or "" if found else "") + 20:
        return stated.body if re.search(r"</?p\b", stated.body) else paragraphs(re.split(r"\n+", stated.body))
    return extracted


def _title(found: Document | None, stated: PageMetadata, host: str) -> str:
    """Choose the title, without the names of site and section around it: the heading that is part of it."""
    extracted = title_line(found.title) if found and found.title else ""
    agreed = title_line(stated.title).casefold()
    is_agreed = agreed in (title_line(one).casefold() for one in stated.headings)
    title = _own_title(extracted if extracted and not is_agreed else title_line(stated.title), stated, host)
    for heading in map(title_line, stated.headings):
        if _LEAST_HEADING <= len(heading) < len(title) and heading.casefold() in title.casefold():
            return heading
    for site in filter(None, map(title_line, (stated.site, *stated.site_headings))):
        name = re.escape(site)
        bare = re.sub(
            rf"\s*(?:[|»](?:\s*{name}(?: [\w&]+){{0,2}})|[–—·:-]\s*{name})\s*$", "", title, flags=re.I
        )
        led = re.sub(rf"^{name}\s*[|»–—:-]\s+(?=.{{{_LEAST_HEADING}}})", "", bare, flags=re.I)
        if led and led != title:
            return led
    return title


def _own_title(title: str, stated: PageMetadata, host: str) -> str:
    """Return the story's title if the one found is the site's: its name, that of its host, or a heading of
    a menu."""
    named = title_line(stated.page_title)
    parts = [part.strip() for part in _PARTS.split(named) if part.strip()]
    of_site = {title_line(one).casefold() for one in (stated.site, *stated.site_headings) if one}
    known = title.casefold()
    if "".join(filter(str.isalnum, known)) in [label.replace("-", "") for label in host.split(".")]:
        of_site.add(known)
    others = [part for part in parts if part.casefold() not in {known, *of_site}]
    headings = [title_line(one) for one in (*stated.headings, *stated.subheadings)]
    within = [
        one for one in headings if one.casefold() != known and one.casefold() in map(str.casefold, others)
    ]
    crumbs = _CRUMB.split(named)
    if len(crumbs) >= _CRUMBS and len(_CRUMB.split(title)) > 1:
        story = max(crumbs, key=len)
        if all(len(story) > 2 * len(part) for part in crumbs if part != story):
            return story
    if not title:
        return within[0] if within else max(others or parts, key=len, default="")
    if known in of_site or (len(parts) > 1 and known in map(str.casefold, parts[1:]) and within):
        if within or others:
            return within[0] if within else max(others, key=len)
        return next((one for one in headings if one.casefold() not in of_site), title)
    return title


# "By" in the languages of pages, before a capital; "di" and "de" begin names as well.
_NAMED_BY = re.compile(
    r"^(?:(?:By|BY|by|Von|VON|Par|PAR|Por|POR|Door|Av|Af)\s*:?\s+(?=[A-ZÀ-Þ])"
    r"|(?:Автор(?:ы)?|Текст|بقلم|كتب(?:ت)?|מאת|Του|Της|Των|Από|Γράφει (?:ο|η))\s*:?\s+"
    r"|(?:文|撰文|作者|記者|记者|取材)\s*[:：/／]\s*)"
)
_NO_NAME = re.compile(
    r"(?:(?:staff|senior|chief|political|sports?|science|foreign)\s+)*(?:writer|reporter|correspondent|editor|columnist|journalist)"
    r"|(?:[^\W\d_]{3,9}\.?\s+)?\d{1,2}(?:\.?\s+[^\W\d_]{3,9})?|(?:19|20)\d\d|updated.*|published.*",
    re.I,
)


def _names(author: str | None, site: str) -> str | None:
    """Return the authors' names without the paper's, and without the word before the last."""
    written = _NAMED_BY.sub("", author or "")
    names = [name.strip().removeprefix("and ") for name in re.split(r",|;", written)]
    names = [name for name in names if not _NO_NAME.fullmatch(name)]
    kept = [name for name in names if name and name.casefold() != site.casefold().strip()]
    return ", ".join(kept) or author


def _without_labels(html: str) -> str:
    """Remove remnants of the site: labels about sharing, signing up and reading on."""
    tree = read_tree(html)
    if tree is None:
        return html
    for block in all_of(tree, "p", "li", "h2", "h3", "h4"):
        label = " ".join(words_of(block).split()).strip(" .:!→»›|")
        if (
            len(label) > _LONGEST_LABEL
            or block.getparent() is None
            or next(block.iter("img"), None) is not None
        ):
            continue
        is_heading = str(block.tag).startswith("h")
        words = (ENDS, ASKS) if is_heading else (ALONE, ASKS, ENDS)
        is_last = not any(words_of(after).strip() for after in block.itersiblings())
        if label and any(pattern.fullmatch(label) for pattern in words) and (is_last or not is_heading):
            remove(block)
    return write_tree(tree)


def _host(url: str) -> str | None:
    return urlsplit(canonical_url(url)).hostname


def _without_title(html: str, title: str) -> str:
    """Remove the heading that is the title, because the title is shown above the text anyway.

    At the beginning a heading that is nearly the title is, and a section's name above it goes with it.
    """
    heading = _HEADING.search(html)
    if heading is None:
        return html
    said, named = (_letters(title_line(*one)) for one in ((heading[1], Markup.HTML), (title,)))
    above = plain_text(html[: heading.start()])
    is_first = len(above) <= _LONGEST_KICKER and not _STOP.search(above)
    if said != named and not (is_first and named and _is_nearly(said, named)):
        return html
    return html[heading.end() :] if is_first else html[: heading.start()] + html[heading.end() :]


def _is_nearly(said: str, named: str) -> bool:
    """Return whether a heading is the title behind a section's name, or differs in a few letters."""
    is_led = said.endswith(named) and len(said) - len(named) <= _LONGEST_KICKER
    return is_led or SequenceMatcher(None, said[:300], named[:300], autojunk=False).ratio() >= _LIKE


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))
