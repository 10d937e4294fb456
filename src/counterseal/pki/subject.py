"""Distinguished names: both spellings read, RFC 4514 shown, and the form in which nginx compares them.

Knows nothing of who may bear a name; that is the policy's. RFC 5280 4.1.2.4 and appendix A (upper bounds), RFC 4514.
"""

from __future__ import annotations

from cryptography import x509
from cryptography.x509.oid import NameOID

from counterseal.errors import InputError
from counterseal.pki.attributes import SHOWN_NAMES, attribute, faults
from counterseal.pki.openssl_name import print_rfc2253
from counterseal.pki.shown import has_control, printable, quoted
from counterseal.pki.spellings import MAX_SUBJECT, Pair, read_rfc4514, read_slash


def parse_subject(text: str) -> x509.Name:
    """Return the name that ``text`` spells: ``/C=CN/O=example/CN=x`` as openssl writes it, or RFC 4514.

    The slash form lists the most significant attribute first, RFC 4514 last. Raises InputError: ``subject.empty``,
    ``subject.too_long``, ``subject.syntax``, ``subject.attribute``, ``subject.value``.
    """
    if not text.strip():
        raise InputError(
            "subject.empty", "subject is empty", hint='write it as "/O=example/CN=name" or "CN=name,O=example"'
        )
    if len(text) > MAX_SUBJECT:
        raise InputError("subject.too_long", f"subject is longer than {MAX_SUBJECT} characters: {quoted(text)}")
    return x509.Name([_rdn(pairs) for pairs in (read_slash(text) if text.startswith("/") else read_rfc4514(text))])


def common_name(name: x509.Name) -> str | None:
    """Return the first common name, or None."""
    for found in name.get_attributes_for_oid(NameOID.COMMON_NAME):
        return str(found.value)
    return None


def organization(name: x509.Name) -> str | None:
    """Return the first organization, or None."""
    for found in name.get_attributes_for_oid(NameOID.ORGANIZATION_NAME):
        return str(found.value)
    return None


def organizational_units(name: x509.Name) -> tuple[str, ...]:
    """Return the values of OU, which a site may admit as groups."""
    return tuple(str(found.value) for found in name.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME))


def subject_of(common: str, *, group: str | None = None) -> x509.Name:
    """Return the name of an end entity: group as OU, common name; raises InputError."""
    pairs = [("OU", group), ("CN", common)]
    return x509.Name([_rdn([(key, value)]) for key, value in pairs if value is not None])


def show_subject(name: x509.Name) -> str:
    """Return the name in RFC 4514 form, control characters escaped so that a terminal is safe."""
    return printable(name.rfc4514_string(SHOWN_NAMES))


def nginx_name(name: x509.Name) -> str:
    r"""Return the name as nginx has it in ``$ssl_client_s_dn``: OpenSSL's XN_FLAG_RFC2253.

    Last attribute first, OpenSSL's short names, everything outside printable ASCII as ``\C3\A9`` octets of UTF-8.
    """
    return print_rfc2253(name.public_bytes())


def has_control_characters(name: x509.Name) -> bool:
    """Whether any attribute holds a control character, which RFC 5280 does not forbid and every log suffers from."""
    return any(has_control(str(found.value)) for found in name)


def subject_faults(name: x509.Name) -> tuple[str, ...]:
    """Return everything for which ``parse_subject`` would refuse this name, which came from elsewhere."""
    return tuple(fault for found in name for fault in faults(found))


def _rdn(pairs: list[Pair]) -> x509.RelativeDistinguishedName:
    found = [attribute(key, value) for key, value in pairs]
    if len(set(found)) != len(found):
        raise InputError("subject.syntax", f"subject has the same attribute twice: {quoted(pairs[0][0])}")
    return x509.RelativeDistinguishedName(found)
