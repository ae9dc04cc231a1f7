import itertools
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from digest.errors import InputError
from digest.models import (
    Cohort,
    Confirmation,
    ConsentEvent,
    MailState,
    Subscriber,
    Subscription,
    Suppression,
    SuppressionReason,
)
from digest.rules.tokens import tokens
from digest.settings import Settings
from digest.store.database import Database
from digest.store.readers import confirmations, subscribers
from digest.store.readers.reader_mail import record_mail
from digest.store.readers.wordings import get_wordings
from digest.tasks.readers import on_request
from digest.tasks.readers.confirmation import ConfirmationResult, confirm, look_up
from digest.tasks.readers.enrolment import Enrolled, subscribe_confirmed
from digest.tasks.readers.expiry import keep_house
from digest.tasks.readers.preferences import find_preferences, resume, set_pause, set_preferences
from digest.tasks.readers.privacy import erase, show, suppress
from digest.tasks.readers.readers import Readers, leave
from digest.tasks.readers.sign_up import Choices, ask, ask_for, offers

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
FORM = {"form": "http://localhost/", "ip": "192.0.2.7"}
ANNA = "anna@example.org"
TO_BASE32 = str.maketrans("0123456789", "abcdefghij")


@pytest.fixture
def readers(database: Database, settings: Settings) -> Readers:
    ids: Iterator[int] = itertools.count()
    key = b"the suppression key"
    return Readers(
        database, settings, settings.web.signing_keys, key, lambda: f"{next(ids):026}".translate(TO_BASE32),
        lambda: f"token {next(ids)}",
    )  # fmt: skip


def find_row(readers: Readers, address: str = ANNA) -> Subscription:
    with readers.database.read() as session:
        found = subscribers.find_subscriber(session, address)
        assert found is not None
        row = subscribers.find_subscription(session, found.id or 0, "world")
        assert row is not None
        return row


def list_askings(readers: Readers) -> list[Confirmation]:
    with readers.database.read() as session:
        return list(session.exec(select(Confirmation)))


def take_token(readers: Readers, now: datetime = NOW) -> str:
    with readers.database.write() as session:
        asking = confirmations.claim_confirmation(session, 1, now)
        assert asking is not None
        return readers.give_token(session, asking.id or 0)


def make_confirmed(readers: Readers, topics: tuple[str, ...] = ()) -> Subscription:
    ask(readers, ANNA, "world", Choices("daily", topics), FORM, NOW)
    assert confirm(readers, take_token(readers), NOW, FORM).answer == ConfirmationResult.CONFIRMED
    return find_row(readers)


def place_in_cohort(readers: Readers) -> None:
    with readers.database.write() as session:
        cohort = Cohort(key="k", digest="world", cadence="daily", language="en", history_from=NOW)
        session.add(cohort)
        session.flush()
        row = session.exec(select(Subscription)).one()
        row.cohort_id = cohort.id
        session.add(row)


def link(readers: Readers, action: str) -> str:
    with readers.database.read() as session:
        found = session.exec(select(Subscriber)).first()
        assert found is not None
        return tokens.sign(readers.signing_keys, action, found.public_id, "world")


def test_nothing_is_active_before_the_addresss_holder_confirms(readers: Readers) -> None:
    ask(readers, "Anna@Example.org", "world", Choices("weekly", ("science",)), FORM, NOW, wording="Yes.")
    assert find_row(readers).state == "pending"
    confirmed = confirm(readers, take_token(readers), NOW + DAY, {"ip": "192.0.2.9"})
    row = find_row(readers)
    assert confirmed.answer == ConfirmationResult.CONFIRMED
    assert (row.state, row.cadence, row.topics) == (
        "confirmed",
        "weekly",
        {"science": (NOW + DAY).isoformat()},
    )
    assert row.confirmed_at == NOW + DAY


