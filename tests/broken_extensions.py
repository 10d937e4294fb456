"""More broken set-ups: certificates whose names or extensions are at fault, as data like ``broken_setups``."""

from __future__ import annotations

from functools import cache

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from broken_setups import Chain, Setup
from broken_sites import Edit
from pki_fixtures import Issued, make_ca, make_client, make_server, remade
from prove_pki import DOMAIN, SERVER_CHAIN_FILE, SERVER_KEY_FILE, certificate_pem, key_pem, prove_pki

UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.55555.1"), b"\x05\x00")


def narrow_ca(purpose: x509.ObjectIdentifier, permitted: x509.GeneralName) -> Issued:
    """Return a CA below the root that may certify names below ``permitted`` alone."""
    root = prove_pki().root
    constraints = x509.NameConstraints(permitted_subtrees=[permitted], excluded_subtrees=None)
    return remade(make_ca("Test Narrow CA", root, purpose=purpose), root, add=(constraints,), critical=True)


@cache
def clients() -> dict[str, Chain]:
    """Return the clients by name, each with the chain that it sends."""
    pki = prove_pki()
    somebody = x509.DirectoryName(pki.server.certificate.subject)
    narrow = narrow_ca(ExtendedKeyUsageOID.CLIENT_AUTH, somebody)
    return {
        "outside name constraints": (make_client(narrow, "probe outside"), narrow),
        "unknown critical extension": (remade(pki.good, pki.client_ca, add=(UNKNOWN,), critical=True), pki.client_ca),
    }


@cache
def files() -> dict[str, dict[str, bytes]]:
    """Return the files of nginx by what is wrong with them."""
    pki = prove_pki()
    ca, name = pki.server_ca, f"panel.{DOMAIN}"
    narrow = narrow_ca(ExtendedKeyUsageOID.SERVER_AUTH, x509.DNSName("elsewhere.test"))
    servers: dict[str, Chain] = {
        "outside name constraints": (make_server(narrow, name), narrow),
        "unknown critical extension": (remade(pki.server, ca, add=(UNKNOWN,), critical=True), ca),
        "below a server": (make_server(pki.server, name), pki.server, ca),
        "wildcard of one label less": (make_server(ca, f"*.{DOMAIN.partition('.')[2]}"), ca),
    }
    return {
        **{
            key: {SERVER_CHAIN_FILE: certificate_pem(*chain), SERVER_KEY_FILE: key_pem(chain[0])}
            for key, chain in servers.items()
        },
        "another key by name": {f"{name}.key": key_pem(pki.good)},
    }


_CRL_OFF = Edit(r"ssl_crl @DIR@/client-crl.pem;")
_KEY_BY_NAME = Edit(r"(ssl_certificate_key @DIR@)/server.key.pem;", r"\1/$ssl_server_name.key;")
_SETUPS = (
    Setup("client outside name constraints", "lies outside the name constraints of a CA above it",
          client="outside name constraints", edits=(_CRL_OFF,), code=495),
    Setup("client with an unknown critical extension", "a critical extension that OpenSSL does not know",
          client="unknown critical extension", code=495),
    Setup("server outside name constraints", "may not certify DNS:panel.prove.test; permitted: DNS:elsewhere.test",
          "server", files="outside name constraints"),
    Setup("server with an unknown critical extension", "1.3.6.1.4.1.55555.1", "server",
          files="unknown critical extension"),
    Setup("server issued by a server", "CA:FALSE, yet it issued the certificate below", "server",
          files="below a server"),
    Setup("wildcard of one label less", "does not cover the site's name", "server", files="wildcard of one label less"),
    Setup("another key than the certificate's at handshake time", "failed to load the certificate or its key",
          files="another key by name", edits=(_KEY_BY_NAME,)),
)  # fmt: skip
SETUPS = {f"extension: {one.name}": one for one in _SETUPS}
