"""Explanations of captured handshakes, for the tests of what is made of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from captured import captured_case
from counterseal.handshake.examine import Examination, read_trace
from counterseal.handshake.explain.explanation import Explanation, explain
from counterseal.handshake.explain.modes import Visit
from counterseal.handshake.explain.sheet import Sheet, sheet_of
from counterseal.handshake.observation import Endpoint
from counterseal.handshake.trace.dial import Dial, Ending, Stage, Trace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from counterseal.handshake.explain.matching import OwnCertificate

REFUSED = b"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\nContent-Length: 36\r\n\r\n<title>The SSL certificate error</ti"
AT = datetime(2026, 6, 1, tzinfo=UTC)


def explained(
    case: str,
    *,
    answer: bytes = REFUSED,
    server_name: str = "panel.prove.test",
    own: Sequence[OwnCertificate] = (),
) -> Explanation:
    """Return the explanation of a captured handshake that was answered with ``answer``, by who has ``own``."""
    captured = captured_case(case)
    established = not any(one.content == 21 and one.octets[:1] == b"\x02" for one in captured)
    trace = Trace(
        Ending.DONE if established else Ending.ALERT,
        Stage.REQUEST if established else Stage.HANDSHAKE,
        captured,
        peer="192.0.2.1:443",
        question="GET /" if established else None,
        answer=answer if established else b"",
        finished_at=1.0 if established else None,
        ended_at=1.0,
    )
    what = Dial(Endpoint("192.0.2.1", 443), server_name, server_name)
    main = read_trace(trace)
    visits = (Visit("/", bool(main.story.client_chain), main.seen),)
    return explain(Examination(what, main, visits), name=server_name, own=own, at=AT)


def shown(case: str, *, answer: bytes = REFUSED, server_name: str = "panel.prove.test") -> Sheet:
    """Return what is shown of it."""
    return sheet_of(explained(case, answer=answer, server_name=server_name))
