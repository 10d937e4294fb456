"""Every way of being broken that ``nginx -t`` passes and that a client can see, as data.

Each entry breaks one right site of ``prove_bench`` by edits to its configuration or by the wrong version of a file
(``prove_pki``), and says which row of the proof must fail and which words its cause must hold. Where the entry has the
name of a lint rule, it is that rule's bad case. Edits are made with regular expressions on directives, so that they
also fit other configurations of the same site; each of them must match.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from counterseal.handshake.rows import RowKind

if TYPE_CHECKING:
    from counterseal.handshake.observation import TLSVersion

Version = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace ``pattern`` in one file; ``everywhere`` outside the broken site's server block too."""

    pattern: str
    replacement: str = ""
    file: str = "nginx.conf"
    everywhere: bool = False

    def apply(self, text: str, site: str) -> str:
        """Return the text with every match replaced; asserts that there is one."""
        start, end = (0, len(text)) if self.everywhere or self.file != "nginx.conf" else _block(text, site)
        edited, count = re.subn(self.pattern, self.replacement, text[start:end])
        assert count, f"nothing to break: {self.pattern}"
        return text[:start] + edited + text[end:]


@dataclass(frozen=True, slots=True)
class BrokenSite:
    """One way of being broken.

    ``row`` is the row that must fail and ``words`` what its cause must hold. ``since`` and ``before`` bound the nginx
    versions that are open to it. ``takes`` is how a revocation of the leaver arrives, where there is one at all.
    """

    name: str
    row: RowKind
    words: str
    edits: tuple[Edit, ...] = ()
    files: str | None = None
    site: str = "panel"
    since: Version = (0, 0, 0)
    before: Version = (99, 0, 0)
    takes: Literal["reload", "no-reload", "in-place"] | None = None
    tls_versions: tuple[TLSVersion, ...] = ("1.2", "1.3")


def _block(text: str, site: str) -> tuple[int, int]:
    start = text.index(f"server {{ # {site}")
    end = text.find("\n  server {", start)
    return start, end if end >= 0 else len(text)


_VERIFY_OFF = Edit(r"ssl_verify_client on;", "ssl_verify_client off;")
_PIN_OFF = Edit(r"if \(\$issuer_admitted = 0\) \{ return 495; \}")
_CRL_OFF = Edit(r"ssl_crl @DIR@/client-crl.pem;")
_SESSIONS_DEFAULT = Edit(r"ssl_session_(tickets|cache) off;", everywhere=True)
_CERTIFICATE = "ssl_certificate @DIR@/server.fullchain.pem; ssl_certificate_key @DIR@/server.key.pem;"
_OPEN_PANEL = (
    f"server {{ listen 127.0.0.1:@{{}}@ ssl; server_name panel.prove.test; {_CERTIFICATE} include pages.conf; }}"
)


def _open_panel_on(port: str) -> Edit:
    return Edit("# other blocks come here", _OPEN_PANEL.replace("{}", port), everywhere=True)


def _map(directive: str) -> Edit:
    return Edit(r"server \{ # default", rf"{directive} \g<0>", everywhere=True)


