"""The prover as the backend of a stream site: whom nginx admits reaches it, and it answers in HTTP who they were.

It listens on a socket that is named after the generation, so that an answer tells which generation let the client in;
and on another, to which an allow list leads a probe that is sound in everything else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.handshake.backend import ProofBackend
from counterseal.handshake.upstream import ProofUpstream

if TYPE_CHECKING:
    from contextlib import ExitStack

    from counterseal.handshake.site import SiteFacts


def open_stream_backends(stack: ExitStack, facts: SiteFacts, timeout: float) -> tuple[ProofBackend, ...]:
    """Listen while ``stack`` is entered; returns those that have to play a part, because nginx speaks TLS to them.

    Raises FileError when a socket cannot be made or another proof listens there.
    """
    places = ((facts.prove_socket, True), (facts.refused_socket, False))
    playing = []
    for path, is_listed in places:
        if path is None:
            continue
        answer = _answer(facts, is_listed=is_listed)
        if facts.backend is None:
            stack.enter_context(ProofUpstream(path, answer=answer, timeout=timeout))
        else:
            anchors = facts.backend.client_anchors
            backend = ProofBackend(path, client_anchors=anchors, answer=answer, timeout=timeout)
            playing.append(stack.enter_context(backend))
    return tuple(playing)


def _answer(facts: SiteFacts, *, is_listed: bool) -> bytes:
    decision, status = ("admitted", "200 OK") if is_listed else ("refused", "403 Forbidden")
    line = f"counterseal: generation={facts.generation} site={facts.site} decision={decision} code={status[:3]}\n"
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {len(line)}\r\nConnection: close\r\n\r\n"
    return (head + line).encode()
