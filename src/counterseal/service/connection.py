"""One HTTP connection: bounds on the head of a request, which the parser below does not have, and on connections.

A head must be complete after a few seconds and within a few kilobytes; a client that sends it octet by octet, or
without end, is cut off and holds nothing. Bodies are bounded where they are read, because each face has its own limit;
what is left of one when the answer was sent has a few seconds to arrive, and is thrown away. When there are as many
connections as may be, the one that has let us wait the longest makes room for a new one, for a request, for the rest of
a body, or to take an answer: no kind, sent in numbers, keeps out who needs a moment. A request that is here as a whole
is answered, as long as its client takes what it asked for before.
"""

from __future__ import annotations

import socket
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn.protocols.http.flow_control import service_unavailable
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from counterseal.errors import InputError
from counterseal.service.head import CODED, HEAD_LIMIT, fault_of_head
from counterseal.service.joined import Joined
from counterseal.service.short_way import LONGEST, OCTETS

if TYPE_CHECKING:
    import asyncio

    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

    from counterseal.service.proxy_protocol import Proxied
    from counterseal.service.short_way import ShortWay

REFUSED = "Invalid HTTP request received."
HEAD_SECONDS = 15.0
CLOSE_SECONDS = 2.0
"""A peer has so long to answer the end of TLS; idle clients that never do would hold up a stop for half a minute."""
TAKE_SECONDS = 30.0
"""A peer has so long to take what waits for it, which is no more than a slice of an answer (``requests``) or two."""
WAITING = 64 * 1024
"""Octets that may wait for a peer before nothing is added; OpenSSL's connections would keep eight times as many."""
PIPELINED = 32
"""Requests that may be here whole behind the one that is being answered; each takes some 3 kB."""


