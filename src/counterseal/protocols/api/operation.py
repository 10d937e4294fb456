"""How an operation of the API is declared: once, and routes, checks and the OpenAPI document are all made from it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import msgspec

from counterseal.errors import RefusedError
from counterseal.protocols.api.rules import Role, permits

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from counterseal.authority.parts import Authority
    from counterseal.protocols.api.parts import Parts
    from counterseal.protocols.api.rules import Grant

JSON = "application/json"


class Nothing(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """No parameters."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and what has been granted to him.

    ``name`` stands in the log of requests and in that of CA keys; limits and idempotency keys go by ``identity``.
    """

    name: str
    grants: tuple[Grant, ...]
    identity: str
    by_token: bool = False

    def has(self, grant: Grant) -> bool:
        """Whether he may do all that the grant permits, and so give it away."""
        return any(own.includes(grant) for own in self.grants)

    def require(self, role: Role, profile: str | None = None) -> None:
        """Raise RefusedError ``api.forbidden`` unless a grant is enough."""
        if not permits(self.grants, role, profile):
            about = f" for profile {profile!r}" if profile and permits(self.grants, role) else ""
            raise RefusedError("api.forbidden", f"this needs the role {role}{about}, which {self.name} has not")


@dataclass(frozen=True, slots=True)
class Call:
    """One request, everything about it checked: ``parameters`` and ``body`` are what the operation declares."""

    parts: Parts
    caller: Caller
    parameters: Any
    body: Any = field(repr=False)
    idempotency_key: str | None = None
    request: bytes = field(default=b"", repr=False)
    """What was asked for, octet for octet: method, path and body."""

    def acting(self, authority: Authority) -> Authority:
        """Return the authority as used by the caller: his name stands in the log of CA keys."""
        return replace(authority, actor=f"api:{self.caller.name}")


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered: a value for JSON, or octets of the operation's media type."""

    content: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    tag: str | None = None
    """An entity tag: who has this already is answered 304."""
    status: int | None = None
    """Where it is another one than the operation's."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that can be asked for.

    ``parameters`` are a struct whose fields stand in the path where its template names them, else in the query.
    ``answer`` is the type of the JSON that comes, or the media type of octets. ``problems`` are the statuses of failure
    beyond those that every operation shares, each with what it means.
    """

    name: str
    method: str
    path: str
    role: Role
    run: Callable[[Call], Awaitable[Reply]]
    answer: Any
    summary: str
    status: int = 200
    parameters: type[msgspec.Struct] = Nothing
    body: type[msgspec.Struct] | None = None
    problems: Mapping[int, str] = field(default_factory=dict)
    idempotent: bool = False
    """Whether an ``Idempotency-Key`` makes a repetition safe."""
    tagged: bool = False
    """Whether its answers have entity tags."""
    rehearsal: Any = None
    """The type of the answer (200) to a body that asks for a ``dry_run``, where there is one."""

    @property
    def in_path(self) -> frozenset[str]:
        """The parameters that stand in the path."""
        return frozenset(part[1:-1] for part in self.path.split("/") if part.startswith("{"))

    @property
    def media_type(self) -> str:
        """The media type of what it answers."""
        return self.answer if isinstance(self.answer, str) else JSON
