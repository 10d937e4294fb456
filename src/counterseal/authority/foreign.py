"""A client, or a backend, of nobody's: for a proof that a certificate of a foreign CA stays out; kept nowhere."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.handshake.observation import ProbeIdentity
from counterseal.keystore.software import SoftwareSigner, generate_key
from counterseal.pki.certificate import CARequest, IssuanceRequest, Issuer, assemble_ca, assemble_end_entity
from counterseal.pki.keys import P256
from counterseal.pki.pem import encode_certificates, encode_private_key
from counterseal.pki.profile import CLIENT_PROBE, PROBE_GROUP
from counterseal.pki.subject import subject_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from counterseal.pki.profile import Profile

LIFETIME = timedelta(hours=1)
FOREIGN_CA = subject_of("foreign CA", group=PROBE_GROUP)


def make_foreign_probe(
    now: datetime,
    serial_number: Callable[[], int],
    *,
    profile: Profile = CLIENT_PROBE,
    names: tuple[x509.GeneralName, ...] = (),
    common_name: str = "probe foreign",
    ca_subject: x509.Name = FOREIGN_CA,
) -> ProbeIdentity:
    """Return a good certificate of a CA that nobody trusts, whatever its name, with its chain; it lives for an hour."""
    begin = (now - timedelta(minutes=5)).replace(microsecond=0)
    ca_key, key = generate_key(P256), generate_key(P256)
    signer = SoftwareSigner(ca_key)
    ca = CARequest(
        subject=ca_subject,
        public_key=ca_key.public_key(),
        not_before=begin,
        not_after=begin + LIFETIME,
        serial_number=serial_number(),
        path_length=0,
        purpose=None,
    )
    anchor = x509.load_der_x509_certificate(assemble_ca(ca, None, signer.signature_algorithm).sign(signer))
    request = IssuanceRequest(
        profile=profile,
        subject=subject_of(common_name, group=PROBE_GROUP),
        names=names,
        public_key=key.public_key(),
        not_before=begin,
        not_after=begin + LIFETIME,
        serial_number=serial_number(),
    )
    issuer = Issuer.of("foreign", [anchor], profile.purpose)
    content = assemble_end_entity(request, issuer, signer.signature_algorithm).sign(signer)
    chain = encode_certificates(x509.load_der_x509_certificate(content), anchor)
    return ProbeIdentity("foreign", chain, encode_private_key(key))
