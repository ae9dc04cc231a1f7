"""Decide what each cohort gets, and plan its readers' deliveries, one key range at a time."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from sqlmodel import Session

from digest.models import Approval, Cohort, Draft, Edition, MailForm
from digest.models.cadence import WELCOME, Cadence
from digest.models.row import row_id
from digest.rules.editions.lost_editions import Room
from digest.rules.editions.selection import (
    Chosen,
    cohort_key,
    from_cohort_topics,
    since,
    to_cohort_topics,
)
from digest.settings import DigestSettings, Settings
from digest.store.articles import articles
from digest.store.editions import cohorts, placements, planning, variants
from digest.store.editions.planning import KeyRange, ReaderHours
from digest.store.readers import notices
from digest.tasks.articles.withdrawing import take_out_withdrawn
from digest.tasks.editions.candidates import BEGINNING, Selection, shape_of
from digest.tasks.editions.coming import due_at
from digest.tasks.editions.fitting import Fitter
from digest.tasks.editions.freeze import freeze

BEYOND = 2**31 - 1
"""After every key that a subscription may have: no more ranges are planned."""

RANGE_SIZE, SMALLEST_RANGE, LARGEST_RANGE = 2_000, 250, 20_000
_LONGEST = 0.05  # seconds that a transaction of planning should take
_MOST_ALIKE = 10_000  # kinds of readers whose cohorts are remembered
_MOST_HOURS = 200  # different ones that are passed for a range without looking which of them it has
_COHORTS = 50  # whose histories one commit changes


@dataclass(slots=True)
class PlanningPace:
    """How many readers one transaction plans or places: as many as keep others waiting for a moment only."""

    size: int = RANGE_SIZE
    is_fixed: bool = False

    @classmethod
    def of(cls, size: int, most_at_first: int = RANGE_SIZE) -> "PlanningPace":
        """Return a pace that begins with a size; one below the usual is kept."""
        return cls(min(size, most_at_first), size < RANGE_SIZE)

    def adapt(self, seconds: float, done: int) -> None:
        """Choose the next transaction's size from how long the last one took, and for how many readers.

        One that was not full does not show that a full one would have been as quick.
        """
        if not self.is_fixed and (done >= self.size or seconds > _LONGEST):
            fitting = int(done * _LONGEST / max(seconds, _LONGEST / 100))
            self.size = max(SMALLEST_RANGE, min(LARGEST_RANGE, fitting, 2 * self.size))

    def shrink(self) -> None:
        """Halve the size, whatever the transactions take."""
        self.size = max(1, self.size // 2)


@dataclass(slots=True)
class KnownRanges:
    """How many ranges in a row brought nothing new: after enough of them the next one is planned unread.

    Where its readers have something new after all, the database refuses it, it is read, and from then on one
    range more in a row is enough.
    """

    in_a_row: int = 0
    enough: int = 1

    @property
    def are_enough(self) -> bool:
        """Return whether the next range probably has known cohorts and hours only."""
        return self.in_a_row >= self.enough

    def add(self, *, is_new: bool) -> None:
        """Count a range that was read."""
        self.in_a_row = 0 if is_new else self.in_a_row + 1

    def refuse(self) -> None:
        """Count a range that was planned unread, and refused."""
        self.in_a_row, self.enough = 0, self.enough + 1


class Plan:
    """The decisions of one edition while it is compiled."""

    def __init__(
        self,
        settings: Settings,
        digest: DigestSettings,
        cadence: Cadence,
        edition: Edition,
        room: Room,
        speaks: Callable[[str], bool],
        draft: Draft | None,
    ) -> None:
        assert edition.id is not None  # noqa: S101 - a stored row
        self.edition_id = edition.id
        self._seen_from = self._history_from = edition.freeze_at - digest.carry
        self._draft, self._shape = draft, shape_of(draft)
        self._settings, self._digest, self._cadence = settings, digest, cadence
        self._room = room
        self._speaks = speaks
        self._selection: Selection | None = None
        self._cohorts: dict[str, int] = {}
        self._alike: dict[placements.Likeness, int] = {}
        self._chosen: dict[tuple[int, str], Chosen] = {}
        self._recent: frozenset[int] = frozenset()
        self._is_unplaced = False
        self._range: KeyRange | None = None
        self._decided: set[int] | None = None
        self._due_at: dict[ReaderHours, datetime] = {}
        self._known, self._is_unread = KnownRanges(), False
        self.pace, self.placing = PlanningPace(), PlanningPace()
        self._advanced_to: int | None = 0
        self._merged: list[tuple[int, int]] = []
        self.fitter: Fitter | None = None

    def unplace(self, session: Session) -> bool:
        """Remove some readers from cohorts whose history does not reach back to everything that the edition
        may have; return whether any may be left."""
        digest, cadence = self._digest.name, self._cadence.name
        oldest = articles.first_seen(session, self._shape.added) if self._shape.added else None
        if oldest is not None and oldest < self._seen_from:
            self._history_from = oldest
            return placements.unplace_all(session, digest, cadence)
        # What readers have from other digests is not in a cohort's history.
        left = bool(self._digest.skip) and placements.unplace_who_read(
            session, digest, cadence, self._digest.skip
        )
        return placements.unplace_short(session, digest, cadence, self._seen_from) or left

    def prepare(self, session: Session) -> None:
        """Read the next key range and decide for its cohorts, without changing anything.

        That reads, compares and measures articles, for which nobody else should have to wait.
        """
        if not self._is_unplaced:
            return
        edition = session.get_one(Edition, self.edition_id)
        if self._decided is None:
            self._decided = cohorts.list_decided(session, self.edition_id)
        if self._range is None:
            self._range = self._next_range(session, edition, self._decided)
        found = self._range
        if found.is_unplaced:
            return
        for cohort in cohorts.get_cohorts(session, found.cohorts - self._decided):
            self._chosen[row_id(cohort), cohort.key] = self._choose(session, edition, cohort)
        for one in found.hours - self._due_at.keys():
            self._due_at[one] = self._due(edition, one)

    def _next_range(self, session: Session, edition: Edition, decided: set[int]) -> KeyRange:
        self._is_unread = self._known.are_enough and len(self._due_at) <= _MOST_HOURS
        if self._is_unread:
            return planning.assume_range(session, edition, self.pace.size, self._due_at)
        found = planning.next_range(session, edition, self.pace.size)
        is_known = found.cohorts <= decided and found.hours <= self._due_at.keys()
        self._known.add(is_new=found.is_unplaced or not is_known)
        return found

    def go_on(self, session: Session, edition: Edition) -> bool:
        """Do the work of one transaction; return False once the edition is frozen.

        Raise UndecidedError where readers have changed since they were read: `forget`, and go on.
        """
        began = monotonic()
        if not self._is_unplaced:
            self._is_unplaced = not self.unplace(session)
            return True
        found, self._range = self._range, None
        if found is None or found.after != edition.compiled_to:
            return True
        if found.last is None:
            is_left = self._advance_some(session, edition) or self._merge_some(session)
            if not is_left:
                self._freeze(session, edition)
            return is_left
        if found.is_unplaced:
            size = self.placing.size
            groups = self._place(session, edition, found.placed_to, found.last, size)
            placed = sum(map(len, groups.values()))
            self._range = replace(
                found,
                cohorts=found.cohorts | groups.keys(),
                is_unplaced=placed == size,
                placed_to=max((max(ids) for ids in groups.values()), default=found.placed_to),
            )  # not read again: a reader who changes meanwhile is refused
            self.placing.adapt(monotonic() - began, placed)
        elif (planned := self.plan_range(session, edition, found)) is not None:
            edition.compiled_to = found.last
            session.add(edition)
            session.flush()
            self.pace.adapt(monotonic() - began if planning.keeps_others_out(session) else 0, planned)
        return True

    def plan_range(self, session: Session, edition: Edition, found: KeyRange) -> int | None:
        """Plan the deliveries of one key range, and return how many; None if that has to be prepared anew."""
        assert found.last is not None  # noqa: S101 - there are readers
        assert self._decided is not None  # noqa: S101 - read before
        undecided = cohorts.get_cohorts(session, found.cohorts - self._decided)
        keys = [(row_id(cohort), cohort.key) for cohort in undecided]
        if not all(key in self._chosen for key in keys):
            return None
        decided = [(cohort, self._chosen[key]) for cohort, key in zip(undecided, keys, strict=True)]
        cohorts.decide(session, self.edition_id, decided)
        self._decided |= {row_id(cohort) for cohort in undecided}
        due = [(one, self._due_at[one]) for one in found.hours]
        planned = planning.plan_range(session, edition, found.last, due, edition.freeze_at)
        if edition.cadence != WELCOME:
            placements.unplace_unplanned(session, edition, found.last)
        self._chosen.clear()
        return planned

    def forget(self) -> None:
        """Discard what was decided since the last commit; fewer readers change in a smaller range."""
        self._decided = None
        if self._is_unread:
            self._known.refuse()
        else:
            self.pace.shrink()

    def _choose(self, session: Session, edition: Edition, cohort: Cohort) -> Chosen:
        most = None if cohort.max_articles is None else cohort.max_articles * self._room.periods
        chosen = self._select(session, edition).choose_for_cohort(
            cohort.topics, frozenset(cohort.history), most, self._fewest(cohort)
        )
        chosen = replace(chosen, mail_form=MailForm(cohort.mail_form))
        if self.fitter is None:
            return chosen
        return self.fitter.complete(session, chosen, cohort.language, cohort.topics, self._shape.added)

    def _fewest(self, cohort: Cohort) -> int:
        """Return how many articles a cohort waits for; a first edition waits for none."""
        return 1 if self._cadence.name == WELCOME else self._digest.fewest(cohort.min_articles)

    def _advance_some(self, session: Session, edition: Edition) -> bool:
        """Add the mailed articles to some cohorts' histories; return whether any are left.

        First, readers after the last key range leave their cohorts, and no further range is planned: a reader
        placed now might have an article that their cohort is about to get.
        """
        if edition.cadence == WELCOME or self._advanced_to is None:
            return False
        if edition.compiled_to < BEYOND:
            placements.unplace_unplanned(session, edition, None)
            edition.compiled_to = BEYOND
            session.add(edition)
        if not self._advanced_to:
            take_out_withdrawn(session, edition, edition.freeze_at)
            cohorts.lift_keys(session, self.edition_id)
            self._recent = articles.ids_seen_from(session, self._history_from)
        decisions = cohorts.list_decisions(session, self.edition_id, self._advanced_to, _COHORTS)
        self._advance(session, decisions, edition.freeze_at)
        self._advanced_to = row_id(decisions[-1][0]) if len(decisions) == _COHORTS else None
        return self._advanced_to is not None

    def _merge_some(self, session: Session) -> bool:
        """Move some readers to the cohort that has become the same as theirs; return whether any are left."""
        if self._merged and not placements.move_some(session, *self._merged[-1]):
            self._merged.pop()
        return bool(self._merged)

    def _freeze(self, session: Session, edition: Edition) -> None:
        freeze(session, edition)
        if edition.cadence == WELCOME:
            self._end_welcome(session, edition)

    def _end_welcome(self, session: Session, edition: Edition) -> None:
        """Free these readers for the next edition, and plan a welcome for those who get no articles."""
        cohorts.dissolve(session, edition)
        cohorts.end_waiting_in(session, edition)
        notices.greet_empty_handed(session, edition)

    def _advance(
        self, session: Session, decisions: Sequence[tuple[Cohort, int]], freeze_at: datetime
    ) -> None:
        got = variants.list_recent_articles(
            session, {variant_id for _, variant_id in decisions}, self._history_from
        )
        rows = [self._later(cohort, got[variant_id], freeze_at) for cohort, variant_id in decisions]
        known = cohorts.find_keys(session, [row["key"] for row in rows])
        for row in rows:
            other = known.setdefault(row["key"], row["row"])
            if other != row["row"]:
                row["key"] = f"merged-{row['row']}"
                self._merged.append((row["row"], other))
        cohorts.advance(session, rows)

    def _later(self, cohort: Cohort, got: frozenset[int], freeze_at: datetime) -> dict[str, Any]:
        """Return a cohort as it is after an edition that brought it articles."""
        topics = to_cohort_topics(from_cohort_topics(cohort.topics, BEGINNING), freeze_at, self._digest.carry)
        history = sorted((set(cohort.history) & self._recent) | got)
        named = cohort.digest, cohort.cadence, cohort.language
        wanted = cohort.max_articles, cohort.mail_form, cohort.min_articles
        return {
            "row": row_id(cohort), "key": cohort_key(*named, topics, history, *wanted), "topics": topics,
            "history": history, "history_from": self._history_from,
        }  # fmt: skip

    def _place(
        self, session: Session, edition: Edition, after: int, last: int, limit: int
    ) -> dict[int, list[int]]:
        """Put the next readers of a key range who need it into their cohorts; return whom into which."""
        # An article that an edition held may have been first seen a little later than that was made, where a
        # backup was restored: editions are asked for that are older than any candidate.
        made_from = 2 * self._history_from.timestamp() - edition.freeze_at.timestamp()
        alike = placements.group_unplaced(
            session,
            edition,
            after,
            last,
            limit,
            datetime.fromtimestamp(made_from, UTC),
            self._digest.skip,
        )
        if len(self._alike) > _MOST_ALIKE:
            self._alike.clear()
        self._find_cohorts(session, edition, [one for one in alike if one not in self._alike])
        groups: dict[int, list[int]] = {}
        for likeness, ids in alike.items():
            groups.setdefault(self._alike[likeness], []).extend(ids)
        placements.place(session, groups.items())
        return groups

    def _find_cohorts(
        self, session: Session, edition: Edition, unknown: Sequence[placements.Likeness]
    ) -> None:
        """Find the cohorts of readers whose like was not seen yet; the first ranges have most of them."""
        named = {likeness.variants: _numbers(likeness.variants) for likeness in unknown}
        known = variants.list_recent_articles(
            session, {number for numbers in named.values() for number in numbers}, self._history_from
        )
        have = {text: frozenset[int]().union(*(known[one] for one in named[text])) for text in named}
        for likeness in unknown:
            cohort = self._cohort(likeness, have[likeness.variants], edition)
            if cohort.key not in self._cohorts:
                self._cohorts[cohort.key] = cohorts.find_or_add_cohort(session, cohort)
            self._alike[likeness] = self._cohorts[cohort.key]

    def _cohort(self, reader: placements.Likeness, history: frozenset[int], edition: Edition) -> Cohort:
        topics = to_cohort_topics(
            since(json.loads(reader.topics), self._digest.lookback_of(self._cadence.name)),
            edition.freeze_at,
            self._digest.carry,
        )
        own, language = self._settings.site.language, reader.language
        language = language if language and self._speaks(language) else own
        digest, cadence = self._digest.name, self._cadence.name
        wanted = reader.max_articles, reader.mail_form, reader.min_articles
        return Cohort(
            key=cohort_key(digest, cadence, language, topics, sorted(history), *wanted),
            digest=digest,
            cadence=cadence,
            language=language,
            topics=topics,
            history=sorted(history),
            history_from=self._history_from,
            max_articles=reader.max_articles,
            min_articles=reader.min_articles,
            mail_form=reader.mail_form,
        )

    def _select(self, session: Session, edition: Edition) -> Selection:
        if self._selection is None:
            self._selection = Selection.read(
                session, self._digest, edition.freeze_at, self._draft,
                most=self._digest.max_articles * self._room.periods, counts_undated=not self._room.is_lost,
            )  # fmt: skip
            if edition.cadence == WELCOME and self._digest.approval == Approval.REQUIRE:
                printed = variants.list_printed(session, self._digest.name, self._seen_from)
                self._selection = self._selection.only(printed)
        return self._selection

    def _due(self, edition: Edition, one: ReaderHours) -> datetime:
        if edition.at_once:
            return edition.freeze_at
        return due_at(self._settings, self._digest, self._cadence.name, edition.deadline_at, *one)


def _numbers(text: str) -> frozenset[int]:
    return frozenset(map(int, text.split(","))) if text else frozenset()