VERIFICATION = (
    BrokenSite(
        "mtls-verify-missing", RowKind.NO_CERTIFICATE, "ssl_verify_client is off or missing",
        (Edit(r"ssl_verify_client on;"),),
    ),
    BrokenSite("mtls-crl-without-verify", RowKind.REVOKED, "ssl_crl and ssl_ocsp alone do nothing", (_VERIFY_OFF,)),
    BrokenSite(
        "mtls-ocsp-without-verify", RowKind.NO_CERTIFICATE, "ssl_ocsp alone do nothing",
        (Edit(r"ssl_verify_client on;", "ssl_ocsp on; resolver 127.0.0.1;"),),
    ),
    BrokenSite(
        "mtls-optional-not-enforced", RowKind.NO_CERTIFICATE, "ssl_verify_client is optional",
        (Edit(r"ssl_verify_client on;", "ssl_verify_client optional;"), _PIN_OFF),
    ),
    BrokenSite(
        "mtls-optional-no-ca-dn-auth", RowKind.FOREIGN, "optional_no_ca, which takes a certificate of any issuer",
        (Edit(r"ssl_verify_client on;", "ssl_verify_client optional_no_ca;"), _PIN_OFF),
    ),
    BrokenSite(
        "mtls-duplicate-server-name", RowKind.NO_CERTIFICATE, "conflicting server name", (_open_panel_on("TLS"),)
    ),
    BrokenSite(
        "mtls-other-listener-unprotected", RowKind.NO_CERTIFICATE, "on this address only",
        (Edit(r"listen 127.0.0.1:@TLS2@ ssl;"), _open_panel_on("TLS2")),
    ),
    BrokenSite(
        "mtls-listen-without-ssl", RowKind.PLAIN_ON_TLS_PORT, "listen lacks the ssl parameter",
        (Edit(r" ssl( default_server)?;", r"\1;", everywhere=True),),
    ),
    BrokenSite(
        "mtls-listen-without-ssl, seen by a client", RowKind.GOOD, "listen lacks the ssl parameter",
        (Edit(r" ssl( default_server)?;", r"\1;", everywhere=True),),
    ),
    BrokenSite(
        "mtls-plaintext-sibling-listen", RowKind.REDIRECT, "also listens without ssl",
        (
            Edit(r"listen 127.0.0.1:@PLAIN@;", "listen unix:@DIR@/unused.sock;", everywhere=True),
            Edit(r"listen 127.0.0.1:@TLS@ ssl;", r"\g<0> listen 127.0.0.1:@PLAIN@;"),
        ),
    ),
    BrokenSite(
        "mtls-error-page-forwards", RowKind.NO_CERTIFICATE, "error_page 495 or 496 leads to the application",
        (Edit(r"error_page 496 = @cs496", "error_page 496 = @application", "pages.conf"),),
    ),
    BrokenSite(
        "mtls-error-page-forwards, bad certificate", RowKind.EXPIRED, "error_page 495 or 496 leads to the application",
        (Edit(r"error_page 495 = @cs495", "error_page 495 = @application", "pages.conf"),),
    ),
)  # fmt: skip

TRUST = (
    BrokenSite("client CA swapped", RowKind.GOOD, "another CA's file is there", files="ca-foreign"),
    BrokenSite(
        "mtls-ca-missing-intermediate", RowKind.GOOD_WITHOUT_CHAIN, "did not send it along",
        files="ca-root-only",
    ),
    BrokenSite("mtls-ca-file-lacks-root", RowKind.GOOD, "an issuing CA without its root", files="ca-issuing-only"),
    BrokenSite("mtls-public-ca-bundle", RowKind.FOREIGN, "holds a CA too many", (_CRL_OFF,), files="ca-foreign-too"),
    BrokenSite(
        "mtls-ca-file-expired", RowKind.GOOD, "or a CA's in ssl_client_certificate",
        files="ca-expired-root",
    ),
    BrokenSite(
        "mtls-trusted-certificate-widens", RowKind.FOREIGN, "ssl_trusted_certificate adds its certificates",
        (_CRL_OFF, Edit(r"ssl_verify_depth 1;", r"\g<0> ssl_trusted_certificate @DIR@/foreign-root.pem;")),
    ),
    BrokenSite(
        "mtls-depth-too-small", RowKind.GOOD, "ssl_verify_depth is smaller than the number of intermediates",
        (Edit(r"ssl_verify_depth 1;", "ssl_verify_depth 0;"),),
    ),
    BrokenSite(
        "client CA swapped, no CRL", RowKind.GOOD, "another CA's file is there", (_CRL_OFF,),
        files="ca-foreign",
    ),
    BrokenSite(
        "mtls-depth-too-small, no CRL", RowKind.GOOD, "ssl_verify_depth is smaller than the number of intermediates",
        (_CRL_OFF, Edit(r"ssl_verify_depth 1;", "ssl_verify_depth 0;")),
    ),
    BrokenSite("mtls-sub-ca-not-pinned", RowKind.OTHER_CLIENT_CA, "the issuer is not pinned", (_PIN_OFF,)),
    BrokenSite(
        "ssl_ocsp without a responder", RowKind.GOOD, "ssl_ocsp is on",
        (Edit(r"ssl_verify_depth 1;", r"\g<0> ssl_ocsp on; resolver 127.0.0.1;"),),
    ),
    BrokenSite(
        "id-map-default-allow", RowKind.GOOD, "its map defaults to admit",
        (Edit(r"\$listed \{ default 0;", "$listed { default 1;", everywhere=True),), site="vault",
    ),
    BrokenSite(
        "id-dn-regex-unanchored", RowKind.GOOD, "an unanchored pattern matches",
        (Edit(r'"CN=alice" 1;', '"~CN=probe" 1;', everywhere=True),), site="vault",
    ),
)  # fmt: skip

