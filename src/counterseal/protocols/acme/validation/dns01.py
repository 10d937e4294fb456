"""dns-01 (RFC 8555 8.4): a TXT record holds the hash of the key authorization."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from counterseal.pki.shown import counted
from counterseal.protocols.acme.encoding import encode
from counterseal.protocols.acme.problems import Failure
from counterseal.protocols.acme.validation.resolver import Lookup

if TYPE_CHECKING:
    from counterseal.protocols.acme.validation.connect import Reach

LABEL = "_acme-challenge"


async def check_dns01(reach: Reach, *, domain: str, key_authorization: str) -> Failure | None:
    """Return why the challenge fails, or None; aliases (CNAME) are followed by the resolver."""
    name = f"{LABEL}.{domain}"
    try:
        found = await reach.resolver.texts(name)
    except Lookup as lookup:
        return lookup.failure
    expected = encode(sha256(key_authorization.encode()).digest()).encode()
    if expected in found:
        return None
    count = counted(len(found), "TXT record")
    return Failure("incorrectResponse", f"{name}: {count}, none with the value that this account's key makes")
