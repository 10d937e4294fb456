"""What goes wrong, in the RFC's words: one exception that carries a problem document (RFC 8555 6.7, RFC 9457)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

PREFIX = "urn:ietf:params:acme:error:"

STATUS: dict[str, int] = {
    # RFC 8555 6.7
    "accountDoesNotExist": 400,
    "alreadyRevoked": 400,
    "badCSR": 400,
    "badNonce": 400,
    "badPublicKey": 400,
    "badRevocationReason": 400,
    "badSignatureAlgorithm": 400,
    "caa": 403,
    "compound": 400,
    "connection": 400,
    "dns": 400,
    "externalAccountRequired": 403,
    "incorrectResponse": 403,
    "invalidContact": 400,
    "malformed": 400,
    "orderNotReady": 403,
    "rateLimited": 429,
    "rejectedIdentifier": 400,
    "serverInternal": 500,
    "tls": 400,
    "unauthorized": 403,
    "unsupportedContact": 400,
    "unsupportedIdentifier": 400,
    "userActionRequired": 403,
    # RFC 9773 7.4, draft-ietf-acme-profiles
    "alreadyReplaced": 409,
    "invalidProfile": 400,
}
"""Every type that we use, with its usual HTTP status."""


@dataclass(frozen=True, slots=True)
class Subproblem:
    """One of several reasons, with the identifier that it is about (RFC 8555 6.7.1)."""

    kind: str
    detail: str
    identifier: dict[str, str] | None = None

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        document: dict[str, Any] = {"type": PREFIX + self.kind, "detail": self.detail}
        return document | ({"identifier": self.identifier} if self.identifier else {})


class Problem(Exception):  # noqa: N818 - the RFC's word
    """The request cannot be answered as wished; ``kind`` is a key of ``STATUS``."""

    def __init__(
        self,
        kind: str,
        detail: str,
        *,
        status: int | None = None,
        subproblems: tuple[Subproblem, ...] = (),
        retry_after: int | None = None,
        location: str | None = None,
        links: tuple[tuple[str, str], ...] = (),
        **members: object,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.status = status or STATUS[kind]
        self.subproblems = subproblems
        self.retry_after = retry_after
        self.location = location
        self.links = links
        self.members = members

    def document(self) -> dict[str, Any]:
        """Return the problem document."""
        document = {"type": PREFIX + self.kind, "detail": self.detail, "status": self.status, **self.members}
        if self.subproblems:
            document["subproblems"] = [one.document() for one in self.subproblems]
        return document


def malformed(detail: str) -> Problem:
    """Return the problem of a request that is not as the RFC says."""
    return Problem("malformed", detail)


def not_found(what: str) -> Problem:
    """Return the problem of a URL behind which there is nothing, or nothing of this account's."""
    return Problem("malformed", f"no such {what}", status=404)


def unauthorized(detail: str) -> Problem:
    """Return the problem of a client that may not do this."""
    return Problem("unauthorized", detail)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a challenge failed: the problem that is kept with the authorization."""

    kind: str
    detail: str

    def document(self) -> dict[str, Any]:
        """Return the problem document."""
        return {"type": PREFIX + self.kind, "detail": self.detail, "status": STATUS[self.kind]}
