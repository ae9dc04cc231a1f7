"""A form that came after its session had ended: kept by the browser through the sign-in, to be sent again.

Nothing is stored for somebody who is not signed in. The fields are a hidden field of the sign-in, packed so
that they are no longer than they came, and afterwards the fields of a form with one button: only that sends
them, with the form token of the new session.
"""

import base64
import binascii
import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

MOST_UNPACKED = 1024 * 1024
_TOKEN, _MACHINES = "form", ("version", "replaces")


@dataclass(frozen=True, slots=True)
class KeptForm:
    """The fields of a form as they came, and the path that they are for."""

    path: str
    fields: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, path: str, pairs: Iterable[tuple[str, object]]) -> "KeptForm":
        """Return what came to a path, without the token of its form; files are not kept."""
        kept = ((name, value) for name, value in pairs if isinstance(value, str) and name != _TOKEN)
        return cls(path, tuple(kept))

    @property
    def is_typed(self) -> bool:
        """Return whether it has more than a page says by itself."""
        return any(name not in _MACHINES for name, _ in self.fields)

    @property
    def shown(self) -> list[tuple[str, str]]:
        """Return what to show to whoever sends it: each field that has something, with a label."""
        return [
            (name.replace("-", " ").replace("_", " ").capitalize(), value)
            for name, value in self.fields
            if value.strip() and name not in _MACHINES
        ]

    def pack(self) -> str:
        """Return the form as one field's text."""
        content = json.dumps([self.path, *self.fields], ensure_ascii=False).encode("utf-8", "replace")
        return base64.urlsafe_b64encode(zlib.compress(content, 9)).decode("ascii")


def unpack(text: str) -> KeptForm | None:
    """Return the form that a field's text packs; None for any other text."""
    try:
        packed = base64.urlsafe_b64decode(text.encode("ascii"))
        unzipped = zlib.decompressobj().decompress(packed, MOST_UNPACKED)
        path, *pairs = json.loads(unzipped)
        fields = tuple((str(name), str(value)) for name, value in pairs)
    except (UnicodeError, binascii.Error, zlib.error, ValueError, TypeError, RecursionError):
        return None
    return KeptForm(str(path), fields) if fields else None
