"""Which tool a list of readers comes from, and the meaning of its columns."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from digest.rules.readers.row_states import (
    GONE,
    ListState,
    RowVerdict,
    StateColumn,
    StateWords,
    squeeze,
    squeezed,
)

Table = Mapping[str, Any]
_YES, _NO = "yes", "no"


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool's export: the columns that identify it, their meaning, and where its makers document them."""

    name: str
    source: str
    known_by: tuple[frozenset[str], ...]
    files: Mapping[str, ListState]
    ignored: frozenset[str]
    columns: Mapping[str, Table]

    def match(self, names: frozenset[str]) -> tuple[int, int]:
        """Return how well columns match: the largest set that identifies the tool, and how many it names."""
        told = max((len(one) for one in self.known_by if one <= names), default=0)
        return (told, len(names & self.columns.keys())) if told else (0, 0)


@dataclass(frozen=True, slots=True)
class ReadingPlan:
    """How the rows of a file are read: the role of each column, and the columns that state a state.

    `deleted` are domains of addresses that a tool puts in place of those of readers whom it has deleted.
    """

    tool: str
    roles: Mapping[str, int]
    states: tuple[tuple[int, StateColumn], ...]
    of_file: RowVerdict
    deleted: frozenset[str] = frozenset()

    @property
    def told_states(self) -> tuple[tuple[int, StateColumn], ...]:
        """Return the columns that speak of a state by their name or by all that is in them."""
        return tuple((place, column) for place, column in self.states if not column.is_untold)


class ListCatalogue:
    """The names, words and tools that lists are read by."""

    def __init__(self, words: Table, tools: Table) -> None:
        said = {state: words["words"].get(state, ()) for state in ListState}
        self.words = StateWords(
            {squeeze(word): state for state, forms in said.items() for word in forms},
            squeezed(words["words"][_YES]),
            squeezed(words["words"][_NO]),
        )
        self.addresses = [squeeze(name) for name in words["columns"]["email"]]
        self._roles = {
            squeeze(name): role for role, names in words["columns"].items() for name in names
        } | dict.fromkeys(self.addresses, "email")
        self._states = {
            key: squeezed(words["states"][key]) for key in ("words", "unless", "regions", "beside")
        }
        self._marks = [
            (ListState(name), [squeeze(stem) for stem in table["stems"]])
            for name, table in words["marks"].items()
            if name != "ignored"
        ]
        self._unmarked = squeezed(words["marks"]["ignored"]["words"])
        self._answers = {squeeze(name): answer for answer in words["answers"] for name in answer["names"]}
        self._stems = [
            (squeeze(stem), answer) for answer in words["answers"] for stem in answer.get("stems", ())
        ]
        self._deleted = frozenset(words["deleted"]["domains"])
        self.tools = [_read_tool(table) for table in tools["tool"]]

    def recognise(self, names: Sequence[str]) -> Tool | None:
        """Find the tool that matches a file's columns best."""
        forms = squeezed(names)
        best = max(self.tools, key=lambda tool: tool.match(forms))
        return best if best.match(forms)[0] else None

    def plan(
        self,
        names: Sequence[str],
        address: int,
        file: str,
        sample: Sequence[Sequence[str]] = (),
        ignored: Iterable[str] = (),
    ) -> ReadingPlan:
        """Decide how the rows of a file are read, from its columns, its name and some of its rows."""
        tool = self.recognise(names)
        forms = [squeeze(name) for name in names]
        passed = squeezed(ignored)
        states = []
        for place, (name, form) in enumerate(zip(names, forms, strict=True)):
            if place == address or form in passed:
                continue
            cells = [row[place] for row in sample if place < len(row)]
            column = self._state_column(name, form, tool, cells)
            if column is None and (tool is None or form not in tool.ignored):
                column = self._untold(name, form, cells, is_known=tool is not None)
            if column is not None and not self._is_region(form, forms, column, cells):
                states.append((place, column))
        roles: dict[str, int] = {"email": address}
        taken = {place for place, column in states if not column.is_untold}
        for place, form in enumerate(forms):
            role = self._roles.get(form)
            if role is not None and place not in taken:
                roles.setdefault(role, place)
        return ReadingPlan(
            tool.name if tool else "", roles, tuple(states), _of_file(tool, file), self._deleted
        )

    def bare(self, width: int, file: str) -> ReadingPlan:
        """Decide how a file without a header is read: a departure's word in any cell counts."""
        cells = {form: state for form, state in self.words.states.items() if state != ListState.ACTIVE}
        columns = tuple(
            (
                place,
                StateColumn(f"column {place + 1}", _SILENT, cells, loose=True, no=None, yes=ListState.ACTIVE),
            )
            for place in range(width)
        )
        return ReadingPlan("", {}, columns, _of_file(None, file), self._deleted)

    def find_departure(self, text: str) -> ListState | None:
        """Find the departure that a file's name contains: "bounces-2025" has one."""
        parts = squeezed(_split(text))
        for part in parts:
            state = self.words.states.get(part)
            if state in GONE:
                return state
            for mark, stems in self._marks:
                if any(part.startswith(stem) for stem in stems):
                    return mark
        return None

    def _state_column(
        self, name: str, form: str, tool: Tool | None, cells: Sequence[str]
    ) -> StateColumn | None:
        if tool is not None and form in tool.columns:
            return _from_table(name, self.words, tool.columns[form])
        if tool is not None and form in tool.ignored:
            return None
        if form in self._answers:
            answer = self._answers[form]
            loose = bool(answer.get("loose"))
            yes = ListState(answer.get(_YES, ListState.ACTIVE))
            return StateColumn(name, self.words, yes=yes, no=ListState(answer["no"]), loose=loose)
        parts = squeezed(_split(name))
        if parts & self._states["words"] and not parts & self._states["unless"]:
            return StateColumn(name, self.words)
        if form.endswith(_ENDS_AS_STATE) and not parts & self._states["unless"]:
            column = StateColumn(name, self.words)
            if any(map(column.knows, cells)) or (cells and all(map(_CODE.fullmatch, cells))):
                return column
        if not parts & self._unmarked:
            for state, stems in self._marks:
                if any(stem in form for stem in stems):
                    return StateColumn(name, self.words, mark=state)
            told = parts - _WHEN
            if len(told) == 1 and (known := self.words.states.get(next(iter(told)))) in GONE:
                return StateColumn(name, self.words, mark=known)
            answer = next((answer for stem, answer in self._stems if stem in form), None)
            if tool is None and answer is not None:
                return StateColumn(
                    name, self.words, yes=ListState.ACTIVE, no=ListState(answer["no"]), loose=True
                )
        return None

    def _untold(self, name: str, form: str, cells: list[str], *, is_known: bool) -> StateColumn | None:
        """Return how a column is read whose name says nothing, neither to us nor to its tool.

        If all or half of what is in it are words for states, it is a state column, unless the tool is
        known: a word that is missing here may be the one for a departure. Otherwise a cell that tells a
        departure has its row refused: neither taking that person nor suppressing them would be safe.
        """
        parts = squeezed(_split(name))
        if form in self._roles or parts & self._states["unless"]:
            return None
        filled = {squeeze(cell) for cell in cells if cell.strip()}
        if (
            not is_known
            and filled
            and (filled <= self.words.states.keys() or self._are_states(filled, cells))
        ):
            return StateColumn(name, self.words)
        gone = {word: ListState.UNKNOWN for word, state in self.words.states.items() if state in GONE}
        del gone[_SIDE]
        return StateColumn(name, _SILENT, gone, loose=True, yes=ListState.ACTIVE, is_untold=True)

    def _are_states(self, filled: set[str], cells: Sequence[str]) -> bool:
        """Return whether each row has something there, and at least half of the words are of states."""
        states = self.words.states
        told = [word for word in filled - _EITHER if states.get(word, ListState.UNKNOWN) != ListState.UNKNOWN]
        return all(map(str.strip, cells)) and 2 * len(told) >= len(filled)

    def _is_region(self, form: str, forms: list[str], column: StateColumn, cells: list[str]) -> bool:
        """Return whether a column is a part of a country ("State" beside "City") and not a reader's state."""
        beside = form in self._states["regions"] and bool(self._states["beside"].intersection(forms))
        return beside and not any(column.knows(cell) for cell in cells)


