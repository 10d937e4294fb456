"""What each kind of client must meet at a stream site, as the site was meant.

There is no page and no status: nginx finishes the handshake with everybody, and then ends the connection of whoever it
refuses. Whoever it admits reaches the backend, which the prover plays and where it answers in HTTP. Behind an allow
list a probe that is sound otherwise reaches another socket of the prover, so that its refusal tells which it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.handshake.rows import Expectation, RowKind
from counterseal.handshake.verdict import Verdict

if TYPE_CHECKING:
    from counterseal.handshake.site import SiteFacts

_CLOSED = frozenset({Verdict.UNANSWERED})
_REFUSED = "closed after the handshake"
_ADMITTING = frozenset({RowKind.GOOD, RowKind.GOOD_WITHOUT_CHAIN, RowKind.RESUMPTION})


def expected_at_stream(kind: RowKind, facts: SiteFacts) -> Expectation:
    """Return what a client of this kind must meet."""
    if kind in _ADMITTING:
        return _admitted(facts, resumed=False if kind is RowKind.RESUMPTION else None)
    if kind is RowKind.SERVER:
        text = "trusted: chain, name, dates, purpose"
        return Expectation(text, _CLOSED, closed=True, serial=facts.server_certificate_serial)
    if kind is RowKind.TLS_VERSION:
        return Expectation("handshake refused", frozenset({Verdict.ALERT, Verdict.UNANSWERED}))
    if kind is RowKind.PLAIN_ON_TLS_PORT:
        return Expectation("closed", _CLOSED, closed=True)
    return Expectation(_REFUSED, _CLOSED, closed=True, asked=True if kind is RowKind.NO_CERTIFICATE else None)


def _admitted(facts: SiteFacts, *, resumed: bool | None) -> Expectation:
    if facts.backend is not None and not facts.backend.is_ours:  # nobody can play the right one, but nginx must knock
        text = "led to the backend, here an impostor"
        return Expectation(text, _CLOSED, closed=True, reached=False, resumed=resumed)
    text = "verified, then refused: not on the allow list" if facts.has_allow else "reaches the backend"
    return Expectation(
        text if resumed is None else f"{text}, by a full handshake",
        frozenset({Verdict.FORBIDDEN if facts.has_allow else Verdict.ADMITTED}),
        generation=facts.generation,
        own_page=True,
        asked=True if resumed is None else None,
        resumed=resumed,
    )
