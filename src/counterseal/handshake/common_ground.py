"""Which list of a ClientHello has nothing that the server takes, told by more ClientHellos.

A server that finds no cipher suite, no group or no signature algorithm answers handshake_failure to each alike, or cuts
the connection. So the same ClientHello goes out again with everything known here in all of its lists, and where that
is taken, in one of them at a time. Nothing is agreed on: each connection is left before it needs a key. RFC 8446 4.1.1.
At the edge: it connects.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from counterseal.handshake.connect import Deadline, connect
from counterseal.handshake.records import AlertError, messages_in, read_records, record_of
from counterseal.handshake.trace.connection import dial
from counterseal.handshake.trace.dial import Ending, Stage
from counterseal.handshake.trace.starttls import Dialogue
from counterseal.handshake.wire.alerts import alert_meaning
from counterseal.handshake.wire.decode import HANDSHAKE, Agreed, decode
from counterseal.handshake.wire.messages import Marker, ServerHello, ServerKeyExchange, Side
from counterseal.handshake.wire.numbers import TLS12, TLS13
from counterseal.handshake.wire.widening import REGISTERED, Offer, offered_in, widen

if TYPE_CHECKING:
    from collections.abc import Iterable

    from counterseal.handshake.observation import TLSVersion
    from counterseal.handshake.trace.dial import Dial, Trace
    from counterseal.handshake.wire.messages import ClientHello

_ALERTS = frozenset({"handshake_failure", "insufficient_security", "illegal_parameter"})
"""How servers say that they found nothing, most of them by the first."""
_ORDER = (Offer.GROUPS, Offer.SIGNATURE_ALGORITHMS, Offer.CIPHER_SUITES)
"""The suites last: among all of them are some that need neither a group nor a signature."""
_OTHERS: dict[TLSVersion, tuple[TLSVersion, int]] = {"1.2": ("1.3", TLS13), "1.3": ("1.2", TLS12)}


class Shortage(StrEnum):
    """What has nothing in common: one list, or where a server answers if it is no one list's fault."""

    CIPHER_SUITES = Offer.CIPHER_SUITES
    GROUPS = Offer.GROUPS
    SIGNATURE_ALGORITHMS = Offer.SIGNATURE_ALGORITHMS
    SEVERAL = "several"
    OTHER_VERSION = "other-version"
    NOWHERE = "nowhere"


@dataclass(frozen=True, slots=True)
class Lack:
    """What has nothing in common, what was ``offered`` of it, and what the server ``takes`` (None: it does not say).

    Both are numbers of the registries; of ``other-version`` those of TLS versions, of ``several`` the chosen suite.
    """

    of: Shortage
    offered: tuple[int, ...] = ()
    takes: int | None = None
    is_tls13: bool = False


class _Choice(NamedTuple):
    version: int
    cipher_suite: int
    group: int | None
    scheme: int | None = None
    retried: bool = False


def find_lack(what: Dial, trace: Trace, offered: ClientHello | None, *, retried: bool) -> Lack | None:
    """Return what the server lacks in a handshake that it refused; None where that is not it, or cannot be told.

    ``retried`` says that it had sent a HelloRetryRequest. All connections together take no longer than the timeout.
    """
    hello = next((one.octets for one in trace.captured if one.content == HANDSHAKE), None)
    if hello is None or offered is None or not _found_nothing(trace):
        return None
    if retried:  # suite and group are agreed on by then, RFC 8446 4.1.4
        return Lack(Shortage.SIGNATURE_ALGORITHMS, offered.signature_schemes, is_tls13=True)
    answered = trace.ending is Ending.ALERT
    search = _Search(what, hello, offered, answered, Deadline.after(what.timeout))
    try:
        return search.run()
    except OSError:  # the time is up, or nobody is there any more
        return None


def _found_nothing(trace: Trace) -> bool:
    if trace.stage is not Stage.HANDSHAKE:
        return False
    if trace.ending in {Ending.CLOSED, Ending.RESET}:
        return not trace.opening
    alerts = [one.octets for one in trace.captured if one.sender is Side.SERVER and one.content != HANDSHAKE]
    return trace.ending is Ending.ALERT and any(alert_meaning(octets[-1]).name in _ALERTS for octets in alerts)


