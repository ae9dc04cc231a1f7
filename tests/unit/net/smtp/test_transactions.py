"""Transactions that follow each other: pipelined where offered, and each reply is matched to its step."""

import pytest

from digest.models import Outcome, Reply, Stage
from digest.net.smtp.replies import BadReplyError
from digest.net.smtp.session import Capabilities
from digest.net.smtp.transactions import ContentWanted, Envelope, Exchange, TransactionEnded

ENVELOPE = "MAIL FROM:<news@courier.example>\r\nRCPT TO:<r{}@readers.example>\r\nDATA\r\n"


def letter(number: int) -> Envelope:
    return Envelope("news@courier.example", f"r{number}@readers.example")


def take(exchange: Exchange, *replies: str) -> tuple[list[ContentWanted | TransactionEnded], bytes]:
    """Let replies in; give all that happened and was written."""
    events: list[ContentWanted | TransactionEnded] = []
    out = b""
    for reply in replies:
        code, _, text = reply.partition(" ")
        happened, written = exchange.take(Reply(int(code), "", text))
        events.extend(happened)
        out += written
    return events, out


@pytest.fixture
def pipelined() -> Exchange:
    return Exchange(Capabilities({"PIPELINING": ""}))


@pytest.fixture
def lockstep() -> Exchange:
    return Exchange(Capabilities({}))


def test_an_envelope_is_one_write_where_the_server_pipelines(pipelined: Exchange) -> None:
    assert pipelined.begin(1, letter(1), 9) == ENVELOPE.format(1).encode()
    assert take(pipelined, "250 ok", "250 ok", "354 go") == ([ContentWanted(1)], b"")


def test_an_envelope_goes_line_by_line_where_it_does_not(lockstep: Exchange) -> None:
    assert lockstep.begin(1, letter(1), 9) == b"MAIL FROM:<news@courier.example>\r\n"
    assert take(lockstep, "250 ok") == ([], b"RCPT TO:<r1@readers.example>\r\n")
    assert take(lockstep, "250 ok") == ([], b"DATA\r\n")
    assert take(lockstep, "354 go") == ([ContentWanted(1)], b"")


def test_the_next_envelope_rides_with_the_final_dot_and_each_reply_finds_its_message(
    pipelined: Exchange,
) -> None:
    pipelined.begin(1, letter(1), 9)
    take(pipelined, "250 ok", "250 ok", "354 go")
    assert pipelined.end(1, 8) == b".\r\n"
    pipelined.begin(2, letter(2), 9)

    events, _ = take(pipelined, "250 kept", "250 ok", "250 ok", "354 go")

    (first, second) = events
    assert isinstance(first, TransactionEnded)
    assert (first.key, first.outcome.accepted) == (1, True)
    assert second == ContentWanted(2)


@pytest.mark.parametrize(
    ("replies", "stage", "code"),
    [
        (["550 no", "503 what", "503 what"], Stage.MAIL, 550),
        (["250 ok", "550 unknown", "503 no recipients"], Stage.RCPT, 550),
        (["250 ok", "250 ok", "452 full"], Stage.DATA, 452),
    ],
)
def test_a_refused_envelope_ends_with_its_first_refusal_and_the_next_begins_with_a_reset(
    pipelined: Exchange, replies: list[str], stage: Stage, code: int
) -> None:
    pipelined.begin(1, letter(1), 9)
    ((ended,), _) = take(pipelined, *replies)
    assert isinstance(ended, TransactionEnded)
    assert ended.outcome.reply is not None
    assert (ended.outcome.stage, ended.outcome.reply.code, ended.outcome.dot_left) == (stage, code, False)
    assert pipelined.begin(2, letter(2), 9) == b"RSET\r\n" + ENVELOPE.format(2).encode()
    assert take(pipelined, "250 reset", "250 ok", "250 ok", "354 go") == ([ContentWanted(2)], b"")


def test_a_server_that_wants_the_content_of_a_refused_message_gets_an_empty_one(pipelined: Exchange) -> None:
    pipelined.begin(1, letter(1), 9)
    assert take(pipelined, "250 ok", "550 unknown", "354 go") == ([], b".\r\n")
    ((ended,), _) = take(pipelined, "554 no valid recipients")
    assert isinstance(ended, TransactionEnded)
    assert ended.outcome == Outcome(Stage.RCPT, Reply(550, "", "unknown"))


