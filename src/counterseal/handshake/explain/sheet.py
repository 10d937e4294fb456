"""Everything that is shown of a handshake, the same on a terminal, in a picture and on a page.

A sheet is made of an explained handshake (``sheet_of``) or of a client that arrived (``arrival``); what is shown is
decided here, how it looks by whoever shows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from counterseal.handshake.explain.modes import COMPARED_WORDS, MODE_WORDS, Mode, compare
from counterseal.handshake.explain.resumption import resumption_of
from counterseal.handshake.verdict import describe
from counterseal.handshake.wire.numbers import VERSIONS, explain_group, name_of
from counterseal.handshake.wire.suites import CIPHER_SUITES
from counterseal.pki.shown import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.handshake.explain.derivation import Derivation
    from counterseal.handshake.explain.explanation import Explanation
    from counterseal.handshake.explain.ladder import Rung
    from counterseal.handshake.explain.matching import Match
    from counterseal.handshake.explain.situation import Diagnosis
    from counterseal.handshake.explain.story import Story
    from counterseal.pki.path.explain import PathReport

Row = tuple[str, str]
_MOST_MATCHES = 12


@dataclass(frozen=True, slots=True)
class Sheet:
    """One handshake to be shown.

    ``agreed`` is what was agreed on, ``client`` and ``server`` are a name and a place each, ``heading`` is the verdict
    and ``rows`` what belongs to it; ``failed`` says that something went wrong. ``checks`` are the lists of checks
    under their titles; ``more_matches`` counts the user's certificates that are not in ``matches``.
    """

    title: str
    agreed: tuple[str, ...]
    client: tuple[str, str]
    server: tuple[str, str]
    ladder: tuple[Rung, ...]
    heading: str
    rows: tuple[Row, ...]
    failed: bool
    resumed: tuple[Rung, ...] | None = None
    derivation: Derivation | None = None
    checks: tuple[tuple[str, PathReport], ...] = ()
    matches: tuple[Match, ...] = ()
    more_matches: int = 0


def sheet_of(explanation: Explanation) -> Sheet:
    """Return what is shown of an explained handshake."""
    what, main = explanation.examination.what, explanation.examination.main
    server = printable(what.server_name or str(what.endpoint))
    heading, rows = _verdict(explanation)
    checks = (
        ("what a client checks of the server", explanation.server_checks),
        ("what a server checks of the client, as far as it shows from outside", explanation.client_checks),
    )
    return Sheet(
        title=f"TLS handshake with {server}",
        agreed=agreed_on(main.story),
        client=("Client", f"certificate: {what.identity.name}" if what.identity else "no certificate"),
        server=(server, main.trace.peer or str(what.endpoint)),
        ladder=explanation.ladder,
        heading=heading,
        rows=rows,
        failed=explanation.diagnosis is not None or explanation.server_diagnosis is not None,
        resumed=explanation.resumed,
        derivation=explanation.derivation,
        checks=tuple((title, report) for title, report in checks if report is not None),
        matches=explanation.matches[:_MOST_MATCHES],
        more_matches=len(explanation.matches[_MOST_MATCHES:]),
    )


def agreed_on(story: Story) -> tuple[str, ...]:
    """Return version, cipher suite, group and protocol, as far as they were agreed on."""
    if story.version is None:
        return ()
    found = [name_of(VERSIONS, story.version), name_of(CIPHER_SUITES, story.cipher_suite or 0)]
    found += [explain_group(story.group)] if story.group is not None else []
    found += [f"ALPN {printable(story.protocol)}"] if story.protocol else []
    found += ["session resumed"] if story.resumed else []
    return tuple(found)


def diagnosis_rows(found: Diagnosis) -> Iterator[Row]:
    """Return a diagnosis as rows; what does not apply is left out."""
    rows = (
        ("failed", found.happened),
        ("cause", found.cause),
        ("fix", found.fix),
        ("verify", found.verify),
        ("nginx code", str(found.code) if found.code else None),
        ("directive", found.directive),
        ("error.log", f'"{found.log.text}", written at level {found.log.level}' if found.log else None),
    )
    yield from ((label, value) for label, value in rows if value)


def _verdict(explanation: Explanation) -> tuple[str, tuple[Row, ...]]:
    rows = tuple(_rows(explanation))
    if explanation.mode is Mode.UNKNOWN and explanation.diagnosis is not None:
        return explanation.diagnosis.happened, tuple(row for row in rows if row[0] != "failed")
    return MODE_WORDS[explanation.mode], rows


def _rows(explanation: Explanation) -> Iterator[Row]:
    trace = explanation.examination.main.trace
    for address in trace.passed_over:
        meaning = "; who tries this address of the name first waits or fails" if trace.peer else ""
        yield "no connection", f"{printable(address)}{meaning}"
    for visit in explanation.visits if explanation.mode is not Mode.UNKNOWN else ():
        who = "with a certificate" if visit.with_certificate else "without a certificate"
        yield "request", f"{printable(visit.path)} {who}: {printable(describe(visit.seen))}"
    if explanation.mode in {Mode.OPTIONAL, Mode.ANOTHER_ANSWER} and trace.starttls is None:
        for path, compared in compare(explanation.visits).items():
            yield "compared", f"{printable(path)}: {COMPARED_WORDS[compared]}"
    resumption = resumption_of(explanation.examination)
    if resumption is not None:
        yield "resumption", resumption
    for found in (explanation.server_diagnosis, explanation.diagnosis):
        if found is not None:
            yield from diagnosis_rows(found)