class Connection(HttpToolsProtocol):
    """uvicorn's connection with a limit on the size of a head, and on the time that it may take."""

    _head: int = 0
    _begun: int = 0
    _inside: bool = False
    _in_head: bool = False
    _deadline: asyncio.TimerHandle | None = None
    _taking: asyncio.TimerHandle | None = None
    _receiving: bool = False
    _fault: str | None = None
    _refusal: str | None = None
    proxied: Proxied | None = None
    """What a proxy that is trusted has said of the client; its own address is not the client's."""
    since: float = 0.0
    """When the last answer ended, the last head began, or the peer took too slowly, in the loop's time."""

    def __init__(self, *arguments: Any, short_way: ShortWay | None = None, most: int, **named: Any) -> None:  # noqa: ANN401 - as the class above has it
        super().__init__(*arguments, **named)
        self._short_way, self._most = short_way, most

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as the class above has it
        """Start the clock of the first head."""
        if len(self.connections) + 1 >= self._most:
            self._make_room()
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=WAITING)
        if self.proxied is not None:
            self.client = self.proxied.client
        self.since = self.loop.time()
        unix = getattr(transport.get_extra_info("socket"), "family", None) == socket.AF_UNIX
        self.app_state = {**self.app_state, "tls": transport.get_extra_info("ssl_object"), "unix": unix}
        self._deadline = self.loop.call_later(HEAD_SECONDS, self._cut_off)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clocks."""
        self._stop()
        self._stop_taking()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Answer what is known; else count what belongs to a head."""
        if self._refusal is not None:
            return
        begun, may_be_known = self._begun, self._is_between_requests() and len(data) <= LONGEST
        if may_be_known and self._short_way and (response := self._short_way.answer(data)) is not None:
            self._answer(response)
            return
        self._head += len(data)
        self._parse(data)
        if may_be_known and self._begun == begun + 1 and self._is_whole():
            self.scope["state"][OCTETS] = data
        if self.transport.is_closing() or self._refusal is not None:
            return
        if self._head > HEAD_LIMIT:
            self.send_400_response("Request head or trailer is too large.")
        elif self._deadline is None:
            waits_for_nothing = self.is_idle() and self.timeout_keep_alive_task is None
            if self._in_head or waits_for_nothing:  # empty lines, or a body that nobody reads
                self._deadline = self.loop.call_later(HEAD_SECONDS, self._cut_off)

    def _parse(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        try:
            while data:
                data = self._parse_some(data)
        except HttpParserError:
            self.logger.warning(REFUSED)
            self.send_400_response(REFUSED)

    def _parse_some(self, data: bytes) -> bytes:
        """Have the parser read, and return what it left.

        It takes what follows a head that asks for another protocol for that protocol, a body too. None is begun here
        (RFC 9110 7.8), so such a request is read once more, by a new parser and without the asking.
        """
        try:
            self.parser.feed_data(data)
        except HttpParserUpgrade as upgrade:
            version = self.parser.get_http_version().encode()
            first = b"%b %b HTTP/%b\r\n" % (self.parser.get_method(), self.url, version)
            headers = [b"%b: %b\r\n" % header for header in self.headers if header[0] != b"upgrade"]
            self.parser = HttpRequestParser(self)
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as the class above has it
            self.parser.feed_data(b"".join([first, *headers, b"\r\n"]))
            return data[upgrade.args[0] :]
        return b""

    def on_message_begin(self) -> None:
        """Begin with a head; of a kept-alive connection it is not the first."""
        super().on_message_begin()
        self.since = self.loop.time()
        self._receiving = False
        self._begun += 1
        self._inside = self._in_head = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a field of the head; one after the body says nothing of who asks (RFC 9110 6.5.1), and is dropped."""
        if not self._receiving:
            super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        """Take some of a body: it has limits of its own, but not what stands between its chunks and behind it."""
        self._head = 0
        super().on_body(body)

    def on_headers_complete(self) -> None:
        """End the head; what is raised here refuses the request, with the rest of what has arrived."""
        self._fault = fault_of_head(self.parser.get_http_version(), self.url, self.headers)
        if self.parser.get_method() == b"CONNECT":
            self._fault = "No proxy."
        if len(self.pipeline) >= PIPELINED:
            self._fault = "Too many requests before their answers."
        if self._fault is not None:
            raise InputError("http.head", self._fault)
        if self.parser.should_upgrade():
            return
        self._stop()
        if len(self.connections) >= self._most:
            self.logger.warning("All connections are being answered.")
            self.app = service_unavailable
        super().on_headers_complete()
        self._head, self._in_head, self._receiving = 0, False, True
        self._join()

    def send_400_response(self, msg: str) -> None:
        """Refuse, with the reason if it is ours; what was asked before it is answered before it (RFC 9112 9.3.2)."""
        if self._receiving and self.pipeline:
            self.pipeline.popleft()  # the one that is refused waits as the last
        elif self._receiving or self.is_idle():
            self._refuse(self._fault or msg)
            return
        self._stop()
        self._refusal = self._fault or msg

    def _refuse(self, text: str) -> None:
        if text != CODED:
            super().send_400_response(text)
        else:
            fields = b"content-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\nconnection: close" % len(text)
            self.transport.write(b"HTTP/1.1 501 Not Implemented\r\n%b\r\n\r\n%b" % (fields, text.encode("ascii")))
            self.transport.close()
        self._end_soon()

    def on_message_complete(self) -> None:
        """End the request, body and all."""
        if self.parser.should_upgrade():
            return
        self._head, self._receiving = 0, False
        if self.is_idle():
            self._stop()
        super().on_message_complete()
        self._inside = False

    def on_response_complete(self) -> None:
        """Close as asked, and do not wait long for the peer to agree."""
        was_last = not self.pipeline
        super().on_response_complete()
        if was_last and self._refusal is not None and not self.transport.is_closing():
            self._refuse(self._refusal)
        self.since = self.loop.time()
        self._end_soon()

    def timeout_keep_alive_handler(self) -> None:
        """Close what was not used for a while."""
        super().timeout_keep_alive_handler()
        self._end_soon()

    def pause_writing(self) -> None:
        """Add nothing until the peer has taken what waits for it, for which it has not for ever."""
        super().pause_writing()
        self.since = self.loop.time()
        self._taking = self.loop.call_later(TAKE_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on: it was taken."""
        self._stop_taking()
        super().resume_writing()

    def shutdown(self) -> None:
        """Close when idle, else after the answer under way."""
        super().shutdown()
        self._end_soon()

    def _is_between_requests(self) -> bool:
        """Whether what arrives now is the beginning of a request, and its answer would be the next one."""
        return not self._inside and self.is_idle() and not self.flow.write_paused and not self.transport.is_closing()

    def _is_whole(self) -> bool:
        """Whether one request has arrived with all that belongs to it, and nothing closes the connection after it."""
        return not self._inside and self.cycle.keep_alive and not self.expect_100_continue

    def _answer(self, response: bytes) -> None:
        """Send a whole response, and wait for the next request as after every other."""
        self._stop()
        self._unset_keepalive_if_required()
        self.server_state.total_requests += 1
        self.transport.write(response)
        self.since = self.loop.time()
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def _join(self) -> None:
        """Have head and body of the answer sent together, with the date that ``Requests`` gives it."""
        cycle: RequestResponseCycle = self.cycle
        cycle.default_headers = []
        cycle.transport = joined = Joined(self.transport)

        def complete() -> None:
            joined.flush()
            self.on_response_complete()

        cycle.on_response = complete

    def _end_soon(self) -> None:
        if self.transport.is_closing():
            seconds = TAKE_SECONDS if self.transport.get_write_buffer_size() else CLOSE_SECONDS
            self.loop.call_later(seconds, self.transport.abort)

    def is_idle(self) -> bool:
        """Whether nothing is asked here: no request yet, or all of them answered."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete

    def waits_for_body(self) -> bool:
        """Whether the rest of a request has yet to arrive, and nothing else is asked here, nor answered."""
        return self._receiving and not self.pipeline and not self.cycle.response_started

    def _make_room(self) -> None:
        ours = (one for one in self.connections if isinstance(one, Connection))
        waiting = [one for one in ours if one.is_idle() or one.waits_for_body() or one.flow.write_paused]
        if waiting:
            oldest = min(waiting, key=attrgetter("since"))
            self.connections.discard(oldest)  # at once: its end is noticed only later
            oldest.transport.abort()

    def _stop(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _stop_taking(self) -> None:
        if self._taking is not None:
            self._taking.cancel()
            self._taking = None

    def _cut_off(self) -> None:
        self._deadline = None
        if not self.transport.is_closing():
            self.transport.close()
            self._end_soon()
