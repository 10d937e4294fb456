"""Why SMTP, IMAP or PostgreSQL refuses a client in its first words inside TLS, after a handshake that succeeded.

nginx's mail proxy speaks of certificates in the words of ``answers``. PostgreSQL names what pg_hba.conf wants (20.1
``clientcert``, 20.12 certificate authentication); its messages may be translated, its codes are not; they say
less, so an English message is read where there is one.
"""

from __future__ import annotations

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
_BY_ITS_RULES = Cause(
    "the server refuses this client by its own rules, of which the client certificate may be one",
    "read its words, and its log at the same second",
)


def diagnose_first_words(case: Situation) -> Diagnosis | None:
    """Return why the server refused in its first words, or None when it did not."""
    seen = case.seen
    if seen.decision != "refused":
        return None
    happened = f"the handshake succeeds, then the server answers: {printable(seen.reason_phrase)[:200]}"
    if seen.code is not None:
        return _by_nginx(case, happened)
    cause = _postgres(case, seen) if case.trace.starttls is StartTLS.POSTGRES else _BY_ITS_RULES
    return Diagnosis(happened, cause.cause, cause.fix)


def _by_nginx(case: Situation, happened: str) -> Diagnosis:
    found = replace(diagnose_certificate(case), happened=happened, code=None)
    if not case.presented and not case.withheld:
        return replace(found, cause=_NONE_SENT.cause, fix=_NONE_SENT.fix)
    silent = found.cause == SILENT_REFUSAL.cause
    return replace(found, cause=_SILENT.cause, fix=_SILENT.fix) if silent else found


def _postgres(case: Situation, seen: Observation) -> Cause:
    if "pg_hba.conf" in seen.reason_phrase:
        return _NO_LINE
    if case.presented:
        return _ANOTHER_USER
    return _NEEDS_ONE if case.story.request is not None else _NOT_ASKED
