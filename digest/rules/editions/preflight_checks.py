"""The checks before an edition is sent: each is a pure function that returns a reason for each finding.

A check fails for what certainly harms readers or offends mailbox providers, and warns about what an editor
should have seen. None stops an edition: people decide.
"""

import re
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from digest.models.status import Status
from digest.rules.articles.images import host_of, is_own
from digest.rules.editions.age import is_too_old
from digest.rules.editions.placeholders import unknown_in_subject, unresolved_in_text
from digest.rules.editions.preflight_facts import Checked, EditionFacts
from digest.rules.editions.preflight_links import (
    Found,
    base_is_public,
    is_local,
    links_answer,
    links_are_encrypted,
    links_are_public,
    links_live,
    links_say_where_to,
    quote,
    text_has_every_link,
)
from digest.rules.editions.shortening import CLIPPED_AT
from digest.settings.digests import SUBJECT_NAMES

_NEARLY_CLIPPED = 90_000
_LONGEST_SUBJECT = 150
_LONG_SUBJECT = 78
_LONG_TITLE = 150
_HEAVY = 1_000_000
_MOST_REASONS = 10
_EXPRESSION = re.compile(r"\{\{.{0,60}|\{%.{0,60}|%%[A-Z_]{3,}%%|\*\|[A-Z_]{3,}\|\*")

Check = Callable[[EditionFacts], Found]


def run_checks(proof: EditionFacts) -> list[Checked]:
    """Run all checks; those that send requests to other machines are skipped if no requests were made."""
    checks = _CHECKS if proof.visits else [check for check in _CHECKS if check[0] not in ASKING]
    return [_look(name, worst, check, proof) for name, worst, check in checks]


def is_clear(checked: Iterable[Checked]) -> bool:
    """Return whether no check failed."""
    return all(one.outcome is not Status.FAIL for one in checked)


def _look(name: str, worst: Status, check: Check, proof: EditionFacts) -> Checked:
    reasons = list(check(proof))
    more = [f"and {len(reasons) - _MOST_REASONS} more"] if len(reasons) > _MOST_REASONS else []
    return Checked(name, worst if reasons else Status.OK, (*reasons[:_MOST_REASONS], *more))


def _subject_is_there(proof: EditionFacts) -> Found:
    if not proof.parts.subject.strip():
        yield "the subject is empty"


def _subject_is_short(proof: EditionFacts) -> Found:
    length = len(proof.parts.subject)
    if length > _LONGEST_SUBJECT:
        yield f"the subject has {length} characters; phones show about 40, and many programs cut it at 78"
    elif length > _LONG_SUBJECT:
        yield f"the subject has {length} characters; most programs cut it at {_LONG_SUBJECT}"


def _subject_is_new(proof: EditionFacts) -> Found:
    if proof.parts.subject and proof.parts.subject == proof.around.last_subject:
        yield f'the last edition had the same subject: "{quote(proof.parts.subject)}"'


def _subject_is_calm(proof: EditionFacts) -> Found:
    subject = proof.parts.subject
    if _is_shouted(subject):
        yield "the subject is in capitals, as unwanted mail often is"
    if subject.count("!") > 1:
        yield "the subject has several exclamation marks, as unwanted mail often has"


def _words_are_calm(proof: EditionFacts) -> Found:
    for where, text in _own_words(proof):
        if any(_is_shouted(part) for part in text.splitlines()):
            yield f'the {where} shouts in capitals: "{quote(text)}"'


def _placeholders_are_filled(proof: EditionFacts) -> Found:
    for found in unknown_in_subject(proof.around.subject_form):
        known = ", ".join(f"{{{name}}}" for name in SUBJECT_NAMES)
        yield f"the subject has {found}, which is not filled in; there are {known}"
    for where, text in _own_words(proof):
        for found in unresolved_in_text(text):
            if not any(found in piece.title for piece in proof.pieces):
                yield f"the {where} has {found}, which is sent as it is"


def _own_words(proof: EditionFacts) -> list[tuple[str, str]]:
    around = proof.around
    named = [("introduction", around.introduction), ("sponsor's line", around.sponsor)]
    named += [("free block", text) for text in around.blocks]
    return [*named, ("preheader", proof.parts.preheader)]


def _preheader_is_there(proof: EditionFacts) -> Found:
    if not proof.parts.preheader.strip():
        yield "there is no preheader: lists of messages show the first words of the page instead"


def _articles_are_there(proof: EditionFacts) -> Found:
    if not proof.pieces:
        yield "no article is in it"


