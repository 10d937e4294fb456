"""Distinguished names: both spellings read, RFC 4514 shown, and the form in which nginx compares them.

Knows nothing of who may bear a name; that is the policy's. RFC 5280 4.1.2.4 and appendix A (upper bounds), RFC 4514.
"""

from __future__ import annotations

import re

from cryptography import x509
from cryptography.x509.oid import NameOID

from counterseal.errors import InputError

_SHORT_NAMES = {
    "C": NameOID.COUNTRY_NAME,
    "ST": NameOID.STATE_OR_PROVINCE_NAME,
    "S": NameOID.STATE_OR_PROVINCE_NAME,
    "L": NameOID.LOCALITY_NAME,
    "STREET": NameOID.STREET_ADDRESS,
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "CN": NameOID.COMMON_NAME,
    "GN": NameOID.GIVEN_NAME,
    "SN": NameOID.SURNAME,
    "TITLE": NameOID.TITLE,
    "SERIALNUMBER": NameOID.SERIAL_NUMBER,
    "EMAILADDRESS": NameOID.EMAIL_ADDRESS,
    "E": NameOID.EMAIL_ADDRESS,
    "DC": NameOID.DOMAIN_COMPONENT,
    "UID": NameOID.USER_ID,
}
# The short names of OpenSSL, which nginx prints in $ssl_client_s_dn and $ssl_client_i_dn.
_OPENSSL_NAMES = {
    NameOID.COUNTRY_NAME: "C",
    NameOID.STATE_OR_PROVINCE_NAME: "ST",
    NameOID.LOCALITY_NAME: "L",
    NameOID.STREET_ADDRESS: "street",
    NameOID.ORGANIZATION_NAME: "O",
    NameOID.ORGANIZATIONAL_UNIT_NAME: "OU",
    NameOID.COMMON_NAME: "CN",
    NameOID.GIVEN_NAME: "GN",
    NameOID.SURNAME: "SN",
    NameOID.TITLE: "title",
    NameOID.SERIAL_NUMBER: "serialNumber",
    NameOID.EMAIL_ADDRESS: "emailAddress",
    NameOID.DOMAIN_COMPONENT: "DC",
    NameOID.USER_ID: "UID",
}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def parse_subject(text: str) -> x509.Name:
    """Return the name that ``text`` spells: ``/C=CN/O=example/CN=x`` as openssl writes it, or RFC 4514.

    The slash form lists the most significant attribute first, RFC 4514 last. Raises InputError (``subject.*``).
    """
    if not text.strip():
        raise InputError(
            "subject.empty", "subject is empty", hint='write it as "/O=example/CN=name" or "CN=name,O=example"'
        )
    pairs = _split_slash(text) if text.startswith("/") else list(reversed(_split_rfc4514(text)))
    return x509.Name([x509.RelativeDistinguishedName([_attribute(key, value)]) for key, value in pairs])


def common_name(name: x509.Name) -> str | None:
    """Return the first common name, or None."""
    for attribute in name.get_attributes_for_oid(NameOID.COMMON_NAME):
        return str(attribute.value)
    return None


def organizational_units(name: x509.Name) -> tuple[str, ...]:
    """Return the values of OU, which a site may admit as groups."""
    return tuple(str(attribute.value) for attribute in name.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME))


def subject_of(common: str, *, group: str | None = None, organization: str | None = None) -> x509.Name:
    """Return the name of an end entity: organization, group as OU, common name; raises InputError."""
    pairs = [("O", organization), ("OU", group), ("CN", common)]
    attributes = [_attribute(key, value) for key, value in pairs if value is not None]
    return x509.Name([x509.RelativeDistinguishedName([attribute]) for attribute in attributes])


def show_subject(name: x509.Name) -> str:
    """Return the name in RFC 4514 form, control characters escaped so that a terminal is safe."""
    return _CONTROL.sub(lambda match: f"\\{ord(match.group()):02X}", name.rfc4514_string())


def nginx_name(name: x509.Name) -> str:
    r"""Return the name as nginx has it in ``$ssl_client_s_dn``: OpenSSL's XN_FLAG_RFC2253.

    Last attribute first, OpenSSL's short names, everything outside printable ASCII as ``\C3\A9`` octets of UTF-8.
    """
    return ",".join(
        "+".join(f"{_OPENSSL_NAMES.get(a.oid, a.oid.dotted_string)}={_escape_rfc2253(str(a.value))}" for a in rdn)
        for rdn in reversed(name.rdns)
    )


def has_control_characters(name: x509.Name) -> bool:
    """Whether any attribute holds a control character, which RFC 5280 does not forbid and every log suffers from."""
    return any(_CONTROL.search(str(attribute.value)) for attribute in name)


def _split_slash(text: str) -> list[tuple[str, str]]:
    parts = [part.replace("\\/", "/") for part in re.split(r"(?<!\\)/", text)[1:]]
    return [_split_pair(part, text) for part in parts if part]


def _split_rfc4514(text: str) -> list[tuple[str, str]]:
    parts = re.findall(r"(?:\\.|[^,\\])+", text, re.DOTALL)
    return [(key, _unescape(value)) for key, value in (_split_pair(part.strip(), text) for part in parts)]


def _split_pair(part: str, text: str) -> tuple[str, str]:
    key, equals, value = part.partition("=")
    if not equals:
        raise InputError("subject.syntax", f"subject has a part without '=': {part!r} in {text!r}")
    return key.strip(), value


def _unescape(value: str) -> str:
    octets = re.sub(
        r"(?:\\[0-9A-Fa-f]{2})+", lambda m: bytes.fromhex(m.group().replace("\\", "")).decode(errors="replace"), value
    )
    return re.sub(r"\\(.)", r"\1", octets, flags=re.DOTALL)


def _attribute(key: str, value: str) -> x509.NameAttribute[str]:
    oid = _SHORT_NAMES.get(key.upper())
    if oid is None:
        raise InputError(
            "subject.attribute", f"unknown subject attribute: {key!r}", hint=f"known are {', '.join(_SHORT_NAMES)}"
        )
    if not value.strip():
        raise InputError("subject.value", f"subject attribute is empty: {key}")
    if _CONTROL.search(value):
        raise InputError("subject.value", f"control character in subject attribute {key}: {value!r}")
    try:
        return x509.NameAttribute(oid, value)
    except ValueError as error:
        raise InputError("subject.value", f"subject attribute {key} is not allowed: {value!r} ({error})") from error


def _escape_rfc2253(value: str) -> str:
    escaped = "".join(_escape_octet(octet) for octet in value.encode())
    if value[:1] in {"#", " "}:
        escaped = "\\" + escaped
    if len(value) > 1 and value.endswith(" "):
        escaped = escaped[:-1] + "\\ "
    return escaped


def _escape_octet(octet: int) -> str:
    if octet < 0x20 or octet >= 0x7F:  # noqa: PLR2004 - printable ASCII
        return f"\\{octet:02X}"
    character = chr(octet)
    return "\\" + character if character in ',+"\\<>;' else character
