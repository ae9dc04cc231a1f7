"""Check the sources: read recently, failing, or gone."""

from contextlib import closing
from datetime import datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError

from digest.errors import Unreachable
from digest.models import Source
from digest.settings import SourceSettings
from digest.store.articles import articles
from digest.store.database import Database
from digest.store.health import find_version
from digest.store.schema import HEAD
from digest.tasks.doctor.database import find_missing_file
from digest.tasks.doctor.findings import Finding, fail, ok, warn
from digest.tasks.doctor.scope import Scope

DEAD = timedelta(days=7)
_LOOK = "`digest fetch {}` shows what happens; mend its url, or take it out"


def examine_sources(scope: Scope) -> list[Finding]:
    """Check the results of each source's fetches; none is fetched."""
    if find_missing_file(scope) is not None:
        return []  # the check `database` reports it
    with closing(Database(scope.settings.database_url)) as database:
        try:
            if find_version(database) != HEAD:
                return []
        except (SQLAlchemyError, Unreachable):
            return []
        with database.read() as session:
            known = [(one, articles.find_source(session, one.name)) for one in scope.settings.sources]
    found = [judge_source(source, row, scope.clock()) for source, row in known]
    trouble = [finding for finding in found if finding is not None]
    if not known:
        return [warn("sources", "none is set", "write [[sources]], or add articles by `digest articles add`")]
    return trouble or [ok("sources", f"{len(known)} of {len(known)} were read without trouble")]


def judge_source(source: SourceSettings, row: Source | None, now: datetime) -> Finding | None:
    """Judge one source; None if its last fetch succeeded."""
    look = _LOOK.format(source.name)
    if row is None or (row.last_success_at is None and row.last_error_at is None):
        return warn("sources", f"{source.name} was not fetched yet", look)
    if row.last_error_at is None or (row.last_success_at and row.last_success_at >= row.last_error_at):
        return None
    since = row.last_success_at
    line = f"{source.name} fails ({row.last_error or 'no reason known'})"
    if since is None:
        return fail("sources", f"{line} and was never read", look)
    if now - since > DEAD:
        return fail("sources", f"{line} and was last read on {since.date()}", look)
    return warn("sources", f"{line} since {since.date()}", look)
