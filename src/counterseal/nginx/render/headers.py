"""What an upstream is told of the client, and what of the client's own headers never reaches it.

One file per site, included in every location that proxies, because a single ``proxy_set_header`` in a location drops
all inherited ones. An empty value removes the header. RFC 9440 (``Client-Cert``), RFC 8470 (``Early-Data``), RFC 7239.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.nginx.render.words import choose
from counterseal.nginx.site import IdentityHeaders

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.site import Site
    from counterseal.nginx.version import NginxVersion

STANDARD = {
    "X-SSL-Client-Verify": "$ssl_client_verify",
    "X-SSL-Client-S-DN": "$ssl_client_s_dn",
    "X-SSL-Client-I-DN": "$ssl_client_i_dn",
    "X-SSL-Client-Serial": "$ssl_client_serial",
    "X-SSL-Client-Fingerprint": "$ssl_client_fingerprint",
    "X-SSL-Client-Cert": "$ssl_client_escaped_cert",
}
RFC9440 = {"Client-Cert": "$counterseal_client_cert"}

# Names under which proxies and frameworks hand on an identity. A client may send none of them.
CLEARED = (
    *STANDARD, *RFC9440, "Client-Cert-Chain", "Early-Data", "Forwarded",
    "X-SSL-Client-DN", "X-SSL-Client-CN", "X-SSL-Client-SHA1", "X-SSL-Client-NotBefore", "X-SSL-Client-NotAfter",
    "X-SSL-Cert", "X-SSL-Issuer", "X-SSL-Subject", "X-Client-Verify", "X-Client-DN", "X-Client-CN", "X-Client-Serial",
    "X-Client-Cert", "X-Client-Certificate", "X-Client-Cert-Chain", "X-Client-Fingerprint",
    "SSL-Client-Cert", "SSL-Client-Verify", "SSL-Client-Subject-DN", "SSL-Client-Issuer-DN", "SSL-Client-S-DN",
    "SSL-Client-I-DN", "SSL-Client-Serial", "SSL-Client-Fingerprint",
    "X-Forwarded-Client-Cert", "X-Forwarded-TLS-Client-Cert", "X-Forwarded-TLS-Client-Cert-Info",
    "X-Amzn-MTLS-Clientcert", "X-Amzn-MTLS-Clientcert-Leaf", "X-Amzn-MTLS-Clientcert-Subject",
    "X-Amzn-MTLS-Clientcert-Issuer", "X-Amzn-MTLS-Clientcert-Serial-Number", "X-Amzn-MTLS-Clientcert-Validity",
    "X-ARR-ClientCert", "CF-Client-Cert-Der-Base64", "X-Remote-User", "Remote-User", "X-Forwarded-User",
    "X-Forwarded-Email", "X-Forwarded-Preferred-Username", "X-Forwarded-Groups", "X-Auth-Request-User", "X-User",
    "X-Auth-Request-Email", "X-Auth-Request-Groups", "X-Auth-Request-Preferred-Username", "X-Authenticated-User",
    "X-WebAuth-User", "X-WebAuth-Name", "X-WebAuth-Email", "X-WebAuth-Groups", "X-WebAuth-Role",
    "X-Remote-Group", "Remote-Groups", "Remote-Name", "Remote-Email",
    "X-Authentik-Username", "X-Authentik-Groups", "X-Authentik-Email",
)  # fmt: skip

# Names by which some frameworks (IIS, Zend, older Symfony) take another path than that of the request, on which the
# demands of locations were decided.
OTHER_PATHS = ("X-Original-URL", "X-Original-URI", "X-Rewrite-URL")

# How many joins of eight lines a certificate may need: 12 of them hold a certificate of 4.5 kB.
_JOINS = 12


def header_lines(kind: IdentityHeaders, directive: str = "proxy_set_header") -> Iterator[str]:
    """Yield the identity headers: those asked for with their value, every other one removed; another path as well."""
    values = {IdentityHeaders.STANDARD: STANDARD, IdentityHeaders.RFC9440: RFC9440}.get(kind, {})
    for name in (*CLEARED, *OTHER_PATHS):
        yield f"{directive} {name} {values.get(name, chr(34) * 2)};"


def proxy_lines(site: Site, version: NginxVersion) -> Iterator[str]:
    """Yield all that a location of this site with ``proxy_pass`` has in common; ``Host`` is the location's."""
    yield "proxy_http_version 1.1;"
    if "http-cache" not in version.without:
        yield "proxy_cache off;"
    yield "proxy_set_header Upgrade $http_upgrade;"
    yield "proxy_set_header Connection $counterseal_connection;"
    yield from _request_lines(site, "proxy_set_header")


def grpc_lines(site: Site) -> Iterator[str]:
    """Yield all that a location of this site with ``grpc_pass`` has in common."""
    yield from _request_lines(site, "grpc_set_header")


def _request_lines(site: Site, directive: str) -> Iterator[str]:
    yield f"{directive} X-Real-IP $remote_addr;"
    yield f"{directive} X-Forwarded-For $remote_addr;"
    yield f"{directive} X-Forwarded-Proto $scheme;"
    yield f"{directive} X-Forwarded-Host $counterseal_host;"
    yield from header_lines(site.identity_headers, directive)


def proxy_maps() -> Iterator[str]:
    """Yield the maps that proxied locations use: the host with its port, and whether a connection is upgraded."""
    same_host = r"(?i)^([^|]+)[|]\1(:[0-9]{1,5})?\z"
    yield from choose("$host|$http_host", "$counterseal_host", [("default", "$host"), (same_host, "$http_host")])
    yield from choose("$http_upgrade", "$counterseal_connection", [("default", ""), (r"(?i)^websocket\z", "upgrade")])


def client_cert_maps() -> Iterator[str]:
    """Yield the maps behind ``$counterseal_client_cert``: the verified certificate as an RFC 9440 byte sequence.

    PEM has its base64 in lines; each map joins eight of them to the ninth group. A certificate longer than all joins
    leaves a line feed, which the last map does not take: the header is then absent, never broken.
    """
    body = r"^-----BEGIN CERTIFICATE-----\n([A-Za-z0-9+/=\n]+)\n-----END CERTIFICATE-----\n*\z"
    eight = "^" + r"([^\n]*)\n?" * 8 + r"([^\0]*)\z"
    joined = "".join(f"${group}" for group in range(1, 10))
    yield from choose("$ssl_client_raw_cert", "$counterseal_cert_0", [("default", ""), (body, "$1")])
    for number in range(_JOINS):
        cases = [("default", ""), (eight, joined)]
        yield from choose(f"$counterseal_cert_{number}", f"$counterseal_cert_{number + 1}", cases)
    cases = [("default", ""), (r"^SUCCESS:([A-Za-z0-9+/=]+)\z", ":$1:")]
    yield from choose(f"$ssl_client_verify:$counterseal_cert_{_JOINS}", "$counterseal_client_cert", cases)
