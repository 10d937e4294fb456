"""What else the files of a configuration tell about a certificate: whether the CA above it is an intermediate."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cryptography.x509.oid import NameOID

from counterseal.nginx.lint.store import is_ca, is_self_issued

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography import x509

    from counterseal.nginx.lint.model import Configuration

PUBLIC = re.compile(
    r"^(?:Internet Security Research Group|Let's Encrypt|DigiCert|GlobalSign|Sectigo|The USERTRUST Network|COMODO|"
    r"GoDaddy|Starfield Technologies|Google Trust Services|Amazon|Entrust|IdenTrust|Buypass|SwissSign|Certainly|"
    r"ZeroSSL|SSL Corp|Actalis|QuoVadis|T-Systems|Unizeto|Asseco Data Systems|AffirmTrust|Baltimore)",
    re.IGNORECASE,
)
"""Organizations that run public CAs; their roots never issue end entities themselves."""


def is_public(name: x509.Name) -> bool:
    """Whether a name is that of a well-known public CA."""
    return any(PUBLIC.match(str(part.value)) for part in name.get_attributes_for_oid(NameOID.ORGANIZATION_NAME))


def missing_intermediate(configuration: Configuration, chain: Sequence[x509.Certificate]) -> x509.Name | None:
    """Return the CA that a chain lacks, when it is surely none that the other side has: an intermediate.

    It is one when another file of the configuration, or beside its files, holds it as such, or when the chain is one
    certificate of a public CA. Of a CA that nobody knows nothing is said: it may be a root, which is not sent.
    """
    if not chain or is_self_issued(chain[-1]):
        return None
    wanted = chain[-1].issuer
    named = (one for file in configuration.files.values() for one in file.certificates)
    above = [one for one in (*named, *configuration.neighbours) if one.subject == wanted and is_ca(one)]
    if above:
        return None if any(map(is_self_issued, above)) else wanted
    return wanted if len(chain) == 1 and is_public(wanted) else None
