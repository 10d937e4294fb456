"""What OpenSSL's messages mean when it is the server's certificate that clients do not trust.

nginx -t is silent about all of these. Keyed by OpenSSL's number (x509_vfy.h).
"""

from __future__ import annotations

from counterseal.handshake.symptoms import Cause

_CHAIN = Cause(
    "the server does not send its intermediates, or its certificate is of another CA than the trust anchor: those in "
    "ssl_trusted_certificate or ssl_client_certificate are not sent",
    "put the certificate and all intermediates, in this order, into the file of ssl_certificate",
)
_NAME = Cause(
    "the server certificate does not cover the site's name",
    "issue it with every server_name of the site as a subject alternative name; behind a wildcard stand two labels",
)

SERVER_REASONS = {
    2: _CHAIN,
    9: Cause("the server certificate is not yet valid", "set the clock, or issue the certificate anew"),
    10: Cause("the server certificate, or a CA above it, has expired", "renew the certificate, then deploy"),
    18: Cause("the server certificate is self-signed", "issue it from the server CA"),
    19: Cause(
        "the server's chain ends in another root than the trust anchor",
        "install the certificate of the site's server CA, or give clients the root that it comes from",
    ),
    20: _CHAIN,
    21: _CHAIN,
    26: Cause(
        "the server certificate is not made for servers: its extended key usage lacks serverAuth",
        "issue a certificate of the server profile",
    ),
    62: _NAME,
    64: _NAME,
    66: Cause("the key of the server certificate is too weak", "issue it with P-256 or RSA of 2048 bits or more"),
}

OTHER_SERVER_FAULT = Cause(
    "clients do not trust the server certificate",
    "inspect the file of ssl_certificate, and issue the certificate anew",
)
