"""Copies of images, each named for a hash of its bytes, so caches may keep it for good."""

import re

from fastapi import HTTPException
from starlette.responses import Response

from digest.tasks.archive import Archive
from digest.web.shared.routes import PageRoutes

_NAME = re.compile(r"([0-9a-f]{32})\.jpg")
_KEPT = {"Cache-Control": "public, max-age=31536000, immutable"}
_NOT_FOUND = 404


class PicturePages:
    """The endpoint of the copies."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def routes(self) -> PageRoutes:
        """Return the route."""
        routes = PageRoutes()
        routes.look("/images/{name}", self.picture)
        return routes

    def picture(self, name: str) -> Response:
        """Return a copy."""
        match = _NAME.fullmatch(name)
        content = self._archive.find_picture(match[1]) if match else None
        if content is None:
            raise HTTPException(_NOT_FOUND)
        return Response(content, media_type="image/jpeg", headers=_KEPT)
