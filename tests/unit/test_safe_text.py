"""Text from outside in one line: nothing draws or hides, and nothing that a script or a flag needs is lost."""

from digest.safe_text import one_line, printable

SCOTLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"


def test_the_tags_of_a_flag_stay() -> None:
    assert one_line(f"Win {SCOTLAND} cup") == f"Win {SCOTLAND} cup" == printable(f"Win {SCOTLAND} cup")


def test_tags_that_spell_no_region_go() -> None:
    assert one_line("a\U000e0067\U000e0062b") == "a  b"
    assert printable("a\U000e0067b\u202e") == "a\ufffdb\ufffd"


def test_joiners_stay_and_line_breaks_become_spaces() -> None:
    assert one_line("علی\u200cرضا\nx\u2028y") == "علی\u200cرضا x y"