REVOCATION = (
    BrokenSite("mtls-crl-expired", RowKind.GOOD, "past its next_update", files="crl-expired"),
    BrokenSite(
        "mtls-crl-not-yet-valid", RowKind.GOOD, "the this_update of a CRL lies in the future",
        files="crl-from-the-future",
    ),
    BrokenSite("mtls-crl-missing-for-intermediate", RowKind.GOOD, "is missing from ssl_crl", files="crl-without-root"),
    BrokenSite("mtls-crl-wrong-signature", RowKind.GOOD, "a CRL in ssl_crl was not signed", files="crl-forged"),
    BrokenSite("CRL of some reasons only", RowKind.GOOD, "a partial one does not count", files="crl-partial"),
    BrokenSite("CRL forgets a revocation", RowKind.REVOKED, "the CRL forgets the entry", files="crl-forgets"),
    BrokenSite("mtls-crl-duplicate-issuer", RowKind.REVOKED, "a second CRL of the same CA", files="crl-newer-beside"),
    BrokenSite(  # with one this_update the order in OpenSSL's store decides; newer builds happen to find the other
        "mtls-crl-duplicate-issuer, same second", RowKind.REVOKED, "a second CRL of the same CA",
        files="crl-twice", before=(1, 27, 2),
    ),
    BrokenSite(
        "mtls-crl-file-contains-certificate", RowKind.FOREIGN, "a certificate in the ssl_crl file",
        files="crl-with-certificate", before=(1, 27, 2),
    ),
    BrokenSite("no CRL", RowKind.REVOKED, "ssl_crl is missing", (_CRL_OFF,)),
    BrokenSite("CRL not reloaded", RowKind.RESUMED_AFTER_REVOCATION, "not reloaded", takes="no-reload"),
    BrokenSite(
        "CRL rewritten in place within one second", RowKind.RESUMED_AFTER_REVOCATION, "rewritten in place",
        takes="in-place", since=(1, 27, 2),
    ),
)  # fmt: skip

SESSIONS = (
    BrokenSite(
        "mtls-session-cache-survives-revocation", RowKind.RESUMED_AFTER_REVOCATION, "shared ssl_session_cache",
        (Edit(r"ssl_session_cache off;", "ssl_session_cache shared:TLS:1m;", everywhere=True),), takes="reload",
    ),
    BrokenSite(
        "Mozilla's block: cache and tickets", RowKind.RESUMED_AFTER_REVOCATION, "shared ssl_session_cache",
        (_SESSIONS_DEFAULT, Edit(r"map_hash_bucket", r"ssl_session_cache shared:MozSSL:10m; \g<0>", everywhere=True)),
        takes="reload", since=(1, 23, 2),
    ),
    BrokenSite(
        "mtls-static-ticket-key", RowKind.RESUMED_AFTER_REVOCATION, "ssl_session_ticket_key file",
        (
            _SESSIONS_DEFAULT,
            Edit(r"map_hash_bucket", r"ssl_session_ticket_key @DIR@/ticket.key; \g<0>", everywhere=True),
        ),
        takes="reload",
    ),
    BrokenSite("mtls-tickets-enabled", RowKind.RESUMPTION, "session tickets (nginx's default)", (_SESSIONS_DEFAULT,)),
    BrokenSite(
        "mtls-cross-vhost-resumption", RowKind.CROSS_SITE_RESUMPTION, "sessions of another site",
        (
            _SESSIONS_DEFAULT,
            Edit(
                r"server_name other.prove.test;",
                r"\g<0> ssl_client_certificate @DIR@/client-ca.pem; ssl_verify_client on;",
                everywhere=True,
            ),
        ),
        since=(1, 29, 2),
    ),
    BrokenSite(  # before 1.29.2 the default server decides, so it stands around both
        "mtls-early-data", RowKind.EARLY_DATA, "ssl_early_data is on",
        (Edit(r"map_hash_bucket", r"ssl_early_data on; \g<0>", everywhere=True),),
    ),
)  # fmt: skip