def test_each_act_is_recorded_with_time_wording_and_origin(readers: Readers) -> None:
    ask(readers, ANNA, "world", Choices(), FORM, NOW, wording="Yes, send it.")
    confirm(readers, take_token(readers), NOW + DAY, {"ip": "192.0.2.9"})
    leave(readers, link(readers, tokens.UNSUBSCRIBE), NOW + 2 * DAY, {"link": "one-click"})
    with readers.database.read() as session:
        events = list(session.exec(select(ConsentEvent).order_by(col(ConsentEvent.id))))
        agreed = get_wordings(session, [e.wording_id for e in events])
    assert [(e.act, e.wording_id and agreed[e.wording_id].text, e.origin) for e in events] == [
        ("asked", "Yes, send it.", FORM),
        ("confirmed", "Yes, send it.", {"ip": "192.0.2.9"}),
        ("left", None, {"link": "one-click"}),
    ]
    assert events[1].at == NOW + DAY


def test_a_confirmation_works_once_and_answers_the_same_again(readers: Readers) -> None:
    ask(readers, ANNA, "world", Choices(), FORM, NOW)
    token = take_token(readers)
    assert look_up(readers, token, NOW).answer == ConfirmationResult.OPEN
    first = confirm(readers, token, NOW, FORM)
    second = confirm(readers, token, NOW + DAY, FORM)
    assert (first.answer, second.answer) == (ConfirmationResult.CONFIRMED, ConfirmationResult.ALREADY)
    assert first.preferences == second.preferences
    assert len(show(readers, ANNA)["consent"]) == 2  # type: ignore[arg-type]
    assert find_row(readers).confirmed_at == NOW


def test_a_confirmation_expires_after_seven_days(readers: Readers) -> None:
    ask(readers, ANNA, "world", Choices(), FORM, NOW)
    token = take_token(readers)
    assert confirm(readers, token, NOW + 7 * DAY, FORM).answer == ConfirmationResult.EXPIRED
    assert find_row(readers).state == "pending"


def test_an_unknown_token_confirms_nothing(readers: Readers) -> None:
    assert confirm(readers, "made up", NOW, FORM).answer == ConfirmationResult.UNKNOWN
    assert confirm(readers, "\ud800", NOW, FORM).answer == ConfirmationResult.UNKNOWN


def test_ten_sign_ups_of_one_address_plan_one_message_a_day_and_three_in_ninety(readers: Readers) -> None:
    for hours in range(0, 24 * 89, 7):
        ask(readers, ANNA, "world", Choices(), FORM, NOW + timedelta(hours=hours))
    assert len(list_askings(readers)) == 3
    assert list_askings(readers)[1].asked_at >= NOW + DAY


def test_who_is_confirmed_is_not_asked_again(readers: Readers) -> None:
    make_confirmed(readers)
    ask(readers, ANNA, "world", Choices("weekly"), FORM, NOW + 2 * DAY)
    assert len(list_askings(readers)) == 1
    assert find_row(readers).cadence == "daily"


def test_who_left_comes_back_only_by_a_fresh_confirmation(readers: Readers) -> None:
    ask(readers, ANNA, "world", Choices(), FORM, NOW)
    old = take_token(readers)
    confirm(readers, old, NOW, FORM)
    leave(readers, link(readers, tokens.UNSUBSCRIBE), NOW + DAY, {})
    assert confirm(readers, old, NOW + DAY, FORM).answer == ConfirmationResult.EXPIRED
    assert not set_preferences(readers, link(readers, tokens.PREFERENCES), Choices(), NOW + DAY, {})
    ask(readers, ANNA, "world", Choices(), FORM, NOW + 2 * DAY)
    assert (
        confirm(readers, take_token(readers, NOW + 2 * DAY), NOW + 2 * DAY, FORM).answer
        == ConfirmationResult.CONFIRMED
    )


def test_leaving_before_confirming_voids_the_message(readers: Readers) -> None:
    ask(readers, ANNA, "world", Choices(), FORM, NOW)
    leave(readers, link(readers, tokens.UNSUBSCRIBE), NOW, {})
    with readers.database.write() as session:
        assert confirmations.claim_confirmation(session, 1, NOW) is None


