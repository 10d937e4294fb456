"""The routes of the API: the declared operations, and the document that describes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse
from starlette.routing import Route

from counterseal import __version__
from counterseal.moments import epoch
from counterseal.protocols.api import (
    api_tokens,
    authorities,
    certificates,
    issuing,
    key_uses,
    revoking,
    sites,
    tokens,
)
from counterseal.protocols.api.endpoint import Resource
from counterseal.protocols.api.once import STEP, forget_old
from counterseal.protocols.api.openapi import openapi
from counterseal.protocols.api.parts import Parts
from counterseal.service.limits import Limits
from counterseal.service.parts import Face, Service, Upkeep
from counterseal.service.upkeep import in_steps
from counterseal.store.api_tokens import forget_api_tokens

if TYPE_CHECKING:
    from starlette.requests import Request

    from counterseal.protocols.api.operation import Operation
    from counterseal.protocols.api.parts import Host
    from counterseal.protocols.api.rules import ApiRules

DOCUMENT = "/v1/openapi.json"
OPERATIONS: tuple[Operation, ...] = (
    *certificates.OPERATIONS,
    *issuing.OPERATIONS,
    *revoking.OPERATIONS,
    *tokens.OPERATIONS,
    *api_tokens.OPERATIONS,
    *authorities.OPERATIONS,
    *key_uses.OPERATIONS,
    *sites.OPERATIONS,
)
TIDY_SECONDS = 60.0
TOKEN_KEPT_SECONDS = 30 * 86_400
"""For so long after its end an API token is still listed."""


def api_face(service: Service, rules: ApiRules, host: Host, *, has_ocsp: bool) -> Face:
    """Return the face for programs; the document may be read by anybody, all else only by who was granted it."""
    parts, limits = Parts(service, rules, host, has_ocsp), Limits(service.access, "api", rules.requests_per_minute)
    by_path: dict[str, dict[str, Operation]] = {}
    for operation in OPERATIONS:
        by_path.setdefault(operation.path, {})[operation.method] = operation
    described = openapi(OPERATIONS, version=__version__, url=service.origin.usual)

    async def document(_: Request) -> JSONResponse:
        return JSONResponse(described, headers={"Cache-Control": "public, max-age=300"})

    async def tidy() -> None:
        await in_steps(service.access, forget_old, STEP)
        before = epoch(service.clock()) - TOKEN_KEPT_SECONDS
        await in_steps(service.access, lambda authority: forget_api_tokens(authority.store, before, STEP), STEP)

    resources = [Route(path, Resource(parts, limits, known)) for path, known in by_path.items()]
    routes = [Route(DOCUMENT, document, methods=["GET"]), *resources]
    return Face(routes, [Upkeep("tidy api", TIDY_SECONDS, tidy), limits.upkeep()], entry=("API", DOCUMENT))