_WHEN = squeezed((
    "at", "on", "date", "time", "is", "was", "has", "been", "am", "um", "datum", "zeit", "zeitpunkt", "le",
    "la", "de", "data", "fecha", "el", "del", "il", "em", "dato", "den", "dne", "dnia", "päivä", "дата",
    "tarih", "tarihi",
))  # fmt: skip
# "Abonnementsstatus", "Prenumerationsstatus", "Abonelik durumu", "マーケティングのステータス"
_ENDS_AS_STATE = tuple(
    squeezed(("status", "statut", "zustand", "durumu", "ステータス", "状態", "状况", "状态", "狀態", "상태"))
)
_CODE = re.compile(r"\s*-?\d\s*")
_SIDE = "left"  # which is a side as often as a departure
# Words that are something else as often: a level, a kind of membership, a remark.
_EITHER = frozenset({
    _SIDE, "hard", "soft", "dead", "regular", "normal", "valid", "ok", "member", "express", "given",
    "explicit",
})  # fmt: skip
_SILENT = StateWords({}, frozenset(), frozenset())


def _split(name: str) -> list[str]:
    """Split a column's name into words, at punctuation and at capitals: "emailStatus" has two."""
    return re.findall(r"[^\W_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name))


def _of_file(tool: Tool | None, file: str) -> RowVerdict:
    for part, state in tool.files.items() if tool else ():
        if re.search(part, file.lower()):
            return RowVerdict(state, "", file)
    return RowVerdict(ListState.ACTIVE)


def _read_tool(table: Table) -> Tool:
    columns: dict[str, Table] = {squeeze(name): one for name, one in table.get("columns", {}).items()}
    for one in (*table.get("states", ()), *table.get("answers", ())):
        columns |= {squeeze(name): one for name in one["names"]}
    return Tool(
        table["name"],
        table["source"],
        tuple(squeezed(names) for names in table["known_by"]),
        {part: ListState(state) for part, state in table.get("files", {}).items()},
        squeezed(table.get("ignore", ())),
        columns,
    )


def _from_table(name: str, words: StateWords, table: Table) -> StateColumn:
    values = {squeeze(cell): ListState(state) for cell, state in table.get("others", {}).items()}
    for state, cells in table.get("values", {}).items():
        values |= {squeeze(cell): ListState(state) for cell in cells}
    empty, filled, yes, no = (
        ListState(table[key]) if key in table else None for key in ("empty", "filled", _YES, _NO)
    )
    return StateColumn(name, words, values, empty=empty, filled=filled, yes=yes, no=no)
