"""What a feed states about its items: the order of RSS 1.0, Atom's ids."""

import pytest

from digest.articles.feeds.stated_ids import in_stated_order, keep_written_ids

ENTRIES = [{"id": f"https://quay.example/{name}"} for name in "abc"]
LISTED = "".join(f'<rdf:li rdf:resource="https://quay.example/{name}"/>' for name in "ca")


def test_items_follow_the_sequence_and_those_that_it_lacks_come_last() -> None:
    content = f"<items><rdf:Seq>{LISTED}</rdf:Seq></items>".encode()
    assert [one["id"][-1] for one in in_stated_order(ENTRIES, content)] == ["c", "a", "b"]


def test_a_sequence_that_does_not_end_orders_nothing() -> None:
    assert in_stated_order(ENTRIES, f"<items>{LISTED}".encode()) == ENTRIES


@pytest.mark.parametrize(
    "content",
    [
        b"<items>" * 400_000,
        b"<rdf:items " * 400_000,
        b"<items>" + b"<rdf:li resource=" * 400_000 + b"</items>",
        b"<items>" + b'<li resource="' + b"<li " * 400_000 + b"</items>",
        b"<id>" * 400_000 + b" " * 400_000,
    ],
    ids=["open", "unended", "no value", "one quote", "ids"],
)
def test_hostile_ones_take_no_time(content: bytes) -> None:
    assert in_stated_order(ENTRIES, content) == ENTRIES
    keep_written_ids(ENTRIES, content)
