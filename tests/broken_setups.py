"""Broken set-ups with their true cause, as data: which client meets which server, and what must be said about it.

Each differs from a right one (``prove_bench``) by one thing: a client, a file, a directive, or how the client asks.
What is right stands in ``prove_pki``; here are the certificates that it has not.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Literal

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from broken_sites import Edit
from pki_fixtures import Issued, make_ca, make_client, make_server, new_key, remade
from prove_pki import (
    CLIENT_CA_FILE,
    CLIENT_CRL_FILE,
    DOMAIN,
    SERVER_CHAIN_FILE,
    SERVER_KEY_FILE,
    certificate_pem,
    key_pem,
    make_crl,
    prove_pki,
)

if TYPE_CHECKING:
    from counterseal.handshake.observation import TLSVersion

LATER, LATEST = datetime(2035, 1, 1, tzinfo=UTC), datetime(2039, 1, 1, tzinfo=UTC)
EARLIER = datetime(2026, 1, 1, tzinfo=UTC)
Chain = tuple[Issued, ...]


@dataclass(frozen=True, slots=True)
class Setup:
    """One broken set-up; ``words`` must stand in the cause that is named.

    ``fault`` says whose: of what the server makes of the client (or of the connection), or of the server's certificate.
    ``client`` and ``files`` are keys of the tables below, or ``files`` is a role of ``ProvePKI.variant``. ``stock``
    takes our pages away, so that nginx does not say why. ``target`` is what the client connects to in place of the
    site's name, ``nameless`` sends no SNI, ``code`` nginx's.
    """

    name: str
    words: str
    fault: Literal["client", "server"] = "client"
    client: str | None = "good"
    files: str | None = None
    edits: tuple[Edit, ...] = ()
    site: str = "panel"
    target: str | None = None
    sni: str | None = None
    nameless: bool = False
    path: str = "/"
    tls: TLSVersion | None = None
    protocols: tuple[str, ...] = ("http/1.1",)
    stock: bool = False
    plain_port: bool = False
    trust: str = "root"
    code: int | None = None


@cache
def clients() -> dict[str, Chain]:
    """Return the clients by name, each with the chain that it sends."""
    pki = prove_pki()
    ca, good = pki.client_ca, pki.good
    stranger = Issued(ca.certificate, new_key())
    sub_ca = make_ca("Test Sub CA", ca, purpose=ExtendedKeyUsageOID.CLIENT_AUTH)
    usage = x509.KeyUsage(False, False, True, False, False, False, False, False, False)
    anything = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE])
    late_ca = make_ca("Test Client CA", pki.root, key=ca.private_key, created=LATER, expires=LATEST)
    old_ca = make_ca("Test Client CA", pki.root, key=ca.private_key, expires=EARLIER)
    return {
        "good": (good, ca),
        "leaf alone": (good,),
        "expired": (pki.expired, ca),
        "not yet valid": (make_client(ca, "probe early", created=LATER, expires=LATEST), ca),
        "foreign": (pki.foreign,),
        "foreign with its root": (pki.foreign, pki.foreign_root),
        "self-signed": (make_ca("probe by itself"),),
        "revoked": (pki.revoked, ca),
        "unlisted": (pki.unlisted, ca),
        "a server": (pki.server, pki.server_ca),
        "any usage only": (remade(good, ca, add=(anything,)), ca),
        "no digitalSignature": (remade(good, ca, add=(usage,)), ca),
        "forged": (remade(good, ca, signer=stranger), ca),
        "below a client": (make_client(good, "probe below"), good, ca),
        "below a sub CA": (make_client(sub_ca, "probe too deep"), sub_ca, ca),
        "of a CA to come": (good, late_ca),
        "of a CA that has ended": (good, old_ca),
        "of another client CA": (pki.other, pki.other_client_ca),
    }


@cache
def files() -> dict[str, dict[str, bytes]]:
    """Return the files of nginx by what is wrong with them."""
    pki = prove_pki()
    root, server_ca = pki.root, pki.server_ca
    name = f"*.{DOMAIN}"
    old_ca = make_ca("Test Server CA", root, key=server_ca.private_key, expires=EARLIER)
    late_ca = make_ca("Test Server CA", root, key=server_ca.private_key, created=LATER, expires=LATEST)
    nameless = remade(make_server(server_ca, f"panel.{DOMAIN}"), server_ca, without=x509.SubjectAlternativeName)
    client_key = pki.client_ca.private_key
    old_client_ca = make_ca("Test Client CA", root, key=client_key, expires=EARLIER)
    late_client_ca = make_ca("Test Client CA", root, key=client_key, created=LATER, expires=LATEST)
    late_root = make_ca("Test Root", key=root.private_key, created=LATER, expires=LATEST)
    servers = {
        "server not yet valid": (make_server(server_ca, name, created=LATER, expires=LATEST), server_ca),
        "server CA expired": (pki.server, old_ca),
        "server CA not yet valid": (pki.server, late_ca),
        "server of another address": (make_server(server_ca, "elsewhere.test", addresses=("127.0.0.2",)), server_ca),
        "server with a common name only": (nameless, server_ca),
        "server forged": (remade(pki.server, server_ca, signer=Issued(server_ca.certificate, new_key())), server_ca),
        "server of a foreign CA": (make_server(pki.foreign_root, name),),
        "server chain in the wrong order": (pki.server, root, server_ca),
    }
    others = [make_crl(ca) for ca in (root, pki.other_client_ca, server_ca)]
    return {
        **{
            key: {SERVER_CHAIN_FILE: certificate_pem(*chain), SERVER_KEY_FILE: key_pem(chain[0])}
            for key, chain in servers.items()
        },
        "client CA expired": {CLIENT_CA_FILE: certificate_pem(root, old_client_ca)},
        "client CA not yet valid": {CLIENT_CA_FILE: certificate_pem(root, late_client_ca)},
        "root not yet valid": {CLIENT_CA_FILE: certificate_pem(late_root, pki.client_ca)},
        "CRL of other CAs only": {CLIENT_CRL_FILE: b"".join(others)},
    }


@cache
def anchors() -> dict[str, tuple[x509.Certificate, ...]]:
    """Return whom the client trusts, by name."""
    pki = prove_pki()
    old_root = make_ca("Test Root", key=pki.root.private_key, expires=EARLIER)
    late_root = make_ca("Test Root", key=pki.root.private_key, created=LATER, expires=LATEST)
    held = {"root": pki.root, "foreign": pki.foreign_root, "expired root": old_root, "root to come": late_root}
    return {"nobody": (), **{name: (issued.certificate,) for name, issued in held.items()}}


_CRL_OFF = Edit(r"ssl_crl @DIR@/client-crl.pem;")
_PIN_OFF = Edit(r"if \(\$issuer_admitted = 0\) \{ return 495; \}")
_DEEP = Edit(r"ssl_verify_depth 1;", "ssl_verify_depth 5;")
_CERTIFICATE = "ssl_certificate @DIR@/server.fullchain.pem; ssl_certificate_key @DIR@/server.key.pem;"
_DEFAULT_ANSWERS = Edit(r"ssl_reject_handshake on;\s*return 421;", _CERTIFICATE, everywhere=True)


def _at_top(directive: str) -> Edit:
    return Edit(r"map_hash_bucket", rf"{directive} \g<0>", everywhere=True)


def _protocols(versions: str) -> Edit:
    return Edit(r"ssl_protocols TLSv1.2 TLSv1.3;", f"ssl_protocols {versions};", everywhere=True)


_NOT_FOR_CLIENTS = "not made for clients"
_NOT_SENT = "the client did not send it along (or another CA's file is there)"
CLIENTS = (
    Setup("no certificate", "the client sent no certificate", client=None, code=496),
    Setup("expired", "past its not_after", client="expired", code=495),
    Setup("not yet valid", "begins in the future", client="not yet valid", code=495),
    Setup("another CA, or no intermediate", _NOT_SENT, client="foreign", code=495),
    Setup("another CA, its root sent", "none of the CAs above", client="foreign with its root", code=495),
    Setup("self-signed", "none of the CAs above", client="self-signed", code=495),
    Setup("self-signed, no CRL", "none of the CAs above", client="self-signed", edits=(_CRL_OFF,), code=495),
    Setup("a server certificate", _NOT_FOR_CLIENTS, client="a server", edits=(_CRL_OFF,), code=495),
    Setup("anyExtendedKeyUsage alone", _NOT_FOR_CLIENTS, client="any usage only", code=495),
    Setup("key usage without digitalSignature", _NOT_FOR_CLIENTS, client="no digitalSignature", code=495),
    Setup("revoked", "is on a CRL", client="revoked", code=495),
    Setup("forged", "not signed by the CA it names", client="forged", code=495),
    Setup(
        "issued by a client", "issued by one that is no CA", client="below a client",
        edits=(_DEEP, _CRL_OFF), code=495,
    ),
    Setup(
        "path length exceeded", "more CAs below it than its pathLenConstraint", client="below a sub CA",
        edits=(_DEEP, _CRL_OFF), code=495,
    ),
    Setup("intermediate missing on the client's side", _NOT_SENT, client="leaf alone",
          files="ca-root-only", edits=(_CRL_OFF,), code=495),
    Setup("its CA expired, sent along", "past its not_after", client="of a CA that has ended",
          files="ca-root-only", edits=(_CRL_OFF,), code=495),
    Setup("its CA not yet valid, sent along", "begins in the future", client="of a CA to come",
          files="ca-root-only", edits=(_CRL_OFF,), code=495),
    Setup("another client CA, issuer pinned", "verified, yet refused: by a pinned issuer",
          client="of another client CA", code=495),
)  # fmt: skip

STOCK_PAGES = (
    Setup("no certificate", "the client sent no certificate", client=None, stock=True, code=496),
    Setup("expired", "past its not_after", client="expired", stock=True, code=495),
    Setup("not yet valid", "begins in the future", client="not yet valid", stock=True, code=495),
    Setup(
        "its CA expired, sent along",
        "past its not_after",
        client="of a CA that has ended",
        files="ca-root-only",
        edits=(_CRL_OFF,),
        stock=True,
        code=495,
    ),
    Setup(
        "its CA not yet valid, sent along",
        "begins in the future",
        client="of a CA to come",
        files="ca-root-only",
        edits=(_CRL_OFF,),
        stock=True,
        code=495,
    ),
    Setup("another CA, or no intermediate", _NOT_SENT, client="foreign", stock=True, code=495),
    Setup("a server certificate", _NOT_FOR_CLIENTS, client="a server", stock=True, code=495),
    Setup("forged", "not signed by the CA it names", client="forged", stock=True, code=495),
    Setup("revoked", "its page does not say why", client="revoked", stock=True, code=495),
)

FILES = (
    Setup("another CA's file", "another CA's file is there", files="ca-foreign", code=495),
    Setup("issuing CA without its root", "without its root", files="ca-issuing-only", edits=(_CRL_OFF,), code=495),
    Setup("client CA expired", "past its not_after", files="client CA expired", code=495),
    Setup("client CA not yet valid", "begins in the future", files="client CA not yet valid", code=495),
    Setup("root expired", "past its not_after", files="ca-expired-root", code=495),
    Setup("root not yet valid", "begins in the future", files="root not yet valid", code=495),
    Setup(
        "depth too small", "ssl_verify_depth is smaller than the number of intermediates",
        edits=(_CRL_OFF, Edit(r"ssl_verify_depth 1;", "ssl_verify_depth 0;")), code=495,
    ),
    Setup("CRL expired", "past its next_update", files="crl-expired", code=495),
    Setup("CRL not yet valid", "lies in the future", files="crl-from-the-future", code=495),
    Setup("CRL of the root missing", "is missing from ssl_crl", files="crl-without-root", code=495),
    Setup("CRL of other CAs only", "is missing from ssl_crl", files="CRL of other CAs only", code=495),
    Setup("CRL forged", "a CRL in ssl_crl was not signed", files="crl-forged", code=495),
    Setup("CRL partial", "a partial one does not count", files="crl-partial", code=495),
    Setup(
        "OCSP without a responder", "ssl_ocsp is on",
        edits=(Edit(r"ssl_verify_depth 1;", r"\g<0> ssl_ocsp on; resolver 127.0.0.1;"),), code=495,
    ),
)  # fmt: skip

SERVERS = (
    Setup("server expired", "has expired", "server", files="server-expired"),
    Setup("server not yet valid", "not yet valid", "server", files="server not yet valid"),
    Setup("server CA expired", "has expired", "server", files="server CA expired"),
    Setup("server CA not yet valid", "not yet valid", "server", files="server CA not yet valid"),
    Setup("root expired at the client", "has expired", "server", trust="expired root"),
    Setup("root not yet valid at the client", "not yet valid", "server", trust="root to come"),
    Setup("wrong name", "does not cover the site's name", "server", files="server-wrong-name"),
    Setup("common name only", "does not cover the site's name", "server", files="server with a common name only"),
    Setup("wrong address", "does not cover the site's name", "server", files="server of another address",
          edits=(_DEFAULT_ANSWERS,), target="127.0.0.1"),
    Setup("address asked for, name in the certificate", "does not cover the site's name", "server",
          edits=(_DEFAULT_ANSWERS,), target="127.0.0.1"),
    Setup("made for clients", "lacks serverAuth", "server", files="server-is-client"),
    Setup("intermediate missing", "does not send its intermediates", "server", files="server-without-chain"),
    Setup("self-signed", "self-signed", "server", files="server-self-signed"),
    Setup("root not trusted", "another root than the trust anchor", "server", trust="foreign"),
    Setup("nobody trusted", "another root than the trust anchor", "server", trust="nobody"),
    Setup("forged", "do not trust the server certificate: ", "server", files="server forged"),
)  # fmt: skip

CONNECTIONS = (
    Setup("nobody serves the name", "no server block on this address has that name", target=f"nobody.{DOMAIN}"),
    Setup("an address in place of a name", "the client sent no server name", target="127.0.0.1"),
    Setup("no name sent", "the client sent no server name", nameless=True),
    Setup("another site's name", "asks for another host than the handshake did", sni=f"other.{DOMAIN}", code=421),
    Setup("TLS 1.2 not offered", "that TLS version is not offered", edits=(_protocols("TLSv1.3"),), tls="1.2"),
    Setup("TLS 1.3 not offered", "that TLS version is not offered", edits=(_protocols("TLSv1.2"),), tls="1.3"),
    Setup("no common cipher suite", "no cipher suite in common: the server takes none of those that this client offers",
          edits=(_at_top("ssl_ciphers ECDHE-ECDSA-AES128-CCM;"),), tls="1.2"),
    Setup("no common cipher suite in TLS 1.3", "it answers to TLS_AES_128_CCM_SHA256",
          edits=(_at_top("ssl_conf_command Ciphersuites TLS_AES_128_CCM_SHA256;"),)),
    Setup("suites for another kind of key", "its suites of TLS 1.2 are for another kind of key",
          edits=(_at_top("ssl_ciphers ECDHE-RSA-AES128-GCM-SHA256;"),), tls="1.2"),
    Setup("no common group", "it agrees on brainpoolP256r1",
          edits=(_at_top("ssl_ecdh_curve brainpoolP256r1;"),), tls="1.2"),
    Setup("no group of TLS 1.3 at all", "in TLS 1.3 groups of TLS 1.2 alone",
          edits=(_at_top("ssl_ecdh_curve brainpoolP256r1;"),), tls="1.3"),
    Setup("no common signature algorithm", "it signs with ecdsa_sha1",
          edits=(_at_top("ssl_ciphers DEFAULT@SECLEVEL=0; ssl_conf_command SignatureAlgorithms ECDSA+SHA1;"),),
          tls="1.2"),
    Setup("several lists without anything in common", "more than one list has nothing in common",
          edits=(_at_top("ssl_ciphers ECDHE-ECDSA-AES128-CCM; ssl_ecdh_curve brainpoolP256r1;"),), tls="1.2"),
    Setup("no name sent, and the default server asks nobody", "asked for no certificate and the request needs one",
          edits=(_DEFAULT_ANSWERS,), nameless=True, code=496),
    Setup("a PROXY header is expected", "says in a PROXY header who the client is",
          edits=(Edit(r"listen 127.0.0.1:@TLS@ ssl", r"\g<0> proxy_protocol", everywhere=True),)),
    Setup("no common protocol", "none of the protocols offered by ALPN", protocols=("foo/1",)),
    Setup("key file unreadable at handshake time", "failed to load the certificate or its key",
          edits=(Edit(r"(ssl_certificate_key @DIR@)/server.key.pem;", r"\1/$ssl_server_name.key;"),)),
    Setup("plain HTTP in place of TLS", "listen lacks the ssl parameter", plain_port=True),
    Setup("an allow list", "verified, yet refused", site="vault", code=403),
    Setup("a path that wants a certificate", "wants a client certificate for this path", client=None, site="mixed",
          path="/admin/", code=403),
)  # fmt: skip

SETUPS = {
    **{f"client: {one.name}": one for one in CLIENTS},
    **{f"stock pages: {one.name}": one for one in STOCK_PAGES},
    **{f"files: {one.name}": one for one in FILES},
    **{f"server: {one.name}": one for one in SERVERS},
    **{f"connection: {one.name}": one for one in CONNECTIONS},
}
