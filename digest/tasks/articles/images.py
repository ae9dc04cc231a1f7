"""Store small copies of images, so that readers' mail clients contact no third party."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING

from sqlmodel import Session

from digest.errors import DigestError
from digest.models import Picture
from digest.net.host_spacing import HostSpacing
from digest.net.parallel import in_parallel
from digest.rules.articles.images import UPLOADED, host_of
from digest.settings import Settings
from digest.store.articles import images as pictures
from digest.store.database import Database

if TYPE_CHECKING:
    from digest.articles.thumbnails import Shrunk

_MOST_AT_ONCE = 60
_LARGEST = 12_000_000
_PATIENCE = 15.0
_AGAIN_AFTER = timedelta(hours=6)
_SPACING = 0.1
_MOST_IN_MEMORY = 4  # downloads at a time
_DECODING = Lock()
"""Held while an image is decoded: that takes up to 100 MB."""


def copy_pictures(
    database: Database,
    settings: Settings,
    now: datetime,
    *,
    private_hosts: frozenset[str] = frozenset(),
    progress: Callable[[int], None] = lambda _done: None,
) -> Mapping[str, str]:
    """Copy the images that may still be shown; return the URLs that failed, each with the reason.

    A failed one is tried again after six hours, four times in all. A document names an image's URL, so a
    source's `allow_private` does not apply to it; `private_hosts` are those that the caller trusts.
    """
    if settings.site.images != "copy":
        return {}
    longest = max(max(digest.carry, digest.lookback) for digest in settings.digests)
    with database.read() as session:
        wanted = pictures.list_wanted(
            session, seen_from=now - longest, tried_before=now - _AGAIN_AFTER, most=_MOST_AT_ONCE
        )
    turns, failed = HostSpacing(min(settings.fetch.spacing.total_seconds(), _SPACING)), {}
    width = min(settings.fetch.parallel, _MOST_IN_MEMORY)
    for url, found in in_parallel(lambda url: _download(url, turns, private_hosts), wanted, width):
        got = _decode(found)
        if isinstance(got, str):
            failed[url] = got
        _keep(database, url, got, now)
        progress(1)
    return failed


def shrink_upload(content: bytes) -> "Shrunk":
    """Return a small copy of a picture that somebody uploaded; raise InputError for what is no picture."""
    from digest.articles.thumbnails import shrink

    with _DECODING:
        return shrink(content)


def keep_upload(session: Session, small: "Shrunk", now: datetime) -> str:
    """Store a copy of an uploaded picture and return its URL; the same picture is stored once."""
    name = _name_of(small)
    url = f"{UPLOADED}{name}"
    if pictures.find_of_url(session, url) is None:
        session.add(
            Picture(
                url=url, name=name, content=small.content, width=small.width, height=small.height,
                copied_at=now, tried_at=now,
            )
        )  # fmt: skip
    return url


def _name_of(small: "Shrunk") -> str:
    return hashlib.sha256(small.content).hexdigest()[:32]


def _download(url: str, turns: HostSpacing, private: frozenset[str]) -> bytes | str:
    from digest.net.http import fetch

    try:
        return fetch(
            url, timeout=_PATIENCE, max_bytes=_LARGEST, turns=turns, allow_private=host_of(url) in private
        ).content
    except DigestError as error:
        return str(error)


def _decode(found: bytes | str) -> "Shrunk | str":
    """Decode in the calling thread: each of several would keep a heap of its own, as large as a picture."""
    from digest.articles.thumbnails import shrink

    if isinstance(found, str):
        return found
    try:
        with _DECODING:
            return shrink(found)
    except DigestError as error:
        return str(error)


def _keep(database: Database, url: str, got: "Shrunk | str", now: datetime) -> None:
    with database.write() as session:
        row = pictures.find_of_url(session, url) or Picture(url=url, tried_at=now)
        row.tried_at, row.tries = now, row.tries + 1
        if not isinstance(got, str):
            row.name = _name_of(got)
            row.content, row.width, row.height = got.content, got.width, got.height
            row.copied_at, row.trouble = now, ""
        else:
            row.trouble = got[:500]
        session.add(row)
