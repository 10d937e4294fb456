"""Whether a server verifies its clients: nobody, everybody, whoever comes with a certificate, or on some paths only.

A CertificateRequest alone does not tell required from optional, because nginx answers a missing certificate in HTTP.
So the answers with and without a certificate are compared, path by path. ``error_page 496 =200 /login`` and a redirect
let nobody in and look like it; from outside only that the answers differ can be told.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from counterseal.handshake.verdict import Verdict, verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from counterseal.handshake.explain.story import Story
    from counterseal.handshake.observation import Observation

_LET_IN = frozenset({Verdict.ADMITTED, Verdict.REDIRECTED})
_KEPT_OUT = frozenset({Verdict.REFUSED, Verdict.FORBIDDEN, Verdict.ALERT})


class Mode(StrEnum):
    """How a server treats client certificates; ``asked`` where its answer to none was not seen."""

    ONE_WAY = "one-way"
    REQUIRED = "required"
    OPTIONAL = "optional"
    ANOTHER_ANSWER = "another-answer"
    SOME_PATHS = "some-paths"
    ASKED = "asked"
    UNKNOWN = "unknown"


MODE_WORDS = {
    Mode.ONE_WAY: "one-way TLS: the server shows a certificate and asks the client for none",
    Mode.REQUIRED: "mutual TLS, required: without a client certificate nobody gets in",
    Mode.OPTIONAL: "mutual TLS, optional: the server asks, and answers clients without a certificate all the same",
    Mode.ANOTHER_ANSWER: "mutual TLS: the server asks, and who comes without a certificate gets another answer",
    Mode.SOME_PATHS: "mutual TLS for some paths: the server asks everybody, and decides by the path",
    Mode.ASKED: "mutual TLS: the server asks for a client certificate; whether it insists was not seen",
    Mode.UNKNOWN: "unknown: the handshake did not come to the point where a client certificate is asked for",
}


class Compared(StrEnum):
    """What having a certificate changes about the answer to one path."""

    SAME = "same"
    ANOTHER_ANSWER = "another-answer"
    ANOTHER_PAGE = "another-page"
    UNSEEN = "unseen"


COMPARED_WORDS = {
    Compared.SAME: "the same answer with and without a certificate: on this path it decides nothing",
    Compared.ANOTHER_ANSWER: "without a certificate another answer: that of error_page 496, or of a rule on "
    "$ssl_client_verify; whether that keeps anybody out is for its page to say",
    Compared.ANOTHER_PAGE: "without a certificate the same status and another page: error_page 496 =200 does so, and "
    "so does a page that greets its reader or changes with every request; which it is cannot be told from outside",
    Compared.UNSEEN: "whether a certificate changes the answer was not seen, and what came may be an error page "
    "(error_page 496 =200) or the way to a login; come with one to compare: --name, --cert and --key, or --p12",
}


@dataclass(frozen=True, slots=True)
class Visit:
    """One request: the path, whether the client came with a certificate, and what was seen."""

    path: str
    with_certificate: bool
    seen: Observation


def mode_of(story: Story, visits: Sequence[Visit]) -> Mode:
    """Return how the server treats client certificates, as far as this handshake and these requests show."""
    if story.request is None:
        whole = story.server_chain is not None and not story.resumed and story.alert is None
        return Mode.ONE_WAY if whole else Mode.UNKNOWN
    without = [
        visit.seen for visit in visits if not visit.with_certificate and "pg_hba.conf" not in visit.seen.reason_phrase
    ]  # who has no line there is refused with any certificate, too
    let_in = any(verdict(seen) in _LET_IN for seen in without)
    speaks = any(_answered(visit.seen) for visit in visits if visit.with_certificate)
    kept_out = any(verdict(seen) in _KEPT_OUT or (speaks and not _answered(seen)) for seen in without)
    if let_in and kept_out:
        return Mode.SOME_PATHS
    if let_in:
        return Mode.ANOTHER_ANSWER if Compared.ANOTHER_ANSWER in compare(visits).values() else Mode.OPTIONAL
    return Mode.REQUIRED if kept_out else Mode.ASKED


def compare(visits: Sequence[Visit]) -> dict[str, Compared]:
    """Return, for each path on which nobody without a certificate was kept out, what having one changes there."""
    let_in = {(visit.path, visit.with_certificate): visit.seen for visit in visits if verdict(visit.seen) in _LET_IN}
    return {
        path: _compared(let_in.get((path, True)), without)
        for (path, with_one), without in let_in.items()
        if not with_one
    }


def _compared(with_one: Observation | None, without: Observation) -> Compared:
    if with_one is None:
        return Compared.UNSEEN
    if (with_one.status, with_one.location) != (without.status, without.location):
        return Compared.ANOTHER_ANSWER
    return Compared.SAME if with_one.page == without.page else Compared.ANOTHER_PAGE


def _answered(seen: Observation) -> bool:
    """Whether anything came back; nginx's stream block closes on a client without certificate, and says nothing."""
    return not seen.closed or seen.status is not None
