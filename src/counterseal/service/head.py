"""What the parser of HTTP takes and RFC 9112 has a server refuse: a request without one good Host, a foreign version.

Decides about the head of one request, as values. Everything else that is malformed, the parser refuses by itself.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

HEAD_LIMIT = 32 * 1024
CODED = "Transfer-Encoding is not chunked alone."
"""The one fault that is not the client's: a coding that we do not read has a status of its own (RFC 9112 6.1)."""

_HOST = re.compile(rb"[A-Za-z0-9\-._~!$&'()*+,;=%:\[\]]*")
"""The octets of ``uri-host [ ":" port ]`` (RFC 3986 3.2.2); whether there is such a host is no question here."""


def fault_of_head(version: str, target: bytes, headers: Sequence[tuple[bytes, bytes]]) -> str | None:
    """Return what is wrong with a head, None where nothing is; names of headers are in lower case."""
    size = len(target) + sum(len(name) + len(value) for name, value in headers)
    if size > HEAD_LIMIT:
        return "Request head is too large."
    if version not in {"1.1", "1.0"}:
        return "HTTP version is not 1.0 or 1.1."
    hosts = [value for name, value in headers if name == b"host"]
    if len(hosts) > 1 or (version == "1.1" and not hosts):
        return f"{len(hosts) or 'No'} Host headers."  # RFC 9112 3.2
    if hosts and not _HOST.fullmatch(hosts[0]):
        return "Host is not a host."
    codings = b",".join(value for name, value in headers if name == b"transfer-encoding").split(b",")
    return CODED if len(codings) > 1 else None  # one that is not chunked, or not at the end, the parser refuses
