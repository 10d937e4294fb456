"""Why a row failed: the look-up in the tables of causes.

A wrong outcome is read in three steps: OpenSSL's verdict on the server's certificate, then the table of outcomes, then
nginx's verify message for a client that should have been let in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.handshake.authorities import listed
from counterseal.handshake.outcomes import SYMPTOMS
from counterseal.handshake.peer_causes import BY_LIST, NO_PATH, SILENT_REFUSAL
from counterseal.handshake.rows import RowKind
from counterseal.handshake.server_reasons import OTHER_SERVER_FAULT, SERVER_REASONS
from counterseal.handshake.symptoms import Cause, Fault
from counterseal.handshake.verdict import Verdict, verdict
from counterseal.handshake.verify_reasons import verify_reason

if TYPE_CHECKING:
    from counterseal.handshake.observation import Observation
    from counterseal.handshake.rows import Row

_UNKNOWN_REASON = Cause(
    "OpenSSL refused the certificate", "read the reason that nginx gives, and inspect the certificate"
)
PROBE_ENDED = Cause(
    "the probe that the generation in force carries for its own proof has ended, and nginx is right to refuse it: "
    "clients are served as before, but nothing was deployed for as long as a probe lives",
    "counterseal refresh",
)
_EXPIRED = 10  # X509_V_ERR_CERT_HAS_EXPIRED
_NOT_LET_IN = frozenset({Verdict.REFUSED, Verdict.FORBIDDEN, Verdict.ALERT, Verdict.UNANSWERED})


def find_cause(row: Row, fault: Fault, seen: Observation) -> Cause | None:
    """Return the likely cause of the row's wrong outcome, or None when the table does not know it."""
    if fault is Fault.SERVER_VERIFY:
        return SERVER_REASONS.get(seen.server_verify[0] if seen.server_verify else 0, OTHER_SERVER_FAULT)
    ended = verdict(seen)
    if _has_probe_ended(row, seen) and ended in _NOT_LET_IN:
        return PROBE_ENDED
    for symptom in SYMPTOMS:
        if symptom.matches(row, fault, ended, seen):
            return symptom.points_to
    return _refusal(row, seen) if ended is Verdict.REFUSED else None


def _has_probe_ended(row: Row, seen: Observation) -> bool:
    """Whether a probe was refused that was good when its generation was made, and nginx says nothing else of it."""
    identity, reason = row.attempt.identity if row.attempt else None, verify_reason(seen.verify)
    return identity is not None and identity.has_ended and (reason is None or reason.code == _EXPIRED)


def _refusal(row: Row, seen: Observation) -> Cause:
    reason = verify_reason(seen.verify)
    identity = row.attempt.identity if row.attempt and row.kind is not RowKind.GOOD_WITHOUT_CHAIN else None
    if identity is not None and reason is not None and reason.code in NO_PATH:
        named = BY_LIST.get(listed(identity.certificate_chain, seen.authorities))
        if named is not None:
            return named
    if reason is not None:
        return Cause(reason.cause, reason.fix)
    return SILENT_REFUSAL if seen.verify in {None, "FAILED"} else _UNKNOWN_REASON
