"""``/healthz``: this process runs. ``/readyz``: it can do all of its work (RFC 9457 if not).

A supervisor restarts what is not alive, which mends no database; a load balancer passes by what is not ready. With a
standby the work is to answer for lists, OCSP and CA certificates. Otherwise being ready takes a write, so the answer is
kept for a few seconds: who asks often costs nothing.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse
from starlette.routing import Route

from counterseal.authority.readiness import find_unready
from counterseal.errors import CountersealError
from counterseal.findings import Finding, Severity
from counterseal.moments import show_moment
from counterseal.service.parts import Face, Service
from counterseal.service.probe import ANSWER_SECONDS, Probe
from counterseal.service.problems import problem

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from starlette.requests import Request
    from starlette.responses import Response

    Ends = Callable[[], datetime]

KEPT_SECONDS = 5.0
_MOVED = "ready.store_moved"
_NOT_KEPT = {"Cache-Control": "no-store"}


def health_face(service: Service, own_certificate_ends: Ends | None = None) -> Face:
    """Return the face for load balancers and supervisors; the end of the own certificate where there is one."""
    readiness = Readiness(service, own_certificate_ends)

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok"}, headers=_NOT_KEPT)

    async def readyz(_: Request) -> Response:
        faults = await readiness.faults()
        if not faults:
            return JSONResponse({"status": "ready"} | _told(service), headers=_NOT_KEPT)
        shown = [
            {"code": one.code, "what": one.where, "message": one.message} | ({"hint": one.hint} if one.hint else {})
            for one in faults
        ]
        detail = "; ".join(f"{one.where}: {one.message}" for one in faults)
        return problem(503, "Not ready", headers=_NOT_KEPT, detail=detail, faults=shown)

    return Face([Route("/healthz", healthz, methods=["GET"]), Route("/readyz", readyz, methods=["GET"])])


class Readiness:
    """What keeps this process from its work, looked at every few seconds at most."""

    def __init__(self, service: Service, own_certificate_ends: Ends | None) -> None:
        self._service = service
        self._own_ends = own_certificate_ends
        self._looking = asyncio.Lock()
        self._store = Probe(self._look_at_store)
        self._authority = Probe(self._look_at_authority)
        self._seen: tuple[float, tuple[Finding, ...]] | None = None

    async def faults(self) -> tuple[Finding, ...]:
        """Return every fault; of many who ask at once one looks."""
        async with self._looking:
            now = asyncio.get_running_loop().time()
            if self._seen is None or now - self._seen[0] > KEPT_SECONDS:
                self._seen = (asyncio.get_running_loop().time(), await self._look())
            return self._seen[1]

    async def _look(self) -> tuple[Finding, ...]:
        of_store = await self._store.answer()
        if of_store == ():
            of_authority = await self._authority.answer()
            return (*(_SLOW if of_authority is None else of_authority), *self._own_certificate())
        if of_store is None:
            of_store = _SLOW
        if any(one.code == _MOVED for one in of_store):
            return of_store  # of what it held nothing counts any more
        return (*of_store, *self._own_certificate())

    async def _look_at_store(self) -> tuple[Finding, ...]:
        access = self._service.access
        try:
            if access.reads_only:
                await access.read(lambda authority: authority.store.cas())
            else:
                await access.write(lambda authority: authority.store.touch())
        except CountersealError as error:
            if error.code == "store.moved":
                return (_fault(_MOVED, "store", "it was moved to another place", error.hint),)
            if access.reads_only:
                return (_unreadable(error),)
            return (_fault("ready.store_refuses", "store", f"a write failed: {error.code}", error.hint),)
        return ()

    async def _look_at_authority(self) -> tuple[Finding, ...]:
        try:
            return await self._service.access.apart(partial(find_unready, signs=not self._service.access.reads_only))
        except CountersealError as error:
            return (_unreadable(error),)

    def _own_certificate(self) -> tuple[Finding, ...]:
        if self._own_ends is None or (ends := self._own_ends()) > self._service.clock():
            return ()
        told = f"the service's own certificate ended {show_moment(ends)}"
        return (_fault("ready.own_certificate_ended", "own certificate", told, "the log says why none was issued"),)


def _told(service: Service) -> dict[str, str]:
    """Say what makes work slow and does not keep from it, and how little that is with a standby."""
    if service.access.reads_only:
        return {"store": "a standby: lists, OCSP and CA certificates only"}
    return {"store": "asked each time: its announcements do not arrive"} if service.access.asks_each_time else {}


def _unreadable(error: CountersealError) -> Finding:
    return _fault("ready.store_unreadable", "store", f"a read failed: {error.code}", error.hint)


def _fault(code: str, what: str, message: str, hint: str | None) -> Finding:
    return Finding(code, Severity.CRITICAL, message, where=what, hint=hint)


_SLOW = (_fault("ready.store_slow", "store", f"it did not answer within {ANSWER_SECONDS:g} s", None),)