def test_a_lost_line_leaves_undecided_only_what_had_wholly_left(pipelined: Exchange) -> None:
    for left, uncertain in ((0, True), (1, False)):
        exchange = Exchange(Capabilities({"PIPELINING": ""}))
        exchange.begin(1, letter(1), 9)
        take(exchange, "250 ok", "250 ok", "354 go")
        exchange.end(1, 8)
        sent = exchange.written - left
        exchange.begin(2, letter(2), 9)

        (ended,) = exchange.undecided(sent, "gone")

        assert ended.key == 1
        assert (ended.outcome.reply, ended.outcome.dot_left) == (None, uncertain)


def test_a_line_lost_in_an_envelope_is_an_outcome_of_the_step_that_was_waited_for(
    pipelined: Exchange,
) -> None:
    pipelined.begin(1, letter(1), 9)
    take(pipelined, "250 ok")
    (ended,) = pipelined.undecided(pipelined.written, "gone")
    assert ended.outcome == Outcome(Stage.RCPT, None, fault="gone")


def test_421_closes_the_exchange_and_a_reply_to_nothing_is_an_error(pipelined: Exchange) -> None:
    with pytest.raises(BadReplyError):
        pipelined.take(Reply(250, "", "hello?"))
    pipelined.begin(1, letter(1), 9)
    take(pipelined, "421 bye")
    assert pipelined.closing
    (ended,) = pipelined.undecided(pipelined.written, "closed")
    assert ended.outcome.reply == Reply(421, "", "bye")


def test_a_reset_that_is_refused_closes_and_the_message_behind_it_had_not_begun(lockstep: Exchange) -> None:
    lockstep.begin(1, letter(1), 9)
    take(lockstep, "250 ok", "550 unknown")
    assert lockstep.begin(2, letter(2), 9) == b"RSET\r\n"
    take(lockstep, "500 what")
    assert lockstep.closing


def test_an_address_that_cannot_be_said_is_refused_before_a_byte_is_written(pipelined: Exchange) -> None:
    refused = pipelined.begin(1, Envelope("news@courier.example", "jörg@readers.example"), 9)
    assert isinstance(refused, Outcome)
    assert pipelined.written == 0


def test_a_chunk_follows_its_envelope_and_carries_its_length_and_the_next_envelope() -> None:
    chunking = Exchange(Capabilities({"PIPELINING": "", "CHUNKING": ""}))
    assert chunking.begin(1, letter(1), 8) == ENVELOPE.format(1).encode().removesuffix(b"DATA\r\n")
    assert take(chunking, "250 ok", "250 ok") == ([ContentWanted(1)], b"")
    assert chunking.end(1, 8) == b"BDAT 8 LAST\r\n"
    chunking.begin(2, letter(2), 8)

    (first, second), _ = take(chunking, "250 kept", "250 ok", "250 ok")

    assert isinstance(first, TransactionEnded)
    assert first.outcome.accepted
    assert second == ContentWanted(2)


def test_a_refused_recipient_of_a_chunking_server_gets_no_chunk() -> None:
    chunking = Exchange(Capabilities({"PIPELINING": "", "CHUNKING": ""}))
    chunking.begin(1, letter(1), 8)
    ((ended,), out) = take(chunking, "250 ok", "550 unknown")
    assert isinstance(ended, TransactionEnded)
    assert ended.outcome.stage is Stage.RCPT
    assert out == b""
    begun = chunking.begin(2, letter(2), 8)
    assert isinstance(begun, bytes)
    assert begun.startswith(b"RSET\r\n")


def test_a_chunk_that_has_wholly_left_without_a_reply_is_undecided() -> None:
    chunking = Exchange(Capabilities({"CHUNKING": ""}))
    chunking.begin(1, letter(1), 8)
    take(chunking, "250 ok", "250 ok")
    chunking.end(1, 8)
    (whole,) = chunking.undecided(chunking.written, "lost")
    assert whole.outcome.dot_left
