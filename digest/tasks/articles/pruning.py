"""Prune old articles that no edition will need again."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from digest.errors import UsageError
from digest.settings import Settings
from digest.store.articles import articles, images, pruning
from digest.store.database import Database


@dataclass(frozen=True, slots=True)
class Pruned:
    """What pruning deleted, or would delete."""

    removed: int
    emptied: int
    before: datetime


def prune(
    database: Database, settings: Settings, now: datetime, older_than: timedelta, *, dry_run: bool
) -> Pruned:
    """Prune articles older than a period; raise UsageError if an edition could still use them."""
    longest = max(max(digest.carry, digest.lookback) for digest in settings.digests)
    if older_than <= longest:
        raise UsageError(
            f'--older-than "{older_than.days}d" is within reach of an edition: the longest "carry" or'
            f' "lookback" of a digest is {longest.days} days; name more'
        )
    before = now - older_than
    if dry_run:
        with database.read() as session:
            counted = pruning.count_prunable(session, before)
    else:
        with database.write() as session:
            articles.take_turns(session)
            counted = pruning.prune(session, before)
            images.forget_unused(session)
    return Pruned(counted.removed, counted.emptied, before)
