"""What stands in front of a server, where a connection never became TLS: told by one more connection, not guessed.

A PROXY header (HAProxy's proxy-protocol.txt) that is waited for, and one that is sent to who does not expect it, both
look like other faults; so does a device that cuts connections by the name in the SNI. At the edge: it connects.
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING

from counterseal.handshake.attempt import attempt
from counterseal.handshake.observation import Attempt
from counterseal.handshake.trace.connection import dial
from counterseal.handshake.trace.dial import Ending, Stage

if TYPE_CHECKING:
    from counterseal.handshake.trace.dial import Dial, Trace

PROXY_HEADER = b"PROXY UNKNOWN\r\n"
_BAD_REQUEST = 400


class InFront(StrEnum):
    """What the second connection told."""

    PROXY_EXPECTED = "proxy-expected"
    PROXY_SENT = "proxy-sent"
    CUT_BY_NAME = "cut-by-name"


def look_again(what: Dial, trace: Trace) -> InFront | None:
    """Return what is in front of the server by another connection or two; None where that tells nothing."""
    if what.starttls is not None or trace.stage is not Stage.HANDSHAKE:
        return None
    if trace.ending is Ending.NOT_TLS:
        return InFront.PROXY_SENT if _refuses_all(what, trace) else None
    if trace.ending not in {Ending.CLOSED, Ending.RESET} or trace.opening:
        return None
    if _speaks_tls(replace(what, preface=PROXY_HEADER, path=None)):
        return InFront.PROXY_EXPECTED
    if what.server_name is not None and _speaks_tls(replace(what, server_name=None, path=None)):
        return InFront.CUT_BY_NAME
    return None


def _speaks_tls(what: Dial) -> bool:
    """Whether anything of TLS comes back, an alert too."""
    trace = dial(what)
    return bool(trace.opening) and trace.ending is not Ending.NOT_TLS


def _refuses_all(what: Dial, trace: Trace) -> bool:
    """Whether plain HTTP is as bad a request for nginx as TLS was: then neither of them is what arrives."""
    if not trace.opening.startswith(b"HTTP/1.1 400") or b"\nServer: nginx" not in trace.opening:
        return False
    seen = attempt(Attempt(what.endpoint, None, what.host_header, "/", plain=True, timeout=what.timeout))
    return seen.status == _BAD_REQUEST and seen.code is None
