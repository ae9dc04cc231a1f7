"""A skeleton gives what joining its segments one by one gives, however segments, holes and slots follow each other."""

from hypothesis import given
from hypothesis import strategies as st

from digest.mail.rendering.quoted_printable import SOFT, splice
from digest.mail.rendering.skeleton import EncodedSegment, EncodedSkeleton, encode, slots_in
from tests.support.samples import hostile_text

ROOM = {"name": 40, "address": 7}
segments = hostile_text.map(encode)
frames = st.lists(segments | st.sampled_from(["name", "address@", "card 1", "card 2"]), max_size=12).map(
    tuple
)


@given(frame=frames, cards=st.tuples(segments, segments))
def test_a_skeleton_joins_what_its_frame_lists(
    frame: tuple[EncodedSegment | str, ...], cards: tuple[EncodedSegment, EncodedSegment]
) -> None:
    known = {"card 1": cards[0], "card 2": cards[1]}
    skeleton = EncodedSkeleton(frame, known, ROOM)
    filled = [known.get(piece, piece) if isinstance(piece, str) else piece for piece in frame]
    joined = skeleton.fill([known[slot] for slot in slots_in(frame, known)])

    values = {"name": b"Ada", "address@": b"a@b.example"}
    whole = SOFT.join(values[piece] if isinstance(piece, str) else piece.content for piece in filled)
    assert splice(joined.pieces, values) == whole
    assert [piece for piece in joined.pieces if isinstance(piece, str)] == [
        piece for piece in filled if isinstance(piece, str)
    ]

    stretched = [piece for piece in filled if isinstance(piece, EncodedSegment)]
    rooms = [ROOM[piece.rstrip("@")] for piece in filled if isinstance(piece, str)]
    assert joined.digests == b"".join(piece.digest for piece in stretched)
    assert joined.most == sum(len(piece.content) for piece in stretched) + sum(rooms) + len(SOFT) * len(frame)


@given(frame=frames, cards=st.lists(st.tuples(segments, segments), min_size=2, max_size=4))
def test_filling_it_once_changes_nothing_for_the_next(
    frame: tuple[EncodedSegment | str, ...], cards: list[tuple[EncodedSegment, EncodedSegment]]
) -> None:
    skeleton = EncodedSkeleton(frame, ["card 1", "card 2"], ROOM)
    for one, two in [*cards, cards[0]]:
        known = {"card 1": one, "card 2": two}
        pieces = [known[slot] for slot in slots_in(frame, known)]
        assert skeleton.fill(pieces) == EncodedSkeleton(frame, known, ROOM).fill(pieces)
