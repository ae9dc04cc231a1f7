"""Watched folders: files are articles as long as they exist and are published."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from digest.articles.documents.detect import parse_document
from digest.articles.parsed import ParsedArticle, Rejected
from digest.errors import InputError, NotPublished
from digest.net.files import read_folder
from digest.tasks.sources.feeds import FeedVisit


def read_watched(path: Path, base_url: str, now: datetime) -> FeedVisit:
    """Read a folder's files; a draft waits, and so does a file that is dated later than now.

    A file that cannot be read is reported, and its article stays as it was: somebody may be saving it.
    """
    taken: list[ParsedArticle] = []
    rejected: list[Rejected] = []
    waiting = 0
    for name, content in read_folder(path, rejected):
        try:
            parsed = parse_document(content, name=name, base_url=base_url, now=now)
        except NotPublished:
            waiting += 1
        except InputError as error:
            rejected.append(Rejected(name, str(error)))
        else:
            if parsed.published_at is not None and parsed.published_at > now:
                waiting += 1
            else:
                taken.append(replace(parsed, guid=_guid(name)))
    files = {article.guid or "" for article in taken} | {_guid(one.item) for one in rejected}
    return FeedVisit(tuple(taken), tuple(rejected), files=frozenset(files), waiting=waiting)


def _guid(name: str) -> str:
    return f"file:{name}"[:500]
