"""What ``explanation_json`` writes, as types: mypy holds what is written to them, and the schemas are made from them.

Loaded for the schemas alone, so the names in them stand for themselves and not behind ``TYPE_CHECKING``.
"""

from typing import Annotated, NotRequired, TypedDict

from msgspec import Meta

from counterseal.handshake.common_ground import Shortage
from counterseal.handshake.explain.ladder import Layer
from counterseal.handshake.explain.modes import Compared, Mode
from counterseal.handshake.trace.dial import Ending, Stage
from counterseal.handshake.verdict import Verdict
from counterseal.handshake.wire.messages import Side
from counterseal.pki.path.report_shapes import PathCheck

Seconds = Annotated[float, Meta(ge=0)]
Name = Annotated[str, Meta(description="By the registry of IANA; the number where it has none.")]


class Alert(TypedDict):
    """The fatal alert (RFC 8446 6) that ended the connection, and who sent it."""

    sender: Side
    name: Name


class Agreed(TypedDict):
    """How a connection ended and how far it came, and what both sides agreed on; null where it did not get there."""

    ending: Ending
    stage: Stage
    established: bool
    resumed: bool
    version: Name | None
    cipher_suite: Name | None
    group: Name | None
    post_quantum: bool
    protocol: Annotated[str | None, Meta(description="By ALPN (RFC 7301).")]
    alert: Alert | None
    seconds: Seconds


class Message(TypedDict):
    """A rung of the ladder: ``ms`` since the start, ``encrypted``: nobody on the way can read it.

    ``size`` and ``ms`` are null for what is no message of the handshake, ``section`` where no standard says it.
    """

    sender: Side
    layer: Layer
    name: str
    size: Annotated[int | None, Meta(description="In bytes.")]
    ms: Annotated[float | None, Meta(description="Milliseconds since the start.")]
    fields: dict[str, str]
    meaning: str
    section: str | None
    encrypted: bool
    fatal_alert: bool


class Keys(TypedDict):
    """From what both sides derive the session keys, in words; ``forward_secret``: a key stolen later opens nothing."""

    steps: list[str]
    forward_secret: bool
    post_quantum: bool
    section: str


class Resumption(TypedDict):
    """The second connection; where no ``session`` was given out there was none, and none of its keys.

    ``meaning`` is null where the first connection was not established.
    """

    session: bool
    meaning: str | None
    ending: NotRequired[Ending]
    stage: NotRequired[Stage]
    established: NotRequired[bool]
    resumed: NotRequired[bool]
    version: NotRequired[Name | None]
    cipher_suite: NotRequired[Name | None]
    group: NotRequired[Name | None]
    post_quantum: NotRequired[bool]
    protocol: NotRequired[str | None]
    alert: NotRequired[Alert | None]
    seconds: NotRequired[Seconds]
    ladder: NotRequired[list[Message]]


class Checks(TypedDict):
    """The checks that a peer makes of a certificate; ``path`` are the subjects, end entity first."""

    valid: bool
    path: list[str]
    checks: list[PathCheck]


class OwnCertificate(TypedDict):
    """A certificate at hand: whether the server takes it, and whether a browser would offer it; ``reasons`` why not."""

    name: str
    subject: str
    fits: bool
    offered_by_browser: bool
    reasons: list[str]


class ClientCertificates(TypedDict):
    """How the server treats them; ``compared`` goes by path, ``accepted_authorities`` is null where it did not ask."""

    mode: Mode
    compared: dict[str, Compared]
    accepted_authorities: list[str] | None
    own: list[OwnCertificate]


class Visit(TypedDict):
    """One request: ``code`` is nginx's (495, 496, 497), ``verify`` its ``$ssl_client_verify``; null: not seen."""

    path: str
    with_certificate: bool
    verdict: Verdict
    status: int | None
    code: int | None
    verify: str | None
    alert: str | None
    error: str | None


class Log(TypedDict):
    """What to look for in nginx's error log, and the level that it must have to show it."""

    text: str
    level: str


class Diagnosis(TypedDict):
    """What happened, why, and what mends it; ``code``, ``verify``, ``log`` and ``directive`` are nginx's."""

    happened: str
    cause: str
    fix: str
    code: int | None
    verify: str | None
    log: Log | None
    directive: str | None


class Lack(TypedDict):
    """What had nothing in common, told by more connections; ``takes`` is null where the server does not say it."""

    of: Shortage
    offered: list[Name]
    takes: Name | None


class Handshake(Agreed):
    """A handshake with a server, explained; docs/handshake.md has every key."""

    endpoint: str
    server_name: Annotated[str | None, Meta(description="The SNI (RFC 6066 3); null: none sent.")]
    peer: Annotated[str | None, Meta(description="The address that answered.")]
    passed_over: list[str]
    ladder: list[Message]
    resumption: Resumption | None
    keys: Keys | None
    server_checks: Checks | None
    client_checks: Checks | None
    client_certificates: ClientCertificates
    visits: list[Visit]
    lack: Lack | None
    diagnosis: Diagnosis | None
    server_diagnosis: Diagnosis | None


class Arrival(Agreed):
    """A client that arrived at ``counterseal listen``, explained; ``heading`` says in a line what it came to."""

    peer: str | None
    server_name: str | None
    heading: str
    ladder: list[Message]
    keys: Keys | None
    client_checks: Checks | None
    accepted_authorities: Annotated[list[str] | None, Meta(description="The CAs that were named to it.")]
    own: list[OwnCertificate]
    diagnosis: Diagnosis | None
