"""Copies of pictures, each under a name that is a hash of its bytes: whoever has one may keep it."""

import re

from fastapi import APIRouter, HTTPException
from starlette.responses import Response

from digest.store.articles import images
from digest.store.database import Database

_NAME = re.compile(r"([0-9a-f]{32})\.jpg")
_KEPT = {"Cache-Control": "public, max-age=31536000, immutable"}
_NOT_FOUND = 404


class PicturePages:
    """The one endpoint of the copies."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def router(self) -> APIRouter:
        """Give the route."""
        router = APIRouter()
        router.add_api_route("/images/{name}", self.picture, methods=["GET", "HEAD"])
        return router

    def picture(self, name: str) -> Response:
        """Give a copy."""
        match = _NAME.fullmatch(name)
        if match is None:
            raise HTTPException(_NOT_FOUND)
        with self._database.read() as session:
            content = images.find_content(session, match[1])
        if content is None:
            raise HTTPException(_NOT_FOUND)
        return Response(content, media_type="image/jpeg", headers=_KEPT)
