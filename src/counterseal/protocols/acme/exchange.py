"""One authenticated request and its answer, as the jobs see them: no HTTP, no socket, no clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from counterseal.protocols.acme.encoding import encode, read_json
from counterseal.protocols.acme.problems import Problem, not_found
from counterseal.store.acme.passing import count_use

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from counterseal.authority.parts import Authority
    from counterseal.protocols.acme.jwk import AccountKey
    from counterseal.protocols.acme.objects import URLs
    from counterseal.protocols.acme.rules import AcmeRules
    from counterseal.store.acme.records import AccountRecord, AuthorizationRecord

T = TypeVar("T")

ID_BYTES = 12
HOUR = 3_600
LONGEST_WAIT = 600
NO_HEADERS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Parts:
    """What is the same for every call: the rules, randomness, and the secrets of this use."""

    rules: AcmeRules
    random_bytes: Callable[[int], bytes] = field(repr=False)
    external_secret: bytes = field(repr=False)
    terms_secret: bytes = field(repr=False)


class Call(NamedTuple):
    """A request whose signature was verified and whose nonce was ours.

    ``account`` is None where the request carries its own key (``jwk``); ``at`` is the time in seconds.
    """

    parts: Parts
    urls: URLs
    url: str
    key: AccountKey
    account: AccountRecord | None
    payload: bytes
    at: int
    client: str | None
    parameters: Mapping[str, str]

    @property
    def rules(self) -> AcmeRules:
        """What the configuration says about ACME."""
        return self.parts.rules

    def read(self, kind: type[T]) -> T:
        """Return the payload as ``kind``; raises Problem ``malformed``."""
        return read_json(self.payload, kind, "the payload")

    @property
    def is_get(self) -> bool:
        """Whether this is a POST-as-GET (RFC 8555 6.3)."""
        return not self.payload

    @property
    def owner(self) -> AccountRecord:
        """The account of a request that carries a ``kid``."""
        if self.account is None:
            raise not_found("account")
        return self.account

    def new_id(self) -> str:
        """Return a new random id for a URL."""
        return encode(self.parts.random_bytes(ID_BYTES))


class Reply(NamedTuple):
    """An answer: JSON, or text of another ``media_type``.

    What begins with it: the attempted challenge of the authorization ``validate`` is tried, a new list of the CA
    ``publish`` is signed once it is durable.
    """

    document: dict[str, Any] | None = None
    status: int = 200
    headers: Mapping[str, str] = NO_HEADERS
    links: tuple[tuple[str, str], ...] = ()
    text: str | None = None
    media_type: str = "application/json"
    validate: AuthorizationRecord | None = None
    publish: str | None = None


def limit(authority: Authority, subject: str, action: str, allowed: int, at: int) -> None:
    """Count one more use in this hour; raises Problem ``rateLimited`` past ``allowed`` (0: no limit)."""
    if not allowed:
        return
    window = at // HOUR * HOUR
    if count_use(authority.store, subject, action, window) > allowed:
        raise rate_limited(f"more than {allowed} in an hour: {action}", window + HOUR - at)


def rate_limited(detail: str, seconds: int) -> Problem:
    """Return the problem (RFC 8555 6.6) with a small number of seconds to wait, never a date."""
    return Problem("rateLimited", detail, retry_after=max(1, min(seconds, LONGEST_WAIT)))
