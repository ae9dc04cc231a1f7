"""Replies are read strictly: what is none is an error, never a guess."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.models import Reply
from digest.net.smtp.replies import MAX_REPLY, BadReplyError, ReplyReader


@pytest.mark.parametrize(
    ("received", "reply"),
    [
        (b"250 2.1.0 Ok\r\n", Reply(250, "2.1.0", "Ok")),
        (b"250\r\n", Reply(250, "", "")),
        (b"250 \r\n", Reply(250, "", "")),
        (b"250-a\r\n250-b\r\n250 c\r\n", Reply(250, "", "a\nb\nc")),
        (b"550-5.1.1 no such\r\n550 5.1.1 mailbox\r\n", Reply(550, "5.1.1", "no such mailbox")),
        (b"550 4.2.1 contradicts itself\r\n", Reply(550, "", "4.2.1 contradicts itself")),
        (b"250 bare line feed\n", Reply(250, "", "bare line feed")),
        (b"554 \x1b[31mred\x07\r\n", Reply(554, "", "�[31mred�")),
        (b"550 caf\xe9 ferm\xc3\xa9\r\n", Reply(550, "", "caf� fermé")),
    ],
)
def test_a_reply_gives_its_code_enhanced_code_and_harmless_text(received: bytes, reply: Reply) -> None:
    assert ReplyReader().feed(received) == [reply]


@pytest.mark.parametrize(
    "received",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"-ERR pop\r\n",
        b"* OK IMAP\r\n",
        b"999 out of range\r\n",
        b"199 too low\r\n",
        b"25 short\r\n",
        b"2500 long\r\n",
        b"250-one\r\n251 another code\r\n",
        b"\r\n",
        b"250-a\r\nwithout a code\r\n",
        b"2" * (MAX_REPLY + 1),
        b"250-" + b"x" * 1000 + b"\r\n" + (b"250-" + b"x" * 1000 + b"\r\n") * 70,
    ],
    ids=lambda received: repr(received[:20]),
)
def test_what_is_no_reply_is_an_error(received: bytes) -> None:
    with pytest.raises(BadReplyError):
        ReplyReader().feed(received)


@given(st.integers(1, 12), st.lists(st.integers(0, 60), max_size=8))
def test_replies_are_the_same_however_they_are_cut(lines: int, cuts: list[int]) -> None:
    whole = b"".join(b"250-line %d\r\n" % n for n in range(lines)) + b"250 end\r\n354 go\r\n"
    places = sorted({0, len(whole), *(cut % len(whole) for cut in cuts)})
    reader, found = ReplyReader(), []
    for start, end in itertools.pairwise(places):
        found.extend(reader.feed(whole[start:end]))

    assert found == ReplyReader().feed(whole)
    assert [reply.code for reply in found] == [250, 354]
    assert not reader.pending


def test_an_unfinished_reply_is_pending() -> None:
    reader = ReplyReader()
    assert reader.feed(b"250-first\r\n25") == []
    assert reader.pending
