"""Enter an edition for one reader who asks for it: their own digest, at once, at most once a day.

It is an edition like every other, with one delivery: claims, marks, repeats and the audit are the same, and
what it brings is not in the reader's next edition again.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlmodel import Session

from digest.models import Delivery, Draft, Edition, EditionState, MailForm, Subscriber, Subscription
from digest.models.cadence import REQUEST, WELCOME
from digest.models.row import row_id
from digest.rules.editions.approval import why_held
from digest.rules.editions.selection import Chosen, since, to_cohort_topics
from digest.settings import DigestSettings, Settings
from digest.store import workers
from digest.store.delivery import deliveries
from digest.store.editions import drafts, editions, planning, snapshots, variants
from digest.tasks.composing.composer import Composer
from digest.tasks.editions.candidates import Selection, shape_of
from digest.tasks.editions.coming import next_open
from digest.tasks.editions.fitting import Fitter

_ANY_NUMBER = 10_000  # of articles: no limit


class Requested(StrEnum):
    """The result of a reader's request to get their digest now."""

    PLANNED = "planned"
    COMING = "an edition is being compiled"
    BEFORE = "it was sent today already"
    NOTHING = "nothing new, or nothing that is approved"


@dataclass(frozen=True, slots=True)
class ReaderEditions:
    """Makes editions for single readers."""

    settings: Settings
    composer: Composer
    speaks: Callable[[str], bool]

    def enter(
        self,
        session: Session,
        digest: DigestSettings,
        subscriber: Subscriber,
        subscription: Subscription,
        now: datetime,
    ) -> Requested:
        """Plan the delivery of all that is new for a reader, as their next edition would hold it.

        What editors have hidden stays out. Where they hold that edition, or have to approve it, nothing is
        sent before they release it. Compiling takes turns with this, so that no article is in both.
        """
        drafts.take_turns(session)
        planning.take_turns(session)
        begun = editions.list_editions(session, digest=digest.name, states=[EditionState.COMPILING])
        if any(one.cadence in (subscription.cadence, WELCOME) for one in begun):
            return Requested.COMING
        day = now.astimezone(self.settings.zone).date().isoformat()
        period = f"{day}-{subscription.id}"
        if editions.find_edition(session, digest.name, REQUEST, period) is not None:
            return Requested.BEFORE
        coming = next_open(session, self.settings, digest, subscription.cadence, now)
        draft = drafts.find_or_new(session, digest.name, subscription.cadence, coming.period)
        chosen = choose_for(session, digest, subscription, now, draft)
        if not chosen.choices or why_held(digest.approval, draft):
            return Requested.NOTHING
        edition = editions.add_edition(session, _edition(digest, period, now, draft))
        if edition is None:
            return Requested.BEFORE
        self._plan(session, digest, edition, subscriber, subscription, chosen, draft)
        return Requested.PLANNED

    def enter_lost(
        self, session: Session, digest: DigestSettings, period: str, at: datetime, until: datetime
    ) -> Edition | None:
        """Plan an edition for a reader that a restored database has forgotten, as it was chosen at a time.

        Articles that the database had forgotten as well are taken as first seen at `until`: what was
        published up to the time was in it. None if the edition is known, or its reader is not.
        """
        drafts.take_turns(session)
        planning.take_turns(session)
        subscription = session.get(Subscription, int(period.rpartition("-")[2]))
        if subscription is None or subscription.digest != digest.name:
            return None
        draft = Draft(digest=digest.name, cadence=subscription.cadence, period=period)
        chosen = choose_for(session, digest, subscription, until, draft, published_by=at)
        if not chosen.choices:
            return None
        edition = editions.add_edition(session, _edition(digest, period, at, draft))
        if edition is not None:
            subscriber = session.get_one(Subscriber, subscription.subscriber_id)
            self._plan(session, digest, edition, subscriber, subscription, chosen, draft)
        return edition

    def _plan(
        self,
        session: Session,
        digest: DigestSettings,
        edition: Edition,
        subscriber: Subscriber,
        subscription: Subscription,
        chosen: Chosen,
        draft: Draft,
    ) -> None:
        own = self.settings.site.language
        language = subscriber.language if subscriber.language and self.speaks(subscriber.language) else own
        # Without related articles: their index takes seconds to build, and other writers wait for this.
        fitter = Fitter(self.composer, digest.model_copy(update={"related": 0}), edition)
        fitted = fitter.complete(session, chosen, language, subscription.topics, shape_of(draft).added)
        variant = variants.find_or_add_variant(session, row_id(edition), language, fitted)
        now = edition.freeze_at
        delivery = Delivery(
            edition_id=row_id(edition), subscription_id=row_id(subscription), variant_id=variant,
            due_at=now, changed_at=now,
        )  # fmt: skip
        session.add(delivery)
        subscription.cohort_id = None  # what the reader has is read from the ledger again
        session.add(subscription)
        session.flush()
        snapshots.keep(session, row_id(edition))
        workers.raise_counter(session)


def _edition(digest: DigestSettings, period: str, at: datetime, draft: Draft) -> Edition:
    return Edition(
        digest=digest.name, cadence=REQUEST, period=period,
        state=EditionState.FROZEN, at_once=True, deadline_at=at, freeze_at=at, frozen_at=at,
        sections=draft.sections, changes=draft.changes,
    )  # fmt: skip


def choose_for(
    session: Session,
    digest: DigestSettings,
    subscription: Subscription,
    at: datetime,
    draft: Draft,
    fewest: int = 1,
    published_by: datetime | None = None,
) -> Chosen:
    """Choose what a reader's next edition would hold at a time, by what they have.

    With fewer than `fewest` articles it waits. With `published_by` it is one that is lost: all that may have
    been there at that time, however many, as it is not known which of them the reader has.
    """
    history = frozenset[int]()
    if subscription.id is not None:
        history = deliveries.history_of(session, subscription.id, digest.skip)
    of_cohort = to_cohort_topics(
        since(subscription.topics, digest.lookback_of(subscription.cadence)), at, digest.carry
    )
    is_lost = published_by is not None
    selection = Selection.read(session, digest, at, draft, most=_ANY_NUMBER if is_lost else None)
    if published_by is not None:
        there = [
            one.id for one in selection.candidates if one.published_at is None or one.dated_at <= published_by
        ]
        selection = selection.only(there)
    wanted = None if is_lost else subscription.max_articles
    chosen = selection.choose_for_cohort(of_cohort, history, wanted, fewest)
    return replace(chosen, mail_form=MailForm(subscription.mail_form))
