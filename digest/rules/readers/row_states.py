"""What a list of readers says about a person: wants mail, left, bounced, complained, never confirmed."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

_DATE = re.compile(
    r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}(?!\d).*|\d{9,14}(?:\.\d+)?|[^\W\d_]{3,9}\.? \d{1,2},? \d{4}.*"
    r"|(?:[^\W\d_]{2,10}[.,]{0,2} )?\d{1,2}\.?(?: de)?[ -][^\W\d_]{3,10}\.?,?(?: de)?[ -]\d{4}(?!\d).*"
    r"|\d{4}[年년].*"
)
_MOST_KEPT = 4096
# Why Mailman 2 holds mail back, in whatever language its page was copied.
_REASON = re.compile(r"(?:on\s*)?\[[UBA?]\]", re.IGNORECASE)
_MINUS = ("-", "\u2212", "\u2013")
_NOTHING = frozenset(("none", "null", "nil", "na", "[]", "{}", "00000000", "00000000000000"))


class ListState(StrEnum):
    """A person's state in the tool that a list comes from, from harmless to worst."""

    ACTIVE = "active"
    PENDING = "pending"
    UNKNOWN = "unknown"
    LEFT = "left"
    BOUNCED = "bounced"
    COMPLAINED = "complained"


_SEVERITY = {state: rank for rank, state in enumerate(ListState)}
GONE = frozenset({ListState.LEFT, ListState.BOUNCED, ListState.COMPLAINED})


@dataclass(frozen=True, slots=True)
class RowVerdict:
    """What a row says, with the column and cell that say it."""

    state: ListState
    column: str = ""
    cell: str = ""


def squeeze(text: str) -> str:
    """Return the form in which names and words are compared: letters and digits, without case and accents.

    `squeeze("Désabonné(e)") == "desabonnee"`. A text without letters and digits is compared as it is ("✓",
    "[]"), and a number keeps its sign: -1 is no yes.
    """
    if text.isascii():
        squeezed = "".join(char for char in text.lower() if char.isalnum())
    else:
        parts = unicodedata.normalize("NFKD", text.casefold())
        squeezed = "".join(char for char in parts if char.isalnum())
    if squeezed.isdigit() and text.lstrip()[:1] in _MINUS:
        return f"-{squeezed}"
    return squeezed or text.strip()


def squeezed(texts: Iterable[str]) -> frozenset[str]:
    """Return the compared forms of names or words."""
    return frozenset(squeeze(text) for text in texts)


@dataclass(frozen=True, slots=True)
class StateWords:
    """The words in cells, by their meaning, in normalised form."""

    states: Mapping[str, ListState]
    yes: frozenset[str]
    no: frozenset[str]


@dataclass(slots=True)
class StateColumn:
    """A column that states a state: `judge` reads one of its cells.

    A cell is looked up in `values` first, and means what the first of these says that the column has:

    - `filled`: any cell that is not a no is that state.
    - `mark`: a yes or a date, the time when it happened, is that state; a no says nothing.
    - `yes` and `no`: the cell is an answer. If the column is `loose`, only a plain no and the words for
      somebody who has left count.

    Otherwise, and for other cells of a mark or an answer, common words for states are understood; any other
    cell is UNKNOWN. `is_untold`: the name of the column says nothing about a state.
    """

    name: str
    words: StateWords
    values: Mapping[str, ListState] = field(default_factory=dict)
    empty: ListState | None = None
    filled: ListState | None = None
    yes: ListState | None = None
    no: ListState | None = None
    mark: ListState | None = None
    loose: bool = False
    is_untold: bool = False
    _judged: dict[str, ListState | None] = field(default_factory=dict)

    def judge(self, cell: str) -> ListState | None:
        """Return what a cell says, or None if it says nothing."""
        try:
            return self._judged[cell]
        except KeyError:
            found = self._judge(cell)
            if len(self._judged) < _MOST_KEPT:
                self._judged[cell] = found
            return found

    def knows(self, cell: str) -> bool:
        """Return whether a cell is a known word of this column, neither empty nor foreign."""
        return bool(cell.strip()) and self.judge(cell) not in (None, ListState.UNKNOWN)

    def _judge(self, cell: str) -> ListState | None:
        text = cell.strip().strip("\ufeff\u200b\xa0'\"")
        if not text or text == "-":
            return self.empty
        if self.is_untold and _REASON.fullmatch(text):
            return ListState.UNKNOWN
        form = squeeze(text)
        if form in self.values:
            return self.values[form]
        if self.values and "," in text and (worst := self._worst_of(text)) is not None:
            return worst
        if self.filled is not None:
            return None if form in self.words.no else self.filled
        if self.mark is not None:
            return self._read_mark(text, form)
        if self.yes is not None or self.no is not None:
            return self._read_answer(text, form)
        return self.words.states.get(form, ListState.UNKNOWN)

    def _worst_of(self, text: str) -> ListState | None:
        """Return the worst state in a cell of several lists' states (`1,-1`); None if one is not known."""
        states = [self.values.get(squeeze(part)) for part in text.split(",") if part.strip()]
        known = [state for state in states if state is not None]
        return max(known, key=_SEVERITY.__getitem__) if known and len(known) == len(states) else None

    def _read_mark(self, text: str, form: str) -> ListState | None:
        if form in self.words.no or "://" in text:
            return None
        if form in self.words.yes or _DATE.fullmatch(text):
            return self.mark
        state = self.words.states.get(form, ListState.UNKNOWN)
        return None if state == ListState.ACTIVE else state

    def _read_answer(self, text: str, form: str) -> ListState | None:
        state = self.words.states.get(form, ListState.UNKNOWN)
        if self.loose:
            is_no = form in self.words.no and form not in _NOTHING
            return self.no if is_no else state if state in GONE else None
        if form in self.words.no:
            return self.no
        if form in self.words.yes or _DATE.fullmatch(text):
            return self.yes
        return state


def judge_row(
    columns: Iterable[tuple[int, StateColumn]], cells: list[str], of_file: RowVerdict
) -> RowVerdict:
    """Return the worst of what a row's cells and the whole file (its name, or `--state`) say."""
    worst: RowVerdict | None = None
    for place, column in columns:
        cell = cells[place] if place < len(cells) else ""
        state = column.judge(cell)
        if state is not None and (worst is None or _SEVERITY[state] > _SEVERITY[worst.state]):
            worst = RowVerdict(state, column.name, cell.strip())
    if worst is None or _SEVERITY[of_file.state] > _SEVERITY[worst.state]:
        return of_file
    return worst


def worse(one: ListState, other: ListState) -> ListState:
    """Return the worse of two states."""
    return max(one, other, key=_SEVERITY.__getitem__)
