"""The rows about a site's TLS backends: the prover plays the right one, and every wrong one, and looks what arrives."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from counterseal.handshake.observation import UPSTREAM_PATHS
from counterseal.handshake.rows import Expectation, RowKind
from counterseal.handshake.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from counterseal.handshake.observation import Attempt
    from counterseal.handshake.rows import Row
    from counterseal.handshake.site import BackendFacts, Backends

KINDS = frozenset(kind for kind in RowKind if kind.value.startswith("backend-"))
_GOOD = Expectation("the backend's answer", frozenset({Verdict.ADMITTED}), status=200, reached=True)
_IMPOSTOR = Expectation("502, and no request leaves nginx", frozenset({Verdict.ADMITTED}), status=502, reached=False)
_STREAM_GOOD = Expectation(
    "the backend's answer", frozenset({Verdict.ADMITTED, Verdict.FORBIDDEN}), own_page=True, reached=True
)
_STREAM_IMPOSTOR = Expectation(
    "closed, and nothing leaves nginx", frozenset({Verdict.UNANSWERED}), reached=False, closed=True
)


def expected_of_backend(kind: RowKind, backend: BackendFacts | None, *, is_stream: bool) -> Expectation:
    """Return what must be seen when the prover plays this backend."""
    if kind is RowKind.BACKEND_SEES:
        serial = None if backend is None else backend.client_serial
        return Expectation("the one that it should", frozenset(Verdict), client_serial=serial)
    if kind is RowKind.BACKEND_GOOD:
        return _STREAM_GOOD if is_stream else _GOOD
    return _STREAM_IMPOSTOR if is_stream else _IMPOSTOR


def backend_rows(
    backend: BackendFacts, parts: Backends, attempt: Attempt | None, blank: Callable[[RowKind], Row]
) -> Iterator[Row]:
    """Yield the rows of every path to a backend; ``attempt`` is that of a client whom the site admits."""
    played = {
        RowKind.BACKEND_GOOD: parts.good,
        RowKind.BACKEND_FOREIGN: parts.foreign,
        RowKind.BACKEND_FORGED: parts.forged,
        RowKind.BACKEND_EXPIRED: parts.expired,
        RowKind.BACKEND_NAME: parts.other_name,
        RowKind.BACKEND_PURPOSE: parts.client_purpose,
        RowKind.BACKEND_REVOKED: parts.revoked,
    }
    if backend.client_serial is not None:
        played[RowKind.BACKEND_SEES] = parts.good or parts.foreign
    for path in backend.paths:
        for kind, identity in played.items():
            row = blank(kind)
            row = replace(row, title=f"{row.title}, by gRPC") if path == UPSTREAM_PATHS["grpc"] else row
            if attempt is None or identity is None:
                yield replace(row, skipped=_missing(backend, attempt))
            else:
                yield replace(row, attempt=replace(attempt, path=path), backend=identity)


def _missing(backend: BackendFacts, attempt: Attempt | None) -> str:
    if attempt is None:
        return "no client at hand whom the site admits"
    return "no such certificate at hand" if backend.is_ours else "the CA of the backend is not ours, or is revoked"
