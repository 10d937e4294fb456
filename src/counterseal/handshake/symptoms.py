"""The shape of the table of causes: what of a failed row must match, and what it then points to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from counterseal.handshake.observation import Observation, StapleFault
    from counterseal.handshake.rows import Row, RowKind
    from counterseal.handshake.verdict import Verdict


class Fault(StrEnum):
    """Which part of the expectation was not met."""

    SERVER_VERIFY = "server-verify"
    SERIAL = "serial"
    LEAKED = "leaked"
    NOT_CONNECTED = "not-connected"
    REACHED = "reached"
    CLIENT_SERIAL = "client-serial"
    RESUMED = "resumed"
    EARLY_DATA = "early-data"
    ASKED = "asked"
    VERDICT = "verdict"
    ALERT = "alert"
    LOCATION = "location"
    GENERATION = "generation"
    OWN_PAGE = "own-page"
    VERIFY = "verify"
    STAPLE = "staple"


@dataclass(frozen=True, slots=True)
class Cause:
    """The likely cause of a wrong outcome, and the fix, in plain words."""

    cause: str
    fix: str


@dataclass(frozen=True, slots=True)
class Symptom:
    """What a wrong outcome looks like; a field that is None matches everything.

    ``verify`` is the beginning of ``$ssl_client_verify``, the empty text meaning that no page said it; ``error`` is a
    part of the connection's error.
    """

    points_to: Cause
    fault: Fault | None = None
    kinds: frozenset[RowKind] | None = None
    verdicts: frozenset[Verdict] | None = None
    modes: frozenset[str] | None = None
    asked: bool | None = None
    resumed: bool | None = None
    verify: str | None = None
    alert: str | None = None
    error: str | None = None
    is_stream: bool | None = None
    staple: StapleFault | None = None

    def matches(self, row: Row, fault: Fault, ended: Verdict, seen: Observation) -> bool:
        """Return whether this symptom describes the wrong outcome of the row."""
        wanted = (
            (self.fault, self.fault is fault),
            (self.kinds, self.kinds is not None and row.kind in self.kinds),
            (self.verdicts, self.verdicts is not None and ended in self.verdicts),
            (self.modes, self.modes is not None and row.client_certificates in self.modes),
            (self.asked, self.asked is seen.certificate_requested),
            (self.resumed, self.resumed is seen.resumed),
            (self.verify, _says(seen.verify, self.verify)),
            (self.alert, self.alert == seen.alert),
            (self.error, (self.error or "") in (seen.error or "")),
            (self.is_stream, self.is_stream is row.is_stream),
            (self.staple, seen.staple is not None and self.staple is seen.staple.fault),
        )
        return all(met for condition, met in wanted if condition is not None)


def _says(verify: str | None, wanted: str | None) -> bool:
    return (verify or "").startswith(wanted) if wanted else not verify
