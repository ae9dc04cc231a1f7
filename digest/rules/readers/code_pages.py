"""Guess the code page of a text without a byte order mark: Windows, Mac, DOS or East Asian."""

import unicodedata

# Earlier ones win where two fit equally well.
_CANDIDATES = (
    "cp1252", "mac_roman", "cp1250", "cp1254", "cp1251", "cp1253", "cp1257", "mac_latin2", "mac_cyrillic",
    "cp850", "cp866", "koi8_r", "cp1255", "cp1256", "iso8859_6", "cp932", "gb18030", "big5",
    "cp949", "latin-1",
)  # fmt: skip
_USUAL = frozenset("äöüßéèêëàâáãåæøœçñíìîïóòôõúùûýÿąćęłńśźżčďěňřšťůžőűăâîșțşğĞıİÄÖÜÉÈÀÁÅÆØÇÑŁŚŽŠČŘÓÚÍÂÎŞ")
_FREQUENT = frozenset(
    "оеаинтсрвлкмдпуОАИαοιεστνρηκπλυάόίέήύώς"
    "יוהלאתרבמשנ"
    "\u0627\u0644\u064a\u0645\u0646\u0648\u0631\u062a\u0628\u0629\u0639\u062f"
)
_SEMITIC = ("HEBREW", "ARABIC")
_FINAL = frozenset("ךםןףץ\u0629\u0649")  # only at the end of a word
_EAST_ASIAN = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO")
_ENOUGH = 20_000
# The first bytes of the usual characters.
_IDEOGRAPHS = (("gb2312", 0xB0, 0xD7), ("big5", 0xA4, 0xC6), ("shift_jis", 0x88, 0x98))
_SYLLABLES = (("euc_kr", 0xB0, 0xC8),)


def guess_code_page(sample: bytes) -> str:
    """Guess the code page of a text that is not UTF-8.

    The best one makes most bytes letters in places where letters occur: common ones, next to others of the
    same script, and no capital after a small letter. The result is a guess and must be shown as one.
    """
    best, best_score = "latin-1", float("-inf")
    for name in _CANDIDATES:
        try:
            text = sample[:_ENOUGH].decode(name)
        except UnicodeDecodeError as error:
            if error.start < len(sample[:_ENOUGH]) - 4:  # the sample may end inside a character
                continue
            text = sample[: error.start].decode(name)
        score = _score(text)
        if score > best_score:
            best, best_score = name, score
    return best


def _score(text: str) -> float:
    score = 0.0
    padded = f" {text} "
    for before, char, after in zip(padded, text, padded[2:], strict=False):
        if not char.isascii():
            score += _weigh(before, char, after)
    return score


def _is_usual(char: str, script: str) -> bool:
    """Return whether a character is in the first level of a national standard, where the usual ones are."""
    if script not in ("CJK", "HANGUL"):
        return True
    levels = _IDEOGRAPHS if script == "CJK" else _SYLLABLES
    for name, first, last in levels:
        try:
            if first <= char.encode(name)[0] <= last:
                return True
        except UnicodeEncodeError:
            continue
    return False


def _is_of_another_script(char: str, script: str) -> bool:
    return char.isalpha() and not unicodedata.name(char, "").startswith(script)


def _weigh(before: str, char: str, after: str) -> float:
    if not char.isalpha():
        if char in "’–":
            return 2.5 if before.isalpha() == after.isalpha() else -0.5
        inside = before.isalpha() or after.isalpha()
        return -2.0 if unicodedata.category(char) == "Cc" or inside else -0.5
    script = unicodedata.name(char, "").partition(" ")[0]
    mixed = (before.isascii() and before.isalpha()) or (after.isascii() and after.isalpha())
    if script in _EAST_ASIAN:
        if mixed:
            return -5.0
        if not _is_usual(char, script):
            return 1.0
        return 3.2 if script == "HANGUL" else 3.0  # Chinese read as Korean has ideographs between syllables
    if script in _SEMITIC:
        if _is_of_another_script(before, script) or _is_of_another_script(after, script):
            return -5.0
        return -3.0 if char in _FINAL and after.isalpha() else 2.0 if char in _FREQUENT else 1.5
    if script in ("CYRILLIC", "GREEK"):
        if mixed:
            return -5.0
        usual = 2.0 if char in _FREQUENT else 1.5
        return usual if not (before.islower() and char.isupper()) else -3.0
    if (before.islower() and char.isupper()) or (char.islower() and after.isupper()):
        return -3.0
    crowd = not before.isascii() and before.isalpha() and not after.isascii() and after.isalpha()
    return (-2.0 if crowd else 0.0) + (2.0 if char in _USUAL else 0.2)