@dataclass(frozen=True, slots=True)
class _Search:
    what: Dial
    hello: bytes
    offered: ClientHello
    answered: bool
    """Whether the server refused by an alert; one that only cuts connections, whatever is offered, answers nothing."""
    deadline: Deadline

    def run(self) -> Lack | None:
        """Return what is lacking."""
        widest = self._ask(*Offer)
        if widest is None:
            return self._nowhere() if self.answered else None
        if widest.version not in self.offered.versions:  # GnuTLS chooses what the client has not offered
            return Lack(Shortage.OTHER_VERSION, self.offered.versions, widest.version)
        for offer in _ORDER:
            choice = self._ask(offer)
            if choice is not None:
                return self._lack(offer, choice)
        return Lack(Shortage.SEVERAL, (), widest.cipher_suite, widest.version >= TLS13)

    def _lack(self, offer: Offer, choice: _Choice) -> Lack | None:
        is_tls13 = choice.version >= TLS13
        offered = offered_in(self.offered, offer, version=choice.version)
        takes = {Offer.CIPHER_SUITES: choice.cipher_suite, Offer.GROUPS: choice.group}.get(offer, choice.scheme)
        if offer is Offer.SIGNATURE_ALGORITHMS and is_tls13:
            takes = self._scheme()
        if offer is Offer.CIPHER_SUITES and takes in offered:  # it refused before for another reason
            return None
        return Lack(Shortage(offer), offered, None if takes in offered else takes, is_tls13)

    def _scheme(self) -> int | None:
        """Return the first that a server of TLS 1.3 takes, which itself says so under keys only.

        Behind a HelloRetryRequest it is still to be seen whether its key is for that one.
        """
        for scheme in self._more(Offer.SIGNATURE_ALGORITHMS):
            choice = self._ask(Offer.SIGNATURE_ALGORITHMS, only=(scheme,))
            if choice is not None:
                return None if choice.retried else scheme
        return None

    def _nowhere(self) -> Lack:
        if self.what.tls_version is not None:
            other, number = _OTHERS[self.what.tls_version]
            left = self.deadline.remaining()
            seen = dial(replace(self.what, tls_version=other, identity=None, keylog=None, path=None, timeout=left))
            if seen.established:
                return Lack(Shortage.OTHER_VERSION, self.offered.versions, number)
        return Lack(Shortage.NOWHERE)

    def _more(self, offer: Offer) -> tuple[int, ...]:
        """Return what is known beyond what was offered."""
        return tuple(one for one in REGISTERED[offer] if one not in offered_in(self.offered, offer))

    def _ask(self, *offers: Offer, only: tuple[int, ...] = ()) -> _Choice | None:
        """Return what the server chooses when more is offered, None where it refuses, as it did; raises OSError."""
        hello = widen(self.hello, {offer: only or self._more(offer) for offer in offers})
        try:
            with connect(self.what.endpoint, self.deadline) as raw:
                raw.sendall(self.what.preface)
                if self.what.starttls is not None:
                    Dialogue(raw, self.deadline).start(self.what.starttls)
                raw.sendall(record_of(hello))
                return _choice(messages_in(read_records(raw, self.deadline)))
        except AlertError:
            return None
        except ConnectionError:
            if self.answered:  # it cut no connection before: something else befell it
                raise
            return None


def _choice(messages: Iterable[bytes]) -> _Choice | None:
    """Return what a server says in the clear; in TLS 1.2 a ServerHello alone is not yet all that it may refuse."""
    chosen: _Choice | None = None
    for octets in messages:
        message = decode(HANDSHAKE, octets, Agreed() if chosen is None else Agreed(chosen.version, chosen.cipher_suite))
        if isinstance(message, ServerHello):
            chosen = _Choice(message.version, message.cipher_suite, message.group, retried=message.retry)
            if message.version >= TLS13:
                return chosen
        elif isinstance(message, ServerKeyExchange) and chosen is not None:
            return chosen._replace(group=message.group, scheme=message.scheme)
        elif isinstance(message, Marker):
            return chosen
    return None
