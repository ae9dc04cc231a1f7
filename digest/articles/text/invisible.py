"""Remove invisible characters: controls, directional marks, joiners that join nothing."""

import re

from digest.safe_text import REGION_FLAG

# C0 and C1, line separators, Unicode's Bidi_Control and old format characters, halves of surrogate pairs.
_CONTROLS = (
    r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ud800-\udfff\ufeff"
    r"\ufff9-\ufffb\ufffe\uffff"
)
# Soft hyphen, Mongolian vowel separator, word joiner and invisible operators, Hangul fillers, tags (UTS 51).
_USELESS = r"\u00ad\u180e\u2060-\u2065\u3164\uffa0\U000e0000-\U000e007f"
# Scripts whose letters join or stack: ZWJ and ZWNJ choose a form (Unicode 23.2). ZWJ joins pictures as well.
_JOINING = (
    r"\u0590-\u08ff\u0900-\u0fff\u1000-\u109f\u1780-\u18af\u1900-\u1cff\ua800-\uabff\ufb1d-\ufdff\ufe70-\ufefc"
    r"\U00010a00-\U00011fff\U0001e900-\U0001e95f"
)
_PICTURES = r"\u2190-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
_AFTER_PICTURE = rf"{_PICTURES}\ufe0f\u20e3\U000e007f"
_UNSPACED = r"\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u1950-\u1aaf"  # ZWSP separates their words
_KEPT = (
    rf"{REGION_FLAG}|(?<=[{_JOINING}])\u200d|(?<=[{_AFTER_PICTURE}])\u200d(?=[{_PICTURES}])"
    rf"|(?<=[{_JOINING}])\u200c(?=[{_JOINING}])|(?<=[{_UNSPACED}])\u200b(?=[{_UNSPACED}])"
)
_SUSPECT = re.compile(rf"[{_CONTROLS}{_USELESS}\u200b-\u200d\ufe00-\ufe0f]")
_UNSEEN = re.compile(
    rf"({_KEPT})|[{_CONTROLS}{_USELESS}\u200b-\u200d]|(?:(?<=\s)|(?<![\s\S]))[\ufe00-\ufe0f]+"
)
_BREAK = re.compile(r"[\x0b\x0c\x1c-\x1f\u2028\u2029]")
C1_SIGNS = {code: sign for code in range(0x80, 0xA0) if (sign := bytes([code]).decode("cp1252", "ignore"))}
"""What C1 controls mean where they stand in text: the characters of Windows-1252 (HTML 13.2.5.80)."""
_C1 = re.compile(r"[\x80-\x9f]")
_HARMLESS = bytes(range(32, 127)) + b"\t\n\r"


def without_controls(text: str) -> str:
    """Return text without characters that draw on a terminal, reverse text or hide in it.

    Unusual line breaks become spaces, C1 controls the characters that Windows-1252 has there, and everything
    else is removed without a gap. A joiner, a zero-width
    space or a tag stays only where it has an effect: in Persian and Indic words, in emoji and flags, between
    Thai or Khmer words.
    """
    if text.isascii() and not text.encode().translate(None, _HARMLESS):  # much faster than a search
        return text
    if not _SUSPECT.search(text):
        return text
    if _C1.search(text):
        text = text.translate(C1_SIGNS)
    return _UNSEEN.sub(r"\1", _BREAK.sub(" ", text))
