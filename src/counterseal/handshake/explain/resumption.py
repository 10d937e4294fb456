"""Whether the second handshake took up the session of the first, and why not, by what the server gave out.

A session is either a number that the server must find again in a cache (RFC 5246 7.4.1.2), or a ticket that holds
everything under a key of the server's own (RFC 5077, RFC 8446 4.6.1); TLS 1.3 sends a number as a short ticket.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.handshake.wire.messages import NewSessionTicket

if TYPE_CHECKING:
    from counterseal.handshake.examine import Examination

_LONGEST_NUMBER = 32  # RFC 5246 7.4.1.2: SessionID<0..32>; OpenSSL sends one in TLS 1.3 as a ticket
NO_SESSION = (
    "the server gave out no session, so there is nothing to resume (nginx: ssl_session_cache off and "
    "ssl_session_tickets off)"
)
RESUMED = "the server took the session up and looked at no certificate; nginx not at CRL, dates or CA"
_FULL = "the server did not take the session up, and made a full handshake"
NUMBER_NOT_FOUND = (
    f"{_FULL}: what it gave out is the number of a session that it does not find again; nginx keeps none with "
    "ssl_session_tickets off and ssl_session_cache off or none, and another process or machine may have answered"
)
TICKET_NOT_TAKEN = (
    f"{_FULL}: it does not take its own ticket back: another machine behind the name has other keys "
    "(nginx: ssl_session_ticket_key), its keys were changed, or it has its own reason"
)


def resumption_of(examination: Examination) -> str | None:
    """Return in one sentence what became of the session; None where none was asked for or nothing was established."""
    if not examination.resume or not examination.main.trace.established:
        return None
    if examination.resumed is None:
        return NO_SESSION
    if examination.resumed.trace.resumed:
        return RESUMED
    if not examination.resumed.trace.established:
        return "the second handshake, which offered the session, was not finished"
    given = (one.message for one in examination.main.decoded)
    lengths = [message.ticket_length for message in given if isinstance(message, NewSessionTicket)]
    return TICKET_NOT_TAKEN if any(length > _LONGEST_NUMBER for length in lengths) else NUMBER_NOT_FOUND
