"""Names of the object identifiers that stand in certificates and CSRs: those of RFCs and vendors, else the number."""

from __future__ import annotations

from cryptography.x509 import ObjectIdentifier

_NAMES = {
    "2.5.29.9": "subjectDirectoryAttributes",
    "2.5.29.16": "privateKeyUsagePeriod",
    "2.5.29.32.0": "anyPolicy",
    "2.5.29.33": "policyMappings",
    "1.2.840.113533.7.65.0": "entrustVersion",
    "1.2.840.113549.1.9.2": "unstructuredName",
    "1.2.840.113549.1.9.7": "challengePassword",
    "1.2.840.113549.1.9.8": "unstructuredAddress",
    "1.2.840.113549.1.9.14": "extensionRequest",
    "1.2.840.113549.1.9.15": "smimeCapabilities",
    "1.2.840.113549.1.9.16.2.37": "decryptKeyIdentifier",
    "1.2.840.113549.1.9.16.2.54": "asymmetricDecryptKeyIdentifier",
    "1.3.6.1.4.1.311.2.1.14": "Microsoft extension request",
    "1.3.6.1.4.1.311.13.1": "Microsoft renewed certificate",
    "1.3.6.1.4.1.311.13.2.1": "Microsoft enrollment name and value",
    "1.3.6.1.4.1.311.13.2.2": "Microsoft key provider",
    "1.3.6.1.4.1.311.13.2.3": "Microsoft Windows version",
    "1.3.6.1.4.1.311.21.20": "Microsoft requesting client",
    "1.3.6.1.4.1.311.20.2": "Microsoft certificate template name",
    "1.3.6.1.4.1.311.21.1": "Microsoft CA version",
    "1.3.6.1.4.1.311.21.7": "Microsoft certificate template",
    "1.3.6.1.4.1.311.21.10": "Microsoft application policies",
    "1.3.6.1.4.1.311.25.2": "Microsoft security identifier (SID)",
    "1.3.6.1.4.1.37476.9000.64.1": "step-ca provisioner",
    "1.3.6.1.5.5.7.1.3": "qcStatements",
    "1.3.6.1.5.5.7.1.31": "acmeIdentifier",
    "2.16.840.1.113730.1.1": "Netscape certificate type",
    "2.16.840.1.113730.1.13": "Netscape comment",
    "2.23.140.1.1": "CA/Browser Forum: extended validation",
    "2.23.140.1.2.1": "CA/Browser Forum: domain validated",
    "2.23.140.1.2.2": "CA/Browser Forum: organization validated",
    "2.23.140.1.2.3": "CA/Browser Forum: individual validated",
    "1.3.6.1.4.1.44947.1.1.1": "Let's Encrypt: domain validated",
    "1.3.6.1.4.1.311.20.2.2": "Microsoft smart card log-on",
    "1.3.6.1.4.1.311.10.3.12": "Microsoft document signing",
    "2.16.840.1.113730.4.1": "Netscape step-up",
    "1.3.6.1.4.1.311.20.2.3": "Microsoft user principal name",
}
_UNNAMED = "Unknown OID"


def oid_name(dotted: str) -> str:
    """Return the name of an object identifier, or the number itself."""
    if dotted in _NAMES:
        return _NAMES[dotted]
    try:
        name = ObjectIdentifier(dotted)._name  # noqa: SLF001 - the library's only name for it
    except ValueError:
        return dotted
    return dotted if name == _UNNAMED else name
