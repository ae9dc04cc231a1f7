"""Let anything happen to a publication, in any order: `python -m tests.faults.states [LIVES] [--steps N] [--seed N]`.

A state machine (hypothesis) publishes, fetches, compiles and sends, and breaks news; readers join, with a first
edition or without, leave, pause, change their choices and ask for an edition of their own; the relay refuses; the clock jumps; processes crash at any of their commits; old copies are restored.
After each step no story has come to a reader twice and each edition's sum is whole. At the end quiet days
follow, and every story that a reader was to get has come. `--postgresql` plays on PostgreSQL.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlmodel import Session, col, select

from digest.bootstrap import Application
from digest.errors import Refused
from digest.models import (
    Article,
    Delivery,
    DeliveryState,
    EditionState,
    Subscriber,
    Subscription,
    SubscriptionState,
    VariantArticle,
)
from digest.rules.tokens import tokens
from digest.sending import fetch
from digest.store.articles import articles
from digest.store.editions import editions
from digest.tasks.editions.retries import resume_editions
from digest.tasks.ledger.audit import account, audit
from digest.tasks.readers import preferences
from digest.tasks.readers import readers as leaving
from digest.tasks.readers.enrolment import subscribe_confirmed
from digest.tasks.readers.reader_page import Wish, save_page
from digest.tasks.readers.rhythm import Rhythm
from digest.tasks.readers.sign_up import Choices
from tests.faults.living import CONNECTIONS, Crash, Life, Place, place
from tests.support.postgresql import PostgresqlServer, debian_server
from tests.support.readers import Clock

BEGAN = datetime(2026, 11, 22, 12, tzinfo=UTC)
EARLIEST, LATEST = BEGAN - timedelta(days=1), BEGAN + timedelta(days=12)
QUIET_DAYS = 16  # what is first seen by LATEST is younger than `carry` all through them
LOOKBACK = timedelta(days=7)
TOPICS = ("world", "business", "science")
ZONES = (None, "Pacific/Auckland", "Pacific/Kiritimati", "Pacific/Honolulu", "Asia/Kathmandu", "UTC")
ORIGIN = {"form": "https://courier.example/"}

addresses = st.integers(0, 3).map(lambda n: f"r{n}@readers.example")
crashes = st.none() | st.builds(Crash, st.integers(1, 30), st.booleans())
wishes = st.builds(
    lambda cadence, topics, hour, most, breaking: Wish(
        True, Choices(cadence, topics), hour, most, rhythm=Rhythm(breaking=breaking)
    ),
    st.sampled_from(("daily", "weekly")), st.sampled_from(((), ("world",), ("world", "science"))),
    st.none() | st.integers(0, 23), st.none() | st.integers(3, 5), st.booleans(),
)  # fmt: skip
Stories = frozenset[int]
NONE: Stories = frozenset()


@dataclass
class Reader:
    """What is known of a reader.

    `may_repeat` are stories that may come again, and `given_up` those that need not come: a restored copy has
    forgotten that they went, or was told that they had gone.
    """

    state: SubscriptionState = SubscriptionState.CONFIRMED
    is_changed: bool = True
    may_repeat: Stories = NONE
    given_up: Stories = NONE


@dataclass(frozen=True)
class Backup:
    """A copy of the database, with what was known when it was made."""

    name: str
    readers: dict[str, Reader]
    messages: frozenset[str]


class States(RuleBasedStateMachine):
    """One publication and everything that may happen to it."""

    where: Place
    played: Counter[str]

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock(BEGAN)
        self.life = Life(self.where, self.clock)
        self.readers: dict[str, Reader] = {}
        self.stories: dict[int, str] = {}
        self.backup: Backup | None = None
        self.sent_at = self.latest = BEGAN
        self.may_repeat = 0

    @initialize(some=st.lists(wishes, min_size=1, max_size=3), is_copied=st.booleans())
    def begin(self, some: list[Wish], *, is_copied: bool) -> None:
        """Let a publication run once, so that its cadences have begun."""
        self.publish("world")
        for number, wish in enumerate(some):
            self.change(f"r{number}@readers.example", wish, None, is_greeted=number == 1)
        self.send(None, at_once=False)
        if is_copied:
            self.back_up()

    @rule(topic=st.sampled_from(TOPICS))
    def publish(self, topic: str) -> None:
        """Write a story where the source has them."""
        number = len(self.stories) + 1
        self.stories[number] = topic
        self.life.publication.write_article(f"Story {number}", topic)

    @rule(crash=crashes)
    def fetch(self, crash: Crash | None) -> None:
        """Run `digest fetch`."""
        self.life.do(fetch, crash)

    @rule(crash=crashes)
    def compile(self, crash: Crash | None) -> None:
        """Compile what is due, and deliver nothing."""
        self.life.do(_compile, crash)
        self._ran()

    @rule(crash=crashes, at_once=st.booleans())
    def send(self, crash: Crash | None, *, at_once: bool) -> None:
        """Run `digest send`, or `digest send --now`."""
        self.life.send(crash, at_once=at_once)
        self._ran()

    @rule(back=st.integers(0, 3), crash=crashes)
    def break_news(self, back: int, crash: Crash | None) -> None:
        """Send one of the latest stories as breaking news, as `digest breaking` does."""
        url = f"https://courier.example/story-{max(1, len(self.stories) - back)}"
        with self.life.app.database.read() as session:
            is_known = articles.find_article_named(session, url) is not None
        if is_known:
            self.life.do(lambda app: _break(app, url), crash)
            self.played["breaking news"] += 1

    @rule(address=addresses, crash=crashes)
    def ask(self, address: str, crash: Crash | None) -> None:
        """Ask for an edition of one's own, as a command by mail does."""
        if address in self.readers and self.readers[address].state == SubscriptionState.CONFIRMED:
            asked = self.life.do(lambda app: _ask(app, address), crash)
            self.played[f"requests: {asked}"] += 1

    def _ran(self) -> None:
        self.sent_at = max(self.sent_at, self.clock())

    @rule(address=addresses, wish=wishes, zone=st.sampled_from(ZONES), is_greeted=st.booleans())
    def change(self, address: str, wish: Wish, zone: str | None, *, is_greeted: bool) -> None:
        """Join, come back, or change every choice, as the reader's own page does.

        Who comes back is greeted with a first edition, and who joins may be, as who confirms is.
        """
        readers, now = self.life.app.readers, self.clock()
        if address not in self.readers:
            subscribe_confirmed(readers, address, "world", wish.choices, "Yes.", ORIGIN, now)
            if is_greeted:
                with readers.database.write() as session:
                    leaving.begin(session, readers.settings.digest("world"), _row(session, address), now)
            got = (stories for stories, _ in self.life.mailboxes().get(address, {}).values())
            self.readers[address] = Reader(may_repeat=NONE.union(*got))
        token = self.life.fresh_link(address)
        assert save_page(
            readers,
            token,
            {"world": wish},
            now,
            ORIGIN,
            name="",
            language=None,
            timezone=zone,
            wordings={},
            spoken="en",
        )
        known = self.readers[address]
        if known.state == SubscriptionState.ENDED:
            known.state = SubscriptionState.CONFIRMED
        known.is_changed = True

    @rule(address=addresses)
    def leave(self, address: str) -> None:
        """Unsubscribe by one click."""
        if address in self.readers:
            token = self._token(tokens.UNSUBSCRIBE, address)
            assert leaving.leave(self.life.app.readers, token, self.clock(), ORIGIN)
            self._now_is(address, SubscriptionState.ENDED)

    @rule(address=addresses, days=st.none() | st.integers(1, 3))
    def pause(self, address: str, days: int | None) -> None:
        """Pause, for some days or until coming back."""
        if address in self.readers and self.readers[address].state != SubscriptionState.ENDED:
            until = None if days is None else self.clock() + timedelta(days=days)
            token = self._token(tokens.PREFERENCES, address)
            assert preferences.set_pause(self.life.app.readers, token, until, self.clock(), ORIGIN)
            self._now_is(address, SubscriptionState.PAUSED)

    @precondition(lambda self: self._any_is(SubscriptionState.PAUSED))
    @rule(address=addresses)
    def come_back(self, address: str) -> None:
        """End a pause."""
        if address in self.readers and self.readers[address].state == SubscriptionState.PAUSED:
            token = self._token(tokens.PREFERENCES, address)
            assert preferences.resume(self.life.app.readers, token, self.clock(), ORIGIN)
            self._now_is(address, SubscriptionState.CONFIRMED)

    def _any_is(self, state: SubscriptionState) -> bool:
        return any(reader.state == state for reader in self.readers.values())

    def _now_is(self, address: str, state: SubscriptionState) -> None:
        self.readers[address].state, self.readers[address].is_changed = state, True

    @rule(address=addresses, reply=st.sampled_from(("250 kept", "451 4.3.0 later", "554 5.6.0 not this one")))
    def answer(self, address: str, reply: str) -> None:
        """Let the relay answer so, from now on, to each message for an address."""
        self.life.replies[address] = reply

    @rule(is_paused=st.booleans())
    def steer(self, *, is_paused: bool) -> None:
        """Pause every edition that is being delivered, or let all go on."""
        with self.life.app.database.write() as session:
            if is_paused:
                for edition in editions.list_editions(session, states=[EditionState.FROZEN]):
                    editions.pause(session, edition.id or 0, "paused by an editor", retry_at=None)
            else:
                resume_editions(session, editions.list_editions(session))

    @rule(minutes=st.integers(1, 3_000))
    def jump_forward(self, minutes: int) -> None:
        """Let time pass, or the clock jump."""
        self.clock.now = min(self.clock.now + timedelta(minutes=minutes), LATEST)
        self.latest = max(self.latest, self.clock.now)

    @rule(days=st.integers(0, 3), hour=st.sampled_from((6, 8, 18)), stories=st.integers(0, 3), crash=crashes)
    def live_on(self, days: int, hour: int, stories: int, crash: Crash | None) -> None:
        """Let what mostly happens happen: stories, a deadline, and `digest send` after it."""
        for topic in TOPICS[:stories]:
            self.publish(topic)
        morning = self.clock.now.replace(hour=hour, minute=5) + timedelta(days=days)
        self.clock.now = min(max(self.clock.now, morning), LATEST)
        self.latest = max(self.latest, self.clock.now)
        self.send(crash, at_once=False)

    @rule(crash=crashes)
    def live_another_day(self, crash: Crash | None) -> None:
        """Let a day pass."""
        self.live_on(1, 6, 1, crash)

    @rule(minutes=st.integers(1, 4_000))
    def jump_back(self, minutes: int) -> None:
        """Let the clock jump back."""
        self.clock.now = max(self.clock.now - timedelta(minutes=minutes), EARLIEST)

    @precondition(lambda self: self.backup is None)
    @rule()
    def back_up(self) -> None:
        """Copy the database."""
        messages = frozenset(key for box in self.life.mailboxes().values() for key in box)
        for reader in self.readers.values():
            reader.is_changed = False
        known = {name: replace(reader) for name, reader in self.readers.items()}
        self.backup = Backup(self.life.back_up(), known, messages)

    @precondition(lambda self: self.backup is not None)
    @rule(resend=st.booleans(), crash=crashes)
    def restore(self, crash: Crash | None, *, resend: bool) -> None:
        """Restore the copy: where anything ran since, it refuses to send until it is decided upon."""
        backup, self.backup = self.backup, None
        assert backup is not None
        self.life.restore(backup.name)
        self.played["restores"] += 1
        gone = self._gone_since(backup)
        until = None if resend or self.sent_at > self.clock() else self.sent_at
        if self.life.app.find_refusal() is None:
            assert not gone, "that messages went since the copy was made is not noticed"
        else:
            with pytest.raises(Refused):
                self.life.send()
            self._decide(until, crash)
        if until is None:
            self.life.is_resent = True
            self.may_repeat += len(self.where.recording.transactions)
        before, self.readers = self.readers, backup.readers
        for name, reader in self.readers.items():
            if until is None or before[name].is_changed:
                reader.may_repeat |= gone.get(name, NONE)
            if until is not None:
                reader.given_up |= frozenset(self.stories)

    def _decide(self, until: datetime | None, crash: Crash | None) -> None:
        if until is None:
            self.life.do(lambda app: app.restorer.accept())
            return
        decided: list[datetime] = []
        self.life.do(lambda app: _withhold(app, until, decided), crash)
        if not decided and self.life.app.find_refusal() is None:
            assert self._is_nothing_due(until), "half of a decision counts as one"
        elif not decided:
            self.life.do(lambda app: _withhold(app, until, decided))
        assert self.life.app.find_refusal() is None

    def _is_nothing_due(self, until: datetime) -> bool:
        """Return whether no delivery that was due by then is left to be sent: the decision was made before
        the crash, whose commit was its last."""
        due = col(Delivery.state).in_(["planned", "deferred", "claimed", "in_flight"])
        with self.life.app.database.read() as session:
            return session.exec(select(Delivery.id).where(due, Delivery.due_at <= until)).first() is None

    def _gone_since(self, backup: Backup) -> dict[str, Stories]:
        """Return the stories that each reader got after the copy was made."""
        return {
            name: NONE.union(*(stories for key, (stories, _) in box.items() if key not in backup.messages))
            for name, box in self.life.mailboxes().items()
            if box.keys() - backup.messages
        }

    def _token(self, action: str, address: str) -> str:
        with self.life.app.database.read() as session:
            public_id = session.exec(select(Subscriber.public_id).where(Subscriber.address == address)).one()
        return tokens.sign(self.life.app.readers.signing_keys, action, public_id, "world")

    @invariant()
    def nothing_came_twice(self) -> None:
        """Check the mailboxes: a message may come again only where a crash left its reply unknown."""
        repeats = 0
        for name, box in self.life.mailboxes().items():
            repeats += sum(times - 1 for _, times in box.values())
            known = self.readers.get(name, Reader(may_repeat=frozenset(self.stories)))
            times = Counter(story for stories, _ in box.values() for story in stories)
            twice = {story for story, count in times.items() if count > 1} - known.may_repeat
            assert not twice, f"{name} got {sorted(twice)} twice: {box}"
        assert repeats <= CONNECTIONS * self.life.crashes + self.may_repeat, f"{repeats} repeats"

    @invariant()
    def the_books_are_whole(self) -> None:
        """Check the sum of each edition, as `digest audit` does."""
        with self.life.app.database.read() as session:
            accounts = [account(session, edition) for edition in editions.list_editions(session)]
        assert all(one.ok for one in accounts), accounts

    def teardown(self) -> None:
        """Let quiet days follow, after which everything has come."""
        try:
            self._live_quietly()
        finally:
            self.played.update(
                lives=1, stories=len(self.stories), crashes=self.life.crashes,
                messages=len(self.where.recording.transactions),
            )  # fmt: skip
            self.life.close()

    def _live_quietly(self) -> None:
        self.life.replies.clear()
        self.steer(is_paused=False)
        for address, reader in self.readers.items():
            self.come_back(address)
            if reader.state == SubscriptionState.CONFIRMED:
                self.change(
                    address, Wish(True, Choices("daily", self._topics(address))), None, is_greeted=False
                )
        missing, is_done = {"everything": NONE}, False
        for day in range(1, QUIET_DAYS):
            self.clock.now = self.latest.replace(hour=6, minute=5) + timedelta(days=day)
            self.life.send()
            with self.life.app.database.read() as session:
                missing, is_done = self._missing(session), audit(session)["ok"]
            self.nothing_came_twice()
            if is_done and not missing:
                break
        assert not missing, f"never came: {missing}"
        assert is_done, "the audit does not hold"

    def _topics(self, address: str) -> tuple[str, ...]:
        with self.life.app.database.read() as session:
            topics = session.exec(
                select(Subscription.topics)
                .join(Subscriber, col(Subscriber.id) == col(Subscription.subscriber_id))
                .where(Subscriber.address == address)
            ).one()
        return tuple(topic for topic in topics if topic != "*")

    def _missing(self, session: Session) -> dict[str, Stories]:
        """Return what has not come to the readers who were to get it, as far as the ledger claims to know."""
        found: dict[str, Stories] = {}
        rows = session.exec(
            select(Subscriber.address, Subscription)
            .join(Subscription, col(Subscription.subscriber_id) == col(Subscriber.id))
        ).all()  # fmt: skip
        boxes, stories = self.life.mailboxes(), session.exec(select(Article)).all()
        assert {row[0] for row in rows} == self.readers.keys()
        for address, row in rows:
            reader = self.readers[address]
            assert row.state == reader.state, f"{address} is {row.state}, not {reader.state}"
            got = NONE.union(*(one for one, _ in boxes.get(address, {}).values()))
            wanted = {_number(one) for one in stories if _is_for(one, row)} - got - reader.given_up
            missing = frozenset(wanted) - {_number(one) for one in self._undecided(session, row)}
            if missing and reader.state == SubscriptionState.CONFIRMED:
                found[address] = missing
        return found

    def _undecided(self, session: Session, row: Subscription) -> Iterable[Article]:
        """Return the stories of deliveries that a crash left in flight and nothing repeated."""
        query = (
            select(Article)
            .join(VariantArticle, col(VariantArticle.article_id) == col(Article.id))
            .join(Delivery, col(Delivery.variant_id) == col(VariantArticle.variant_id))
            .where(Delivery.subscription_id == row.id, Delivery.state == DeliveryState.UNCERTAIN)
        )
        found = session.exec(query).all()
        assert self.life.crashes or not found, "uncertain without a crash"
        return found


