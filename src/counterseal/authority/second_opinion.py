"""What pkilint, another linter of certificates and lists, says, where it is installed (``counterseal[lint]``).

Its findings are told in our words of severity, under its own codes behind ``pkilint.``. Left out are what it states
without blame (its severity INFO), and what it holds against private names that are right here.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from counterseal.findings import Finding, Severity
from counterseal.pki.shape import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

FALSE_ALARMS = frozenset({"pkix.invalid_domain_name_syntax"})
"""``localhost`` and other names without a dot: our own rule about names judges the syntax of all kinds."""

MOST_BYTES = 1024 * 1024
"""About larger ones, lists of more than some 20,000 entries, it is not asked: it takes 0.15 s a thousand."""

_SEVERITIES = {"NOTICE": Severity.LOW, "WARNING": Severity.MEDIUM, "ERROR": Severity.HIGH, "FATAL": Severity.CRITICAL}
_PACKAGE = "pkilint"


def is_installed() -> bool:
    """Whether pkilint can be imported."""
    return find_spec(_PACKAGE) is not None


def second_opinion(kind: Kind, content: bytes) -> tuple[Finding, ...]:
    """Return what pkilint finds in a DER certificate or CRL; nothing for other kinds. It takes some milliseconds."""
    if kind not in {Kind.CERTIFICATE, Kind.CRL}:
        return ()
    if len(content) > MOST_BYTES:
        return (
            Finding("pkilint.skipped", Severity.INFO, f"pkilint was not asked: {len(content):,} bytes take it minutes"),
        )
    loader, validator = _linter(kind)
    try:
        results = validator.validate(loader.load_document(content, "", None).root)
    except Exception as error:  # noqa: BLE001 - it raises whatever its ASN.1 library does, on anything malformed
        return (Finding("pkilint.unreadable", Severity.INFO, f"pkilint cannot read it: {type(error).__name__}"),)
    return tuple(finding for result in results for finding in _findings(result))


def _findings(result: Any) -> Iterator[Finding]:  # noqa: ANN401 - pkilint's result
    for described in result.finding_descriptions:
        severity, code = _SEVERITIES.get(described.finding.severity.name), described.finding.code
        if severity is not None and code not in FALSE_ALARMS:
            words = code.rpartition(".")[2].replace("_", " ")
            message = f"{words}: {described.message}" if described.message else words
            yield Finding(f"pkilint.{code}", severity, message, where=result.node.path)


@cache
def _linter(kind: Kind) -> tuple[Any, Any]:
    from pkilint import loader, pkix  # type: ignore[import-untyped] # noqa: PLC0415 - half a second, where installed
    from pkilint.pkix import certificate, crl, extension, name  # type: ignore[import-untyped] # noqa: PLC0415 - same

    if kind is Kind.CERTIFICATE:
        return loader.RFC5280CertificateDocumentLoader(), certificate.create_pkix_certificate_validator_container(
            certificate.create_decoding_validators(name.ATTRIBUTE_TYPE_MAPPINGS, extension.EXTENSION_MAPPINGS),
            [
                certificate.create_issuer_validator_container([]),
                certificate.create_validity_validator_container(),
                certificate.create_subject_validator_container([]),
                certificate.create_extensions_validator_container([]),
                certificate.create_spki_validator_container([]),
            ],
        )
    return loader.RFC5280CertificateListDocumentLoader(), crl.create_pkix_crl_validator_container(
        [
            pkix.create_attribute_decoder(name.ATTRIBUTE_TYPE_MAPPINGS),
            pkix.create_extension_decoder(extension.EXTENSION_MAPPINGS),
        ],
        [
            crl.create_issuer_validator_container([]),
            crl.create_validity_validator_container([]),
            crl.create_extensions_validator_container([]),
        ],
    )
