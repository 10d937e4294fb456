"""The ladder of captured handshakes: what is said of each message, and that it fits this very handshake."""

from __future__ import annotations

import pytest

from captured import CASES, captured_case, captured_names
from counterseal.handshake.explain.derivation import derive
from counterseal.handshake.explain.ladder import Layer, Rung, ladder_of
from counterseal.handshake.explain.story import Story, read_story
from counterseal.handshake.trace.dial import Ending, Stage, Trace
from counterseal.handshake.wire.decode import decode_all

ANSWER = b"HTTP/1.1 400 Bad Request\r\nServer: nginx\x1b[31m\r\nContent-Length: 0\r\n\r\n"


def story(case: str) -> Story:
    """Return what a case came to."""
    return read_story(decode_all(captured_case(case)))


def ladder(case: str, *, finished: float = 1.0) -> tuple[Rung, ...]:
    """Return the ladder of a case that ended in a 400."""
    captured = captured_case(case)
    decoded = decode_all(captured)
    trace = Trace(Ending.DONE, Stage.REQUEST, captured, question="GET /", answer=ANSWER, finished_at=finished)
    return ladder_of(trace, decoded, read_story(decoded))


def rung(case: str, name: str) -> Rung:
    """Return the first rung of a name."""
    return next(one for one in ladder(case) if one.name == name)


@pytest.mark.parametrize("case", CASES)
def test_every_message_has_a_meaning_and_a_section(case: str) -> None:
    """In the order in which they went by."""
    rungs = [one for one in ladder(case) if one.layer is Layer.TLS]
    assert [one.name for one in rungs] == captured_names(case)
    assert all(one.meaning.endswith(".") and one.section.startswith("RFC ") for one in rungs)


def test_the_same_message_means_another_thing_in_the_other_version() -> None:
    """And the section is that version's."""
    newer, older = rung("nginx-1.3-mutual", "Certificate"), rung("nginx-1.2-mutual", "Certificate")
    assert ("encrypted" in newer.meaning, newer.section) == (True, "RFC 8446 4.4.2")
    assert ("readable by everybody" in older.meaning, older.section) == (True, "RFC 5246 7.4.2")


def test_the_second_hello_says_why_it_comes() -> None:
    """After a HelloRetryRequest."""
    hellos = [one for one in ladder("openssl-1.3-retry") if one.name == "ClientHello"]
    assert ["again" in one.meaning for one in hellos] == [False, True]


def test_the_fields_that_matter_are_named() -> None:
    """Names, not numbers."""
    assert dict(rung("nginx-1.3-mutual", "CertificateRequest").fields)["accepted CAs"] == (
        "CN=Test Root; CN=Test Client CA"
    )
    certificate = dict(rung("nginx-1.3-mutual", "Certificate").fields)
    assert certificate["certificate"].startswith("CN=*.prove.test issued by CN=Test Server CA, for DNS:*.prove.test, ")
    assert certificate["issuer 1"].startswith("CN=Test Server CA issued by CN=Test Root, ECDSA P-256, valid 2025-02-01")
    assert dict(rung("openssl-1.2-rsa", "ClientKeyExchange").fields) == {"encrypted pre-master secret": "256 bytes"}


def test_the_request_stands_between_the_handshake_and_what_followed() -> None:
    """Tickets and the farewell come after the question, and control characters of the answer are escaped."""
    finished = 0.0105  # the client's Finished is the eleventh message
    rungs = ladder("nginx-1.3-mutual", finished=finished)
    names = [one.name for one in rungs]
    assert names[11:] == ["GET /", "NewSessionTicket", "NewSessionTicket", "HTTP 400 Bad Request", "Alert", "Alert"]
    assert dict(rungs[14].fields)["server"] == "nginx\\1B[31m"


@pytest.mark.parametrize(
    ("case", "words", "forward"),
    [
        ("nginx-1.3-mutual", "a shared secret from the two key shares in x25519", True),
        ("nginx-1.2-mutual", "what two ephemeral keys in x25519 have in common", True),
        ("openssl-1.2-dhe", "modulo a 2048-bit prime", True),
        ("openssl-1.2-rsa", "encrypted to the server's RSA key", False),
        ("openssl-1.3-resumed", "the secret of the earlier session", True),
        ("nginx-1.3-hybrid", "two key shares in X25519MLKEM768 (post-quantum hybrid: x25519 and ML-KEM-768)", True),
    ],
)
def test_from_what_the_keys_are_derived(case: str, words: str, *, forward: bool) -> None:
    """Each way of agreeing on keys in its own words, and whether it has forward secrecy."""
    derivation = derive(story(case))
    assert derivation is not None
    assert any(words in step for step in derivation.steps)
    assert derivation.forward_secret is forward
    assert derivation.post_quantum is ("hybrid" in case)


def test_no_keys_without_a_server_hello() -> None:
    """An alert in its place."""
    assert derive(story("nginx-1.3-unknown-name")) is None


def test_the_story_of_a_mutual_handshake() -> None:
    """What the rest is decided by."""
    found = story("nginx-1.3-mutual")
    assert found.is_tls13
    assert found.protocol == "http/1.1"
    assert len(found.server_chain or ()) == 2
    assert len(found.client_chain or ()) == 2
    assert found.alert is None
