"""Explanations as data for ``--json``; ``docs/verify.md`` documents every field."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.pki.shown import show_serial
from counterseal.pki.subject import show_subject

if TYPE_CHECKING:
    from cryptography import x509

    from counterseal.pki.path.check import Check
    from counterseal.pki.path.explain import PathReport
    from counterseal.pki.path.report_shapes import Path, PathCertificate, PathCheck


def report_to_json(report: PathReport) -> Path:
    """Return one path with every check; positions count from the end entity, 0."""
    return {
        "valid": report.valid,
        "anchored": report.anchored,
        "certificates": [_certificate(certificate) for certificate in report.certificates],
        "checks": [check_to_json(check) for check in report.checks],
    }


def check_to_json(check: Check) -> PathCheck:
    """Return one check; ``meaning`` and ``fix`` are None where nothing is to be mended."""
    return {
        "code": check.kind.code,
        "title": check.kind.title,
        "outcome": check.outcome,
        "position": check.position,
        "message": check.message,
        "section": check.where_written,
        "meaning": check.kind.meaning if check.failed else None,
        "fix": check.fix,
    }


def _certificate(certificate: x509.Certificate) -> PathCertificate:
    return {
        "subject": show_subject(certificate.subject),
        "issuer": show_subject(certificate.issuer),
        "serial_number": show_serial(certificate.serial_number),
        "not_before": certificate.not_valid_before_utc.isoformat(),
        "not_after": certificate.not_valid_after_utc.isoformat(),
    }
