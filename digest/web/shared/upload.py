"""A form with a file that is too large for memory: read piece by piece, the file straight to its place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING
from urllib.parse import parse_qsl

from anyio import to_thread
from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

_MOST_FIELDS, _LONGEST_FIELD, _LONGEST_HEAD = 30, 16 * 1024, 4 * 1024
_NOT_READABLE = "This form cannot be read. Go back and fill it in again."


@dataclass(slots=True)
class Upload:
    """What has arrived: the fields, each with its last value, and the file as it was opened."""

    fields: dict[str, str] = field(default_factory=dict)
    file_name: str = ""
    file: IO[bytes] | None = None


Opener = Callable[[Upload], IO[bytes]]


async def receive_upload(request: Request, open_file: Opener, most: int) -> Upload:
    """Read a form; `open_file` is called once, when the file begins, and may refuse by what came before it.

    Fields that come after the file are read too. Raise HTTPException for a form that cannot be read, or one
    of more than `most` bytes.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        return Upload(dict(parse_qsl(_text(await _read_small(request)), keep_blank_values=True)))
    reader = _Parts(Upload())
    parser, length = MultipartParser(options[b"boundary"], reader.callbacks()), 0
    try:
        async for piece in request.stream():
            length += len(piece)
            if length > most:
                raise HTTPException(413, f"The file is too large: {most >> 20} MB fit.")
            parser.write(piece)
            await _keep(reader, open_file)
        parser.finalize()
    except FormParserError:
        raise HTTPException(400, _NOT_READABLE) from None
    reader.check_end()
    return reader.upload


async def _read_small(request: Request) -> bytes:
    """Read the body of a form without a file."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > _LONGEST_FIELD * 4:
            raise HTTPException(413, _NOT_READABLE)
    return bytes(body)


async def _keep(reader: _Parts, open_file: Opener) -> None:
    """Write what has arrived of the file, in a thread: a disk may be slow."""
    if not reader.has_begun:
        return
    upload, content = reader.upload, bytes(reader.content)
    reader.content.clear()

    def write() -> None:
        if upload.file is None:
            upload.file = open_file(upload)
        upload.file.write(content)

    await to_thread.run_sync(write)


class _Parts:
    """The parts of a form as the parser finds them."""

    def __init__(self, upload: Upload) -> None:
        self.upload = upload
        self.has_begun = False
        self.content = bytearray()
        self._head, self._value = bytearray(), bytearray()
        self._header = bytearray()
        self._name, self._is_file, self._is_open = "", False, False

    def callbacks(self) -> MultipartCallbacks:
        """Return what the parser calls."""
        return {
            "on_part_begin": self._begin, "on_part_data": self._data, "on_part_end": self._end,
            "on_header_field": self._header_field, "on_header_value": self._header_value,
            "on_header_end": self._header_end, "on_headers_finished": self._headers_finished,
        }  # fmt: skip

    def check_end(self) -> None:
        """Raise HTTPException for a form that ends inside a part."""
        if self._is_open:
            raise HTTPException(400, _NOT_READABLE)

    def _begin(self) -> None:
        self._name, self._is_file, self._is_open = "", False, True
        self._value.clear()
        self._head.clear()

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]
        self._bound(self._header, _LONGEST_HEAD)

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._head += data[start:end]
        self._bound(self._head, _LONGEST_HEAD)

    def _header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            _, options = parse_options_header(bytes(self._head))
            self._name = _text(options.get(b"name", b""))
            if b"filename" in options:
                self._is_file = True
                self.upload.file_name = _text(options[b"filename"])
        self._header.clear()
        self._head.clear()

    def _headers_finished(self) -> None:
        if not self._is_file:
            return
        if self.has_begun:
            raise HTTPException(400, "Send one file at a time.")
        # A browser sends an empty part without a name where no file was chosen.
        self.has_begun = bool(self.upload.file_name)

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._is_file:
            self.content += data[start:end] if self.has_begun else b""
            return
        self._value += data[start:end]
        self._bound(self._value, _LONGEST_FIELD)

    def _end(self) -> None:
        self._is_open = False
        if self._is_file:
            return
        if len(self.upload.fields) >= _MOST_FIELDS:
            raise HTTPException(400, _NOT_READABLE)
        self.upload.fields[self._name] = _text(bytes(self._value))

    def _bound(self, taken: bytearray, most: int) -> None:
        if len(taken) > most:
            raise HTTPException(400, _NOT_READABLE)


def _text(raw: bytes) -> str:
    """Return a field's text; what no field may contain is refused."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise HTTPException(400, _NOT_READABLE) from None
    if "\0" in text:
        raise HTTPException(400, _NOT_READABLE)
    return text
