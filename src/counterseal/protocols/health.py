"""``/healthz``: this process runs and can read its store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse
from starlette.routing import Route

from counterseal.service.parts import Face, Service

if TYPE_CHECKING:
    from starlette.requests import Request

    from counterseal.authority.parts import Authority


def health_face(service: Service) -> Face:
    """Return the face for load balancers and supervisors."""

    async def healthz(_: Request) -> JSONResponse:
        cas = await service.access.read(_count_cas)
        return JSONResponse({"status": "ok", "cas": cas}, headers={"Cache-Control": "no-store"})

    return Face([Route("/healthz", healthz, methods=["GET"])])


def _count_cas(authority: Authority) -> int:
    return sum(record.state == "active" for record in authority.store.cas())
