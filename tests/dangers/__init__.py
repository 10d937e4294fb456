"""What the rules of the linter warn of, as tables: who comes, and what nginx answers on a bad case and on a good one.

``SHOWN_ELSEWHERE`` names the rules whose danger takes more than an answer, and the module of ``tests/integration`` that
shows it; ``NOT_SHOWN`` those whose danger no running nginx can show, and why.
"""

from __future__ import annotations

from dangers import conditions, identity, servers, trust, upstreams

DANGERS = (
    *trust.DANGERS,
    *conditions.DANGERS,
    *identity.DANGERS,
    *servers.DANGERS,
    *upstreams.DANGERS,
)
OF_MODULES = (*conditions.OF_MODULES, *identity.OF_MODULES)
SHOWN_ELSEWHERE = {
    "file-malformed": "test_refused.py",
    "file-missing": "test_refused.py",
    "mtls-ca-file-contains-key": "test_told.py",
    "mtls-ca-file-contains-leaf": "test_told.py",
    "mtls-cross-vhost-resumption": "test_resumption.py",
    "mtls-early-data": "test_told.py",
    "mtls-many-client-cas": "test_told.py",
    "mtls-ocsp-without-resolver": "test_told.py",
    "mtls-session-cache-survives-revocation": "test_resumption.py",
    "mtls-static-ticket-key": "test_resumption.py",
    "mtls-streams-survive-revocation": "test_resumption.py",
    "mtls-tickets-enabled": "test_resumption.py",
    "mtls-verify-errors-invisible": "test_told.py",
    "tls-key-mismatch": "test_refused.py",
    "tls-legacy-protocols": "test_told.py",
    "tls-must-staple-off": "test_told.py",
    "up-connection-of-another-certificate": "test_upstreams.py",
    "up-crl-delta": "test_upstreams.py",
    "up-plain-http": "test_told.py",
    "up-session-of-another-certificate": "test_upstreams.py",
}
_COMMENT = "tells what a comment does to the linter, and nothing about nginx, which reads over it"
NOT_SHOWN = {
    "file-unreadable": "tells what the linter could not look at, and nothing about nginx",
    "ignore-unknown-code": _COMMENT,
    "ignore-unused": _COMMENT,
    "ignore-without-reason": _COMMENT,
    "mtls-crl-large": "costs time and refuses nobody; a time is measured in benchmarks/crl.py, not held by a test",
    "tls-key-world-readable": "nginx serves the same with either mode; who else reads the file is no matter of nginx",
}
