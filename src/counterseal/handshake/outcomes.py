"""The table of wrong outcomes and what each points to, most telling first.

Each entry is a way of being broken that passes ``nginx -t``; the fix is what an administrator does about it. The first
entry that matches is taken, so the special stand before the general.
"""

from __future__ import annotations

from counterseal.handshake.backend_outcomes import BACKEND_SYMPTOMS
from counterseal.handshake.observation import CONNECTING
from counterseal.handshake.peer_causes import (
    CERTIFICATE_LOST,
    KEY_NOT_LOADED,
    NAME_NOT_SERVED,
    NAME_REJECTED,
    NO_ADDRESS,
    NO_ANSWER,
    NO_ROUTE,
    NOTHING_LISTENS,
    PLAIN,
    VERIFIED_YET_REFUSED,
    VERSION_NOT_OFFERED,
)
from counterseal.handshake.revocation_causes import (
    BY_MAP_ALONE,
    CA_STILL_ADMITTED,
    CRL_NOT_IN_FORCE,
    SESSIONS_SURVIVE,
)
from counterseal.handshake.rows import RowKind
from counterseal.handshake.staple_outcomes import STAPLE_SYMPTOMS
from counterseal.handshake.stream_outcomes import STREAM_SYMPTOMS
from counterseal.handshake.symptoms import Cause, Fault, Symptom
from counterseal.handshake.verdict import Verdict

_LET_IN = frozenset({Verdict.ADMITTED, Verdict.REDIRECTED})
_WITH_GOOD = frozenset(
    {
        RowKind.GOOD,
        RowKind.GOOD_WITHOUT_CHAIN,
        RowKind.RESUMPTION,
        RowKind.PROTECTED_GOOD,
        RowKind.CROSS_SITE_RESUMPTION,
        RowKind.FORGED_HEADERS,
    }
)
_BAD = frozenset({RowKind.EXPIRED, RowKind.FOREIGN, RowKind.SERVER_PURPOSE})
_WRONG_NAME = frozenset({RowKind.NO_SNI, RowKind.UNKNOWN_SNI})
_REVOKED = frozenset({RowKind.REVOKED, RowKind.RESUMED_AFTER_REVOCATION})
_VERIFYING = frozenset({"optional", "required"})