def _is_for(article: Article, row: Subscription) -> bool:
    """Return whether a reader is to get an article: a topic of it was theirs soon enough."""
    return any(
        article.first_seen_at > datetime.fromisoformat(added) - LOOKBACK
        for topic, added in row.topics.items()
        if topic == "*" or topic in article.topics
    )


def _number(article: Article) -> int:
    return int(article.url.rsplit("-", 1)[1])


def _compile(app: Application) -> None:
    with app.worker() as worker:
        for digest in app.settings.digests:
            app.compiler(worker).compile_due(digest, app.clock())
        app.save_state()


def _break(app: Application, url: str) -> None:
    app.breaking.send(url, "mara", app.clock())
    app.save_state()


def _ask(app: Application, address: str) -> str:
    own = app.reader_editions
    with app.database.write() as session:
        row = _row(session, address)
        person = session.get_one(Subscriber, row.subscriber_id)
        return own.enter(session, app.settings.digest("world"), person, row, app.clock()).name


def _row(session: Session, address: str) -> Subscription:
    query = select(Subscription).join(Subscriber, col(Subscriber.id) == col(Subscription.subscriber_id))
    return session.exec(query.where(Subscriber.address == address)).one()


def _withhold(app: Application, until: datetime, decided: list[datetime]) -> None:
    """Run `digest resume --sent-until`; a crash may come after the decision, as the worker's lock is
    released."""
    with app.worker(checked=False) as worker:
        app.restorer.withhold_until(until, app.compiler(worker))
        decided.append(until)


