"""Lists of readers: upload, dry run, import once confirmed; and export."""

from collections.abc import Iterator
from typing import IO, Any

from anyio import to_thread
from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import FileResponse, Response, StreamingResponse

from digest.errors import InputError
from digest.models import SubscriptionState
from digest.models.subscriber import ReaderFilter
from digest.rules.readers.row_states import ListState
from digest.tasks.readers.lists.csv_export import export_matching
from digest.tasks.readers.lists.import_report import RESULTS
from digest.tasks.readers.lists.uploads import (
    MOST_BYTES,
    ArrivingList,
    ListChanged,
    ListChoices,
    ListUploads,
    UploadedList,
)
from digest.tasks.readers.readers import Readers
from digest.web.desk.access import HOME
from digest.web.desk.pages import DeskPages, sentence
from digest.web.newsroom.segments import FILTER_FIELDS
from digest.web.shared.guard import MOST_LIST, UPLOAD_LIST
from digest.web.shared.upload import Upload, receive_upload

LISTS = UPLOAD_LIST
EXPORT = f"{HOME}/readers/export"
_LONGEST = 254
_RESULTS = {
    "added": "Added",
    "asked": "Asked to confirm first",
    "changed": "Changed",
    "unchanged": "Known, nothing to change",
    "kept": "Known with other choices, which stay",
    "limited": "Asked too recently to be asked again",
    "left": "Unsubscribed here before: not imported",
    "suppressed": "Suppressed: not imported",
    "departed": "Left, bounced or complained elsewhere: suppressed",
    "merged": "Lines about the same person: merged",
    "banned": "Suppressions without an address: restored",
    "others": "About other digests: not imported",
    "rejected": "Refused",
}
_STATES = {
    "checking": "Being checked",
    "checked": "Checked; nothing is imported yet",
    "importing": "Being imported",
    "finished": "Imported",
    "failed": "Failed",
    "removed": "Removed",
    "interrupted": "Broken off",
    "elsewhere": "On another machine",
}