def _readers_have_articles(proof: EditionFacts) -> Found:
    none, all_readers = proof.around.readers_without, proof.around.readers
    if none:
        yield f"{none} of {all_readers} readers would get no message, because nothing of their topics is new"


def _titles_are_short(proof: EditionFacts) -> Found:
    for piece in proof.pieces:
        if len(piece.title) > _LONG_TITLE:
            yield f'article {piece.id} has a title of {len(piece.title)} characters: "{quote(piece.title)}"'


def _titles_are_calm(proof: EditionFacts) -> Found:
    for piece in proof.pieces:
        if _is_shouted(piece.title):
            yield f'article {piece.id} has a title in capitals: "{quote(piece.title)}"'


def _articles_are_distinct(proof: EditionFacts) -> Found:
    seen: dict[str, int] = {}
    for piece in proof.pieces:
        for mark in (f"the title of {_plain(piece.title)}", f"the address of {piece.url}"):
            first = seen.setdefault(mark, piece.id)
            if first != piece.id:
                yield f"article {piece.id} has {mark.partition(' of ')[0]} of article {first}"


def _articles_are_told(proof: EditionFacts) -> Found:
    for piece in proof.pieces:
        if not piece.summary.strip():
            yield f'article {piece.id} has no summary: "{quote(piece.title)}"'


def _articles_are_fresh(proof: EditionFacts) -> Found:
    for piece in proof.pieces:
        if is_too_old(piece.dated_at, proof.around.at, proof.around.carry):
            yield f"article {piece.id} is of {piece.dated_at:%Y-%m-%d}, older than the digest carries over"


def _languages_agree(proof: EditionFacts) -> Found:
    own = _base(proof.around.language)
    for piece in proof.pieces:
        if piece.language and _base(piece.language) != own:
            yield f'article {piece.id} is in "{piece.language}", the edition in "{proof.around.language}"'


def _pictures_have_words(proof: EditionFacts) -> Found:
    for picture in proof.parts.pictures:
        if picture.alt is None:
            yield f"a picture has no alt attribute: {quote(picture.url)}"
    for piece in proof.pieces:
        if piece.picture and not piece.alt.strip():
            yield f"the picture of article {piece.id} has no description for those who do not see it"


def _pictures_are_safe(proof: EditionFacts) -> Found:
    for picture in proof.parts.pictures:
        if urlsplit(picture.url).scheme != "https" and not is_local(picture.url):
            yield f"a picture is not on https: {quote(picture.url)}"


def _pictures_are_own(proof: EditionFacts) -> Found:
    for picture in proof.parts.pictures:
        if not is_own(picture.url, proof.around.own_hosts):
            yield f"a picture lies with {host_of(picture.url) or 'nobody'}, who would learn who opens it"


def _pictures_are_there(proof: EditionFacts) -> Found:
    for picture in proof.parts.pictures:
        visit = proof.visits.get(picture.url)
        if visit is None:
            continue
        if visit.trouble:
            yield f"a picture cannot be had: {visit.trouble}"
        elif not visit.kind.startswith("image/"):
            yield f"{quote(picture.url)} is not a picture but {visit.kind or 'of no stated kind'}"


def _pictures_are_light(proof: EditionFacts) -> Found:
    for picture in proof.parts.pictures:
        visit = proof.visits.get(picture.url)
        if visit is not None and visit.size > _HEAVY:
            yield f"{quote(picture.url)} has {visit.size:,} bytes; phones wait for more than {_HEAVY:,}"


def _text_is_there(proof: EditionFacts) -> Found:
    if not proof.parts.text.strip():
        yield "the text part is empty"


def _size_is_below_the_clip(proof: EditionFacts) -> Found:
    size = max(proof.parts.size, proof.parts.encoded_size)
    if size >= CLIPPED_AT:
        yield f"the page has {size:,} bytes; Gmail cuts at {CLIPPED_AT:,} and hides the footer with the rest"


def _size_is_well_below_the_clip(proof: EditionFacts) -> Found:
    size = max(proof.parts.size, proof.parts.encoded_size)
    if _NEARLY_CLIPPED <= size < CLIPPED_AT:
        yield f"the page has {size:,} bytes; Gmail cuts at {CLIPPED_AT:,}"


def _expressions_are_resolved(proof: EditionFacts) -> Found:
    parts = proof.parts
    for where, text in (("subject", parts.subject), ("page", parts.html_text), ("text part", parts.text)):
        for found in dict.fromkeys(_EXPRESSION.findall(text)):
            yield f'the {where} has "{quote(found)}", which looks like a template\'s expression'


