"""`/metrics`, for a monitoring system that shows the token of `[web] metrics_token`."""

import hmac

from fastapi import HTTPException, Request
from starlette.responses import Response

from digest.clock import utc_now
from digest.tasks.ledger.metrics import MEDIA_TYPE, Metrics
from digest.web.shared.routes import PageRoutes

_NOT_ALLOWED = 401


class MetricsPage:
    """The endpoint that a monitoring system requests every few seconds (RFC 6750: a bearer token)."""

    def __init__(self, metrics: Metrics, token: str) -> None:
        self._metrics, self._token = metrics, token.encode()

    def routes(self) -> PageRoutes:
        """Return the route."""
        routes = PageRoutes()
        routes.look("/metrics", self.show)
        return routes

    def show(self, request: Request) -> Response:
        """Return the metrics to a client that has the token."""
        scheme, _, shown = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(shown.strip().encode(), self._token):
            raise HTTPException(_NOT_ALLOWED, headers={"WWW-Authenticate": 'Bearer realm="metrics"'})
        return Response(
            self._metrics.render(utc_now()), media_type=MEDIA_TYPE, headers={"Cache-Control": "no-store"}
        )
