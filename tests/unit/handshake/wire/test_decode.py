"""Real handshakes are read as they were, and no bytes whatever make the decoder raise."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from captured import CASES, captured_case, captured_names
from counterseal.errors import InputError
from counterseal.handshake.explain.fields import fields_of
from counterseal.handshake.explain.ladder import ladder_of
from counterseal.handshake.explain.story import read_story
from counterseal.handshake.trace.dial import Ending, Stage, Trace
from counterseal.handshake.wire.decode import ALERT, HANDSHAKE, LONGEST_MESSAGE, Agreed, Captured, decode, decode_all
from counterseal.handshake.wire.messages import (
    Alert,
    Certificate,
    CertificateRequest,
    ClientHello,
    ClientKeyExchange,
    EncryptedExtensions,
    Message,
    NewSessionTicket,
    ServerHello,
    ServerKeyExchange,
    Side,
    Undecoded,
    Unknown,
    message_name,
)
from counterseal.handshake.wire.numbers import TLS12, TLS13
from counterseal.handshake.wire.reader import Reader


def messages(case: str) -> list[Message]:
    """Return the decoded messages of a case."""
    return [one.message for one in decode_all(captured_case(case))]


def first(case: str, kind: type[Message]) -> Message:
    """Return the first message of a kind."""
    return next(message for message in messages(case) if isinstance(message, kind))


@pytest.mark.parametrize("case", CASES)
def test_every_message_of_a_real_handshake_is_recognised(case: str) -> None:
    """By its name, and none is malformed."""
    assert [message_name(message) for message in messages(case)] == captured_names(case)
    assert not any(isinstance(message, Undecoded | Unknown) for message in messages(case))


def test_a_client_hello_of_openssl() -> None:
    """Everything that it offers stands in it."""
    hello = first("nginx-1.3-mutual", ClientHello)
    assert isinstance(hello, ClientHello)
    assert hello.versions == (TLS13, TLS12)
    assert hello.server_name == "panel.prove.test"
    assert hello.protocols == ("http/1.1",)
    assert hello.cipher_suites[:3] == (0x1302, 0x1303, 0x1301)
    assert hello.groups[:2] == (29, 23)
    assert hello.key_shares == (29,)
    assert hello.signature_schemes[:2] == (0x0403, 0x0503)
    assert (hello.session_id_length, hello.psk_identities, hello.ticket_length) == (32, 0, 0)


def test_a_client_hello_of_a_browser() -> None:
    """A post-quantum hybrid is named as such, and GREASE (RFC 8701) stands for nothing."""
    hello = first("chromium-1.3-arrives", ClientHello)
    assert isinstance(hello, ClientHello)
    assert hello.groups[1:] == (4588, 29, 23, 24)
    assert hello.key_shares[1:] == (4588, 29)
    fields = dict(fields_of(hello))
    assert fields["groups"].startswith("X25519MLKEM768 (post-quantum hybrid: x25519 and ML-KEM-768), x25519, ")
    assert fields["versions"] == "TLS 1.3, TLS 1.2"
    assert "GREASE" not in " ".join(fields.values())
    assert "mldsa44" in fields["signature algorithms"]


def test_the_server_hellos() -> None:
    """The version is the one in supported_versions, which the legacy field hides; a retry is told by its random."""
    chosen = first("nginx-1.3-mutual", ServerHello)
    older = first("nginx-1.2-mutual", ServerHello)
    retry = first("openssl-1.3-retry", ServerHello)
    assert isinstance(chosen, ServerHello)
    assert isinstance(older, ServerHello)
    assert isinstance(retry, ServerHello)
    assert (chosen.version, chosen.cipher_suite, chosen.group, chosen.retry) == (TLS13, 0x1302, 29, False)
    assert (older.version, older.cipher_suite, older.protocol) == (TLS12, 0xC02C, "http/1.1")
    assert older.random.endswith(b"DOWNGRD\x01")
    assert (retry.version, retry.group, retry.retry) == (TLS13, 24, True)


def test_a_resumed_handshake_names_its_key() -> None:
    """The client offers a pre-shared key, and the server takes the first."""
    offered = first("openssl-1.3-resumed", ClientHello)
    hellos = [message for message in messages("openssl-1.3-resumed") if isinstance(message, ServerHello)]
    assert isinstance(offered, ClientHello)
    assert offered.psk_identities == 1
    assert [hello.psk for hello in hellos] == [None, 0]


@pytest.mark.parametrize("case", ["nginx-1.3-mutual", "nginx-1.2-mutual"])
def test_the_request_and_both_chains(case: str) -> None:
    """Two CA names, and two certificates from either side, in both forms of the messages."""
    request = first(case, CertificateRequest)
    chains = [message.chain for message in messages(case) if isinstance(message, Certificate)]
    assert isinstance(request, CertificateRequest)
    assert [name[-9:] for name in request.authorities] == [b"Test Root", b"Client CA"]
    assert request.signature_schemes[0] == 0x0403
    assert [len(chain) for chain in chains] == [2, 2]


def test_a_client_without_certificate_sends_an_empty_list() -> None:
    """And is told that one is required."""
    chains = [message.chain for message in messages("openssl-1.3-required") if isinstance(message, Certificate)]
    assert chains[-1] == ()
    assert messages("openssl-1.3-required")[-1] == Alert(fatal=True, description=116)


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("nginx-1.2-mutual", (ServerKeyExchange(32, 29, None, 0x0403, 71), ClientKeyExchange(public_length=32))),
        ("openssl-1.2-dhe", (ServerKeyExchange(256, None, 2048, 0x0804, 256), ClientKeyExchange(public_length=256))),
        ("openssl-1.2-rsa", (None, ClientKeyExchange(encrypted_secret_length=256))),
    ],
)
def test_the_key_exchanges_of_tls_12(case: str, expected: tuple[ServerKeyExchange | None, ClientKeyExchange]) -> None:
    """Each cipher suite has its own form: elliptic, finite-field, and RSA without a message of the server's."""
    found = messages(case)
    signed = next((message for message in found if isinstance(message, ServerKeyExchange)), None)
    answered = next(message for message in found if isinstance(message, ClientKeyExchange))
    assert (signed, answered) == expected