def _nothing_is_active(proof: EditionFacts) -> Found:
    for name in proof.parts.active:
        yield f"the page has {name}, which mail programs refuse or warn of"


def _leaving_is_offered(proof: EditionFacts) -> Found:
    parts = proof.parts
    if not parts.leave_url:
        yield "there is no List-Unsubscribe header with an address"
    elif not parts.one_click and not parts.leave_url.startswith("mailto:"):
        yield "there is no List-Unsubscribe-Post header for leaving with one click (RFC 8058)"
    for where, inside in (
        ("page", parts.leave_url in parts.links),
        ("text part", parts.leave_url in parts.text),
    ):
        if not inside:
            yield f"the {where} has no link to unsubscribe"


def _postal_address_is_there(proof: EditionFacts) -> Found:
    address = _plain(proof.around.postal_address)
    for where, text in (("page", proof.parts.html_text), ("text part", proof.parts.text)):
        if address not in _plain(text):
            yield f"the {where} has no postal address, which the law asks for"


def _sender_is_signed_for(proof: EditionFacts) -> Found:
    own, signing = proof.around.from_domain, proof.around.signing_domain
    if not signing:
        yield "messages are not signed; unless the relay signs them, Gmail and Yahoo may reject bulk mail"
    elif own != signing and not own.endswith(f".{signing}") and not signing.endswith(f".{own}"):
        yield f'the signature is of "{signing}", From of "{own}": they do not answer for each other (DMARC)'


def _titles_still_stand(proof: EditionFacts) -> Found:
    for piece in proof.pieces:
        visit = proof.visits.get(piece.url)
        if visit is not None and visit.words and _plain(piece.title) not in _plain(visit.words):
            yield f'article {piece.id} has changed: its page no longer has the title "{quote(piece.title)}"'


def _clients_support_it(proof: EditionFacts) -> Found:
    yield from proof.unsupported


_F, _W = Status.FAIL, Status.WARN
_CHECKS: list[tuple[str, Status, Check]] = [
    ("articles", _F, _articles_are_there),
    ("readers without articles", _W, _readers_have_articles),
    ("subject", _F, _subject_is_there),
    ("subject length", _W, _subject_is_short),
    ("subject repeated", _W, _subject_is_new),
    ("subject tone", _W, _subject_is_calm),
    ("words tone", _W, _words_are_calm),
    ("placeholders", _F, _placeholders_are_filled),
    ("preheader", _W, _preheader_is_there),
    ("title length", _W, _titles_are_short),
    ("title capitals", _W, _titles_are_calm),
    ("duplicates", _F, _articles_are_distinct),
    ("summaries", _W, _articles_are_told),
    ("age", _W, _articles_are_fresh),
    ("languages", _W, _languages_agree),
    ("picture descriptions", _W, _pictures_have_words),
    ("pictures on https", _F, _pictures_are_safe),
    ("pictures of others", _F, _pictures_are_own),
    ("pictures broken", _F, _pictures_are_there),
    ("picture size", _W, _pictures_are_light),
    ("text part", _F, _text_is_there),
    ("text links", _F, text_has_every_link),
    ("size", _F, _size_is_below_the_clip),
    ("size margin", _W, _size_is_well_below_the_clip),
    ("expressions", _F, _expressions_are_resolved),
    ("active content", _F, _nothing_is_active),
    ("unsubscribe", _F, _leaving_is_offered),
    ("postal address", _F, _postal_address_is_there),
    ("signature", _W, _sender_is_signed_for),
    ("base address", _F, base_is_public),
    ("private links", _F, links_are_public),
    ("plain http", _W, links_are_encrypted),
    ("shortened links", _W, links_say_where_to),
    ("dead links", _F, links_live),
    ("slow links", _W, links_answer),
    ("changed at its source", _W, _titles_still_stand),
    ("mail programs", _W, _clients_support_it),
]
ASKING = frozenset({"pictures broken", "picture size", "dead links", "slow links", "changed at its source"})
"""The checks that need responses from other machines."""


def _is_shouted(text: str) -> bool:
    letters = [sign for sign in text if sign.isalpha() and sign.lower() != sign.upper()]
    words = [word for word in text.split() if sum(sign.isalpha() for sign in word) > 1]
    return len(letters) >= 12 and len(words) > 1 and all(sign == sign.upper() for sign in letters)


def _plain(text: str) -> str:
    return "".join(sign for sign in text.casefold() if sign.isalnum())


def _base(language: str) -> str:
    return re.split("[-_]", language, maxsplit=1)[0].lower()
