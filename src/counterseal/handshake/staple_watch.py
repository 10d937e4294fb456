"""Ask a server for its OCSP response until it has one, and say what came.

nginx asks the responder when a client asks nginx for the first time, in each worker, and does not keep that client
waiting: so that the first answer has none says nothing. At the edge: it connects, and waits between two questions.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.errors import InputError
from counterseal.handshake.observation import Observation
from counterseal.handshake.records import AlertError
from counterseal.handshake.staple import read_staple
from counterseal.handshake.stapled import ask_for_response
from counterseal.handshake.trace.dial import Dial

if TYPE_CHECKING:
    from collections.abc import Sequence

    from counterseal.handshake.observation import Attempt
    from counterseal.handshake.site import Stapling

PATIENCE = 10.0
"""Seconds for nginx to get a response where one must come; a responder on the same network takes milliseconds."""
_PAUSE = 0.05


def watch_for_staple(what: Attempt, stapling: Stapling) -> Observation:
    """Return what came as OCSP response; asked once where none has to come, else until one does or time is over."""
    began = time.monotonic()
    anchors = _read(what.trust_anchors)
    dial = Dial(what.endpoint, what.server_name, what.host_header, tls_version=what.tls_version, timeout=what.timeout)
    while True:
        seen = _ask(dial, anchors, stapling)
        seconds = time.monotonic() - began
        absent = seen.staple is not None and not seen.staple.came and (stapling.meant or seen.staple.demanded)
        if not absent or seconds > PATIENCE:
            return replace(seen, seconds=seconds)
        time.sleep(_PAUSE)


def _read(anchors: bytes | None) -> Sequence[x509.Certificate]:
    """Return the anchors; those of a system may hold what the library does not read, and the chain has its issuer."""
    try:
        return x509.load_pem_x509_certificates(anchors) if anchors else ()
    except ValueError:
        return ()


def _ask(dial: Dial, anchors: Sequence[x509.Certificate], stapling: Stapling) -> Observation:
    try:
        sent = ask_for_response(dial)
        return Observation(staple=read_staple(sent, stapling.clock(), anchors))
    except AlertError as refused:
        return Observation(alert=refused.alert)
    except TimeoutError:
        return Observation(error=f"no end within {dial.timeout:g} s, asking for an OCSP response")
    except (OSError, ValueError, InputError) as error:
        reason = getattr(error, "strerror", None) or error
        return Observation(error=f"asking for an OCSP response: {reason}".lower())
