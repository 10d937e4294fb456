"""Whether a server takes early data: the max_early_data_size of the tickets that it sends (RFC 8446 4.6.1).

nginx writes it into every ticket where ssl_early_data is on, and so shows it to whoever has come once. Early data
(RFC 8446 8) is what anybody who has copied it can send again, in the name of the client that sent it first.
"""

from __future__ import annotations

from counterseal.handshake.wire.decode import HANDSHAKE, Agreed, decode
from counterseal.handshake.wire.messages import NewSessionTicket
from counterseal.handshake.wire.numbers import TLS13


def read_early_data(message: bytes) -> int:
    """Return the octets that a NewSessionTicket of TLS 1.3 (its header of four bytes included) offers to take; 0: none.

    A malformed one offers nothing.
    """
    ticket = decode(HANDSHAKE, message, Agreed(TLS13))
    return (ticket.early_data or 0) if isinstance(ticket, NewSessionTicket) else 0