NAMES = (
    BrokenSite(
        "default server answers without SNI", RowKind.NO_SNI, "ssl_reject_handshake is missing",
        (Edit(r"ssl_reject_handshake on;\s*return 421;", _CERTIFICATE, everywhere=True),),
    ),
    BrokenSite(
        "default server answers an unknown SNI", RowKind.UNKNOWN_SNI, "ssl_reject_handshake is missing",
        (Edit(r"ssl_reject_handshake on;", _CERTIFICATE, everywhere=True),),
    ),
    BrokenSite(
        "mtls-cross-ca-no-sni", RowKind.NO_SNI, "its CA and CRL decide",
        (
            Edit(
                r"ssl_reject_handshake on;\s*return 421;",
                f"{_CERTIFICATE} ssl_client_certificate @DIR@/foreign-root.pem; ssl_verify_client on;",
                everywhere=True,
            ),
        ),
    ),
    BrokenSite(
        "mtls-crl-not-on-default-server", RowKind.NO_SNI, "its CA and CRL decide",
        (
            Edit(
                r"ssl_reject_handshake on;\s*return 421;",
                f"{_CERTIFICATE} ssl_client_certificate @DIR@/client-ca.pem; ssl_verify_client on;",
                everywhere=True,
            ),
        ),
    ),
    BrokenSite(
        "site's own block does not verify", RowKind.OTHER_SNI, "does not verify clients", (_VERIFY_OFF, _PIN_OFF)
    ),
    BrokenSite(
        "site is not served", RowKind.GOOD, "no server block on this address has that name",
        (Edit(r"server_name panel.prove.test;", "server_name pane1.prove.test;"),),
    ),
    BrokenSite(
        "tls-protocols-in-nondefault-server", RowKind.TLS_VERSION, "the default server's ssl_protocols",
        (Edit(r"ssl_verify_depth 1;", r"\g<0> ssl_protocols TLSv1.3;"),), before=(1, 29, 2), tls_versions=("1.3",),
    ),
)  # fmt: skip

SERVER = (
    BrokenSite(
        "tls-cert-expired", RowKind.SERVER, "the server certificate, or a CA above it, has expired",
        files="server-expired",
    ),
    BrokenSite("tls-cert-name-mismatch", RowKind.SERVER, "does not cover the site's name", files="server-wrong-name"),
    BrokenSite("tls-cert-wrong-eku", RowKind.SERVER, "lacks serverAuth", files="server-is-client"),
    BrokenSite("tls-chain-incomplete", RowKind.SERVER, "does not send its intermediates", files="server-without-chain"),
    BrokenSite("server certificate self-signed", RowKind.SERVER, "is self-signed", files="server-self-signed"),
    BrokenSite(
        "server certificate not reloaded", RowKind.SERVER, "another server certificate than was deployed",
        files="server-stale",
    ),
    BrokenSite(
        "tls-cert-variable-path", RowKind.GOOD, "a path with a variable",
        (Edit(r"ssl_certificate_key @DIR@/server.key.pem;", "ssl_certificate_key @DIR@/$ssl_server_name.key;"),),
    ),
)  # fmt: skip

