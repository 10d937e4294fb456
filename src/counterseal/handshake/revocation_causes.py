"""Why a revocation is not in force although nginx was reloaded: the causes to which the table of outcomes points."""

from __future__ import annotations

from counterseal.handshake.symptoms import Cause

SESSIONS_SURVIVE = Cause(
    "TLS sessions outlive the reload, by a shared ssl_session_cache or an ssl_session_ticket_key file, and a resumed "
    "session is never checked again",
    "set ssl_session_tickets off and ssl_session_cache off at http level, or name the cache zone after the generation",
)
CRL_NOT_IN_FORCE = Cause(
    "the revocation is not in force: the CRL forgets the entry, was not loaded or not reloaded (since 1.27.2 also when "
    "it is rewritten in place within one second), is hidden by a second CRL of the same CA, or ssl_crl is missing",
    "publish one full CRL per CA, install it as a new file by rename, and reload",
)
BY_MAP_ALONE = Cause(
    "the revocation is not in force in the handshake, only in the map behind it: the CRL forgets the entry, was not "
    "loaded or not reloaded; or nginx does not ask (ssl_ocsp is off), or the responder says good",
    "deploy again; where ssl_ocsp is on, ask the responder about the certificate (openssl ocsp), which must know what "
    "this CA has revoked",
)
CA_STILL_ADMITTED = Cause(
    "the CA was revoked and is still admitted: it stands in ssl_client_certificate, or among the issuers that are "
    "pinned, and no list of the CA above it is in force",
    "deploy again; elsewhere take it out of ssl_client_certificate, and name the list of the CA above it in ssl_crl",
)
