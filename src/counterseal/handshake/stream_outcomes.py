"""What a wrong outcome at a stream site points to."""

from __future__ import annotations

from counterseal.handshake.rows import RowKind
from counterseal.handshake.symptoms import Cause, Fault, Symptom
from counterseal.handshake.verdict import Verdict

_LET_IN = frozenset({Verdict.ADMITTED, Verdict.FORBIDDEN})
_REVOKED = frozenset({RowKind.REVOKED, RowKind.RESUMED_AFTER_REVOCATION})

STREAM_SYMPTOMS = (
    Symptom(
        Cause(
            "TLS sessions are on, by ssl_session_cache or ssl_session_tickets, and a resumed one is not checked again",
            "set ssl_session_tickets off and ssl_session_cache off in the server block of the stream",
        ),
        fault=Fault.RESUMED,
        is_stream=True,
    ),
    Symptom(
        Cause(
            "the revocation is not in force: the CRL or the map forgets the entry, or was not loaded or not reloaded",
            "publish one full CRL per CA, and deploy",
        ),
        kinds=_REVOKED,
        verdicts=_LET_IN,
        is_stream=True,
    ),
    Symptom(
        Cause(
            "the stream server lets in whoever connects: listen lacks ssl, ssl_verify_client is off, or it is optional "
            "and nothing decides by $ssl_client_verify where proxy_pass leads",
            "write listen ADDRESS ssl and ssl_verify_client on, and let a map decide where proxy_pass leads",
        ),
        verdicts=_LET_IN,
        is_stream=True,
    ),
    Symptom(
        Cause(
            "nginx ends the connection of a good client: ssl_verify_client is off, so that the map takes nobody, the "
            "CA file lacks a root or an issuing CA, ssl_verify_depth is too small, a CRL is expired or missing, or the "
            "map does not name its issuer; or its workers may not pass through to the prover's socket",
            "read nginx's error.log at level info, and decision= in its access.log, mend that, and deploy",
        ),
        kinds=frozenset({RowKind.GOOD, RowKind.GOOD_WITHOUT_CHAIN, RowKind.RESUMPTION}),
        is_stream=True,
    ),
)
