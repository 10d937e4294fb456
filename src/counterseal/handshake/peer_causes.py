"""Causes that a single connection shows by itself: the proof's table and the explained handshake both point to them."""

from __future__ import annotations

from counterseal.handshake.authorities import Listed
from counterseal.handshake.symptoms import Cause

PLAIN = Cause(
    "listen lacks the ssl parameter: the port serves the site in the clear and verifies nobody",
    "write listen ADDRESS ssl; in the server block",
)
NOTHING_LISTENS = Cause(
    "nothing listens there",
    "start the server, or compare the address asked with the one on which it listens (nginx: listen)",
)
NO_ADDRESS = Cause(
    "no resolver knows an address of this name",
    "check the name, or have this machine know it: by DNS, or a line in /etc/hosts",
)
NO_ROUTE = Cause("no route leads there", "check the address and the network between")
NO_ANSWER = Cause(
    "no answer in time",
    "look whether a firewall drops the packets, or the workers are stuck or wait for a responder that hangs (ssl_ocsp)",
)
KEY_NOT_LOADED = Cause(
    "a worker failed to load the certificate or its key at handshake time: a path with a variable is read by "
    "the worker's user, and nginx -t does not try it",
    "look into error.log, which names the file at level error; or use fixed paths in ssl_certificate and "
    "ssl_certificate_key",
)
NAME_NOT_SERVED = Cause(
    "no server block on this address has the site's name, so the default server answered",
    "compare server_name and listen with what was deployed, and look whether another file claims the address",
)
NAME_REJECTED = Cause(
    "no server block on this address has that name, and the default server rejected the handshake",
    "compare server_name and listen with what was deployed, and whether the reload succeeded",
)
NAME_NOT_SENT = Cause(
    "the client sent no server name, as with an address (RFC 6066 3), and the default server on this address rejects "
    "who comes without one",
    "come by name: counterseal handshake NAME --connect ADDRESS; or let a default server with a certificate answer",
)
MISDIRECTED_REQUEST = Cause(
    "the request asks for another host than the handshake did, and nginx verifies clients for that host: no "
    "certificate is judged by the rules of another site",
    "let the client make a connection for each name; with HTTP/2 browsers join names that one certificate bears",
)
VERSION_NOT_OFFERED = Cause(
    "that TLS version is not offered on this address; of nginx before 1.29.2 the default server's ssl_protocols "
    "count, and before 1.23.4 the default has no TLS 1.3",
    "let the server offer it; nginx: write ssl_protocols at http level",
)
CERTIFICATE_LOST = Cause(
    "no certificate arrived at nginx although one was presented: something in front of it ends the TLS connection",
    "pass the TLS connection through to nginx; or, where that is an nginx, too, let it come with a certificate of its "
    "own (proxy_ssl_certificate)",
)
CERTIFICATE_WITHHELD = Cause(
    "the client has a certificate and did not send it: the server takes no signature by its kind of key",
    "come with a key of a kind that the server takes, as its CertificateRequest lists them",
)
VERIFIED_YET_REFUSED = Cause(
    "verified, yet refused: by a pinned issuer, the revocation map, the inventory or an allow list",
    "compare the certificate's issuer, serial number and subject with what the site admits",
)

NO_PATH = frozenset({2, 3, 18, 19, 20, 21})
"""OpenSSL's ways to say that the chain leads nowhere."""
BY_LIST: dict[Listed | None, Cause] = {
    Listed.NONE: Cause(
        "ssl_client_certificate holds none of the CAs above the client's certificate: another CA's file is there",
        "put the client CA's root and issuing CAs into ssl_client_certificate",
    ),
    Listed.ISSUER_ONLY: Cause(
        "ssl_client_certificate holds an issuing CA without its root, and nginx follows every chain up to a root",
        "put the self-signed root into the file beside the issuing CAs",
    ),
}
SILENT_REFUSAL = Cause(
    "nginx refused the certificate and its page does not say why",
    "set error_log to level info, or write $ssl_client_verify into the access log, and try again",
)
