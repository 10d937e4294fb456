"""What ``verification_json`` writes, as types: mypy holds what is written to them, and the schema is made from them.

Loaded for the schema alone, so the names in them stand for themselves and not behind ``TYPE_CHECKING``.
"""

from typing import NotRequired, TypedDict

from counterseal.pki.path.report_shapes import Path, Time
from counterseal.pki.profile import Purpose


class Library(TypedDict):
    """What the cryptography library decides; ``accepts`` is null where the question cannot be put to it."""

    accepts: bool | None
    reason: str | None
    disagrees: bool


class OpenSSLError(TypedDict):
    """An error that OpenSSL reports: its number and text, and at which certificate (0 is the end entity)."""

    error: int
    message: str
    depth: int


class OtherNginx(TypedDict):
    """What versions of nginx or of its OpenSSL do that answer otherwise than the one asked; ``who`` says which."""

    who: str
    emerg: str | None
    status: NotRequired[int]
    code: NotRequired[int | None]
    error: NotRequired[int]
    ssl_client_verify: NotRequired[str]


class NginxAnswer(OtherNginx):
    """What nginx answers the client: ``status`` as it sees it, ``code`` for ``error_page``, OpenSSL's ``error``.

    ``who`` is the nginx that was asked, with its OpenSSL where that is known. ``emerg`` is the line with which it does
    not start with these files; then ``who`` and ``elsewhere`` are the only other keys.
    ``undecided`` are issuers with two lists of one date, of which this nginx or that takes the other.
    """

    log: NotRequired[str | None]
    cause: NotRequired[str | None]
    fix: NotRequired[str | None]
    chain: NotRequired[list[str]]
    too_deep: NotRequired[bool]
    undecided: NotRequired[list[str]]
    elsewhere: list[OtherNginx]


class Verified(TypedDict):
    """A certificate, every path from it with all checks, the best first, and what others say of it.

    ``names`` are those it must bear, ``at`` the moment it is judged by, ``trusted`` whose anchors are, in words.
    ``older_openssl`` is null where older releases of OpenSSL stop at the same error as the newest.
    """

    valid: bool
    purpose: Purpose
    names: list[str]
    at: Time
    trusted: str
    strict: bool
    paths: list[Path]
    library: Library
    openssl: list[OpenSSLError]
    older_openssl: list[OpenSSLError] | None
    nginx: NginxAnswer | None