PATHS = (
    BrokenSite(
        "mtls-location-check-bypassed", RowKind.PROTECTED_WITHOUT, "nested, regex and rewritten",
        (Edit(r"location \^~ /admin/", "location /admin/"),), site="mixed",
    ),
    BrokenSite(
        "mtls-nested-location-unprotected", RowKind.PROTECTED_WITHOUT, "nested, regex and rewritten",
        (Edit(r"(location \^~ /admin/ \{)", r"\1 location /admin/probe/ { return 200 nested; }"),), site="mixed",
    ),
    BrokenSite(
        "mtls-verify-compared-to-failed", RowKind.PROTECTED_WITHOUT, "the check of $ssl_client_verify",
        (Edit(r"if \(\$ssl_client_verify != SUCCESS\)", "if ($ssl_client_verify = FAILED)"),), site="mixed",
    ),
    BrokenSite(
        "mtls-return-skips-access-phase", RowKind.PROTECTED_WITHOUT, "the check of $ssl_client_verify",
        (Edit(r"if \(\$ssl_client_verify != SUCCESS\) \{ return 403; \}", "auth_request /no;"),), site="mixed",
    ),
    BrokenSite(
        "id-trusts-request-header", RowKind.PROTECTED_WITHOUT, "the check of $ssl_client_verify",
        (Edit(r"\$ssl_client_verify != SUCCESS", "$http_x_ssl_client_verify != SUCCESS"),), site="mixed",
    ),
    BrokenSite(
        "check of one TLS version only", RowKind.PROTECTED_WITHOUT, "the check of $ssl_client_verify",
        (
            _map("map $ssl_protocol $checked { default $ssl_client_verify; TLSv1.2 SUCCESS; }"),
            Edit(r"\$ssl_client_verify != SUCCESS", "$checked != SUCCESS"),
        ),
        site="mixed",
    ),
    BrokenSite(
        "check compares with the wrong text", RowKind.PROTECTED_GOOD, "verified, yet refused",
        (Edit(r"\$ssl_client_verify != SUCCESS", "$ssl_client_verify != OK"),), site="mixed",
    ),
)  # fmt: skip

HEADERS = (
    BrokenSite(
        "id-header-inheritance-lost", RowKind.FORGED_HEADERS, "drops all inherited ones",
        (Edit(r"(?m)^proxy_set_header (X|SSL|Client|Remote).*$", "", "headers.conf"),),
    ),
    BrokenSite(
        "id-header-not-overwritten", RowKind.FORGED_HEADERS, "a header is not set at all",
        (Edit(r"proxy_set_header X-SSL-Client-S-DN [^;]*;", "", "headers.conf"),),
    ),
    BrokenSite(
        "identity headers of one TLS version only", RowKind.FORGED_HEADERS, "a client's own identity headers reach",
        (
            _map("map $ssl_protocol $dn { default $ssl_client_s_dn; TLSv1.2 $http_x_ssl_client_s_dn; }"),
            Edit(r"(X-SSL-Client-S-DN) [^;]*;", r"\1 $dn;", "headers.conf"),
        ),
    ),
    BrokenSite(
        "id-underscore-headers", RowKind.FORGED_HEADERS, "underscores_in_headers is on",
        (Edit(r"map_hash_bucket", r"underscores_in_headers on; \g<0>", everywhere=True),),
    ),
    BrokenSite(
        "id-header-passes-open-server", RowKind.FORGED_HEADERS, "a client's own identity headers reach",
        (Edit(r"(?m)^proxy_set_header (X|SSL|Client|Remote).*$", "", "headers.conf"),), site="other",
    ),
)  # fmt: skip

_STAPLING = "ssl_stapling on; ssl_stapling_verify on;"
_STAPLING_FILE = f"{_STAPLING} ssl_stapling_file @DIR@/response.der;"


def _stapling(name: str, words: str, files: str, directives: str = _STAPLING_FILE) -> BrokenSite:
    return BrokenSite(name, RowKind.STAPLE, words, (Edit(r"ssl_certificate_key", rf"{directives} \g<0>"),), files=files)


STAPLING = (
    _stapling("stapled response out of date", "old or about another certificate", "staple-stale"),
    _stapling("stapled response of tomorrow", "old or about another certificate", "staple-early"),
    _stapling("stapled response about another certificate", "old or about another certificate", "staple-of-another"),
    _stapling("stapled response of another CA's", "what no client can believe", "staple-forged"),
    _stapling("stapled response says revoked", "does not say good", "staple-revoked"),
    _stapling("responder of the stapled response gone", "staples nothing", "server-responder-gone", _STAPLING),
)

BROKEN_SITES = (*VERIFICATION, *TRUST, *REVOCATION, *SESSIONS, *NAMES, *SERVER, *PATHS, *HEADERS, *STAPLING)
