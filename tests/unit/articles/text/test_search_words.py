"""Words of texts and of searches are the same whatever their case, accents, width and script."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from digest.articles.text.search_words import Phrase, read_filter, read_search, split_words
from digest.models.article import ArticleFilter


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


PARIS = ZoneInfo("Europe/Paris")
MONDAY, TUESDAY = (datetime(2026, 11, day, 23, tzinfo=UTC) for day in (22, 23))


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("ferry Science", ArticleFilter(topic="science", search="ferry")),
        ("Wire", ArticleFilter(source="wire")),
        ("2026-11-23", ArticleFilter(since=MONDAY, until=TUESDAY)),
        (
            "wire ferry 2026-11-23 science quay",
            ArticleFilter("science", "wire", MONDAY, "ferry quay", until=TUESDAY),
        ),
        ("science culture", ArticleFilter(topic="science", search="culture")),
        ("ferry sciences 2026-13-40 2026-11 ２０２６-11-23", None),
        ("", None),
    ],
)
def test_words_that_name_a_topic_a_source_or_a_day_are_told_from_others(
    written: str, wanted: ArticleFilter | None
) -> None:
    assert read_filter(written, ["science"], ["wire"], PARIS) == wanted


def test_the_first_and_the_last_day_are_no_fault() -> None:
    assert read_filter("0001-01-01", [], [], PARIS) is None
    assert read_filter("9999-12-31", [], [], PARIS) is None
