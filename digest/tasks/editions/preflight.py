"""Preflight: gather the facts that the checks need, request the edition's links, run the checks."""

from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import parseaddr

from sqlmodel import Session

from digest.errors import Busy, DigestError, InputError
from digest.mail.inspection import inspect, words_of
from digest.models import Article, Edition
from digest.models.row import row_id
from digest.net.host_spacing import HostSpacing
from digest.net.http import fetch
from digest.net.parallel import in_parallel
from digest.rules.articles.images import host_of
from digest.rules.editions.preflight_checks import run_checks
from digest.rules.editions.preflight_facts import (
    ArticleFacts,
    Checked,
    EditionFacts,
    LinkCheck,
    MessageFacts,
    PublicationFacts,
)
from digest.settings import DigestSettings, Settings, SourceSettings
from digest.settings.domains import LOOPBACK
from digest.store.articles import articles
from digest.store.articles.sources import known_sources
from digest.store.database import Database
from digest.store.editions import archive, cohorts, variants
from digest.tasks.composing.composer import Composer
from digest.tasks.composing.variants import Variants
from digest.tasks.editions.candidates import Selection
from digest.tasks.editions.preview import Preview

_MOST_VISITS = 60
_AT_ONCE = 8
_PATIENCE = 8.0
_LARGEST = 3_000_000
_READ = 200_000
_OWN_PAGES = ("unsubscribe", "preferences", "archive", "images", "desk")


@dataclass(frozen=True, slots=True)
class Preflight:
    """The checked edition as one reader would get it, and each check's result."""

    preview: Preview
    checked: tuple[Checked, ...]


def look_before(
    database: Database, settings: Settings, composer: Composer, shown: Preview, *, asks: bool
) -> Preflight:
    """Run all checks on a previewed edition; `asks` allows those that send requests to other machines."""
    digest = settings.digest(shown.edition.digest)
    parts = inspect(shown.message)
    with database.read() as session:
        stored = articles.get_articles(session, [choice.article_id for choice in shown.chosen.choices])
        readers, without = count_readers(session, digest, shown.edition)
        last = last_subject(session, composer, database, shown.edition)
        sources = known_sources(session, settings)
    chosen = [stored[choice.article_id] for choice in shown.chosen.choices]
    around = _around(settings, sources, digest, shown, chosen, last, readers, without)
    visits = visit(_addresses(parts, settings), settings.site.base_url) if asks else {}
    pieces = tuple(_piece(article) for article in chosen)
    proof = EditionFacts(parts, pieces, around, visits, composer.warn_of(parts.html))
    return Preflight(shown, tuple(run_checks(proof)))


def count_readers(session: Session, digest: DigestSettings, edition: Edition) -> tuple[int, int]:
    """Count the readers in cohorts, and those of them for whom nothing is new."""
    selection = Selection.read(session, digest, edition.freeze_at)
    readers = without = 0
    for cohort, size in cohorts.list_sizes(session, digest.name, edition.cadence):
        fewest = digest.fewest(cohort.min_articles)
        history = frozenset(cohort.history)
        chosen = selection.choose_for_cohort(cohort.topics, history, cohort.max_articles, fewest)
        readers += size
        without += 0 if chosen.choices else size
    return readers, without


def last_subject(session: Session, composer: Composer, database: Database, edition: Edition) -> str:
    """Return the subject of the cadence's last edition, of its largest variant; "" if there is none."""
    last = archive.find_last(session, edition.digest, edition.cadence)
    largest = variants.find_largest(session, row_id(last)) if last is not None else None
    if largest is None:
        return ""
    return composer.render(Variants(database).take(largest)).subject


def visit(
    urls: Iterable[str], own_pages: str | None = None, *, allow_private: bool = False
) -> dict[str, LinkCheck]:
    """Request each URL once, several at a time; only public addresses are connected to.

    `own_pages` is the URL of our own pages, whose host and port may be private.
    """
    turns = HostSpacing(0.0)
    wanted = list(dict.fromkeys(urls))[:_MOST_VISITS]
    return dict(in_parallel(lambda url: _visit(url, own_pages, turns, allow_private), wanted, _AT_ONCE))


def _visit(url: str, own_pages: str | None, turns: HostSpacing, allow_private: bool) -> LinkCheck:
    try:
        found = fetch(
            url,
            timeout=_PATIENCE,
            max_bytes=_LARGEST,
            turns=turns,
            allow_private=allow_private,
            private_origin=own_pages,
        )
    except Busy:
        return LinkCheck()  # it exists, and asks to be left alone
    except InputError as error:
        return LinkCheck(trouble=str(error), is_gone=True)
    except DigestError as error:
        return LinkCheck(trouble=str(error))
    kind = found.content_type.partition(";")[0].strip().lower()
    is_page = kind in ("text/html", "application/xhtml+xml")
    words = words_of(found.content[:_READ].decode("utf-8", "replace")) if is_page else ""
    return LinkCheck(kind=kind, size=len(found.content), words=words)


def _addresses(parts: MessageFacts, settings: Settings) -> list[str]:
    """List the URLs to request: all but our own pages, whose links are a reader's own."""
    found = [*(picture.url for picture in parts.pictures), *parts.links]
    own = tuple(f"{settings.site.base_url}/{page}/" for page in _OWN_PAGES)
    return [url for url in found if host_of(url) and not f"{url}/".startswith(own)]


def _around(
    settings: Settings,
    sources: Iterable[SourceSettings],
    digest: DigestSettings,
    shown: Preview,
    chosen: list[Article],
    last: str,
    readers: int,
    without: int,
) -> PublicationFacts:
    homes = {host_of(settings.site.base_url), *(host_of(source.url) for source in sources)}
    dkim, sender = settings.dkim, parseaddr(settings.site.from_)[1].rpartition("@")[2].lower()
    signs = bool(dkim.key_file or dkim.ed25519_key_file)
    return PublicationFacts(
        at=shown.edition.freeze_at,
        base_url=settings.site.base_url,
        language=settings.site.language,
        postal_address=settings.site.postal_address,
        from_domain=sender,
        signing_domain=(dkim.domain or sender) if signs else "",
        relay_is_local=settings.smtp.host in LOOPBACK,
        carry=digest.carry,
        last_subject=last,
        readers=readers,
        readers_without=without,
        subject_form=shown.edition.subject or digest.subject,
        introduction=shown.edition.introduction,
        sponsor=shown.edition.sponsor,
        blocks=tuple(block["text"] for block in shown.edition.blocks),
        own_hosts=frozenset(homes | {host_of(article.url) for article in chosen}),
    )


def _piece(article: Article) -> ArticleFacts:
    return ArticleFacts(
        id=row_id(article),
        title=article.title,
        url=article.url,
        summary=article.summary,
        language=article.language or "",
        dated_at=min(article.published_at or article.first_seen_at, article.first_seen_at),
        picture=article.image_url or "",
        alt=article.image_alt or "",
    )
