"""A list that its CA did not sign."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from counterseal.findings import Severity
from counterseal.nginx.lint.files import public_half
from counterseal.nginx.lint.fix import REFRESH, Applicability
from counterseal.nginx.lint.rule import Found, Rule, at
from counterseal.nginx.lint.store import stores
from counterseal.pki.subject import show_subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography import x509

    from counterseal.nginx.lint.model import Configuration


def check(configuration: Configuration) -> Iterator[Found]:
    """Find lists that no CA of that name in the store has signed."""
    for server, store in stores(configuration):
        crl = server.level.file("ssl_crl")
        file = configuration.file(crl)
        if crl is None or file is None:
            continue
        for one in file.crls:
            signers = [ca for ca in store.cas if ca.subject == one.issuer]
            if signers and not any(_is_signed(one, ca) for ca in signers):
                yield Found(at(crl, 0), f"not signed by {show_subject(one.issuer)}", command=REFRESH)


def _is_signed(crl: x509.CertificateRevocationList, ca: x509.Certificate) -> bool:
    key = public_half(ca)
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey):
        return True  # not one that we could tell about
    return crl.is_signature_valid(key)


RULE = Rule(
    code="mtls-crl-wrong-signature",
    severity=Severity.HIGH,
    summary="A revocation list bears the name of a client CA, and not its signature.",
    evidence="Every client of that CA got 400: error 8, CRL signature failure, or, where the list names another key, "
    "as one from before the key was changed does, error 3, unable to get certificate CRL. nginx -t said nothing.",
    remedy="publish the list anew with the key of the CA that is in force",
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_crl",
    check=check,
    fixes=(Applicability.COMMAND,),
    command=REFRESH,
)
