"""Why a row failed: the look-up in the tables of causes.

A wrong outcome is read in three steps: OpenSSL's verdict on the server's certificate, then the table of outcomes, then
nginx's verify message for a client that should have been let in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.handshake.authorities import Listed, listed
from counterseal.handshake.outcomes import SYMPTOMS
from counterseal.handshake.rows import RowKind
from counterseal.handshake.server_reasons import OTHER_SERVER_FAULT, SERVER_REASONS
from counterseal.handshake.symptoms import Cause, Fault
from counterseal.handshake.verdict import Verdict, verdict
from counterseal.handshake.verify_reasons import verify_reason

if TYPE_CHECKING:
    from counterseal.handshake.observation import Observation
    from counterseal.handshake.rows import Row

_NO_PATH = frozenset({2, 3, 18, 19, 20, 21})  # OpenSSL's ways to say that the chain leads nowhere
_BY_LIST: dict[Listed | None, Cause] = {
    Listed.NONE: Cause(
        "ssl_client_certificate holds none of the CAs above the client's certificate: another CA's file is there",
        "put the client CA's root and issuing CAs into ssl_client_certificate",
    ),
    Listed.ISSUER_ONLY: Cause(
        "ssl_client_certificate holds an issuing CA without its root, and nginx follows every chain up to a root",
        "put the self-signed root into the file beside the issuing CAs",
    ),
}
_SILENT_REFUSAL = Cause(
    "nginx refused the certificate and its page does not say why",
    "set error_log to level info, or write $ssl_client_verify into the access log, and try again",
)
_UNKNOWN_REASON = Cause(
    "OpenSSL refused the certificate", "read the reason that nginx gives, and inspect the certificate"
)


def find_cause(row: Row, fault: Fault, seen: Observation) -> Cause | None:
    """Return the likely cause of the row's wrong outcome, or None when the table does not know it."""
    if fault is Fault.SERVER_VERIFY:
        return SERVER_REASONS.get(seen.server_verify[0] if seen.server_verify else 0, OTHER_SERVER_FAULT)
    ended = verdict(seen)
    for symptom in SYMPTOMS:
        if symptom.matches(row, fault, ended, seen):
            return symptom.points_to
    return _refusal(row, seen) if ended is Verdict.REFUSED else None


def _refusal(row: Row, seen: Observation) -> Cause:
    reason = verify_reason(seen.verify)
    identity = row.attempt.identity if row.attempt and row.kind is not RowKind.GOOD_WITHOUT_CHAIN else None
    if identity is not None and reason is not None and reason.code in _NO_PATH:
        named = _BY_LIST.get(listed(identity.certificate_chain, seen.authorities))
        if named is not None:
            return named
    if reason is not None:
        return Cause(reason.cause, reason.fix)
    return _SILENT_REFUSAL if seen.verify in {None, "FAILED"} else _UNKNOWN_REASON