def test_leaving_is_the_same_as_often_as_it_is_asked(readers: Readers) -> None:
    make_confirmed(readers)
    token = link(readers, tokens.UNSUBSCRIBE)
    assert leave(readers, token, NOW, {}) == leave(readers, token, NOW + DAY, {})
    assert find_row(readers).ended_at == NOW
    assert leave(readers, "no token", NOW, {}) is None


def test_a_message_claimed_is_recorded_only_by_its_owner(readers: Readers) -> None:
    ask(readers, ANNA, "world", Choices(), FORM, NOW)
    with readers.database.write() as session:
        asking = confirmations.claim_confirmation(session, 1, NOW)
        assert asking is not None
        assert asking.id is not None
        assert confirmations.claim_confirmation(session, 2, NOW) is None
        assert not record_mail(session, Confirmation, asking.id, 2, MailState.ACCEPTED)
        assert record_mail(session, Confirmation, asking.id, 1, MailState.IN_FLIGHT)
        assert confirmations.get_asked_reader(session, asking)[0].address == ANNA
    with readers.database.write() as session:
        confirmations.release_confirmations(session, 1, resend=False)
    asking = list_askings(readers)[0]
    assert (asking.mail_state, asking.attempts, asking.owner) == ("uncertain", 1, None)


def test_an_asking_whose_reply_was_lost_in_a_crash_is_repeated_once(readers: Readers) -> None:
    ask(readers, ANNA, "world", Choices(), FORM, NOW)
    for worker, becomes in ((1, "planned"), (2, "uncertain")):
        with readers.database.write() as session:
            asking = confirmations.claim_confirmation(session, worker, NOW)
            assert asking is not None
            record_mail(session, Confirmation, asking.id or 0, worker, MailState.IN_FLIGHT)
            confirmations.release_confirmations(session, worker, resend=True)
        assert list_askings(readers)[0].mail_state == becomes


def test_preferences_are_kept_and_unset_the_cohort(readers: Readers) -> None:
    make_confirmed(readers, ("science",))
    place_in_cohort(readers)
    token = link(readers, tokens.PREFERENCES)
    assert set_preferences(readers, token, Choices("weekly", ("science", "world")), NOW + DAY, {}, hour=6)
    row = find_row(readers)
    assert (row.cadence, row.hour, row.cohort_id) == ("weekly", 6, None)
    assert row.topics == {"science": NOW.isoformat(), "world": (NOW + DAY).isoformat()}


def test_the_same_preferences_again_keep_the_cohort_and_record_nothing(readers: Readers) -> None:
    make_confirmed(readers, ("science",))
    place_in_cohort(readers)
    set_preferences(readers, link(readers, tokens.PREFERENCES), Choices("daily", ("science",)), NOW + DAY, {})
    assert find_row(readers).cohort_id is not None
    assert len(show(readers, ANNA)["consent"]) == 2  # type: ignore[arg-type]


@pytest.mark.parametrize("choices", [Choices("hourly"), Choices("daily", ("sports",))])
def test_what_a_digest_does_not_offer_is_refused_by_name(readers: Readers, choices: Choices) -> None:
    make_confirmed(readers)
    with pytest.raises(InputError, match=r"hourly|sports"):
        set_preferences(readers, link(readers, tokens.PREFERENCES), choices, NOW, {})
    with pytest.raises(InputError, match=r"hourly|sports"):
        ask(readers, ANNA, "world", choices, FORM, NOW)


def test_a_pause_counts_at_once_and_runs_out(readers: Readers) -> None:
    make_confirmed(readers)
    place_in_cohort(readers)
    token = link(readers, tokens.PREFERENCES)
    set_pause(readers, token, NOW + 7 * DAY, NOW, {})
    assert (find_row(readers).state, find_row(readers).cohort_id) == ("paused", None)
    with readers.database.write() as session:
        assert subscribers.resume_due(session, NOW + 6 * DAY) == 0
        assert subscribers.resume_due(session, NOW + 7 * DAY) == 1
    assert (find_row(readers).state, find_row(readers).paused_until) == ("confirmed", None)


