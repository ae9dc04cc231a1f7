"""Words of texts and of searches are the same whatever their case, accents, width and script."""

import pytest

from digest.articles.text.search_words import Phrase, read_search, split_words


def test_an_english_text_is_split_at_the_same_places_as_any_other() -> None:
    text = "".join(chr(code) + "a1 " for code in range(128)) + "x" * 250 + " don't_stop"

    assert split_words(text) == split_words(text + " é")[:-1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Élan naïve, Łódź!", ["elan", "naive", "lodz"]),
        ("Straße İstanbul ışık København", ["strasse", "istanbul", "isik", "kobenhavn"]),
        ("ΆΝΘΡΩΠΟΣ άνθρωπος", ["ανθρωποσ", "ανθρωποσ"]),
        ("Ёлка и йод", ["елка", "и", "иод"]),
        ("שָׁלוֹם مُحَمَّد", ["שלום", "محمد"]),
        ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),
        ("東京タワー Tower", ["東", "京", "タ", "ワ", "ー", "tower"]),
        ("ガス ｶﾞｽ ＡＢＣ", ["ガ", "ス", "ガ", "ス", "abc"]),
        ("서울은", ["서", "울", "은"]),
        ("l'eau, don’t, x.example/a_b", ["l", "eau", "don", "t", "x", "example", "a", "b"]),
        ("co\u00adoperate", ["cooperate"]),
        ("100% \N{SNOWMAN} \ud800", ["100"]),
    ],
)
def test_a_text_is_split_into_words_without_case_and_accents(text: str, words: list[str]) -> None:
    assert split_words(text) == words


def test_a_very_long_word_is_cut_alike_in_texts_and_searches() -> None:
    (word,) = split_words("x" * 5_000)
    assert len(word) < 1_000
    assert read_search("x" * 5_000)[0].words == (word,)


@pytest.mark.parametrize(
    ("written", "phrases"),
    [
        ("Harbour bri", [Phrase(("harbour",)), Phrase(("bri",), is_begun=True)]),
        ("l'eau", [Phrase(("l", "eau"), is_begun=True)]),
        ("a", [Phrase(("a",))]),
        ("東京", [Phrase(("東", "京"))]),
        ("bridge %%% *", [Phrase(("bridge",), is_begun=True)]),
        ('" OR', [Phrase(("or",), is_begun=True)]),
        ("?!", []),
        ("", []),
    ],
)
def test_only_the_last_word_of_a_search_may_go_on(written: str, phrases: list[Phrase]) -> None:
    assert read_search(written) == phrases


def test_a_search_has_a_bounded_number_of_phrases() -> None:
    assert len(read_search("word " * 1_000)) == 20
