"""Every kind of row in words: its title in a table, and the fact about nginx that makes it worth a connection."""

from __future__ import annotations

from typing import NamedTuple

from counterseal.handshake.rows import RowKind


class Entry(NamedTuple):
    """A row's title, and why it is tried."""

    title: str
    why: str


CATALOGUE = {
    RowKind.SERVER: Entry(
        "server certificate",
        "nginx starts without a word with an expired, wrongly named or clientAuth-only server certificate, and without "
        "the intermediate",
    ),
    RowKind.STAPLE: Entry(
        "stapled OCSP response",
        "nginx only warns where it cannot staple, never looks into an ssl_stapling_file, and a browser refuses a "
        "must-staple certificate that comes without a response",
    ),
    RowKind.NO_CERTIFICATE: Entry(
        "no certificate",
        "a client CA without ssl_verify_client, a second server block of the same name, and an error_page that leads "
        "to the application all let everybody in",
    ),
    RowKind.GOOD: Entry(
        "good certificate",
        "an expired or missing CRL, a depth too small and a CA file without its root lock everybody out, silently",
    ),
    RowKind.GOOD_WITHOUT_CHAIN: Entry(
        "good certificate, sent without its chain",
        "many clients send only their own certificate; nginx then needs the issuing CA in ssl_client_certificate",
    ),
    RowKind.EXPIRED: Entry(
        "expired certificate",
        "ssl_verify_client optional with a check that never matches admits it",
    ),
    RowKind.FOREIGN: Entry(
        "certificate of a foreign CA",
        "ssl_trusted_certificate, and before 1.27.2 a certificate in the CRL file, are trusted for clients too; "
        "optional_no_ca trusts everyone",
    ),
    RowKind.SERVER_PURPOSE: Entry(
        "server certificate as client",
        "a stolen server certificate must not open a client door (extended key usage, RFC 5280 4.2.1.12)",
    ),
    RowKind.OTHER_CLIENT_CA: Entry(
        "certificate of another client CA",
        "nginx admits every CA under the root in its file; only pinning the issuer keeps siblings out",
    ),
    RowKind.UNLISTED: Entry(
        "certificate that the inventory leaves out",
        "whoever has stolen a CA key can sign what the CRL has never heard of; only the list of what was issued tells",
    ),
    RowKind.REVOKED: Entry(
        "revoked certificate",
        "a CRL that was not reloaded, that another CRL of the same CA hides, or that forgets an entry admits it",
    ),
    RowKind.REVOKED_CA: Entry(
        "good certificate of a revoked CA",
        "whoever has stolen the key of a CA signs what no list of that CA names: nginx must refuse the CA itself, by "
        "the list of the CA above it or because it is no longer told to trust it",
    ),
    RowKind.RESUMED_AFTER_REVOCATION: Entry(
        "revoked, with its session from before",
        "nginx keeps the verdict in the TLS session and never looks again; shared caches and ticket keys outlive a "
        "reload",
    ),
    RowKind.RESUMPTION: Entry(
        "good certificate, session offered again",
        "a resumed session skips CRL, expiry, depth and CA; before 1.23.2 TLS 1.3 tickets renew each other for ever",
    ),
    RowKind.CROSS_SITE_RESUMPTION: Entry(
        "session of another site",
        "before 1.27.4 and since 1.29.2 a session made with one site can be taken up by another with a stricter policy",
    ),
    RowKind.EARLY_DATA: Entry(
        "early data",
        "a request in TLS 1.3 early data runs in the name of the client, and whoever copied it can send it again",
    ),
    RowKind.NO_SNI: Entry(
        "without SNI",
        "without SNI the default server's CA and CRL decide, and the Host header then picks the site",
    ),
    RowKind.UNKNOWN_SNI: Entry(
        "with an unknown SNI",
        "a name that nobody serves is verified by the default server, and the Host header then picks the site",
    ),
    RowKind.OTHER_SNI: Entry(
        "with another site's SNI",
        "the handshake follows the SNI, the request follows the Host header; nginx must answer 421 where they differ",
    ),
    RowKind.PROTECTED_WITHOUT: Entry(
        "protected path without certificate",
        "a check in one location does not cover nested, regex and rewritten ones",
    ),
    RowKind.PROTECTED_GOOD: Entry(
        "protected path with good certificate",
        "a check that compares with the wrong text locks everybody out",
    ),
    RowKind.FORGED_HEADERS: Entry(
        "forged identity headers",
        "one proxy_set_header in a location drops all inherited ones, and the client's own X-SSL-Client-Verify arrives",
    ),
    RowKind.RIVAL_SNI: Entry(
        "client of another site's CA, by that site's name",
        "the handshake is verified by the CAs of the SNI, and the request goes to the Host: a good client of one site "
        "would be one of all",
    ),
    RowKind.RIVAL_RESUMPTION: Entry(
        "session of another site's client",
        "a session that one site's CA let in is not verified again by another's",
    ),
    RowKind.BACKEND_GOOD: Entry(
        "backend of the right CA",
        "with a depth too small, a CA file without its root or an expired CRL nginx takes no backend at all",
    ),
    RowKind.BACKEND_FOREIGN: Entry(
        "backend of a foreign CA",
        "proxy_ssl_verify and grpc_ssl_verify are off by default: whoever answers gets the request",
    ),
    RowKind.BACKEND_FORGED: Entry(
        "backend of a CA with the right name and another key",
        "who compares the names of issuers only, as a check in an application may, takes it for the right CA",
    ),
    RowKind.BACKEND_EXPIRED: Entry(
        "backend with an expired certificate",
        "nginx looks at a backend's dates only where it verifies it",
    ),
    RowKind.BACKEND_NAME: Entry(
        "backend with another name",
        "any certificate of the trusted CA would do if its name were not compared with proxy_ssl_name",
    ),
    RowKind.BACKEND_PURPOSE: Entry(
        "client certificate as backend",
        "a stolen client certificate must not play the backend (extended key usage, RFC 5280 4.2.1.12)",
    ),
    RowKind.BACKEND_REVOKED: Entry(
        "backend with a revoked certificate",
        "nginx asks no list about a backend unless proxy_ssl_crl names one",
    ),
    RowKind.BACKEND_SEES: Entry(
        "backend sees nginx's certificate",
        "without its intermediates a backend cannot verify it, and answers 400 to the user",
    ),
    RowKind.TLS_VERSION: Entry(
        "a TLS version that is not offered",
        "before 1.29.2 the default server's ssl_protocols count, not the site's",
    ),
    RowKind.PLAIN_ON_TLS_PORT: Entry(
        "plain HTTP on the TLS port",
        "listen without ssl serves the site in the clear and verifies nobody, although ssl_verify_client is on",
    ),
    RowKind.REDIRECT: Entry(
        "plain HTTP",
        "a plain listen in the same server block serves the site to everybody; it may only redirect",
    ),
}
