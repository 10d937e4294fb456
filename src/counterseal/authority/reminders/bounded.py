"""Connections to receivers of reminders that end after half a minute, whatever they are at.

A time limit of the library's is for one wait: who sends an octet now and then is waited for without end, and with him
the other receivers and the stop of the service.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from functools import partial
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from smtplib import SMTP, SMTP_SSL
from threading import Timer
from typing import TYPE_CHECKING, Any
from urllib.request import HTTPHandler, HTTPSHandler, Request

if TYPE_CHECKING:
    import ssl

SECONDS = 30.0


class _Bounded:
    """What the four classes below share: ``connect`` is called first, and ``sock`` is there as soon as it stands."""

    sock: socket.socket | None

    def connect(self, *arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - whatever the class has
        """Connect, and end so much later."""
        timer = Timer(SECONDS, self._end)
        timer.daemon = True
        timer.start()
        return super().connect(*arguments, **named)  # type: ignore[misc] # of the class beside this one

    def _end(self) -> None:
        if self.sock is not None:
            with suppress(OSError):  # it has ended
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)  # past TLS, in which a thread may be reading


class BoundedSMTP(_Bounded, SMTP):
    """Mail without TLS from its beginning."""


class BoundedSMTPS(_Bounded, SMTP_SSL):
    """Mail with it."""


class _HTTP(_Bounded, HTTPConnection):
    pass


class _HTTPS(_Bounded, HTTPSConnection):
    pass


class BoundedHTTP(HTTPHandler):
    """Opens URLs without TLS."""

    def http_open(self, req: Request) -> HTTPResponse:
        """Open one."""
        return self.do_open(_HTTP, req)


class BoundedHTTPS(HTTPSHandler):
    """Opens URLs with TLS."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        super().__init__(context=tls)
        self._tls = tls

    def https_open(self, req: Request) -> HTTPResponse:
        """Open one."""
        return self.do_open(partial(_HTTPS, context=self._tls), req)
