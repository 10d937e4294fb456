"""What the CA of this machine knows of a certificate that somebody shows it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from counterseal.errors import NotFoundError
from counterseal.moments import epoch, moment, show_moment
from counterseal.pki.path.question import Revoked
from counterseal.pki.path.revocation_list import RevocationList
from counterseal.store.records import Status

if TYPE_CHECKING:
    from counterseal.authority.parts import Authority
    from counterseal.store.records import CARecord, CertificateRecord


class KnownCAs:
    """The CAs and the inventory of an authority; of none at all when there is no authority."""

    def __init__(self, authority: Authority | None) -> None:
        self._authority = authority

    @cached_property
    def _by_certificate(self) -> dict[bytes, CARecord]:
        return {record.certificate: record for record in self._authority.store.cas()} if self._authority else {}

    @property
    def certificates(self) -> tuple[x509.Certificate, ...]:
        """The certificates of the CAs, which issue what is looked at."""
        return tuple(x509.load_der_x509_certificate(content) for content in self._by_certificate)

    @property
    def lists(self) -> tuple[RevocationList, ...] | None:
        """The newest revocation list of each CA that has one, as nginx is given them; None where there is none."""
        if self._authority is None:
            return None
        found = [self._authority.store.latest_crl(ca.name) for ca in self._by_certificate.values()]
        return tuple(RevocationList(one.crl) for one in found if one is not None) or None

    def lists_about(self, certificate: x509.Certificate) -> tuple[RevocationList, ...] | None:
        """Return these lists where a CA of the home issued the certificate, else None."""
        return self.lists if any(one.subject == certificate.issuer for one in self.certificates) else None

    @property
    def revoked(self) -> tuple[Revoked, ...]:
        """The CAs that are revoked; for the list above one to say so, the key for that list has to be at hand."""
        return tuple(
            Revoked(x509.load_der_x509_certificate(ca.certificate), _revoked(ca, ca.revoked_at))
            for ca in self._by_certificate.values()
            if ca.revoked_at is not None
        )

    def _issuer_of(self, certificate: x509.Certificate) -> CARecord | None:
        issued = {one.subject: self._by_certificate[one.public_bytes(Encoding.DER)] for one in self.certificates}
        return issued.get(certificate.issuer)

    def describe(self, certificate: x509.Certificate) -> str | None:
        """Return in words what is known of a certificate, None when it is a stranger."""
        if self._authority is None:
            return None
        content = certificate.public_bytes(Encoding.DER)
        if content in self._by_certificate:
            return _called(self._by_certificate[content])
        issuer = self._issuer_of(certificate)
        return None if issuer is None else self._of_issuer(certificate.serial_number, content, issuer)

    def _of_issuer(self, serial_number: int, content: bytes, issuer: CARecord) -> str:
        assert self._authority is not None  # noqa: S101 - asked by describe only
        try:
            record = self._authority.store.certificate(serial_number, issuer=issuer.name)
        except NotFoundError:
            return f"names CA {issuer.name} of this home as its issuer, which never issued it"
        if record.certificate not in {None, content}:
            return (
                f"another certificate than the one that CA {issuer.name} of this home issued under this serial number"
            )
        status = _status(record, epoch(self._authority.clock()))
        return f"{status} certificate {record.name} of {_called(issuer)}"


def _revoked(ca: CARecord, at: int) -> str:
    since, reason = show_moment(moment(at)), ca.revocation_reason
    return f"CA {ca.name} of this home is revoked since {since}, {reason}, and all it issued with it"


def _called(ca: CARecord) -> str:
    return f"CA {ca.name} of this home{'' if ca.revoked_at is None else ', which is revoked'}"


def _status(record: CertificateRecord, at: int) -> str:
    if record.status is Status.VALID and record.not_after <= at:
        return "expired"
    when = f" ({record.revocation_reason}, {show_moment(moment(record.revoked_at))})" if record.revoked_at else ""
    return f"{record.status}{when}"
