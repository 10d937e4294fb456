"""Prove a site: try every row of the plan with real handshakes, and judge what was seen.

The only room that knows both what a row needs (a session made first, the prover as upstream) and how rows run beside
each other. Whatever the server does ends in a row that failed; only a fault of ours is raised.
"""

from __future__ import annotations

import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from counterseal.errors import FileError
from counterseal.handshake.attempt import attempt
from counterseal.handshake.backend import ProofBackend, sight_of
from counterseal.handshake.backend_rows import KINDS as BACKEND_KINDS
from counterseal.handshake.judge import judge, skip
from counterseal.handshake.plan import plan
from counterseal.handshake.rows import RowKind
from counterseal.handshake.stream_backend import open_stream_backends
from counterseal.handshake.upstream import ProofUpstream, forged_headers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from counterseal.handshake.observation import Attempt, Observation, ProbeIdentity
    from counterseal.handshake.rows import Row, RowResult
    from counterseal.handshake.site import Identities, SiteFacts

_WORKERS = 4  # handshakes release the interpreter's lock, and half of each is waiting for nginx


@dataclass(frozen=True, slots=True)
class Proof:
    """All rows of one site, judged; ``seconds`` is the time the whole proof took."""

    site: str
    rows: tuple[RowResult, ...]
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether every row that could be tried met its expectation."""
        return all(result.passed for result in self.rows)

    @property
    def failed(self) -> tuple[RowResult, ...]:
        """The rows that did not meet their expectation."""
        return tuple(result for result in self.rows if not result.passed)


def prove(facts: SiteFacts, identities: Identities, *, timeout: float = 5.0) -> Proof:
    """Try the site with every row that means something for it; ``timeout`` in seconds bounds each attempt.

    Raises KeyAccessError when an identity cannot be used; whatever the server does is a row.
    """
    return prove_rows(facts, plan(facts, identities, timeout=timeout), timeout=timeout)


def prove_rows(facts: SiteFacts, rows: Sequence[Row], *, timeout: float = 5.0) -> Proof:
    """Try these rows, a part of a plan or all of it."""
    started = time.monotonic()
    with ExitStack() as stack:
        parts = _Parts(_upstream(stack, facts, rows, timeout), _backends(stack, facts, rows, timeout))
        pool = stack.enter_context(ThreadPoolExecutor(_WORKERS, thread_name_prefix="probe"))
        results = tuple(pool.map(lambda row: _try(row, parts), rows))
    return Proof(facts.site, results, time.monotonic() - started)


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the prover plays besides the clients: each is listening, or the reason why it is not."""

    upstream: ProofUpstream | str
    backends: tuple[ProofBackend, ...] | str


def _upstream(stack: ExitStack, facts: SiteFacts, rows: Sequence[Row], timeout: float) -> ProofUpstream | str:
    wanted = any(row.kind is RowKind.FORGED_HEADERS and row.skipped is None for row in rows)
    if not wanted or facts.prove_socket is None:
        return "the site has no socket on which the prover is its upstream"
    try:
        return stack.enter_context(ProofUpstream(facts.prove_socket, timeout=timeout))
    except FileError as error:
        return error.message


def _backends(
    stack: ExitStack, facts: SiteFacts, rows: Sequence[Row], timeout: float
) -> tuple[ProofBackend, ...] | str:
    if facts.is_stream:
        return open_stream_backends(stack, facts, timeout)
    if facts.backend is None or all(row.backend is None for row in rows):
        return "the site has no TLS backend"
    anchors = facts.backend.client_anchors
    try:
        return (stack.enter_context(ProofBackend(facts.backend.socket, client_anchors=anchors, timeout=timeout)),)
    except FileError as error:
        return error.message


def _try(row: Row, parts: _Parts) -> RowResult:
    if row.attempt is None:
        return skip(row, row.skipped or "not tried")
    if row.expected.stapling is not None:
        from counterseal.handshake.staple_watch import watch_for_staple  # noqa: PLC0415 - path validation, for this alone

        return judge(row, watch_for_staple(row.attempt, row.expected.stapling))
    if row.kind is RowKind.FORGED_HEADERS:
        return _try_forging(row, row.attempt, parts.upstream)
    if row.backend is not None:
        return _try_backend(row, row.attempt, row.backend, parts.backends)
    return judge(row, _look(row.attempt, row.first))


def _try_backend(
    row: Row, what: Attempt, identity: ProbeIdentity, backends: tuple[ProofBackend, ...] | str
) -> RowResult:
    """Play the backend while the client knocks; where the row is about the backend, say what it saw."""
    if isinstance(backends, str):
        return skip(row, backends)
    with ExitStack() as stack:
        parts = [stack.enter_context(backend.playing(identity)) for backend in backends]
        seen = _look(what, row.first)
        if row.kind in BACKEND_KINDS or row.expected.reached is not None:
            seen = replace(seen, backend=sight_of(parts))
        return judge(row, seen)


def _look(what: Attempt, first: Attempt | None) -> Observation:
    """Make the attempt, and offer with it the session that ``first`` makes before."""
    return attempt(what if first is None else replace(what, session=attempt(first).session))


def _try_forging(row: Row, what: Attempt, upstream: ProofUpstream | str) -> RowResult:
    if isinstance(upstream, str):
        return skip(row, upstream)
    nonce = secrets.token_hex(8)
    seen = attempt(replace(what, headers=forged_headers(nonce)))
    return judge(row, replace(seen, leaked=upstream.leaked(nonce)))
