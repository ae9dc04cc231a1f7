"""Copies of images, each named for a hash of its bytes, so caches may keep it for good."""

import re

from fastapi import APIRouter, HTTPException
from starlette.responses import Response

from digest.tasks.archive import Archive

_NAME = re.compile(r"([0-9a-f]{32})\.jpg")
_KEPT = {"Cache-Control": "public, max-age=31536000, immutable"}
_NOT_FOUND = 404


class PicturePages:
    """The endpoint of the copies."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def router(self) -> APIRouter:
        """Return the route."""
        router = APIRouter()
        router.add_api_route("/images/{name}", self.picture, methods=["GET", "HEAD"])
        return router

    def picture(self, name: str) -> Response:
        """Return a copy."""
        match = _NAME.fullmatch(name)
        content = self._archive.find_picture(match[1]) if match else None
        if content is None:
            raise HTTPException(_NOT_FOUND)
        return Response(content, media_type="image/jpeg", headers=_KEPT)
