"""The command line, with a clock around the parts of an ACME order: the processor time of the service's main thread.

usage: metered.py FILE WORD...    At SIGUSR2 the seconds so far, by part, are written to FILE as JSON.

A part that is done inside another one is taken off that one, so the parts and what is in none of them add up. The clock
costs a tenth of what it measures.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Coroutine
from functools import reduce
from importlib import import_module
from pathlib import Path
from threading import get_ident
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from counterseal.cli.run import run

if TYPE_CHECKING:
    from collections.abc import Callable

HTTP, ROUND, JWS, VERIFY = "HTTP and TLS", "id, counters, log", "JWS, read", "JWS, signatures"
ACME, SQL, JOBS = "ACME: requests and answers", "SQL statements", "jobs and reads in Python"
VALIDATION, CERTIFICATE, GROUPS = "validation of http-01", "certificate", "commits: begin, hand-over"
TOTAL = "total"

FUNCTIONS = {
    "counterseal.service.connection:Connection.data_received": HTTP,
    "counterseal.service.joined:Joined.write": HTTP,
    "counterseal.service.requests:log": ROUND,
    "counterseal.protocols.acme.validation.validator:log": ROUND,
    "counterseal.protocols.acme.endpoint:Endpoint._dress": ACME,
    "counterseal.protocols.acme.opening:read_envelope": JWS,
    "counterseal.protocols.acme.opening:check_nonce": JWS,
    "counterseal.protocols.acme.jwk:AccountKey.verifies": VERIFY,
    "counterseal.service.groups:Groups._attempt": JOBS,
    "counterseal.store.session:Session.run": SQL,
    "counterseal.store.session:Session.run_many": SQL,
    "counterseal.store.session:Session.row": SQL,
    "counterseal.store.session:Session.rows": SQL,
    "counterseal.protocols.acme.issuing:_read_csr": CERTIFICATE,
    "counterseal.authority.issue:decide": CERTIFICATE,
    "counterseal.authority.issue:assemble_end_entity": CERTIFICATE,
    "counterseal.authority.signing:check_draft": CERTIFICATE,
    "counterseal.authority.signing:Prepared.sign": CERTIFICATE,
    "counterseal.service.issuing:record": CERTIFICATE,
}
COROUTINES = {
    "counterseal.protocols.acme.endpoint:Endpoint._respond": ACME,
    "counterseal.service.access:Access.read": JOBS,
    "counterseal.service.groups:Groups._work": GROUPS,
    "counterseal.protocols.acme.validation.validator:Validator._work": VALIDATION,
}


class Clock:
    """The processor seconds of this thread, by part."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._inside: list[str] = []
        self._since = 0.0
        self._thread = get_ident()

    def enter(self, part: str) -> None:
        """Begin a part; the one around it rests."""
        self._lap()
        self._inside.append(part)

    def leave(self) -> None:
        """End it."""
        self._lap()
        self._inside.pop()

    def _lap(self) -> None:
        now = time.thread_time()
        if self._inside:
            part = self._inside[-1]
            self.seconds[part] = self.seconds.get(part, 0.0) + now - self._since
        self._since = now

    def around(self, function: Callable[..., Any], part: str) -> Callable[..., Any]:
        """Return the function with the clock around it, in this thread."""

        def timed(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - of any function
            if get_ident() != self._thread:
                return function(*arguments, **options)
            self.enter(part)
            try:
                return function(*arguments, **options)
            finally:
                self.leave()

        return timed

    def around_steps(self, function: Callable[..., Coroutine[Any, Any, Any]], part: str) -> Callable[..., Any]:
        """Return the coroutine function with the clock around each step that it takes between two waits."""

        async def timed(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - of any function
            return await _Steps(function(*arguments, **options), self, part)

        return timed

    def write(self, file: Path) -> None:
        """Write what was measured so far."""
        new = file.with_suffix(".new")
        new.write_text(json.dumps({**self.seconds, TOTAL: time.thread_time()}))
        new.replace(file)


class _Steps(Coroutine[Any, Any, Any]):
    """A coroutine that is awaited step by step."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], clock: Clock, part: str) -> None:
        self._coroutine, self._clock, self._part = coroutine, clock, part

    def __await__(self) -> Any:  # noqa: ANN401 - an iterator that takes values, too
        return self

    def __iter__(self) -> Any:  # noqa: ANN401 - same
        return self

    def __next__(self) -> Any:  # noqa: ANN401 - what is waited for
        return self.send(None)

    def send(self, value: Any) -> Any:  # noqa: ANN401 - same
        """Go on to the next wait."""
        self._clock.enter(self._part)
        try:
            return self._coroutine.send(value)
        finally:
            self._clock.leave()

    def throw(self, *error: Any) -> Any:  # noqa: ANN401 - same
        """Go on with what was raised."""
        return self._coroutine.throw(*error)

    def close(self) -> None:
        """Give it up."""
        self._coroutine.close()


def meter(clock: Clock) -> None:
    """Put the clock around all parts."""
    for parts, around in ((FUNCTIONS, clock.around), (COROUTINES, clock.around_steps)):
        for place, part in parts.items():
            module, _, attribute = place.partition(":")
            *owners, name = attribute.split(".")
            owner: Any = reduce(getattr, owners, import_module(module))
            setattr(owner, name, around(getattr(owner, name), part))
    requests: Any = import_module("counterseal.service.requests")
    cycle: Any = RequestResponseCycle
    answer = requests.Requests.__call__

    async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - the server looks at its form
        await _Steps(answer(self, scope, receive, send), clock, ROUND)

    requests.Requests.__call__ = call
    for name in ("run_asgi", "send"):
        setattr(cycle, name, clock.around_steps(getattr(cycle, name), HTTP))


if __name__ == "__main__":
    measured = Clock()
    meter(measured)
    signal.signal(signal.SIGUSR2, lambda *_: measured.write(Path(sys.argv[1])))
    sys.exit(run(sys.argv[2:]))
