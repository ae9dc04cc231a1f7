"""Print a letter in an edition: its writer is asked by mail first, and a yes makes it an article."""

import hashlib
import html
import re
from datetime import datetime

from sqlmodel import Session

from digest.errors import InputError
from digest.models import Answer, Article, Edition, EditionName, Letter, LetterConsent, LetterState, Reach
from digest.models.row import row_id
from digest.rules.articles.sources import LETTERS
from digest.rules.tokens import mail_tokens
from digest.settings import DigestSettings, Settings
from digest.store.database import Database
from digest.store.delivery import bounces
from digest.store.readers import answers, letters, subscribers
from digest.tasks.composing.content import archive_url
from digest.tasks.desk.draft_articles import add_in
from digest.tasks.desk.draft_versions import Edit
from digest.tasks.editions.coming import next_occurrence
from digest.tasks.inbound.inbox import Inbox
from digest.tasks.inbound.letters import get_seen

SOURCE = LETTERS
LONGEST_PRINTED = 4_000
_NOT_BY_ITSELF = "a letter, in the edition that an editor took it for"
_PREFIX = re.compile(r"^\s*((re|aw|sv|vs|tr|rv|antw|odp|fwd?)\s*:\s*)+", re.I)


def ask_to_print(
    database: Database, settings: Settings, letter_id: int, edition: tuple[str, str], text: str, who: str,
    now: datetime, *, seen: str | None = None,
) -> None:  # fmt: skip
    """Ask a letter's writer by mail whether this text may be printed in a digest's next edition.

    Raise InputError for a missing letter, one without a sender, an empty text, and if there is no inbox;
    LetterChanged where the letter is not as it was `seen`.
    """
    text = "\n".join(line.rstrip() for line in text.replace("\r\n", "\n").split("\n")).strip()
    if not settings.inbound.address:
        raise InputError("the writer's answer needs an inbox: set [inbound] address")
    if not text or len(text) > LONGEST_PRINTED:
        raise InputError(f"what is printed has {len(text)} characters; 1 to {LONGEST_PRINTED} fit")
    digest = next((one for one in settings.digests if one.name == edition[0]), None)
    if digest is None or edition[1] not in digest.cadences or digest.cadence(edition[1]).is_at_once:
        raise InputError(f'there is no edition "{"/".join(edition)}" to print it in')
    with database.write() as session:
        letter = get_seen(session, letter_id, seen)
        if letter is None or not letter.sender:
            raise InputError(f"there is no letter {letter_id} whose writer can be asked")
        if letter.printed_as is not None:
            raise InputError("its writer has agreed already")
        letter.print_text, letter.print_name = text, letter.name
        letter.print_in = f"{digest.name}/{edition[1]}"
        letter.consent, letter.consent_at = LetterConsent.ASKED, now
        letters.set_state(session, letter, LetterState(letter.state), who, now)
        answers.add_answer(session, _question(session, settings, digest, letter, now))


def _question(
    session: Session, settings: Settings, digest: DigestSettings, letter: Letter, now: datetime
) -> Answer:
    reader = subscribers.get_subscriber(session, letter.subscriber_id) if letter.subscriber_id else None
    token = mail_tokens.sign_number(settings.web.signing_keys, mail_tokens.PRINT, row_id(letter))
    inbound = settings.inbound
    return Answer(
        created_at=now,
        kind="print",
        subscriber_id=letter.subscriber_id,
        address=letter.sender,
        language=(reader.language if reader else None) or settings.site.language,
        digest=digest.name,
        subject=letter.subject if _PREFIX.match(letter.subject) else f"Re: {letter.subject}",
        values={
            "phrases": [["letter_ask", {"name": letter.print_name or "–"}]],
            "text": letter.print_text,
        },
        reply_to=f"{inbound.before}{token}@{inbound.domain}",
        in_reply_to=letter.mail_id,
        due_at=now,
    )


def record_consent(
    session: Session, inbox: Inbox, letter_id: int, agreed: bool, sender: str, now: datetime
) -> tuple[str, str] | None:
    """Process a letter writer's answer; return what was done and the phrase to reply with.

    None if the answer is not the writer's, or nobody asked. A no after a yes takes the letter out of every
    edition that has not been made.
    """
    letter = letters.get_letter(session, letter_id)
    if letter is None or not letter.consent or letter.sender.lower() != sender.lower():
        return None
    if not agreed:
        letter.consent, letter.consent_at = LetterConsent.REFUSED, now
        article = session.get(Article, letter.printed_as) if letter.printed_as else None
        if article is not None:
            article.hidden_at = now
            session.add(article)
        session.add(letter)
        return "its writer does not want it printed", "letter_kept_back"
    if letter.consent == LetterConsent.GIVEN:
        return "agreed before", "letter_thanks"
    letter.consent, letter.consent_at = LetterConsent.GIVEN, now
    article = _print(session, inbox.settings, letter, now)
    digest, _, cadence = letter.print_in.partition("/")
    place = _add_to_next(session, inbox, (digest, cadence), article, letter.handled_by, now)
    letters.set_state(session, letter, LetterState.DONE, letter.handled_by, now)
    return f"its writer agrees: in {place}", "letter_thanks"


def _print(session: Session, settings: Settings, letter: Letter, now: datetime) -> Article:
    """Make a letter an article; it enters no edition by itself."""
    address = f"{settings.site.base_url}/letters/{letter.id}"
    text = letter.print_text
    title = _PREFIX.sub("", letter.subject).strip() or "A letter"
    known = session.get(Article, letter.printed_as) if letter.printed_as else None
    article = known or Article(
        source=SOURCE, canonical_url=address, url="", content_hash="", title="", first_seen_at=now
    )
    article.url = _answered(session, settings, letter)
    article.content_hash = hashlib.sha256(text.encode()).hexdigest()
    article.title, article.author = title, letter.print_name or None
    article.summary = " ".join(text.split())
    article.text = text
    article.html = "".join(
        f"<p>{html.escape(' '.join(part.split()))}</p>" for part in re.split(r"\n\s*\n", text)
    )
    article.word_count = len(text.split())
    article.topics = [SOURCE]
    article.published_at, article.hidden_at = letter.at, None
    article.held_back = _NOT_BY_ITSELF
    session.add(article)
    session.flush()
    letter.printed_as = row_id(article)
    return article


def _answered(session: Session, settings: Settings, letter: Letter) -> str:
    """Return the URL of what a letter answers: an article, an edition's page, or the front page."""
    article = session.get(Article, letter.article_id) if letter.article_id else None
    if article is not None:
        return article.url
    edition: Edition | None = None
    if letter.edition_id:
        edition = bounces.get_editions(session, [letter.edition_id]).get(letter.edition_id)
    public = {one.name for one in settings.digests if one.is_public}
    if edition is not None and edition.digest in public:
        return archive_url(settings.site.base_url, edition)
    return f"{settings.site.base_url}/"


def _add_to_next(
    session: Session, inbox: Inbox, named: tuple[str, str], article: Article, who: str, now: datetime
) -> EditionName:
    digest = inbox.settings.digest(named[0])
    coming = next_occurrence(session, inbox.settings, digest, named[1], now)
    name = EditionName(*named, coming.period)
    add_in(session, Edit(who, name, None, now), str(row_id(article)), Reach.ALL)
    return name
