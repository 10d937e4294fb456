"""What surrounds every request: an id, a line in the log, counters, and an answer even where the code failed.

And the date of the answer, when it is sent: uvicorn's is up to a second old, older than what was made for the answer.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.routing import Router

from counterseal.errors import CountersealError
from counterseal.service.conditional import http_date
from counterseal.service.log import log
from counterseal.service.peer import is_unix, real_client
from counterseal.service.problems import log_failure, problem, problem_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from starlette.routing import Route
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from counterseal.service.metrics import Metrics

ID_BYTES = 8
SLICE = 64 * 1024
"""A long answer leaves in pieces of so many octets: whoever takes it slowly has no more of it kept for him."""
PATH_SHOWN = 200
NO_FACE = "none"
EVERYTHING = "{rest:path}"


class Requests:
    """The whole application: the routes of all faces, and what surrounds them.

    ``scope["state"]["log"]`` is a dictionary that a face may add fields to, and a ``path`` in place of one with a
    secret; nothing of a body, a header or a query is logged by itself. A face that answers a refusal itself says why in
    ``problem``. The first segment of a route's path is a literal one: by it a request finds its routes, and it is what
    the counters call a face, so that a stranger's URL makes no label. A slash more or less is another URL,
    because ACME signs URLs.
    """

    def __init__(
        self,
        routes: Iterable[Route],
        *,
        clock: Callable[[], datetime],
        random_bytes: Callable[[int], bytes],
        metrics: Metrics,
        trusts_real_ip: bool = False,
    ) -> None:
        self._trusts_real_ip = trusts_real_ip
        self._clock = clock
        self._random_bytes = random_bytes
        self._metrics = metrics
        by_face: dict[str, list[Route]] = {}
        for route in routes:
            by_face.setdefault(_face(route.path), []).append(route)
        self._faces = {face: _routed(some) for face, some in by_face.items()}
        self._nothing = Router(redirect_slashes=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request and log it."""
        began = time.perf_counter()
        answer = _Answer(send, self._clock, self._random_bytes(ID_BYTES).hex())
        fields: dict[str, Any] = {}
        scope.setdefault("state", {}).update(log=fields, request_id=answer.request_id)
        scope["app"] = self  # how a router is told to raise for what it does not have
        if self._trusts_real_ip and is_unix(scope["state"]):
            scope["client"] = real_client(scope)
        try:
            await self._faces.get(_face(scope["path"]), self._nothing)(scope, receive, answer.send)
        except HTTPException as error:
            await problem(error.status_code, error.detail, headers=error.headers)(scope, receive, answer.send)
        except Exception as error:  # noqa: BLE001 - the last resort: the client gets an answer, the log the reason
            fields |= await answer.fail(error, scope, receive)
        seconds = time.perf_counter() - began
        self._count(scope["path"], answer.status, seconds, fields)
        log(
            "request",
            request_id=answer.request_id,
            method=scope["method"],
            path=fields.pop("path", scope["path"])[:PATH_SHOWN],
            status=answer.status,
            milliseconds=round(seconds * 1000, 2),
            client=_client(scope),
            **fields,
        )

    def _count(self, path: str, status: int, seconds: float, fields: dict[str, Any]) -> None:
        face = _face(path)
        if face not in self._faces:
            face = NO_FACE
        self._metrics.requests.count(face, status, seconds)
        if "problem" in fields:
            self._metrics.refused.labels(face, fields["problem"]).inc()


class _Answer:
    """The response on its way out: remembers its status and carries the id and the date."""

    def __init__(self, send: Send, clock: Callable[[], datetime], request_id: str) -> None:
        self._send = send
        self._clock = clock
        self.request_id = request_id
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            own = (b"date", http_date(self._clock()).encode()), (b"x-request-id", self.request_id.encode())
            message["headers"] = [*message["headers"], *own]
        body, begin = message.get("body", b""), 0
        while len(body) - begin > SLICE:
            await self._send({**message, "body": body[begin : begin + SLICE], "more_body": True})
            begin += SLICE
        if begin:
            message["body"] = body[begin:]
        await self._send(message)

    async def fail(self, error: Exception, scope: Scope, receive: Receive) -> dict[str, str]:
        """Answer with a problem, and return what the log of requests says of it."""
        response = problem_of(error) if isinstance(error, CountersealError) else problem(500, "Internal Server Error")
        if response.status_code >= 500:  # noqa: PLR2004 - our fault: the log has the reason, the client the id
            log_failure(error, response.status_code, self.request_id)
        if not self.status:
            await response(scope, receive, self.send)
        return {"problem": error.code} if isinstance(error, CountersealError) else {}


def _routed(routes: list[Route]) -> ASGIApp:
    """Return what finds the route of a path; one that takes all paths of its face needs no finding."""
    (first, *others) = routes
    return first.app if first.path.endswith(EVERYTHING) and not others else Router(routes, redirect_slashes=False)


def _face(path: str) -> str:
    """Return what the first segment of a path says; ``.well-known`` is where standards put their faces (RFC 8615)."""
    segments = path.removeprefix("/").removeprefix(".well-known/").split("/", 1)
    return segments[0]


def _client(scope: Scope) -> str | None:
    client = scope.get("client")
    return client[0] if client else None