def test_a_reader_ends_a_pause(readers: Readers) -> None:
    make_confirmed(readers)
    token = link(readers, tokens.PREFERENCES)
    set_pause(readers, token, None, NOW, {})
    found = find_preferences(readers, token)
    assert found is not None
    assert (found.state, found.paused_until) == ("paused", None)
    assert resume(readers, token, NOW, {})
    assert find_row(readers).state == "confirmed"


def test_a_record_is_shown_whole_and_fit_for_json(readers: Readers) -> None:
    make_confirmed(readers, ("science",))
    shown = json.loads(json.dumps(show(readers, ANNA)))
    assert (shown["address"], shown["suppressed"]) == (ANNA, None)
    assert shown["subscriptions"][0]["state"] == "confirmed"
    assert shown["subscriptions"][0]["topics"] == ["science"]
    assert [event["act"] for event in shown["consent"]] == ["asked", "confirmed"]


def test_a_record_of_a_stranger_is_an_error_that_names_the_address(readers: Readers) -> None:
    with pytest.raises(InputError, match=r"nobody@example\.org"):
        show(readers, "nobody@example.org")


def test_erasing_forgets_the_reader_but_not_the_ban(readers: Readers) -> None:
    make_confirmed(readers)
    erase(readers, ANNA, NOW + DAY)
    with readers.database.read() as session:
        left = repr([*session.exec(select(Subscriber)), *session.exec(select(ConsentEvent))])
        assert subscribers.is_suppressed(session, readers.hash_address(ANNA))
    assert "anna" not in left
    assert "192.0.2.7" not in left
    assert take_in(readers) == Enrolled.SUPPRESSED
    with pytest.raises(InputError):
        show(readers, ANNA)


def test_who_was_erased_comes_back_by_a_fresh_confirmation_of_their_own(readers: Readers) -> None:
    make_confirmed(readers)
    erase(readers, ANNA, NOW + DAY)
    ask(readers, ANNA, "world", Choices(), FORM, NOW + DAY)
    assert (
        confirm(readers, take_token(readers, NOW + DAY), NOW + DAY, FORM).answer
        == ConfirmationResult.CONFIRMED
    )
    assert show(readers, ANNA)["suppressed"] is None


def test_an_operators_ban_is_never_asked(readers: Readers) -> None:
    with readers.database.write() as session:
        hashed = readers.hash_address(ANNA)
        subscribers.add_suppression(session, hashed, SuppressionReason.OPERATOR, NOW)
    ask(readers, ANNA, "world", Choices(), FORM, NOW)
    assert list_askings(readers) == []


def test_a_complaint_ends_all_and_voids_what_was_asked(readers: Readers) -> None:
    ask(readers, ANNA, "world", Choices(), FORM, NOW)
    token = take_token(readers)
    with readers.database.write() as session:
        found = subscribers.find_subscriber(session, ANNA)
        assert found is not None
        suppress(session, readers, found, SuppressionReason.COMPLAINT, NOW)
    assert confirm(readers, token, NOW, FORM).answer == ConfirmationResult.EXPIRED
    assert find_row(readers).state == "ended"


def test_an_operator_adds_a_reader_who_agreed_elsewhere(readers: Readers) -> None:
    assert take_in(readers) == Enrolled.ADDED
    assert take_in(readers) == Enrolled.UNCHANGED
    assert (find_row(readers).state, find_row(readers).topics) == ("confirmed", {"*": NOW.isoformat()})
    assert list_askings(readers) == []


def take_in(readers: Readers) -> Enrolled:
    return subscribe_confirmed(readers, ANNA, "world", Choices(), "Paper form of 2025", {"cli": "add"}, NOW)


