"""Where the parts of an edition stand."""

from digest.rules.editions.sections import place_blocks


def test_a_block_stands_after_its_section_or_where_that_would_end() -> None:
    topics = ("world", "science", "sport")

    assert place_blocks(["*lead", "world", "*end"], ["world", "sport"], topics) == [0, 1, 2]
    assert place_blocks(["science", "sport"], ["world"], topics) == [1, 1]
    assert place_blocks(["world"], ["science"], topics) == [0]
    assert place_blocks(["gone"], ["world", ""], topics) == [2]
    assert place_blocks(["*end", "world"], [], topics) == [0, 0]
