"""A handshake explained as one value: ladder, keys, own certificates that match, mode, and what went wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from counterseal.handshake.authorities import listed
from counterseal.handshake.explain.checks import Anchors, check_client, check_server
from counterseal.handshake.explain.derivation import Derivation, derive
from counterseal.handshake.explain.diagnosis import diagnose
from counterseal.handshake.explain.ladder import Rung, ladder_of
from counterseal.handshake.explain.likely import likely_error
from counterseal.handshake.explain.matching import Match, OwnCertificate, match_own
from counterseal.handshake.explain.modes import Mode, Visit, mode_of
from counterseal.handshake.explain.server_fault import server_fault
from counterseal.handshake.explain.situation import Diagnosis, Situation
from counterseal.pki.path.catalogue import TRUST_ANCHOR

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from counterseal.handshake.examine import Examination, Watched
    from counterseal.pki.path.explain import PathReport

_NONE = Anchors()


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything there is to say about an examination.

    ``resumed`` is the ladder of the second handshake; ``diagnosis`` says why the server refused or nothing came about,
    ``server_diagnosis`` why a client would refuse the server.
    """

    examination: Examination
    ladder: tuple[Rung, ...]
    resumed: tuple[Rung, ...] | None
    derivation: Derivation | None
    server_checks: PathReport | None
    client_checks: PathReport | None
    matches: tuple[Match, ...]
    mode: Mode
    visits: tuple[Visit, ...]
    diagnosis: Diagnosis | None
    server_diagnosis: Diagnosis | None


def explain(
    examination: Examination,
    *,
    name: str | None,
    own: Sequence[OwnCertificate] = (),
    anchors: Anchors = _NONE,
    at: datetime,
) -> Explanation:
    """Explain what was seen.

    ``name`` is the host name or address that the server should be (None: not looked at), ``own`` are the user's
    certificates, ``at`` is the moment by which dates are judged.
    """
    main, identity = examination.main, examination.what.identity
    request = main.story.request
    server = check_server(main.story, name, anchors, at, stapled=examination.stapled)
    client = check_client(main.story, anchors, at)
    presented = bool(main.story.client_chain)
    here = (visit.seen for visit in examination.visits if visit.with_certificate is presented)
    matches = tuple(sorted(match_own(request, own, at), key=_least_fitting)) if request else ()
    situation = Situation(
        main.trace,
        main.story,
        next(here, main.seen),
        likely=likely_error(main.story, anchors.for_clients, at),
        listed=listed(identity.certificate_chain, request.authorities) if request and identity else None,
        in_front=examination.in_front,
        lack=examination.lack,
        withheld=identity is not None and main.story.client_chain == (),
        failures=_failures(client),
        unfit=_unfit(matches),
    )
    return Explanation(
        examination,
        _ladder(main),
        None if examination.resumed is None else _ladder(examination.resumed),
        derive(main.story),
        server,
        client,
        matches,
        mode_of(main.story, examination.visits),
        examination.visits,
        diagnose(situation),
        server_fault(server, at),
    )


def _failures(client: PathReport | None) -> tuple[str, ...]:
    """Return the titles of the failed checks, but for that of the root: whom the server trusts is not known here."""
    failed = client.failures if client else ()
    return tuple(dict.fromkeys(check.kind.title for check in failed if check.kind is not TRUST_ANCHOR))


def _unfit(matches: Sequence[Match]) -> tuple[str, ...]:
    """Return each with its reasons, where there are some and none fits."""
    none_fits = not any(match.fits for match in matches)
    return tuple(f"{match.name} ({'; '.join(match.reasons)})" for match in matches if none_fits)


def _least_fitting(match: Match) -> tuple[bool, bool]:
    """Put first what the server takes, and of that what a browser offers."""
    return not match.fits, not match.offered_by_browser


def _ladder(watched: Watched) -> tuple[Rung, ...]:
    return ladder_of(watched.trace, watched.decoded, watched.story)
