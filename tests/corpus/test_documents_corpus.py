"""Saved pages, saved plain texts and Markdown as they are found: the article alone, field by field.

A case is one file: a line of JSON, then the document. `expect` names fields as they are stored, and of the text
`begins`, `ends`, `contains` and `lacks`; `refused` says what the error says. `name`, `url` and `content_type` are the
document's.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from digest.articles.documents.detect import parse_document
from digest.articles.parsed import ParsedArticle
from digest.errors import InputError
from tests.support.judging import faults_of

FOLDER = Path(__file__).parent
ENDINGS = {"pages": "html", "texts": "txt", "markdown": "md"}
CASES = [path for folder in ENDINGS for path in sorted((FOLDER / folder).glob("*.case"))]
NOW = datetime(2026, 12, 31, 7, tzinfo=UTC)


def read(path: Path, case: dict[str, Any], body: str) -> ParsedArticle:
    return parse_document(
        body.encode(case.get("encoding", "utf-8")),
        name=case.get("name", f"{path.stem}.{ENDINGS[path.parent.name]}"),
        base_url="https://quay.example",
        url=case.get("url"),
        content_type=case.get("content_type", ""),
        now=NOW,
    )


def shown(article: ParsedArticle, name: str) -> Any:
    value = getattr(article, name)
    if isinstance(value, datetime):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_article_alone_is_read(path: Path) -> None:
    head, _, body = path.read_bytes().decode().partition("\n")
    case = json.loads(head)
    if "refused" in case:
        with pytest.raises(InputError) as refused:
            read(path, case, body)
        assert case["refused"] in str(refused.value)
        return
    article = read(path, case, body)
    expected = dict(case["expect"])
    assert article.text.startswith(expected.pop("begins", "")), article.text[:200]
    assert article.text.endswith(expected.pop("ends", "")), article.text[-200:]
    for part in expected.pop("contains", []):
        assert part in article.text + article.html
    for part in expected.pop("lacks", []):
        assert part not in article.text + article.html + article.title + article.summary
    assert {name: shown(article, name) for name in expected} == expected
    assert list(faults_of(article)) == []


@pytest.mark.parametrize(("folder", "least"), [("pages", 40), ("texts", 40), ("markdown", 30)])
def test_the_corpus_is_as_large_as_it_says(folder: str, least: int) -> None:
    assert sum(path.parent.name == folder for path in CASES) >= least
