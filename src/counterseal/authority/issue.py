"""Issue one certificate: decide, then sign and store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.authority.signing import Issued, check_draft, prepare_draft, record_of, sign_and_store
from counterseal.errors import RefusedError
from counterseal.moments import epoch
from counterseal.pki.certificate import assemble_end_entity
from counterseal.pki.keys import key_hash, longest_signature, signature_algorithm
from counterseal.pki.policy import Asked, decide
from counterseal.pki.shown import show_serial
from counterseal.store.compromised_keys import find_compromised_key

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

    from counterseal.authority.parts import Authority
    from counterseal.authority.signing import Prepared
    from counterseal.pki.certificate import IssuanceRequest, Issuer


def issue(authority: Authority, asked: Asked, *, name: str, issuer: str | None = None) -> Issued:
    """Issue what was asked under ``issuer``, or under the CA of the profile's purpose; or under who succeeded it.

    ``name`` is what the user will call the certificate. Raises RefusedError with every reason (``policy.refused``,
    ``lint.refused``), ``ca.revoked`` or ``key.compromised``, NotFoundError, KeyAccessError, StoreError; nothing is
    stored but the reserved serial number when signing fails.
    """
    return sign_and_store(authority, prepare(authority, asked, name=name, issuer=issuer))


def prepare(authority: Authority, asked: Asked, *, name: str, issuer: str | None = None) -> Prepared:
    """Decide and lint, and store nothing; who cannot wait for disk and key goes on with the steps of ``Prepared``."""
    request, above = _decided(authority, asked, issuer)
    signer = authority.keystore.signer(authority.store.ca(above.name).key_id)
    draft = assemble_end_entity(request, above, signer.signature_algorithm)
    prepared = prepare_draft(draft, above, signer, name=name, profile=asked.profile.name)
    return prepared._replace(remarks=(*asked.remarks, *prepared.remarks))


def rehearse(authority: Authority, asked: Asked, *, name: str, issuer: str | None = None) -> Issued:
    """Decide and lint as ``issue`` does, without key or store: no octet of the signature is set."""
    request, above = _decided(authority, asked, issuer)
    signing_key = above.certificate.public_key()
    draft = assemble_end_entity(request, above, signature_algorithm(signing_key))
    preview, remarks = check_draft(draft, above.path)
    unsigned, kind = draft.certificate(bytes(longest_signature(signing_key))), asked.profile.name
    at, actor = epoch(authority.clock()), authority.actor
    row = record_of(preview, unsigned, issuer=above.name, name=name, profile=kind, at=at, actor=actor)
    return Issued(row, x509.load_der_x509_certificate(unsigned), above, (*asked.remarks, *remarks))


def _issuing(authority: Authority, asked: Asked, issuer: str | None) -> str:
    """Return who issues; a probe is of the very CA that is named, retired, revoked or neither."""
    if issuer is None:
        return authority.issuer_for(asked.profile.purpose)
    return issuer if asked.profile.probe else authority.issuing(authority.store.ca(issuer))


def _decided(authority: Authority, asked: Asked, issuer: str | None) -> tuple[IssuanceRequest, Issuer]:
    above = authority.issuer(_issuing(authority, asked, issuer))
    request = decide(asked, above, serial_number=authority.number_for(above.name), now=authority.clock())
    if not asked.profile.probe:  # whose keys are made for it
        refuse_compromised(authority, asked.public_key)
    return request, above


def refuse_compromised(authority: Authority, public_key: CertificatePublicKeyTypes) -> None:
    """Raise RefusedError ``key.compromised`` for the key of a certificate that was revoked because others have it."""
    found = find_compromised_key(authority.store, key_hash(public_key))
    if found is not None:
        serial_number, issuer = found
        raise RefusedError(
            "key.compromised",
            f"the key is compromised, as the revocation of its certificate said: {issuer}/{show_serial(serial_number)}",
            hint="make a new key, and a CSR with it; counterseal rekey makes one for a certificate from here",
        )
