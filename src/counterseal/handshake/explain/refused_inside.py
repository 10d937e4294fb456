"""Why mail or PostgreSQL refuses a client in its first words inside TLS, after a handshake that succeeded.

nginx's mail proxy speaks of certificates in the words of ``answers``. PostgreSQL names what pg_hba.conf wants (20.1
``clientcert``, 20.12 certificate authentication); its messages may be translated, its codes are not; they say
less, so an English message is read where there is one.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from counterseal.handshake.explain.answers import diagnose_certificate
from counterseal.handshake.explain.situation import Diagnosis, Situation
from counterseal.handshake.peer_causes import SILENT_REFUSAL
from counterseal.handshake.symptoms import Cause
from counterseal.handshake.trace.dial import StartTLS
from counterseal.pki.shown import printable

if TYPE_CHECKING:
    from counterseal.handshake.observation import Observation

_NONE_SENT = Cause(
    "ssl_verify_client is on in nginx's mail block, and the client sent no certificate",
    "come with a certificate of one of the accepted CAs: --name, --cert and --key, or --p12; give the mail program one",
)
_SILENT = Cause(
    "nginx refused the certificate and its answer does not say why: what is left is in its files, such as a CRL",
    "set error_log to level info, and try again",
)
_NEEDS_ONE = Cause(
    "the line of pg_hba.conf that fits this connection wants a client certificate (clientcert, or the method cert)",
    "come with a certificate of a CA in ssl_ca_file: --name, --cert and --key, or --p12 (psql: sslcert and sslkey)",
)
_NOT_ASKED = Cause(
    "the line of pg_hba.conf that fits this connection wants a client certificate, and the server asks for none: "
    "ssl_ca_file is not set",
    "set ssl_ca_file in postgresql.conf to the CAs of the clients, and reload",
)
_ANOTHER_USER = Cause(
    "the certificate is taken, and what pg_hba.conf wants beside it is not met: with clientcert=verify-full or the "
    "method cert the user is the certificate's common name, as which this client asks, or one to whom a map leads",
    "compare the common name with the map that the line names (pg_ident.conf), or issue the certificate to the role's "
    "name",
)
_NO_LINE = Cause(
    "no line of pg_hba.conf lets this user, database and address in over TLS",
    "add a hostssl line for them; this client asks for the database of the user's name",
)
_TLS_ENDED = Cause(
    "something in front of PostgreSQL ends TLS and goes on in the clear: the server sees no encryption, nor the "
    "client's certificate",
    "let it pass TLS through, or speak TLS to the server with a certificate of its own (PgBouncer: server_tls_sslmode, "
    "server_tls_cert_file)",
)
_ANOTHER_ERROR = Cause(
    "the server ends the connection by an error that is not about the client's certificate",
    "read its words, and its log at the same second",
)
_BY_STATE = {
    "28P01": Cause(
        "it is a password that is wrong or missing, not the certificate: pg_hba.conf, or a pooler, wants one, too",
        "try with a program that sends one (psql); or use the method cert in pg_hba.conf, which wants none",
    ),
    "08P01": Cause(
        "a pooler such as PgBouncer says so of a user or database that it does not know, and of a certificate that "
        "does not name the user",
        "compare its words with its configuration: auth_file, [databases], client_tls_sslmode, auth_type",
    ),
    "53300": Cause(
        "all connections of the server are taken, and it has not looked at this client yet",
        "try again; or raise max_connections, or put a pooler in front",
    ),
    "57P03": Cause(
        "the server is starting, stopping or recovering, and has not looked at this client yet",
        "wait until pg_isready says that it accepts connections, and try again",
    ),
}
"""By PostgreSQL's states, appendix A."""
_STATE = re.compile(r"ErrorResponse \w* (\w{5}): ")
_BY_ITS_RULES = Cause(
    "the server refuses this client by its own rules, of which the client certificate may be one",
    "read its words, and its log at the same second",
)


def diagnose_first_words(case: Situation) -> Diagnosis | None:
    """Return why the server refused in its first words, or None when it did not."""
    seen = case.seen
    state = _STATE.match(seen.reason_phrase) if case.trace.starttls is StartTLS.POSTGRES else None
    if seen.decision != "refused" and (state is None or seen.decision == "admitted"):
        return None
    happened = f"the handshake succeeds, then the server answers: {printable(seen.reason_phrase)[:200]}"
    if seen.code is not None:
        return _by_nginx(case, happened)
    cause = _BY_ITS_RULES
    if case.trace.starttls is StartTLS.POSTGRES:
        cause = _postgres(case, seen, state[1] if state else "")
    return Diagnosis(happened, cause.cause, cause.fix)


def _by_nginx(case: Situation, happened: str) -> Diagnosis:
    found = replace(diagnose_certificate(case), happened=happened, code=None)
    if not case.presented and not case.withheld:
        return replace(found, cause=_NONE_SENT.cause, fix=_NONE_SENT.fix)
    silent = found.cause == SILENT_REFUSAL.cause
    return replace(found, cause=_SILENT.cause, fix=_SILENT.fix) if silent else found


def _postgres(case: Situation, seen: Observation, state: str) -> Cause:
    if state in _BY_STATE or seen.decision is None:
        return _BY_STATE.get(state, _ANOTHER_ERROR)
    if seen.reason_phrase.endswith(("no encryption", "SSL off")):  # from version 14 on, and before
        return _TLS_ENDED
    if "pg_hba.conf" in seen.reason_phrase:
        return _NO_LINE
    if case.presented:
        return _ANOTHER_USER
    return _NEEDS_ONE if case.story.request is not None else _NOT_ASKED
