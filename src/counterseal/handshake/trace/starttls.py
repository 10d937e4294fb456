"""The few lines before TLS that mail and PostgreSQL want (RFC 3207, RFC 9051 6.2.1, RFC 2595 4, PostgreSQL 55.2.10).

What the peer sends after it agreed and before TLS would be read as if it were protected (CVE-2021-38371), so bytes left
over end the attempt.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from counterseal.handshake.trace.dial import StartTLS

if TYPE_CHECKING:
    import socket

    from counterseal.handshake.connect import Deadline

_LONGEST_LINE, _MOST_LINES = 2000, 100
SSL_IS_OFF = "answers N: SSL is off"
_POSTGRES_REQUEST = bytes.fromhex("0000000804d2162f")


class StartTLSError(OSError):
    """The peer does not turn to TLS; the text says what it answered."""


@dataclass(slots=True)
class Dialogue:
    """What is said in the clear, line by line, as (sent by us, text)."""

    raw: socket.socket
    deadline: Deadline
    lines: list[tuple[bool, str]] = field(default_factory=list)
    _waiting: bytes = b""

    def start(self, protocol: StartTLS) -> None:
        """Bring the peer to where TLS begins; raises StartTLSError, and OSError from the socket."""
        {
            StartTLS.SMTP: self._smtp,
            StartTLS.IMAP: self._imap,
            StartTLS.POP3: self._pop3,
            StartTLS.POSTGRES: self._postgres,
        }[protocol]()
        if self._waiting:
            raise StartTLSError(f"sent {len(self._waiting)} bytes in the clear after it agreed to TLS")

    def _smtp(self) -> None:
        self._expect("220", self._reply())
        self._say("EHLO counterseal.invalid")
        offered = self._reply()
        self._expect("250", offered)
        if not any(line[4:].strip().upper() == "STARTTLS" for line in offered):
            raise StartTLSError("does not offer STARTTLS in its answer to EHLO")
        self._say("STARTTLS")
        self._expect("220", self._reply())

    def _imap(self) -> None:
        self._expect("* OK", [self._line()])
        self._say("a1 STARTTLS")
        for _ in range(_MOST_LINES):
            line = self._line()
            if not line.startswith("* "):
                return self._expect("a1 OK", [line])
        raise StartTLSError("does not come to an answer")

    def _pop3(self) -> None:
        self._expect("+OK", [self._line()])
        self._say("STLS")
        self._expect("+OK", [self._line()])

    def _postgres(self) -> None:
        self.raw.settimeout(self.deadline.remaining())
        self.raw.sendall(_POSTGRES_REQUEST)
        self.lines.append((True, "SSLRequest"))
        answer = self.raw.recv(1)
        self.lines.append((False, answer.decode("ascii", "backslashreplace")))
        if answer != b"S":
            raise StartTLSError(SSL_IS_OFF if answer == b"N" else f"answers {answer!r} to SSLRequest")

    def _reply(self) -> list[str]:
        found = []
        for _ in range(_MOST_LINES):
            found.append(self._line())
            if found[-1][3:4] != "-":
                return found
        raise StartTLSError("does not come to the end of its answer")

    def _expect(self, start: str, lines: list[str]) -> None:
        if not lines[-1].startswith(start):
            raise StartTLSError(f"answers {lines[-1][:80]!r} where {start!r} belongs")

    def _say(self, line: str) -> None:
        self.raw.settimeout(self.deadline.remaining())
        self.raw.sendall(f"{line}\r\n".encode())
        self.lines.append((True, line))

    def _line(self) -> str:
        while b"\n" not in self._waiting:
            if len(self._waiting) > _LONGEST_LINE:
                raise StartTLSError("sends a line without end")
            self.raw.settimeout(self.deadline.remaining())
            received = self.raw.recv(4096)
            if not received:
                raise StartTLSError("closes the connection before TLS")
            self._waiting += received
        line, _, self._waiting = self._waiting.partition(b"\n")
        text = line.rstrip(b"\r").decode("ascii", "backslashreplace")
        self.lines.append((False, text))
        return text