def test_tickets_and_encrypted_extensions() -> None:
    """The lifetime is in seconds; ALPN is answered in EncryptedExtensions."""
    assert first("nginx-1.3-mutual", NewSessionTicket) == NewSessionTicket(300, 32)
    assert first("openssl-1.2-dhe", NewSessionTicket) == NewSessionTicket(7200, 176)
    assert first("nginx-1.3-mutual", EncryptedExtensions) == EncryptedExtensions((0, 16), "http/1.1")


@pytest.mark.parametrize("case", CASES)
def test_a_message_cut_short_is_said_to_be_malformed(case: str) -> None:
    """However short, with the header's length left as it was."""
    for one in captured_case(case):
        for length in {0, 1, 3, len(one.octets) // 2, len(one.octets) - 1} if one.content == HANDSHAKE else ():
            assert isinstance(decode(one.content, one.octets[:length], Agreed(TLS13)), Undecoded)


def test_a_length_that_points_outside_is_malformed() -> None:
    """And says how much is there."""
    hello = captured_case("nginx-1.3-mutual")[0].octets
    lying = hello[:71] + b"\xff\xff" + hello[73:]  # the length of the cipher suites
    assert decode(HANDSHAKE, lying, Agreed()) == Undecoded("ClientHello", "65535 bytes announced at byte 69, 439 there")


def test_bytes_after_the_end_are_malformed() -> None:
    """Strict: what no field covers is a fault, in a message and in an alert."""
    done = b"\x0e\x00\x00\x01\x00"
    assert decode(HANDSHAKE, done, Agreed()) == Undecoded("ServerHelloDone", "1 bytes after the end")
    assert decode(ALERT, b"\x02\x28\x00", Agreed()) == Undecoded("Alert", "1 bytes after the end")


def test_an_overlong_message_is_not_read() -> None:
    """Whatever its header says."""
    huge = b"\x0b" + (LONGEST_MESSAGE).to_bytes(3, "big") + bytes(LONGEST_MESSAGE)
    assert isinstance(decode(HANDSHAKE, huge, Agreed()), Undecoded)


def test_an_extension_that_comes_twice_is_malformed() -> None:
    """RFC 8446 4.2 forbids it."""
    extensions = b"\x00\x10\x00\x00" * 2
    body = len(extensions).to_bytes(2, "big") + extensions
    message = b"\x08" + len(body).to_bytes(3, "big") + body
    assert decode(HANDSHAKE, message, Agreed(TLS13)) == Undecoded("EncryptedExtensions", "an extension comes twice")


MUTATED = st.tuples(
    st.sampled_from([(case, position) for case in CASES for position in range(len(captured_case(case)))]),
    st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), max_size=8),
    st.integers(0, 40),
)


@settings(max_examples=300)
@given(mutated=MUTATED, version=st.sampled_from([TLS12, TLS13]))
def test_mutated_messages_end_in_a_value(
    mutated: tuple[tuple[str, int], list[tuple[int, int]], int], version: int
) -> None:
    """Bytes changed and cut at will: a message comes out, and it can be explained."""
    (case, position), changes, cut = mutated
    whole = list(captured_case(case))
    octets = bytearray(whole[position].octets)
    for where, value in changes:
        octets[where % len(octets)] = value
    kept = bytes(octets[: max(len(octets) - cut, 0)])
    decode(whole[position].content, kept, Agreed(version, 0xC02F))
    whole[position] = Captured(0.0, whole[position].sender, whole[position].content, kept)
    decoded = decode_all(whole)
    trace = Trace(Ending.DONE, Stage.REQUEST, tuple(whole))
    assert len(ladder_of(trace, decoded, read_story(decoded))) == len(whole)


@settings(max_examples=300)
@given(kind=st.integers(0, 255), body=st.binary(max_size=400), suite=st.sampled_from([0x009D, 0xC02F, 0x009F, 0x1301]))
def test_any_body_ends_in_a_value(kind: int, body: bytes, suite: int) -> None:
    """A right header before anything at all."""
    octets = bytes([kind]) + len(body).to_bytes(3, "big") + body
    for version in (TLS12, TLS13):
        message = decode(HANDSHAKE, octets, Agreed(version, suite))
        ladder_of(
            Trace(Ending.DONE, Stage.REQUEST),
            decoded := decode_all([Captured(0.0, Side.SERVER, HANDSHAKE, octets)]),
            read_story(decoded),
        )
        assert message_name(message)


def test_what_is_left_over_is_malformed() -> None:
    """By the code that a program goes by."""
    with pytest.raises(InputError) as caught:
        Reader(b"x").finish()
    assert caught.value.code == "tls.malformed"
