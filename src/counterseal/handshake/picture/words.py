"""The headings and the verdict of a picture in words, the same in SVG and HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.handshake.explain.modes import MODE_WORDS, Mode
from counterseal.handshake.verdict import describe
from counterseal.handshake.wire.numbers import VERSIONS, explain_group, name_of
from counterseal.handshake.wire.suites import CIPHER_SUITES
from counterseal.pki.shown import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.handshake.explain.diagnosis import Diagnosis
    from counterseal.handshake.explain.explanation import Explanation


def title(explanation: Explanation) -> str:
    """Return which handshake this is."""
    return f"TLS handshake with {_server(explanation)}"


def agreed(explanation: Explanation) -> str:
    """Return what the two sides agreed on, in one line."""
    story = explanation.examination.main.story
    if story.version is None:
        return "no TLS version was agreed on"
    found = [name_of(VERSIONS, story.version), name_of(CIPHER_SUITES, story.cipher_suite or 0)]
    found += [explain_group(story.group)] if story.group is not None else []
    found += [f"ALPN {printable(story.protocol)}"] if story.protocol else []
    found += ["session resumed"] if story.resumed else []
    return " \N{MIDDLE DOT} ".join(found)


def places(explanation: Explanation) -> tuple[tuple[str, str], tuple[str, str]]:
    """Return name and place of the client and of the server."""
    what, main = explanation.examination.what, explanation.examination.main
    client = f"certificate: {what.identity.name}" if what.identity else "no certificate"
    return ("Client", client), (_server(explanation), main.trace.peer or str(what.endpoint))


def verdict_rows(explanation: Explanation) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return the verdict as a heading and rows of label and text."""
    rows = tuple(_rows(explanation))
    if explanation.mode is Mode.UNKNOWN and explanation.diagnosis is not None:
        return explanation.diagnosis.happened, tuple(row for row in rows if row != ("failed", row[1]))
    return MODE_WORDS[explanation.mode], rows


def _rows(explanation: Explanation) -> Iterator[tuple[str, str]]:
    for visit in explanation.visits if explanation.mode is not Mode.UNKNOWN else ():
        who = "with a certificate" if visit.with_certificate else "without a certificate"
        yield "request", f"{printable(visit.path)} {who}: {printable(describe(visit.seen))}"
    for found in (explanation.server_diagnosis, explanation.diagnosis):
        if found is not None:
            yield from diagnosis_rows(found)


def diagnosis_rows(found: Diagnosis) -> Iterator[tuple[str, str]]:
    """Return a diagnosis as rows; what does not apply is left out."""
    rows = (
        ("failed", found.happened),
        ("cause", found.cause),
        ("fix", found.fix),
        ("verify", found.verify),
        ("nginx code", str(found.code) if found.code else None),
        ("directive", found.directive),
        ("error.log", f'"{found.log.text}", at level {found.log.level}' if found.log else None),
    )
    yield from ((label, value) for label, value in rows if value)


def _server(explanation: Explanation) -> str:
    what = explanation.examination.what
    return printable(what.server_name or str(what.endpoint))
