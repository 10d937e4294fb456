"""Replace a certificate by one that says the same: with the same key (renew), or with a new one (rekey)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.errors import InputError, NotFoundError
from counterseal.findings import Finding, Severity
from counterseal.moments import moment
from counterseal.pki.certificate import purpose_of
from counterseal.pki.extensions import must_staple
from counterseal.pki.keys import next_key_spec
from counterseal.pki.names import names_in
from counterseal.pki.policy import Asked, staple_reasons
from counterseal.pki.profile import Purpose
from counterseal.store.records import IMPORTED

if TYPE_CHECKING:
    from datetime import timedelta

    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

    from counterseal.authority.parts import Authority
    from counterseal.pki.keys import KeySpec
    from counterseal.pki.profile import Profile
    from counterseal.store.records import CertificateRecord


_ANEW = "issue it anew: counterseal client, counterseal server, or counterseal sign"


def ask_again(
    authority: Authority,
    record: CertificateRecord,
    *,
    public_key: CertificatePublicKeyTypes | None = None,
    lifetime: timedelta | None = None,
) -> Asked:
    """Ask for what the certificate of ``record`` says, for its own key or for ``public_key``.

    It lives as long as the one before unless ``lifetime`` says otherwise, and loses must-staple, with a remark, where
    certificates name no responder any more. Raises NotFoundError ``certificate.not_kept`` when only the serial number
    is known here, InputError ``renew.purpose``.
    """
    certificate = _certificate(record)
    profile = _profile(authority, record, certificate)
    staples = must_staple(certificate.extensions)
    in_vain = tuple(staple_reasons(profile, authority.issuer(record.issuer))) if staples else ()
    return Asked(
        profile=profile,
        subject=certificate.subject,
        names=names_in(certificate.extensions),
        public_key=public_key or certificate.public_key(),
        lifetime=lifetime or moment(record.not_after) - moment(record.not_before),
        must_staple=staples and not in_vain,
        remarks=tuple(map(_left_out, in_vain)),
    )


def key_spec_after(record: CertificateRecord) -> KeySpec:
    """Return the kind of key for the next certificate in place of this one: that of its own.

    Raises NotFoundError ``certificate.not_kept``.
    """
    return next_key_spec(_certificate(record).public_key())


def _left_out(reason: Finding) -> Finding:
    return Finding(reason.code, Severity.MEDIUM, f"must-staple is left out: {reason.message}")


def _certificate(record: CertificateRecord) -> x509.Certificate:
    if record.certificate is None:
        raise NotFoundError(
            "certificate.not_kept",
            f"only the serial number of this certificate is known: {record.name}",
            hint=_ANEW,
        )
    return x509.load_der_x509_certificate(record.certificate)


def _profile(authority: Authority, record: CertificateRecord, certificate: x509.Certificate) -> Profile:
    """Return the profile of the record; of a certificate that another program issued, the one of its purpose."""
    if record.profile != IMPORTED:
        return authority.profile(record.profile)
    purpose = purpose_of(certificate)
    if purpose is Purpose.ANY:
        message = f"an imported certificate that is not for servers alone, nor for clients alone: {record.name}"
        raise InputError("renew.purpose", message, hint=_ANEW)
    return authority.profile(purpose.value)