_NOT_VERIFIED = Cause(
    "the server block that answered does not verify clients: ssl_verify_client is off or missing there "
    "(ssl_client_certificate, ssl_crl and ssl_ocsp alone do nothing), or another block with the same server_name, or "
    "on this address only, comes first (nginx -t only warns: conflicting server name)",
    "set ssl_verify_client in the block, keep one block per server_name, and give it every address that the name is "
    "served on",
)
_PAGE_FORWARDS = Cause(
    "error_page 495 or 496 leads to the application, and its answer replaces the refusal",
    "let error_page 495 496 end in a static page with a status of 400 or 403",
)
SYMPTOMS = (
    *BACKEND_SYMPTOMS,
    *STAPLE_SYMPTOMS,
    *STREAM_SYMPTOMS,
    Symptom(PLAIN, error="wrong_version_number"),
    Symptom(PLAIN, error="record_layer_failure"),
    Symptom(
        NOTHING_LISTENS,
        error="connection refused",
    ),
    Symptom(NO_ADDRESS, error="cannot resolve "),
    Symptom(NO_ROUTE, error=f"{CONNECTING}: "),
    Symptom(
        NO_ANSWER,
        error="no end within",
    ),
    Symptom(PLAIN, kinds=frozenset({RowKind.PLAIN_ON_TLS_PORT})),
    Symptom(
        KEY_NOT_LOADED,
        alert="internal_error",
    ),
    Symptom(
        Cause(
            "the default server completes handshakes: ssl_reject_handshake is missing there, so its CA and CRL decide "
            "and the Host header then picks the site",
            "give every TLS address a default_server with ssl_reject_handshake on",
        ),
        kinds=_WRONG_NAME,
    ),
    Symptom(
        NAME_NOT_SERVED,
        verdicts=frozenset({Verdict.MISDIRECTED}),
    ),
    Symptom(
        NAME_REJECTED,
        alert="unrecognized_name",
    ),
    Symptom(
        VERSION_NOT_OFFERED,
        alert="protocol_version",
    ),
    Symptom(
        Cause(
            "something in front of nginx ends the TLS connection: nginx itself never refuses a client by an alert",
            "pass the TLS connection through to nginx, or verify clients where it ends",
        ),
        fault=Fault.VERDICT,
        verdicts=frozenset({Verdict.ALERT}),
    ),
    Symptom(
        Cause(
            "the default server's ssl_protocols, not the site's, count before nginx 1.29.2",
            "write the stricter ssl_protocols at http level or in the default server",
        ),
        kinds=frozenset({RowKind.TLS_VERSION}),
    ),
    Symptom(
        Cause(
            "an old worker, or a reload that failed in the master, still serves another generation",
            "read nginx's error log for an emerg line, and reload again",
        ),
        fault=Fault.GENERATION,
    ),
    Symptom(
        Cause(
            "nginx serves another server certificate than was deployed: it was not reloaded, or another block answers",
            "reload nginx, and look for another server block of the name",
        ),
        fault=Fault.SERIAL,
    ),
    Symptom(
        Cause(
            "a client's own identity headers reach the application: a proxy_set_header in the location drops all "
            "inherited ones, a header is not set at all, or underscores_in_headers is on",
            "include the whole set of identity headers in every location that proxies, empty ones too",
        ),
        fault=Fault.LEAKED,
    ),
    Symptom(SESSIONS_SURVIVE, kinds=_REVOKED, resumed=True),
    Symptom(
        Cause(
            "sessions of another site on this address are taken up: both share certificate and CA names, so nginx "
            "1.29.2 and later, and before 1.27.4, cannot tell them apart",
            "set ssl_session_tickets off and ssl_session_cache off at http level",
        ),
        kinds=frozenset({RowKind.CROSS_SITE_RESUMPTION, RowKind.RIVAL_RESUMPTION}),
        resumed=True,
    ),
    Symptom(
        Cause(
            "TLS sessions are on: session tickets (nginx's default), a session cache, or an ssl_session_ticket_key "
            "file; a resumed session skips CRL, expiry, depth and CA",
            "set ssl_session_tickets off and ssl_session_cache off at http level",
        ),
        fault=Fault.RESUMED,
    ),
    Symptom(
        Cause(
            "ssl_early_data is on: a request that is copied from the wire can be sent again, in the name of the client "
            "(RFC 8446 8)",
            "remove ssl_early_data, also from the default server and the http block; what needs it must answer 425 "
            "where $ssl_early_data is 1 (RFC 8470)",
        ),
        fault=Fault.EARLY_DATA,
    ),
    Symptom(
        Cause(
            "the site asks for client certificates although it should not: ssl_verify_client is inherited",
            "set ssl_verify_client off in the server block",
        ),
        modes=frozenset({"none"}),
        fault=Fault.ASKED,
    ),
    Symptom(_NOT_VERIFIED, modes=_VERIFYING, asked=False),
    Symptom(
        Cause(
            "ssl_verify_client is optional (or optional_no_ca), and nothing checks $ssl_client_verify at server level",
            "set ssl_verify_client on, or refuse by if ($ssl_client_verify != SUCCESS) at server level",
        ),
        kinds=frozenset({RowKind.NO_CERTIFICATE}),
        modes=frozenset({"required"}),
        verdicts=_LET_IN,
        verify="NONE",
    ),
    Symptom(
        Cause(
            "ssl_verify_client is optional_no_ca, which takes a certificate of any issuer, and nothing checks "
            "$ssl_client_verify",
            "set ssl_verify_client on, or optional with a check for SUCCESS at server level",
        ),
        kinds=_BAD,
        verdicts=_LET_IN,
        verify="FAILED",
    ),
    Symptom(
        Cause(
            "the foreign CA is trusted: ssl_trusted_certificate adds its certificates to the client CAs, before 1.27.2 "
            "a certificate in the ssl_crl file does too, or ssl_client_certificate itself holds a CA too many",
            "keep only the site's client CAs in ssl_client_certificate, only CRLs in ssl_crl, and leave "
            "ssl_trusted_certificate out (for stapling send the chain in ssl_certificate)",
        ),
        kinds=frozenset({RowKind.FOREIGN}),
        verify="SUCCESS",
    ),
    Symptom(
        Cause(
            "the certificate counts as a client's: it has no extended key usage or clientAuth beside serverAuth",
            "issue server certificates with serverAuth alone, from a CA of their own",
        ),
        kinds=frozenset({RowKind.SERVER_PURPOSE}),
        verify="SUCCESS",
    ),
    Symptom(
        Cause("the clock of the nginx host is behind", "set the clock of the nginx host"),
        kinds=frozenset({RowKind.EXPIRED}),
        verify="SUCCESS",
    ),
    Symptom(
        Cause(
            "the issuer is not pinned: nginx admits every CA under the root in ssl_client_certificate",
            "admit by a map on $ssl_client_i_dn at server level, or give each trust domain a root of its own",
        ),
        kinds=frozenset({RowKind.OTHER_CLIENT_CA, RowKind.RIVAL_RESUMPTION}),
        verdicts=_LET_IN,
    ),
    Symptom(CA_STILL_ADMITTED, kinds=frozenset({RowKind.REVOKED_CA})),
    Symptom(
        Cause(
            "the list of known certificates is not in force: the map is not consulted, or holds what was never issued",
            'set admit = "known" at the site and deploy, or compare the map with counterseal list',
        ),
        kinds=frozenset({RowKind.UNLISTED}),
        verdicts=_LET_IN,
    ),
    Symptom(BY_MAP_ALONE, fault=Fault.VERIFY, kinds=_REVOKED, verify="SUCCESS"),
    Symptom(CRL_NOT_IN_FORCE, kinds=_REVOKED, verify="SUCCESS"),
    Symptom(CRL_NOT_IN_FORCE, kinds=_REVOKED, verdicts=frozenset({Verdict.FORBIDDEN})),
    Symptom(_PAGE_FORWARDS, kinds=_BAD | _REVOKED | {RowKind.NO_CERTIFICATE}, verdicts=_LET_IN, verify=""),
    Symptom(
        Cause(
            "the check of $ssl_client_verify does not cover this path: if and return of one location are not run for "
            "nested, regex and rewritten ones",
            "check at server level, or in location ^~ without nested locations",
        ),
        kinds=frozenset({RowKind.PROTECTED_WITHOUT}),
    ),
    Symptom(
        Cause(
            "the site's certificate was negotiated under another name and the request admitted all the same: the "
            "site's own block does not verify clients",
            _NOT_VERIFIED.fix,
        ),
        kinds=frozenset({RowKind.OTHER_SNI, RowKind.RIVAL_SNI}),
    ),
    Symptom(
        Cause(
            "the server block also listens without ssl, and there nobody is verified",
            "move the plain listen into a server block of its own that only redirects to https",
        ),
        kinds=frozenset({RowKind.REDIRECT}),
    ),
    Symptom(
        Cause(
            "the allow list admits who is not on it: its map defaults to admit, an unanchored pattern matches, or the "
            "check is not at server level",
            "let the map default to refuse, list exact subjects, and check at server level",
        ),
        kinds=_WITH_GOOD | {RowKind.NO_CERTIFICATE},
        fault=Fault.VERDICT,
        verdicts=_LET_IN,
    ),
    Symptom(
        Cause(
            "another server block answers in place of the deployed one, or the application answers for it",
            "look for another server block of the name, and for an error_page that leads to the application",
        ),
        fault=Fault.OWN_PAGE,
    ),
    Symptom(
        VERIFIED_YET_REFUSED,
        kinds=_WITH_GOOD,
        verdicts=frozenset({Verdict.FORBIDDEN, Verdict.REFUSED}),
        verify="SUCCESS",
    ),
    Symptom(
        CERTIFICATE_LOST,
        kinds=_WITH_GOOD,
        verify="NONE",
    ),
)
