"""One handshake read twice: by our decoder on the server's side, and by ``openssl s_client -trace`` on the client's."""

from __future__ import annotations

import re
import socket
import subprocess
import threading
from typing import TYPE_CHECKING

import pytest

from command import counterseal
from counterseal.handshake.trace.accept import Post, receive
from counterseal.handshake.wire.decode import HANDSHAKE, decode_all
from counterseal.handshake.wire.messages import (
    Certificate,
    CertificateRequest,
    CertificateVerify,
    ClientHello,
    ServerHello,
    ServerKeyExchange,
    message_name,
)
from counterseal.handshake.wire.numbers import EXTENSIONS, SIGNATURE_SCHEMES, name_of
from counterseal.handshake.wire.suites import CIPHER_SUITES
from foreign_servers import openssl_serving
from pki_fixtures import make_server, new_key
from prove_pki import DOMAIN, certificate_pem, identity_of, key_pem, prove_pki

if TYPE_CHECKING:
    from pathlib import Path

    from counterseal.handshake.observation import TLSVersion
    from counterseal.handshake.trace.dial import Trace
    from counterseal.handshake.wire.messages import Message

PKI = prove_pki()
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
OTHER_NAMES = {"renegotiate": "renegotiation_info", "psk_kex_modes": "psk_key_exchange_modes"}
"""How OpenSSL spells two extensions of the registry."""


def trace_both(tls: TLSVersion, directory: Path) -> tuple[Trace, str]:
    """Return what our server saw, and what openssl printed of the same handshake."""
    client = directory / "client.pem"
    client.write_bytes(certificate_pem(PKI.good, PKI.client_ca) + key_pem(PKI.good))
    post = Post(identity_of("server", PKI.server, PKI.server_ca), tls, 20.0)
    traces: list[Trace] = []

    def serve() -> None:
        raw, _ = listener.accept()
        with raw:
            traces.append(receive(raw, post, lambda _trace: ANSWER))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        place = f"127.0.0.1:{listener.getsockname()[1]}"
        files = ["-cert", str(client), "-cert_chain", str(client), "-key", str(client)]
        command = ["openssl", "s_client", "-connect", place, "-servername", "x.test", "-alpn", "h2,http/1.1"]
        ran = subprocess.run(
            [*command, *files, "-trace", "-ign_eof"], input=b"GET / HTTP/1.1\r\n\r\n", capture_output=True, timeout=30,
            check=False,
        )  # fmt: skip
        thread.join(30)
    return traces[0], ran.stdout.decode(errors="replace")


def section(said: str, name: str) -> str:
    """Return what openssl printed of the first message of a name."""
    start = said.index(f"    {name}, Length=")
    return said[start : said.index("\n\n", start)]


def schemes(text: str) -> list[str]:
    """Return the signature schemes in a section."""
    return re.findall(r"^ +([A-Za-z0-9_]+) \(0x0[2-9a-f][0-9a-f]{2}\)$", text, re.MULTILINE)


def extensions(text: str) -> list[str]:
    """Return the extensions in a section, under the names of the registry."""
    names = re.findall(r"extension_type=([a-z_0-9]+)\(", text)
    return [OTHER_NAMES.get(name, name) for name in names]


def first(messages: list[Message], kind: type) -> Message:
    """Return the first message of a kind."""
    return next(message for message in messages if isinstance(message, kind))


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_both_read_the_same(tls: TLSVersion, tmp_path: Path) -> None:
    """Every message with its length, and what is in the hellos, the request, the chains and the signatures."""
    trace, said = trace_both(tls, tmp_path)
    decoded = [one for one in decode_all(trace.captured) if trace.captured]
    handshake = [
        (message_name(one.message), one.size - 4)
        for one, raw in zip(decoded, trace.captured, strict=True)
        if raw.content == HANDSHAKE
    ]
    printed = [(name, int(length)) for name, length in re.findall(r"^    (\w+), Length=(\d+)$", said, re.MULTILINE)]
    assert printed == handshake
    messages = [one.message for one in decoded]
    hello, chosen = first(messages, ClientHello), first(messages, ServerHello)
    assert isinstance(hello, ClientHello)
    assert isinstance(chosen, ServerHello)
    text = section(said, "ClientHello")
    assert [CIPHER_SUITES[suite] for suite in hello.cipher_suites] == re.findall(
        r"\{0x.., 0x..\} (\w+)$", text, re.MULTILINE
    )
    assert [name_of(EXTENSIONS, number) for number in hello.extensions] == extensions(text)
    assert [SIGNATURE_SCHEMES[one] for one in hello.signature_schemes] == schemes(text)
    assert hello.random[4:].hex().upper() in text
    assert list(hello.groups) == [
        int(number) for number in re.findall(r"^ +\S.* \((\d+)\)$", groups_of(text), re.MULTILINE)
    ]
    text = section(said, "ServerHello")
    assert f"cipher_suite {{0x{chosen.cipher_suite >> 8:02X}, 0x{chosen.cipher_suite & 0xFF:02X}}}" in text
    assert [name_of(EXTENSIONS, number) for number in chosen.extensions] == extensions(text)
    request = first(messages, CertificateRequest)
    assert isinstance(request, CertificateRequest)
    asked = [SIGNATURE_SCHEMES[one] for one in request.signature_schemes]
    named = schemes(section(said, "CertificateRequest"))  # openssl may be older than the OpenSSL that listens
    assert [one if name != "UNKNOWN" else name for one, name in zip(asked, named, strict=True)] == named
    assert named.count("UNKNOWN") < len(named) / 2
    lengths = [len(one) for message in messages if isinstance(message, Certificate) for one in message.chain]
    assert lengths == [int(length) for length in re.findall(r"ASN\.1Cert, length=(\d+)", said)]
    for message in messages:
        if isinstance(message, CertificateVerify | ServerKeyExchange):
            name = SIGNATURE_SCHEMES[message.scheme or 0]
            assert f"Signature Algorithm: {name} (0x{message.scheme:04x})" in said
            assert f"Signature (len={message.signature_length})" in said


def groups_of(text: str) -> str:
    """Return the part of a ClientHello about groups."""
    return text.partition("extension_type=supported_groups")[2].partition("extension_type=")[0].partition("\n")[2]


@pytest.mark.parametrize("suite", ["AES256-GCM-SHA384", "AES128-SHA"])
def test_an_rsa_key_exchange_is_seen_as_it_is(suite: str, tmp_path: Path) -> None:
    """A server that has nothing else is spoken to, and its exchange shown; the pictures have it, too."""
    pki = prove_pki()
    server = make_server(pki.server_ca, f"rsa.{DOMAIN}", key=new_key("rsa-2048"))
    (tmp_path / "server.pem").write_bytes(certificate_pem(server, pki.server_ca) + key_pem(server))
    own = ("-cert", "server.pem", "-cert_chain", "server.pem", "-key", "server.pem", "-www")
    with openssl_serving(tmp_path, *own, "-tls1_2", "-cipher", suite) as port:
        target = ("handshake", f"rsa.{DOMAIN}:{port}", "--connect", "127.0.0.1", "--timeout", "30")
        pictures = ("--svg", str(tmp_path / "x.svg"), "--html", str(tmp_path / "x.html"))
        ran = counterseal(tmp_path / "no-ca", *target, *pictures)
    assert "encrypted to the server's RSA key" in ran.stdout, ran
    for name in ("x.svg", "x.html"):
        assert "ClientKeyExchange" in (tmp_path / name).read_text()