def play(
    where: Place, lives: int, steps: int, seed: int | None = None, *, shrinks: bool = False
) -> Counter[str]:
    """Play so many lives of so many steps and return what happened in them; raise where anything went wrong."""
    machine = type("Lives", (States,), {"where": where, "played": Counter()})
    chosen = hypothesis.settings(
        max_examples=lives, stateful_step_count=steps, deadline=None, database=None, derandomize=seed is None,
        suppress_health_check=list(HealthCheck), print_blob=False, report_multiple_bugs=False,
        phases=(Phase.generate, Phase.shrink) if shrinks else (Phase.generate,),
    )  # fmt: skip
    if seed is not None:
        machine = hypothesis.seed(seed)(machine)
    run_state_machine_as_test(machine, settings=chosen)
    played: Counter[str] = machine.played  # type: ignore[attr-defined]
    return played


def main(arguments: list[str] | None = None) -> int:
    """Play and print what was seen."""
    asked = argparse.ArgumentParser(
        prog="tests.faults.states", description="Let anything happen, in any order."
    )
    asked.add_argument("lives", nargs="?", type=int, default=1_000)
    asked.add_argument("--steps", type=int, default=40)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--postgresql", action="store_true")
    asked.add_argument("--shrink", action="store_true", help="look for the shortest history that fails")
    chosen = asked.parse_args(arguments)
    binaries = debian_server() if chosen.postgresql else None
    server = PostgresqlServer(binaries) if binaries else None
    began = time.monotonic()
    try:
        with place(server.url if server else None) as where:
            played = play(where, chosen.lives, chosen.steps, chosen.seed, shrinks=chosen.shrink)
    finally:
        if server:
            server.stop()
    said = ", ".join(f"{count} {name}" for name, count in sorted(played.items()))
    print(f"{said}; none twice, none lost, {time.monotonic() - began:.0f} s")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
