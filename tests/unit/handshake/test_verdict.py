"""Where a connection ended, in one word and in a few."""

from __future__ import annotations

import pytest

from counterseal.handshake.observation import Observation
from counterseal.handshake.verdict import Verdict, describe, verdict


@pytest.mark.parametrize(
    ("seen", "ended", "words"),
    [
        (Observation(status=200, reason_phrase="OK"), Verdict.ADMITTED, "200 OK"),
        (Observation(status=502, reason_phrase="Bad Gateway"), Verdict.ADMITTED, "502 Bad Gateway"),
        (Observation(status=404, decision="admitted"), Verdict.ADMITTED, "404"),
        (Observation(status=400, code=400, decision="admitted"), Verdict.ADMITTED, "400"),
        (Observation(status=400, code=496, verify="NONE"), Verdict.REFUSED, "400, verify=NONE"),
        (Observation(status=400, code=495, resumed=True), Verdict.REFUSED, "400, session resumed"),
        (Observation(status=403, code=495), Verdict.REFUSED, "403"),
        (Observation(status=400), Verdict.REFUSED, "400"),
        (Observation(status=403), Verdict.FORBIDDEN, "403"),
        (Observation(status=401), Verdict.FORBIDDEN, "401"),
        (Observation(status=404, decision="refused"), Verdict.FORBIDDEN, "404"),
        (Observation(status=421), Verdict.MISDIRECTED, "421"),
        (Observation(status=301, location="https://a/"), Verdict.REDIRECTED, "301 to https://a/"),
        (Observation(status=304), Verdict.ADMITTED, "304"),
        (Observation(status=400, code=497), Verdict.PLAIN_REFUSED, "400"),
        (Observation(alert="unrecognized_name"), Verdict.ALERT, "alert unrecognized_name"),
        (Observation(closed=True), Verdict.UNANSWERED, "closed without an answer"),
        (Observation(error="connecting: connection refused"), Verdict.UNANSWERED, "connecting: connection refused"),
        (Observation(status=200, leaked=("X-A", "X-B")), Verdict.ADMITTED, "upstream saw forged X-A, X-B"),
        (Observation(status=200, leaked=()), Verdict.ADMITTED, "no forged header arrived"),
        (
            Observation(server_verify=(10, "certificate has expired"), error="server not trusted"),
            Verdict.UNANSWERED,
            "server certificate: certificate has expired (10)",
        ),
    ],
)
def test_an_observation_in_words(seen: Observation, ended: Verdict, words: str) -> None:
    """The verdict, and what a table shows."""
    assert (verdict(seen), describe(seen)) == (ended, words)
