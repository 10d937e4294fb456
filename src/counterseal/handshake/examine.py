"""What has to be tried to explain one server: the handshake itself, a resumed one, and what others would see.

At the edge: it connects. Whether a client certificate is required shows only by coming without one, so whoever comes
with one is followed by a visit without, and every path is asked for in both ways.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from counterseal.handshake.attempt import attempt, with_answer
from counterseal.handshake.common_ground import Lack, find_lack
from counterseal.handshake.explain.certificates import demands_stapling
from counterseal.handshake.explain.modes import Visit
from counterseal.handshake.explain.story import Story, read_story
from counterseal.handshake.first_words import read_first_words
from counterseal.handshake.in_front import InFront, look_again
from counterseal.handshake.observation import Attempt, Observation
from counterseal.handshake.stapled import Stapled, look_for_response
from counterseal.handshake.trace.asking import user_of
from counterseal.handshake.trace.connection import dial
from counterseal.handshake.trace.dial import Ending, Trace
from counterseal.handshake.wire.alerts import alert_meaning
from counterseal.handshake.wire.decode import decode_all
from counterseal.handshake.wire.messages import ServerHello, Side
from counterseal.handshake.wire.suites import KeyExchange

if TYPE_CHECKING:
    from collections.abc import Sequence

    from counterseal.handshake.trace.dial import Dial, StartTLS
    from counterseal.handshake.wire.decode import Decoded


@dataclass(frozen=True, slots=True)
class Watched:
    """One connection that was watched: the trace, its messages, what they came to, and the answer."""

    trace: Trace
    decoded: tuple[Decoded, ...]
    story: Story
    seen: Observation


@dataclass(frozen=True, slots=True)
class Examination:
    """The handshake and the visits; ``resumed`` is the second one where ``resume`` asked for it and got a session.

    ``in_front`` is what stands before the server where the connection never became TLS, and ``lack`` what it has not in
    common with this client where it refused at once, as far as that can be told.
    ``stapled`` is, where the certificate demands it, what comes when an OCSP response is asked for (None: not seen).
    """

    what: Dial
    main: Watched
    visits: tuple[Visit, ...] = ()
    resume: bool = False
    resumed: Watched | None = None
    in_front: InFront | None = None
    lack: Lack | None = None
    stapled: Stapled | None = None


def examine(what: Dial, *, paths: Sequence[str] = (), resume: bool = False) -> Examination:
    """Connect as ``what`` says, then as often as it takes; ``paths`` are asked for beside the one in ``what``.

    Raises InputError and KeyAccessError for what the caller handed in; never for what the peer does.
    """
    main = watch(what)
    session = main.trace.session
    resumed = watch(replace(what, session=session)) if resume and session is not None else None
    chain, in_front = main.story.server_chain, look_again(what, main.trace)
    return Examination(
        what,
        main,
        tuple(_visits(what, main, paths)),
        resume,
        resumed,
        in_front=in_front,
        lack=_lack(what, main) if in_front is None else None,
        stapled=look_for_response(what) if chain and demands_stapling(chain[0]) else None,
    )


def _lack(what: Dial, main: Watched) -> Lack | None:
    story = main.story
    if story.group is not None or story.prime_bits is not None or story.exchange is KeyExchange.RSA:
        return None  # all is agreed on by then; Go looks for a signature algorithm behind the ServerHello of TLS 1.2
    retried = any(isinstance(one.message, ServerHello) and one.message.retry for one in main.decoded)
    return find_lack(what, main.trace, story.offered, retried=retried)


def watch(what: Dial) -> Watched:
    """Make one connection and read what went over it."""
    return read_trace(dial(what))


def read_trace(trace: Trace) -> Watched:
    """Return a trace with its messages, and what it came to in the words of an attempt."""
    decoded = decode_all(trace.captured)
    story = read_story(decoded, resumed=trace.resumed)
    alert = alert_meaning(story.alert[1]).name if story.alert and story.alert[0] is Side.SERVER else None
    seen = Observation(
        alert=alert,
        closed=trace.ending in {Ending.CLOSED, Ending.RESET},
        resumed=trace.resumed,
        certificate_requested=story.request is not None if not story.resumed else None,
        authorities=story.request.authorities if story.request else (),
        error=None if trace.ending in {Ending.DONE, Ending.ALERT} else str(trace.ending),
        seconds=trace.ended_at,
    )
    if trace.starttls is not None:
        return Watched(trace, decoded, story, _with_first_words(seen, trace.starttls, trace.answer))
    return Watched(trace, decoded, story, with_answer(seen, trace.answer if _is_http(trace) else b""))


def _with_first_words(seen: Observation, protocol: StartTLS, raw: bytes) -> Observation:
    words = read_first_words(protocol, raw)
    if words is None:
        return seen
    return replace(seen, reason_phrase=words.text, decision=words.decision, code=words.code, verify=words.verify)


def _is_http(trace: Trace) -> bool:
    return trace.protocol in {None, "http/1.1", "http/1.0"}


def _visits(what: Dial, main: Watched, paths: Sequence[str]) -> list[Visit]:
    """Return what is seen with and without a certificate on every path; what the handshake saw is not asked again."""
    if what.starttls is not None:
        return _first_visits(what, main)
    if what.path is None:
        return []
    presented, asked = what.identity is not None, main.story.request is not None
    seen = [Visit(what.path, presented and bool(main.story.client_chain), main.seen)]
    if not main.trace.established:  # who was refused for a certificate shows whether the server insists on one
        return [*seen, _visit(what, main, what.path, with_certificate=False)] if main.story.client_chain else seen
    seen = seen if _is_http(main.trace) else []
    every = [(path, with_one) for path in (what.path, *paths) for with_one in (True, False)]
    left = [
        (path, with_one)
        for path, with_one in every
        if (path, with_one) not in {(visit.path, visit.with_certificate) for visit in seen}
        and (presented if with_one else asked or not presented)
    ]
    return [*seen, *(_visit(what, main, path, with_certificate=with_one) for path, with_one in left)]


def _first_visits(what: Dial, main: Watched) -> list[Visit]:
    """Return what the first words inside TLS are with a certificate and without one."""
    asked, came = main.trace.question or str(what.starttls), bool(main.story.client_chain)
    seen = [Visit(asked, came, main.seen)] if main.trace.established or came else []
    if came:
        alike = replace(what, identity=None, user=user_of(what.identity))
        seen.append(Visit(asked, with_certificate=False, seen=watch(alike).seen))
    return seen


def _visit(what: Dial, main: Watched, path: str, *, with_certificate: bool) -> Visit:
    visitor = Attempt(
        what.endpoint,
        what.server_name,
        what.host_header,
        path,
        "1.3" if main.story.is_tls13 else "1.2",
        what.identity if with_certificate else None,
        timeout=what.timeout,
    )
    return Visit(path, with_certificate, attempt(visitor))
