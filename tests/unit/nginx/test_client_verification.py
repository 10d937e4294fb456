"""What nginx answers a client; the same is held to real ones in tests/integration/nginx_verify."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from chains import DAY, NOW, ca, crl, end_entity, intermediate, root
from counterseal.nginx.client_verification import ClientVerification, Request, VerifyClient, answer_client
from counterseal.nginx.verification_files import load_ca_file, load_crl_file
from counterseal.nginx.version import NginxVersion
from counterseal.pki.profile import Purpose
from pki_fixtures import Issued, key_of

OLD, NEW = NginxVersion((1, 22, 1)), NginxVersion((1, 31, 3))
CAS = (root().certificate, intermediate().certificate)


def client(issuer: Issued | None = None) -> Issued:
    """Return a client of the intermediate, or of another CA."""
    return end_entity(issuer or intermediate(), Purpose.CLIENT, name="alice").make()


def stranger() -> Issued:
    """Return a CA that nobody trusts."""
    return ca("stranger", key=key_of("p-256", 70)).make()


@pytest.mark.parametrize(
    ("mode", "of_stranger", "nothing"),
    [
        (VerifyClient.ON, (400, 495, 21), (400, 496, 0)),
        (VerifyClient.OFF, (200, None, 0), (200, None, 0)),
        (VerifyClient.OPTIONAL, (400, 495, 21), (200, None, 0)),
        (VerifyClient.OPTIONAL_NO_CA, (200, None, 21), (200, None, 0)),
    ],
)
def test_the_modes_of_ssl_verify_client(
    mode: VerifyClient, of_stranger: tuple[int, int | None, int], nothing: tuple[int, int | None, int]
) -> None:
    """Who is let in without a certificate, and who with one of an unknown CA; a good one always is."""
    site = ClientVerification(CAS, verify_client=mode)
    seen = [
        answer_client([one.certificate] if one else [], site, at=NOW) for one in (client(), client(stranger()), None)
    ]
    assert [(one.status, one.code, one.error) for one in seen] == [(200, None, 0), of_stranger, nothing]


@pytest.mark.parametrize(
    ("mode", "request_", "status", "code"),
    [
        (VerifyClient.ON, Request(sni="a.test", host="b.test"), 421, 421),
        (VerifyClient.ON, Request(sni="a.test", host="A.test.:8443"), 200, None),
        (VerifyClient.ON, Request(host="b.test"), 200, None),
        (VerifyClient.OFF, Request(sni="a.test", host="b.test"), 200, None),
        (VerifyClient.OPTIONAL, Request(tls=False), 400, 497),
    ],
)
def test_what_is_refused_before_any_certificate(
    mode: VerifyClient, request_: Request, status: int, code: int | None
) -> None:
    """Another Host than was negotiated, and HTTP where TLS belongs, with the best of certificates."""
    told = answer_client([client().certificate], ClientVerification(CAS, verify_client=mode), at=NOW, request=request_)
    assert (told.status, told.code, told.verification is None) == (status, code, code is not None or mode == "off")


@pytest.mark.parametrize(("depth", "error"), [(0, 2), (1, 0), (2, 0)])
def test_the_depth_counts_intermediates(depth: int, error: int) -> None:
    """And is never answered by 22, which is reported and then overwritten."""
    told = answer_client([client().certificate], ClientVerification(CAS, depth), at=NOW)
    assert told.error == error
    assert told.verification is not None
    assert (22 in [code for code, _ in told.verification.errors]) == (depth == 0)


def test_an_intermediate_alone_is_no_anchor() -> None:
    """OpenSSL follows every chain up to a self-signed certificate."""
    told = answer_client([client().certificate], ClientVerification(CAS[1:]), at=NOW)
    assert (told.code, told.error) == (495, 2)


def test_two_lists_of_one_date_are_undecided() -> None:
    """Which of them counts is left to the build."""
    lists = (crl(root()), crl(intermediate()), crl(intermediate(), revoked=[1]))
    told = answer_client([client().certificate], ClientVerification(CAS, crls=lists), at=NOW)
    assert told.undecided == (intermediate().certificate.subject,)


def test_what_nginx_takes_from_a_file_of_lists() -> None:
    """Lists in PEM; an old one takes certificates too, into its store."""
    lists = crl(root()).public_bytes(Encoding.PEM)
    certificate = stranger().certificate.public_bytes(Encoding.PEM)
    old, new = load_crl_file(lists + certificate, OLD), load_crl_file(lists + certificate, NEW)
    assert (len(old.certificates), len(old.crls), old.emerg) == (1, 1, None)
    assert (len(new.certificates), len(new.crls), new.emerg) == (0, 1, None)
    assert load_crl_file(certificate, OLD).emerg is None
    assert load_crl_file(certificate, NEW).emerg == "no revocation list in PEM"


@pytest.mark.parametrize("content", [b"", b"text", crl(root(), next_update=NOW + DAY).public_bytes(Encoding.DER)])
def test_a_file_without_pem_keeps_nginx_from_starting(content: bytes) -> None:
    """Empty, text, or DER."""
    assert load_crl_file(content, OLD).emerg is not None
    assert load_ca_file(content).emerg == "no certificate in PEM"


def test_one_broken_block_is_enough() -> None:
    """All of a file or nothing."""
    pem = root().certificate.public_bytes(Encoding.PEM)
    assert load_ca_file(pem).certificates == (root().certificate,)
    assert load_ca_file(pem + pem[:-40]).emerg is not None
