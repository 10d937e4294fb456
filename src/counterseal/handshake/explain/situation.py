"""What a diagnosis looks at, and what it says, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from counterseal.handshake.authorities import Listed
    from counterseal.handshake.common_ground import Lack
    from counterseal.handshake.explain.nginx_log import LogHint
    from counterseal.handshake.explain.story import Story
    from counterseal.handshake.in_front import InFront
    from counterseal.handshake.observation import Observation
    from counterseal.handshake.trace.dial import Trace


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A failed connection explained.

    ``code`` is nginx's (400, 421, 495, 496, 497), ``verify`` its verify reason with OpenSSL's number, ``log`` the line
    to look for in error.log, ``directive`` what to change in nginx's configuration; None where it does not apply.
    """

    happened: str
    cause: str
    fix: str
    code: int | None = None
    verify: str | None = None
    log: LogHint | None = None
    directive: str | None = None


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything that a diagnosis looks at.

    ``likely`` is the number of OpenSSL's verify error that our own checks of the client's certificate predict, and
    ``listed`` which CAs of its chain the server named; ``in_front`` and ``lack`` are what more connections told, and
    ``withheld`` says that the client has a certificate, was asked for one, and sent none. ``failures`` are the titles
    of the checks that the client's certificate does not pass. ``unfit`` are the user's own certificates, each with the
    reason, where none of them is what the server asks for.
    """

    trace: Trace
    story: Story
    seen: Observation
    likely: int | None = None
    listed: Listed | None = None
    in_front: InFront | None = None
    lack: Lack | None = None
    withheld: bool = False
    failures: tuple[str, ...] = ()
    unfit: tuple[str, ...] = ()

    @property
    def presented(self) -> bool:
        """Whether the client sent a certificate."""
        return bool(self.story.client_chain)
