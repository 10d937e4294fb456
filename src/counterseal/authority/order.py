"""From the words of a person - a name, addresses, a group - to what is asked of policy."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.errors import InputError
from counterseal.pki.names import dns_name, parse_name
from counterseal.pki.policy import Asked
from counterseal.pki.profile import Purpose
from counterseal.pki.subject import common_name, parse_subject, show_subject, subject_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

    from counterseal.pki.csr import CSR
    from counterseal.pki.profile import Profile

MAX_COMMON_NAME = 64


def order_server(
    profile: Profile,
    name: str,
    public_key: CertificatePublicKeyTypes,
    *,
    more_names: Sequence[str] = (),
    subject: str | None = None,
    lifetime: timedelta | None = None,
) -> Asked:
    """Ask for a server certificate: ``name`` (DNS name or IP address) and ``more_names`` all become SANs."""
    names = _distinct([_host(name), *(parse_name(text) for text in more_names)])
    common = str(names[0].value)
    given = x509.Name([]) if subject is None else parse_subject(subject)
    if subject is None and len(common) <= MAX_COMMON_NAME:
        given = subject_of(common)
    return Asked(profile, given, names, public_key, lifetime)


def order_client(
    profile: Profile,
    name: str,
    public_key: CertificatePublicKeyTypes,
    *,
    more_names: Sequence[str] = (),
    group: str | None = None,
    subject: str | None = None,
    lifetime: timedelta | None = None,
) -> Asked:
    """Ask for a client certificate: CN is ``name``, OU the group by which a site may admit it."""
    _refuse_both(subject, group)
    given = subject_of(name, group=group) if subject is None else parse_subject(subject)
    return Asked(profile, given, _distinct([parse_name(text) for text in more_names]), public_key, lifetime)


def order_from_csr(
    profile: Profile,
    csr: CSR,
    *,
    more_names: Sequence[str] = (),
    group: str | None = None,
    subject: str | None = None,
    lifetime: timedelta | None = None,
) -> Asked:
    """Ask for what a CSR wishes: its names, its CN and must-staple.

    Its other subject attributes are left out, because a site may admit clients by OU and nobody chooses his own group.
    Raises InputError ``subject.group`` for a group beside a subject, or of a server, which is in none.
    """
    if group and profile.purpose is Purpose.SERVER:
        raise InputError("subject.group", f"a server is in no group: {group!r}", hint="leave the group out")
    _refuse_both(subject, group)
    common = common_name(csr.subject)
    if subject is not None:
        given = parse_subject(subject)
    elif common or group:
        given = subject_of(common, group=group) if common else parse_subject(f"OU={group}")
    else:
        given = x509.Name([])
    names = list(csr.names)
    if profile.requires_name and not names and not more_names and common:
        names = [_host(common)]
    wished = _distinct([*names, *(parse_name(text) for text in more_names)])
    return Asked(profile, given, wished, csr.public_key, lifetime, must_staple=csr.must_staple)


def _refuse_both(subject: str | None, group: str | None) -> None:
    if subject is not None and group is not None:
        raise InputError(
            "subject.group", "a subject and a group exclude each other", hint="write the group as OU= there"
        )


def left_out_of(csr: CSR, asked: Asked) -> tuple[str, ...]:
    """Return the attributes of a CSR's subject that the certificate will not have, such as ``OU=ops``."""
    kept = {(one.oid, one.value) for one in asked.subject}
    lost = [one for one in csr.subject if (one.oid, one.value) not in kept]
    return tuple(show_subject(x509.Name([one])) for one in lost)


def name_of_csr(csr: CSR) -> str:
    """Return what to call a certificate that nobody named; raises InputError ``csr.nameless``."""
    common = common_name(csr.subject)
    if common:
        return common
    if csr.names:
        return str(csr.names[0].value)
    raise InputError(
        "csr.nameless", "the CSR has neither a common name nor a subject alternative name", hint="pass --name"
    )


def _host(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text.strip("[]")))
    except ValueError:
        return dns_name(text)


def _distinct(names: Sequence[x509.GeneralName]) -> tuple[x509.GeneralName, ...]:
    return tuple(dict.fromkeys(names))
