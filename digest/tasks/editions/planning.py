"""Decide what each cohort gets, and plan its readers' deliveries, one key range at a time."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from digest.models import Approval, Cohort, Draft, Edition, EditionState, MailForm
from digest.models.cadence import WELCOME, Cadence
from digest.models.programs.webhooks import WebhookEvent
from digest.rules.editions.selection import (
    cohort_key,
    settle_topics,
    since,
    unsettle_topics,
)
from digest.settings import DigestSettings, Settings
from digest.store import workers
from digest.store.articles import articles
from digest.store.editions import cohorts, editions, planning, snapshots, variants
from digest.store.readers import notices
from digest.tasks.articles.withdrawing import settle_edition
from digest.tasks.editions.candidates import BEGINNING, Selection, shape_of
from digest.tasks.editions.coming import due_at
from digest.tasks.editions.fitting import Fitter
from digest.tasks.webhooks.outbox import tell_of_edition

_Wanted = tuple[int | None, str, int | None]
"""How many articles readers want at most, in which form, and how many they wait for."""

_Likeness = tuple[str | None, tuple[tuple[str, str], ...], frozenset[int], _Wanted]


class Plan:
    """The decisions of one edition while it is compiled."""

    def __init__(
        self,
        settings: Settings,
        digest: DigestSettings,
        cadence: Cadence,
        edition: Edition,
        periods: int,
        speaks: Callable[[str], bool],
        draft: Draft | None,
    ) -> None:
        assert edition.id is not None  # noqa: S101 - a stored row
        self.edition_id = edition.id
        self._seen_from = self._history_from = edition.freeze_at - digest.carry
        self._draft, self._shape = draft, shape_of(draft)
        self._settings, self._digest, self._cadence = settings, digest, cadence
        self._most = digest.max_articles * periods
        self._speaks = speaks
        self._selection: Selection | None = None
        self._cohorts: dict[str, int] = {}
        self.fitter: Fitter | None = None

    def unplace(self, session: Session) -> None:
        """Remove readers from cohorts whose history does not reach back to everything that the edition may
        have."""
        digest, cadence = self._digest.name, self._cadence.name
        oldest = articles.first_seen(session, self._shape.added) if self._shape.added else None
        if oldest is not None and oldest < self._seen_from:
            self._history_from = oldest
            cohorts.unplace_all(session, digest, cadence)
        elif self._digest.skip:  # what readers have from other digests is not in a cohort's history
            cohorts.unplace_who_read(session, digest, cadence, self._digest.skip)
            cohorts.unplace_where_history_is_short(session, digest, cadence, self._seen_from)
        else:
            cohorts.unplace_where_history_is_short(session, digest, cadence, self._seen_from)

    def plan_range(self, session: Session, edition: Edition, last: int) -> None:
        """Decide and plan the deliveries of one key range of readers, up to `last`."""
        self._place(session, edition, last)
        for cohort in cohorts.undecided_cohorts(session, edition, last):
            selection = self._select(session, edition)
            chosen = selection.choose_settled(
                cohort.topics, frozenset(cohort.history), cohort.max_articles, self._fewest(cohort)
            )
            chosen = replace(chosen, mail_form=MailForm(cohort.mail_form))
            assert cohort.id is not None  # noqa: S101 - a stored row
            if self.fitter is not None:
                chosen = self.fitter.settle(
                    session, chosen, cohort.language, cohort.topics, self._shape.added
                )
            cohorts.decide_cohort(session, self.edition_id, cohort.id, cohort.language, chosen)
        hours = planning.list_hours(session, edition, last)
        planning.plan_range(session, edition, last, self._due(edition, hours), edition.freeze_at)

    def _fewest(self, cohort: Cohort) -> int:
        """Return how many articles a cohort waits for; a first edition waits for none."""
        return 1 if self._cadence.name == WELCOME else self._digest.fewest(cohort.min_articles)

    def freeze(self, session: Session, edition: Edition) -> None:
        """Add the mailed articles to each cohort's history, and allow claims."""
        settle_edition(session, edition, edition.freeze_at)
        if edition.cadence == WELCOME:
            self._settle_welcome(session, edition)
        else:
            self._advance_all(session, edition)
        snapshots.keep(session, self.edition_id)
        edition.frozen_at = edition.freeze_at
        edition.compiler = None
        editions.set_state(session, edition, EditionState.FROZEN)
        tell_of_edition(session, WebhookEvent.EDITION_FROZEN, edition, edition.freeze_at)
        workers.raise_counter(session)

    def _settle_welcome(self, session: Session, edition: Edition) -> None:
        """Let the next edition be for these readers as well; greet by mail whom nothing could be sent."""
        cohorts.dissolve(session, edition)
        cohorts.end_waiting_in(session, edition)
        notices.greet_empty_handed(session, edition)

    def _advance_all(self, session: Session, edition: Edition) -> None:
        cohorts.unplace_unplanned(session, edition)
        recent = articles.ids_seen_from(session, self._history_from)
        decisions = cohorts.list_decisions(session, self.edition_id)
        cohorts.lift_keys(session, [cohort for cohort, _ in decisions])
        for cohort, variant_id in decisions:
            got = {row.article_id for row in variants.articles_of(session, variant_id)}
            self._advance(session, cohort, (set(cohort.history) | got) & recent, edition.freeze_at)

    def _advance(self, session: Session, cohort: Cohort, history: set[int], freeze_at: datetime) -> None:
        topics = settle_topics(unsettle_topics(cohort.topics, BEGINNING), freeze_at, self._digest.carry)
        named = cohort.digest, cohort.cadence, cohort.language
        wanted = cohort.max_articles, cohort.mail_form, cohort.min_articles
        key = cohort_key(*named, topics, sorted(history), *wanted)
        if not cohorts.merge_into(session, cohort, key):
            cohort.key, cohort.topics, cohort.history = key, topics, sorted(history)
            cohort.history_from = self._history_from
            session.add(cohort)
            session.flush()

    def _place(self, session: Session, edition: Edition, last: int) -> None:
        unplaced = cohorts.list_unplaced(session, edition, last)
        if not unplaced:
            return
        history = cohorts.counted_history(session, edition, last, self._history_from, self._digest.skip)
        groups: dict[str, tuple[Cohort, list[int]]] = {}
        for (language, topics, known, wanted), ids in _alike(unplaced, history).items():
            cohort = self._cohort(language, dict(topics), known, wanted, edition)
            groups.setdefault(cohort.key, (cohort, []))[1].extend(ids)
        placed: list[tuple[int, list[int]]] = []
        for key, (cohort, ids) in groups.items():
            if key not in self._cohorts:  # most stand by the first range
                self._cohorts[key] = cohorts.find_or_add_cohort(session, cohort)
            placed.append((self._cohorts[key], ids))
        cohorts.place(session, placed)

    def _cohort(
        self,
        language: str | None,
        added: dict[str, str],
        history: frozenset[int],
        wanted: _Wanted,
        edition: Edition,
    ) -> Cohort:
        topics = settle_topics(
            since(added, self._digest.lookback_of(self._cadence.name)), edition.freeze_at, self._digest.carry
        )
        own = self._settings.site.language
        language = language if language and self._speaks(language) else own
        digest, cadence = self._digest.name, self._cadence.name
        most, mail_form, fewest = wanted
        return Cohort(
            key=cohort_key(digest, cadence, language, topics, sorted(history), *wanted),
            digest=digest,
            cadence=cadence,
            language=language,
            topics=topics,
            history=sorted(history),
            history_from=self._history_from,
            max_articles=most,
            min_articles=fewest,
            mail_form=mail_form,
        )

    def _select(self, session: Session, edition: Edition) -> Selection:
        if self._selection is None:
            self._selection = Selection.read(
                session, self._digest, edition.freeze_at, self._draft, most=self._most
            )
            if edition.cadence == WELCOME and self._digest.approval == Approval.REQUIRE:
                printed = variants.list_printed(session, self._digest.name, self._seen_from)
                self._selection = self._selection.only(printed)
        return self._selection

    def _due(
        self, edition: Edition, hours: Iterable[planning.ReaderHours]
    ) -> list[tuple[planning.ReaderHours, datetime]]:
        if edition.at_once:
            return [(one, edition.freeze_at) for one in hours]
        digest, cadence, deadline = self._digest, self._cadence.name, edition.deadline_at
        return [(one, due_at(self._settings, digest, cadence, deadline, *one)) for one in hours]


def _alike(
    unplaced: Sequence[cohorts.UnplacedReader], history: Mapping[int, frozenset[int]]
) -> dict[_Likeness, list[int]]:
    """Group readers whom nothing tells apart, such as those of one import, to decide for them once."""
    alike: dict[_Likeness, list[int]] = {}
    for reader in unplaced:
        known = history.get(reader.subscription_id, frozenset())
        topics = tuple(sorted(reader.topics.items()))
        wanted = reader.max_articles, reader.mail_form, reader.min_articles
        likeness = reader.language, topics, known, wanted
        alike.setdefault(likeness, []).append(reader.subscription_id)
    return alike
