"""Check the readers' pages: whether readers and mailbox providers can reach them, and their proxies."""

import contextlib
import re
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from sqlalchemy.exc import SQLAlchemyError

from digest.errors import DigestError, Unreachable
from digest.net.http import Fetched, fetch
from digest.rules.readers.origins import UNKNOWN, Network
from digest.rules.tokens import tokens
from digest.store import workers
from digest.store.database import Database
from digest.store.monitoring import health
from digest.store.readers import subscribers
from digest.store.schema import HEAD
from digest.tasks.doctor.clock import judge_clock
from digest.tasks.doctor.database import find_missing_file
from digest.tasks.doctor.findings import Finding, fail, ok, warn
from digest.tasks.doctor.scope import Scope, is_loopback

_NOBODY = "a" * 26
_BUTTON = re.compile(rb"""method=["']?post""", re.I)
_SERVE = "run `digest run` or `digest web` behind the proxy that [site] base_url names"
_RUN = "`digest run` serves them; repeat this check while it runs"
_LARGEST = 1_000_000
_LATEST, _ENOUGH = 50, 5
_NO_DATABASE = (DigestError, SQLAlchemyError)  # the check "database" reports it
_TRUST = "name the proxy in [web] trusted_proxies, and let it set X-Forwarded-For (docs/readers.md)"


def examine_pages(scope: Scope) -> list[Finding]:
    """Request the sign-up page and the page of an unsubscribe link; nothing is posted, and nobody leaves."""
    base = scope.settings.site.base_url
    links = (f"{base}/", leaving_link(scope))
    private = is_loopback(urlsplit(base).hostname or "")
    findings, answer = [judge_address(base)], None
    for check, link in zip(("pages", "one-click"), links, strict=True):
        try:
            answer = fetch(link, allow_private=private, timeout=scope.seconds, max_bytes=_LARGEST)
        except DigestError as error:
            told = _told(link, error)
            is_new = isinstance(error, Unreachable) and not _has_run(scope)
            findings.append(
                warn(check, f"not running yet: {told}", _RUN) if is_new else fail(check, told, _SERVE)
            )
            continue
        findings.append(judge_page(answer) if check == "pages" else judge_leaving(answer, link))
    return findings + (judge_date(answer, scope.clock()) if answer else [])


def _has_run(scope: Scope) -> bool:
    """Return whether anything was ever sent or served from this database; it may not exist yet."""
    if find_missing_file(scope) is not None:
        return False
    with closing(Database(scope.settings.database_url)) as database, contextlib.suppress(*_NO_DATABASE):
        return health.find_version(database) == HEAD and workers.is_any_known(database)
    return True


def leaving_link(scope: Scope) -> str:
    """Return an unsubscribe link as in messages, of no reader."""
    settings = scope.settings
    token = tokens.sign(settings.web.signing_keys, tokens.UNSUBSCRIBE, _NOBODY, settings.digests[0].name)
    return f"{settings.site.base_url}/unsubscribe/{token}"


def judge_address(base: str) -> Finding:
    """Judge the URL that readers' links begin with."""
    if base.startswith("https://"):
        return ok("pages", f"readers' links begin with {base}")
    remedy = "set [site] base_url to the https address of the pages before the first edition"
    return warn("pages", f"{base} is for this machine alone: no reader can open it", remedy)


def judge_page(answer: Fetched) -> Finding:
    """Judge the sign-up page's response."""
    if _BUTTON.search(answer.content):
        return ok("pages", "the sign-up answers")
    return warn("pages", "what answers under base_url is not our sign-up", _SERVE)


def judge_leaving(answer: Fetched, link: str) -> Finding:
    """Judge the page to which mailbox providers POST for one-click unsubscribing (RFC 8058 3.1)."""
    if answer.url != link:
        remedy = "set base_url to where it leads: a provider's POST does not follow"
        return fail("one-click", "the link to leave is redirected elsewhere", remedy)
    if not _BUTTON.search(answer.content):
        return fail("one-click", "the link to leave opens another page than ours", _SERVE)
    return ok("one-click", "the link to leave opens its page")


def judge_date(answer: Fetched, now: datetime) -> list[Finding]:
    """Judge our clock by the web server's; nothing is reported if it does not send the time."""
    try:
        theirs = parsedate_to_datetime(answer.date or "")
    except ValueError:
        return []
    return [judge_clock(now, theirs, "base_url")] if theirs.tzinfo else []


def _told(link: str, error: DigestError) -> str:
    """Describe the result of a link, with its port and without its token: tokens are never printed."""
    _, _, why = str(error).partition(" ")
    return re.sub(r"(/unsubscribe/)\S+", r"\1…", f"{link} {why}")


def examine_proxies(scope: Scope) -> list[Finding]:
    """Check the proxy settings and the origins of the latest sign-ups, if the database can be read."""
    latest: list[tuple[int, str]] = []
    if find_missing_file(scope) is None:
        with closing(Database(scope.settings.database_url)) as database, contextlib.suppress(*_NO_DATABASE):
            if health.find_version(database) == HEAD:
                with database.read() as session:
                    latest = subscribers.list_origins(session, _LATEST)
    return judge_proxies(scope.settings.web.trusted_proxies, latest)


def judge_proxies(trusted: Sequence[Network], latest: Sequence[tuple[int, str]]) -> list[Finding]:
    """Judge the trusted networks and the origins of the latest sign-ups, each with its subscriber.

    If all clients have the same address, the limits of one network apply to everybody together.
    """
    everywhere = [network for network in trusted if network.prefixlen == 0]
    if everywhere:
        what = f"X-Forwarded-For is believed from anywhere ({everywhere[0]}): any client can take any address"
        return [warn("proxies", what, "name only your own proxies in [web] trusted_proxies")]
    people, origins = {one for one, _ in latest}, {origin for _, origin in latest}
    if len(people) >= _ENOUGH and len(origins) == 1:
        origin = next(iter(origins))
        where = "an address that could not be read" if origin == UNKNOWN else origin
        return [warn("proxies", f"the latest {len(people)} readers all came from {where}", _TRUST)]
    return [ok("proxies", f"{len(trusted)} trusted" if trusted else "none is trusted")]
