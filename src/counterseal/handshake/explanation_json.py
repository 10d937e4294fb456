"""An explained handshake as data for ``--json``: plain dictionaries with stable keys, described in docs/handshake.md.

Numbers of the standards keep their names beside them; nothing secret is in it. Keys are added, never renamed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.handshake.explain.certificates import show_authority
from counterseal.handshake.explain.common_ground import names_for
from counterseal.handshake.explain.modes import compare
from counterseal.handshake.explain.resumption import resumption_of
from counterseal.handshake.verdict import verdict
from counterseal.handshake.wire.alerts import alert_meaning
from counterseal.handshake.wire.numbers import GROUPS, VERSIONS, is_post_quantum, name_of, names_of
from counterseal.handshake.wire.suites import CIPHER_SUITES
from counterseal.pki.path.report_json import check_to_json
from counterseal.pki.subject import show_subject

if TYPE_CHECKING:
    from collections.abc import Sequence

    from counterseal.handshake import explanation_shapes as shapes
    from counterseal.handshake.common_ground import Lack
    from counterseal.handshake.examine import Watched
    from counterseal.handshake.explain.arrival import Arrival
    from counterseal.handshake.explain.derivation import Derivation
    from counterseal.handshake.explain.explanation import Explanation
    from counterseal.handshake.explain.ladder import Rung
    from counterseal.handshake.explain.matching import Match
    from counterseal.handshake.explain.modes import Compared, Visit
    from counterseal.handshake.explain.situation import Diagnosis
    from counterseal.pki.path.explain import PathReport


def explanation_to_json(explanation: Explanation) -> shapes.Handshake:
    """Return the explanation as a dictionary that ``json.dumps`` takes."""
    what, examination = explanation.examination.what, explanation.examination
    return {
        "endpoint": str(what.endpoint),
        "server_name": what.server_name,
        "peer": examination.main.trace.peer,
        "passed_over": list(examination.main.trace.passed_over),
        **_agreed(examination.main),
        "ladder": ladder_to_json(explanation.ladder),
        "resumption": _resumption(explanation),
        "keys": _keys(explanation.derivation),
        "server_checks": _checks(explanation.server_checks),
        "client_checks": _checks(explanation.client_checks),
        "client_certificates": {
            "mode": explanation.mode,
            "compared": _compared(explanation),
            "accepted_authorities": _authorities(examination.main),
            "own": [_own(match) for match in explanation.matches],
        },
        "visits": [_visit(visit) for visit in explanation.visits],
        "lack": _lack(examination.lack),
        "diagnosis": _diagnosis(explanation.diagnosis),
        "server_diagnosis": _diagnosis(explanation.server_diagnosis),
    }


def arrival_to_json(arrival: Arrival) -> shapes.Arrival:
    """Return an arrived client as a dictionary that ``json.dumps`` takes."""
    offered = arrival.watched.story.offered
    return {
        "peer": arrival.watched.trace.peer,
        "server_name": offered.server_name if offered else None,
        **_agreed(arrival.watched),
        "heading": arrival.heading,
        "ladder": ladder_to_json(arrival.ladder),
        "keys": _keys(arrival.derivation),
        "client_checks": _checks(arrival.checks),
        "accepted_authorities": _authorities(arrival.watched),
        "own": [_own(match) for match in arrival.matches],
        "diagnosis": _diagnosis(arrival.diagnosis),
    }


def ladder_to_json(rungs: Sequence[Rung]) -> list[shapes.Message]:
    """Return the rungs: sender, layer, name, size in bytes, milliseconds since the start, fields, meaning, section."""
    return [
        {
            "sender": rung.sender,
            "layer": rung.layer,
            "name": rung.name,
            "size": rung.size,
            "ms": None if rung.at is None else round(rung.at * 1000, 3),
            "fields": dict(rung.fields),
            "meaning": rung.meaning,
            "section": rung.section or None,
            "encrypted": rung.encrypted,
            "fatal_alert": rung.alarming,
        }
        for rung in rungs
    ]


def _agreed(watched: Watched) -> shapes.Agreed:
    story, trace = watched.story, watched.trace
    alert = story.alert
    return {
        "ending": trace.ending,
        "stage": trace.stage,
        "established": trace.established,
        "resumed": trace.resumed,
        "version": None if story.version is None else name_of(VERSIONS, story.version),
        "cipher_suite": None if story.cipher_suite is None else name_of(CIPHER_SUITES, story.cipher_suite),
        "group": None if story.group is None else name_of(GROUPS, story.group),
        "post_quantum": story.group is not None and is_post_quantum(story.group),
        "protocol": story.protocol,
        "alert": None if alert is None else {"sender": alert[0], "name": alert_meaning(alert[1]).name},
        "seconds": round(trace.ended_at, 6),
    }


def _resumption(explanation: Explanation) -> shapes.Resumption | None:
    """Return the second handshake; None when it was not asked for, without a ladder when there was no session."""
    examination = explanation.examination
    if not examination.resume:
        return None
    if examination.resumed is None or explanation.resumed is None:
        return {"session": False, "meaning": resumption_of(examination)}
    return {
        "session": True,
        "meaning": resumption_of(examination),
        **_agreed(examination.resumed),
        "ladder": ladder_to_json(explanation.resumed),
    }


def _compared(explanation: Explanation) -> dict[str, Compared]:
    if explanation.examination.main.story.request is None:
        return {}
    return compare(explanation.visits)


def _authorities(watched: Watched) -> list[str] | None:
    request = watched.story.request
    return None if request is None else [show_authority(name) for name in request.authorities]


def _visit(visit: Visit) -> shapes.Visit:
    seen = visit.seen
    return {
        "path": visit.path,
        "with_certificate": visit.with_certificate,
        "verdict": verdict(seen),
        "status": seen.status,
        "code": seen.code,
        "verify": seen.verify,
        "alert": seen.alert,
        "error": seen.error,
    }


def _checks(report: PathReport | None) -> shapes.Checks | None:
    if report is None:
        return None
    return {
        "valid": report.valid,
        "path": [show_subject(certificate.subject) for certificate in report.certificates],
        "checks": [check_to_json(check) for check in report.checks],
    }


def _keys(derivation: Derivation | None) -> shapes.Keys | None:
    if derivation is None:
        return None
    return {
        "steps": list(derivation.steps),
        "forward_secret": derivation.forward_secret,
        "post_quantum": derivation.post_quantum,
        "section": derivation.section,
    }


def _own(match: Match) -> shapes.OwnCertificate:
    return {
        "name": match.name,
        "subject": match.subject,
        "fits": match.fits,
        "offered_by_browser": match.offered_by_browser,
        "reasons": list(match.reasons),
    }


def _lack(lack: Lack | None) -> shapes.Lack | None:
    if lack is None:
        return None
    takes = None if lack.takes is None else name_of(names_for(lack), lack.takes)
    return {"of": lack.of, "offered": list(names_of(names_for(lack), lack.offered)), "takes": takes}


def _diagnosis(found: Diagnosis | None) -> shapes.Diagnosis | None:
    if found is None:
        return None
    return {
        "happened": found.happened,
        "cause": found.cause,
        "fix": found.fix,
        "code": found.code,
        "verify": found.verify,
        "log": {"text": found.log.text, "level": found.log.level} if found.log else None,
        "directive": found.directive,
    }
