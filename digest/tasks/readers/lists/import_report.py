"""The report of an import: counts, examples, and each refused line."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, Any

from digest.tasks.readers.lists.csv_export import neutralise

_EXAMPLES = 3
_MOST_KEPT = 1_000

RESULTS = (
    "added", "changed", "unchanged", "asked", "suppressed", "kept", "limited", "left", "departed", "merged",
    "banned", "others",
)  # fmt: skip
"""What becomes of a reader or a line that is not refused, in the order in which it is told."""

TAKEN = frozenset({"added", "asked", "changed", "unchanged", "banned"})


class DryRunDone(Exception):  # noqa: N818 - named for what happened
    """End a transaction without a commit: an import was only tried."""


@dataclass(slots=True)
class ImportReport:
    """The results for a list's readers.

    `added` are confirmed and `asked` get a request for confirmation; `changed` were known; `unchanged` need
    nothing; `kept` are known with other choices, which stay; `limited` were asked too recently; `left` ended
    their subscription here before; `suppressed` may not be written to; `departed` left, bounced or complained
    elsewhere and are suppressed from now on, or had ended in a backup; `merged` lines are about a person of
    an earlier one. Of a backup, `banned` are suppressions without an address, and `others` rows about other
    digests than the one named. `rejected` holds the first thousand refused lines, `rejected_count` counts
    all; `unread` names columns that are not stored.
    """

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    kept: int = 0
    asked: int = 0
    limited: int = 0
    left: int = 0
    suppressed: int = 0
    departed: int = 0
    merged: int = 0
    banned: int = 0
    others: int = 0
    rejected_count: int = 0
    rejected: list[tuple[int, str]] = field(default_factory=list)
    encoding: str = "utf-8"
    tool: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    states: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    examples: dict[str, list[str]] = field(default_factory=dict)
    lines: "LineReport | None" = None

    def count(self, result: str, line: int, address: str, why: str = "") -> None:
        """Count one person or line."""
        setattr(self, result, getattr(self, result) + 1)
        self._note(result, line, address, why)

    def reject(self, line: int, why: str) -> None:
        """Count a refused line."""
        self.rejected_count += 1
        if len(self.rejected) < _MOST_KEPT:
            self.rejected.append((line, why))
        self._note("rejected", line, "", why)

    @property
    def counts(self) -> dict[str, int]:
        """Return how many had each result; no reader is in it."""
        return {name: getattr(self, name) for name in RESULTS} | {"rejected": self.rejected_count}

    @property
    def facts(self) -> dict[str, Any]:
        """Return the report as plain values, readers' addresses among them."""
        return {
            **{name: getattr(self, name) for name in RESULTS},
            "rejected": [{"line": line, "why": why} for line, why in self.rejected],
            "rejected_count": self.rejected_count,
            "encoding": self.encoding,
            "tool": self.tool or None,
            "columns": dict(self.columns),
            "state_columns": list(self.states),
            "unread_columns": list(self.unread),
            "examples": self.examples,
        }

    def _note(self, result: str, line: int, address: str, why: str) -> None:
        examples = self.examples.setdefault(result, [])
        if len(examples) < _EXAMPLES:
            said = f"line {line}: {address}" if address else f"line {line}"
            examples.append(f"{said}: {why}" if why else said)
        if self.lines is not None and result not in TAKEN:
            self.lines.write(line, result, address, why)


class LineReport:
    """A CSV file of every refused line, with its number and the reason."""

    def __init__(self, file: IO[str]) -> None:
        self._writer = csv.writer(file)
        self._writer.writerow(("line", "result", "email", "reason"))

    def write(self, line: int, result: str, address: str, why: str) -> None:
        """Write one line; no cell of it is a formula in a spreadsheet."""
        self._writer.writerow((line, result, neutralise(address), neutralise(why)))