class ListPages:
    """Import and export, for operators."""

    def __init__(self, front: DeskPages, readers: Readers, uploads: ListUploads) -> None:
        self._front, self._readers, self._uploads = front, readers, uploads

    def show(self, request: Request) -> Response:
        """Show the form for a list, and the latest imports and exports."""
        return self._show(request)

    async def receive(self, request: Request) -> Response:
        """Store an uploaded list while it arrives, and do a dry run."""
        begun: list[ArrivingList] = []

        def open_file(upload: Upload) -> IO[bytes]:
            self._front.gate.check_upload(request, upload.fields.get("form", ""))
            begun.append(self._uploads.receive(upload.file_name))
            return begun[0].file

        try:
            upload = await receive_upload(request, open_file, MOST_LIST)
        except BaseException as error:
            for arriving in begun:
                self._uploads.drop(arriving)
            if isinstance(error, ClientDisconnect):
                return Response(status_code=400)  # nobody is there to read it
            if not isinstance(error, InputError):
                raise
            problem = sentence(error)
            return await to_thread.run_sync(lambda: self._show(request, 400, error=problem))
        return await to_thread.run_sync(lambda: self._begin(request, upload, begun))

    def _begin(self, request: Request, upload: Upload, begun: list[ArrivingList]) -> Response:
        self._front.gate.check_upload(request, upload.fields.get("form", ""))
        if not begun:
            return self._show(request, 400, error="Choose the file of the list.", typed=upload.fields)
        try:
            found = self._uploads.begin(begun[0], _choices(upload.fields), self._front.who(request))
        except InputError as error:
            self._uploads.drop(begun[0])
            return self._show(request, 400, error=sentence(error), typed=upload.fields)
        return self._front.go(f"{LISTS}/{found}")

    def list(self, request: Request, name: str) -> Response:
        """Show one list: the findings of its dry run, or the progress of its import."""
        return self._list(request, self._find(name))

    def check(self, request: Request, name: str) -> Response:
        """Repeat a list's dry run with other choices."""
        fields = {key: str(value) for key, value in request.state.form.items()}
        return self._act(
            request,
            name,
            lambda seen: self._uploads.check(name, seen, _choices(fields), self._front.who(request)),
        )

    def start(self, request: Request, name: str) -> Response:
        """Import a list as its dry run showed."""
        return self._act(
            request, name, lambda seen: self._uploads.start(name, seen, self._front.who(request))
        )

    def remove(self, request: Request, name: str) -> Response:
        """Remove a list's file and its report."""
        return self._act(
            request,
            name,
            lambda seen: self._uploads.remove(name, seen, self._front.who(request)),
            said="list-removed",
            onward=LISTS,
        )

    def lines(self, name: str) -> Response:
        """Send the rejected lines, with the reasons, as CSV."""
        path = self._uploads.find_lines(name)
        if path is None:
            raise HTTPException(404)
        return FileResponse(path, media_type="text/csv; charset=utf-8", filename="lines-not-taken.csv")

    def export(self, request: Request) -> Response:
        """Send the readers who match as CSV, and record who exported them."""
        get = self._front.get
        wanted = ReaderFilter(**{name: get(request, name).strip()[:_LONGEST] for name in FILTER_FIELDS})
        if wanted.state and wanted.state not in list(SubscriptionState):
            raise HTTPException(400, f'"{wanted.state}" is not a state of a subscription.')
        name = f"readers-{self._front.now().astimezone(self._readers.settings.zone):%Y-%m-%d}.csv"
        lines: Iterator[str] = export_matching(
            self._readers, wanted, name, self._front.who(request), self._front.now()
        )
        disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
        return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=disposition)

    def _act(self, request: Request, name: str, act: Any, *, said: str = "", onward: str = "") -> Response:
        found, seen = self._find(name), self._front.get(request, "version")
        version = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 10 else -1
        try:
            act(version)
        except InputError as error:
            status = 409 if isinstance(error, ListChanged) else 400
            typed = {key: str(value) for key, value in request.state.form.items()}
            return self._list(request, self._find(name), status, error=sentence(error), typed=typed)
        return self._front.go(onward or f"{LISTS}/{found.transfer.public_id}", said)

    def _find(self, name: str) -> UploadedList:
        found = self._uploads.find(name)
        if found is None:
            raise HTTPException(404)
        return found

    def _show(self, request: Request, status: int = 200, **values: Any) -> Response:
        return self._front.show(
            request,
            "lists",
            status,
            title="Import and export",
            transfers=self._uploads.list_latest(),
            most=MOST_BYTES >> 20,
            **{**self._offered(), "error": "", "typed": {}, **values},
        )

    def _list(self, request: Request, found: UploadedList, status: int = 200, **values: Any) -> Response:
        transfer = found.transfer
        choices = ListChoices.of(transfer)
        stands = {
            "digest": choices.digest,
            "wording": choices.wording,
            "consent": "agreed" if choices.wording else "ask",
            "update": "1" if choices.update else "",
            "state": choices.state,
            "ignored": ", ".join(choices.ignored),
            "encoding": choices.encoding,
        }
        results = [
            (
                name,
                _RESULTS[name],
                transfer.counts.get(name, 0),
                _examples(found, name),
            )
            for name in (*RESULTS, "rejected")
            if transfer.counts.get(name, 0) or name == "added"
        ]
        return self._front.show(
            request,
            "list",
            status,
            title=transfer.name,
            found=found,
            transfer=transfer,
            results=results if transfer.counts else [],
            **{**self._offered(), "error": "", "typed": stands, **values},
        )

    def _offered(self) -> dict[str, Any]:
        settings = self._readers.settings
        return {
            "digests": settings.digests,
            "list_states": [state for state in ListState if state != ListState.UNKNOWN],
            "state_words": _STATES,
        }


def _examples(found: UploadedList, result: str) -> list[str]:
    """Return the examples of a result, with this page's words in place of the command's options."""
    examples: list[str] = found.report.get("examples", {}).get(result, [])
    return [
        one.replace(
            "--update replaces them by the list's", "“Take over the file’s choices” changes that"
        ).replace("add --ignore", "ignore the column")
        for one in examples
    ]


def _choices(fields: dict[str, str]) -> ListChoices:
    """Read the choices of a form; raise InputError for consent without its wording."""

    def get(name: str) -> str:
        return " ".join(fields.get(name, "").split())

    wording = get("wording")
    if get("consent") == "agreed" and not wording:
        raise InputError("write the sentence that these readers agreed to, or have each of them asked first")
    return ListChoices(
        digest=get("digest"),
        wording=wording if get("consent") == "agreed" else "",
        update=bool(get("update")),
        state=get("state"),
        ignored=tuple(name for name in map(str.strip, get("ignored").split(",")) if name),
        encoding=get("encoding"),
    )
