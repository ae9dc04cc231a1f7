"""The checks of an edition's links: each is a pure function that returns a reason for each finding."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from digest.rules.articles.images import host_of
from digest.rules.editions.preflight_facts import EditionFacts
from digest.rules.readers.origins import parse_ip

_SHOWN = 80
_SHORTENERS = frozenset({"bit.ly", "tinyurl.com", "t.co", "goo.gl", "ow.ly", "is.gd", "buff.ly", "cutt.ly"})
_LOCAL = (".localhost", ".local", ".internal", ".home.arpa")
"""Endings of names that no reader's machine resolves to ours (RFC 6761, 6762, 8375; ICANN for .internal)."""

_HTTP = ("http", "https")

Found = Iterator[str]


def base_is_public(proof: EditionFacts) -> Found:
    """Fail where readers cannot reach the pages on which they unsubscribe."""
    if is_local(proof.around.base_url) and not proof.around.relay_is_local:
        yield f"readers cannot reach {proof.around.base_url}, where they unsubscribe: set [site] base_url"


def links_are_public(proof: EditionFacts) -> Found:
    """Find links to machines of a private network."""
    base = proof.around.base_url
    for link in dict.fromkeys(proof.parts.links):
        if is_local(link) and not link.startswith(base):
            yield f"a link leads to a machine of your own network: {quote(link)}"


def links_are_encrypted(proof: EditionFacts) -> Found:
    """Find links without https."""
    for link in dict.fromkeys(proof.parts.links):
        if urlsplit(link).scheme == "http" and not is_local(link):
            yield f"a link is not on https: {quote(link)}"


def links_say_where_to(proof: EditionFacts) -> Found:
    """Find links of shorteners, which spam filters distrust."""
    for link in dict.fromkeys(proof.parts.links):
        if host_of(link) in _SHORTENERS:
            yield f"a link is shortened, which filters distrust: {quote(link)}"


def links_live(proof: EditionFacts) -> Found:
    """Find links that are gone for good."""
    for link in dict.fromkeys(proof.parts.links):
        visit = proof.visits.get(link)
        if visit is not None and visit.is_gone:
            yield f"a link is dead: {visit.trouble}"


def links_answer(proof: EditionFacts) -> Found:
    """Find links that cannot be reached."""
    for link in dict.fromkeys(proof.parts.links):
        visit = proof.visits.get(link)
        if visit is not None and visit.trouble and not visit.is_gone:
            yield f"couldn't reach a link: {visit.trouble}"


def text_has_every_link(proof: EditionFacts) -> Found:
    """Find links of the HTML part that the text part lacks."""
    for link in dict.fromkeys(proof.parts.links):
        if link not in proof.parts.text:
            yield f"the text part lacks a link of the page: {quote(link)}"


def is_local(url: str) -> bool:
    """Return whether a link points to this machine or a private network, judging by its text."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        return False
    if parts.scheme not in _HTTP:
        return False
    address = parse_ip(host)
    return not address.is_global if address is not None else f".{host}".endswith(_LOCAL)


def quote(text: str) -> str:
    """Return a text shortened to 80 characters, for reasons."""
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