def test_each_wording_is_kept_once_and_a_changed_one_has_the_next_number(readers: Readers) -> None:
    said = [("Yes, mail me.", "en"), ("Ja, gern.", "de"), ("Yes, mail me.", "en"), ("Yes, please.", "en")]
    for number, (wording, language) in enumerate(said):
        address, chosen = f"r{number}@x.example", {"world": Choices()}
        ask_for(readers, address, chosen, FORM, NOW, wording=wording, language=language)
    shown = []
    for number in range(4):
        facts: Any = show(readers, f"r{number}@x.example")
        (event,) = facts["consent"]
        shown.append((event["wording_number"], event["wording_language"], event["wording"]))
    assert shown == [
        (1, "en", "Yes, mail me."), (2, "de", "Ja, gern."), (1, "en", "Yes, mail me."), (3, "en", "Yes, please."),
    ]  # fmt: skip


def test_forgetting_who_never_confirmed_does_not_lift_the_limit_of_requests(readers: Readers) -> None:
    fortnight = timedelta(days=14)
    for day in (0, 2, 4):
        ask(readers, ANNA, "world", Choices(), FORM, NOW + timedelta(days=day))
    keep_house(readers.database, NOW + timedelta(days=20), keep_unconfirmed=fortnight)
    planned = []
    for day in (21, 70, 92):
        with readers.database.read() as session:
            assert session.exec(select(Subscriber)).all() == []
        ask(readers, ANNA, "world", Choices(), FORM, NOW + timedelta(days=day))
        with readers.database.read() as session:
            planned.append(len(session.exec(select(Confirmation)).all()))
        keep_house(readers.database, NOW + timedelta(days=day), keep_unconfirmed=fortnight)
    assert planned == [0, 0, 1]


@pytest.mark.parametrize("kind", ["erased", "suppressed"])
def test_a_lifted_suppression_lets_no_import_take_the_address_but_its_holder_confirm(
    readers: Readers, kind: str
) -> None:
    take_in(readers)
    who = {"command": "subscribers", "asked_by": "the reader"}
    if kind == "erased":
        erase(readers, ANNA, NOW)
    else:
        on_request.suppress(readers, ANNA, NOW, who)

    assert on_request.unsuppress(readers, ANNA, NOW, who) in ("erased", "operator")

    with pytest.raises(InputError, match="is not suppressed"):
        on_request.unsuppress(readers, ANNA, NOW, who)
    assert take_in(readers) == Enrolled.SUPPRESSED
    make_confirmed(readers)
    with readers.database.read() as session:
        assert session.exec(select(Suppression)).all() == []


def test_an_operator_moves_a_reader_to_an_address_whose_suppression_was_lifted(readers: Readers) -> None:
    take_in(readers)
    who = {"command": "subscribers", "asked_by": "the reader"}
    on_request.suppress(readers, "new@x.example", NOW, who)
    on_request.unsuppress(readers, "new@x.example", NOW, who)

    on_request.move(readers, ANNA, "new@x.example", NOW, who)

    assert show(readers, "new@x.example")["suppressed"] is None


def test_who_is_erased_after_a_lifted_suppression_is_kept_out_as_erased(readers: Readers) -> None:
    take_in(readers)
    who = {"command": "subscribers", "asked_by": "the reader"}
    on_request.suppress(readers, ANNA, NOW, who)
    on_request.unsuppress(readers, ANNA, NOW, who)

    erase(readers, ANNA, NOW)

    with readers.database.read() as session:
        assert session.exec(select(Suppression.reason)).all() == [SuppressionReason.ERASED]


@pytest.mark.parametrize(
    ("topic", "is_offered"), [("новости", True), ("हिन्दी", True), ("News", False), ("a b", False)]
)
def test_a_digest_without_topics_offers_those_of_any_script(
    topic: str, is_offered: bool, settings: Settings
) -> None:
    digest = settings.digest("world").model_copy(update={"topics": ()})

    assert offers(digest, topic) is is_offered
