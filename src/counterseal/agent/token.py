"""A one-time token as it is handed over: the secret, and beside it, where it was said, the root's fingerprint.

What `counterseal token` prints can be handed over as it is, as text or as JSON; so can the secret alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from counterseal.errors import InputError

MAX_TOKEN_BYTES = 16 * 1024
_OURS = re.compile(r"(?<![A-Za-z0-9_-])cst_[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])")
_ANY = re.compile(r"[A-Za-z0-9._~+/=-]{16,512}")
"""What may stand in a header (RFC 6750 2.1), and is long enough to be a secret."""
_FINGERPRINT = re.compile(r"(?<![0-9A-Za-z_-])[0-9a-f]{64}(?![0-9A-Za-z_-])")


@dataclass(frozen=True, slots=True)
class Token:
    """``secret`` is shown to nobody but a trusted service; ``fingerprint`` is the SHA-256 of the CA's root."""

    secret: str = field(repr=False)
    fingerprint: bytes | None = None


def parse_token(content: bytes) -> Token:
    """Return the token in ``content``: one secret alone, or within what `counterseal token` says.

    Raises InputError ``token.malformed``, which never shows what was there.
    """
    text = content[: MAX_TOKEN_BYTES + 1].decode("utf-8", "replace").strip()
    secrets = set(_OURS.findall(text)) or set(_ANY.findall(text) if _ANY.fullmatch(text) else ())
    if len(content) > MAX_TOKEN_BYTES or len(secrets) != 1:
        raise InputError(
            "token.malformed",
            f"not a token: {len(content)} bytes, in which there are {len(secrets)} secrets",
            hint="hand over what `counterseal token` printed, or the secret in it alone",
        )
    (secret,) = secrets
    pins = set(_FINGERPRINT.findall(text)) if text != secret else set()
    return Token(secret, bytes.fromhex(pins.pop()) if len(pins) == 1 else None)
