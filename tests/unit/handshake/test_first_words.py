"""What servers of other protocols than HTTP say first inside TLS; real ones are in tests/integration/handshake."""

from __future__ import annotations

import pytest

from counterseal.handshake.examine import read_trace
from counterseal.handshake.explain.diagnosis import diagnose
from counterseal.handshake.explain.situation import Situation
from counterseal.handshake.explain.story import Story
from counterseal.handshake.first_words import read_first_words
from counterseal.handshake.observation import Observation
from counterseal.handshake.trace.dial import Ending, Stage, StartTLS, Trace
from counterseal.handshake.wire.messages import CertificateRequest


def error(state: bytes, message: bytes) -> bytes:
    """Return an ErrorResponse of PostgreSQL."""
    body = b"SFATAL\x00VFATAL\x00C" + state + b"\x00M" + message + b"\x00\x00"
    return b"E" + (len(body) + 4).to_bytes(4) + body


@pytest.mark.parametrize(
    ("protocol", "raw", "decision", "text"),
    [
        (StartTLS.SMTP, b"250-mx.test\r\n250 SIZE\r\n", "admitted", "250-mx.test"),
        (StartTLS.SMTP, b"554 5.7.1 go away\r\n", "refused", "554 5.7.1 go away"),
        (StartTLS.SMTP, b"\x1b[2J\r\n", None, "\x1b[2J"),
        (StartTLS.SMTP, b"\r\n", None, ""),
        (StartTLS.IMAP, b"* CAPABILITY IMAP4rev1\r\na2 OK\r\n", "admitted", "* CAPABILITY IMAP4rev1"),
        (StartTLS.IMAP, b"a2 NO not you\r\n", "refused", "a2 NO not you"),
        (StartTLS.IMAP, b"* 3 EXISTS\r\n", None, "* 3 EXISTS"),
        (StartTLS.POP3, b"+OK list follows\r\nUSER\r\n.\r\n", "admitted", "+OK list follows"),
        (StartTLS.POP3, b"-ERR not you\r\n", "refused", "-ERR not you"),
        (StartTLS.POP3, b"what?\r\n", None, "what?"),
        (StartTLS.POSTGRES, b"R\x00\x00\x00\x08\x00\x00\x00\x05", "admitted", "AuthenticationMD5Password"),
        (StartTLS.POSTGRES, b"R\x00\x00\x00\x08\x00\x00\x00\x63", "admitted", "Authentication 99"),
        (StartTLS.POSTGRES, error(b"28000", b"no"), "refused", "ErrorResponse FATAL 28000: no"),
        (StartTLS.POSTGRES, error(b"53300", b"sorry, too many clients already"), None,
         "ErrorResponse FATAL 53300: sorry, too many clients already"),
        (StartTLS.POSTGRES, error(b"28P01", b"no"), "refused", "ErrorResponse FATAL 28P01: no"),
        (StartTLS.POSTGRES, error(b"3D000", b"no such database"), "admitted",
         "ErrorResponse FATAL 3D000: no such database"),
        (StartTLS.POSTGRES, b"E", None, "ErrorResponse  : "),
        (StartTLS.POSTGRES, b"N\x00", None, "a message of kind b'N'"),
    ],
)  # fmt: skip
def test_an_answer_is_read(protocol: StartTLS, raw: bytes, decision: str | None, text: str) -> None:
    """Whatever it is, in one line."""
    words = read_first_words(protocol, raw)
    assert words is not None
    assert (words.decision, words.text) == (decision, text)


@pytest.mark.parametrize("protocol", list(StartTLS))
def test_silence_is_no_answer(protocol: StartTLS) -> None:
    """It is told by how the connection ended."""
    assert read_first_words(protocol, b"") is None


@pytest.mark.parametrize(
    ("protocol", "text", "story", "words"),
    [
        (StartTLS.SMTP, "554 no", Story(), "by its own rules"),
        (StartTLS.POSTGRES, "connection requires …", Story(), "ssl_ca_file is not set"),
        (
            StartTLS.POSTGRES,
            "connection requires …",
            Story(request=CertificateRequest(())),
            "wants a client certificate",
        ),
        (StartTLS.POSTGRES, "certificate authentication …", Story(client_chain=(b"one",)), "the certificate is taken"),
        (StartTLS.POSTGRES, 'no pg_hba.conf entry for host "::1"', Story(), "no line of pg_hba.conf"),
    ],
)
def test_a_refusal_is_explained(protocol: StartTLS, text: str, story: Story, words: str) -> None:
    """By the server's words and by what the handshake asked for."""
    trace = Trace(Ending.DONE, Stage.REQUEST, starttls=protocol)
    found = diagnose(Situation(trace, story, Observation(reason_phrase=text, decision="refused")))
    assert found is not None
    assert text in found.happened
    assert words in found.cause
    admitted = Observation(reason_phrase=text, decision="admitted")
    assert diagnose(Situation(trace, story, admitted)) is None


@pytest.mark.parametrize(
    ("state", "message", "words"),
    [
        (b"28000", b'no pg_hba.conf entry for host "::1", user "a", database "a", no encryption', "ends TLS"),
        (b"28P01", b'password authentication failed for user "a"', "a password that is wrong or missing"),
        (b"08P01", b"no such user: a", "a pooler such as PgBouncer"),
        (b"53300", b"sorry, too many clients already", "has not looked at this client yet"),
        (b"57P03", b"the database system is starting up", "is starting, stopping or recovering"),
        (b"XX000", b"out of luck", "not about the client's certificate"),
        (b"3D000", b'database "a" does not exist', None),
    ],
)
def test_an_error_of_postgresql_is_explained(state: bytes, message: bytes, words: str | None) -> None:
    """By its state, whatever else it says; a database that is missing is no matter of the handshake."""
    trace = Trace(Ending.DONE, Stage.REQUEST, starttls=StartTLS.POSTGRES, answer=error(state, message))
    watched = read_trace(trace)
    found = diagnose(Situation(trace, watched.story, watched.seen))
    assert (found is None) == (words is None)
    assert words is None or (found is not None and words in found.cause)
