"""Certification requests: one verified CSR comes out, or an InputError, whatever bytes come in."""

from __future__ import annotations

import random
from contextlib import suppress
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import example, given
from hypothesis import strategies as st

from counterseal.errors import InputError
from counterseal.pki import der
from counterseal.pki.csr import MAX_CSR_BYTES, parse_csr
from counterseal.pki.keys import weaknesses
from counterseal.pki.names import show_name
from counterseal.pki.subject import parse_subject, show_subject, subject_faults
from pki_fixtures import PrivateKey, key_of, new_key, pki

ECDSA_WITH_SHA256 = der.sequence(der.object_identifier("1.2.840.10045.4.3.2"))
EXTENSION_REQUEST, MICROSOFT_REQUEST = "1.2.840.113549.1.9.14", "1.3.6.1.4.1.311.2.1.14"
EMPTY_NAME = der.sequence()
RSASSA_PSS = "1.2.840.113549.1.1.10"
RSA_ENCRYPTION = der.sequence(der.object_identifier("1.2.840.113549.1.1.1"), der.NULL)

TLS_FEATURE = "1.3.6.1.5.5.7.1.24"
V1, V2 = x509.TLSFeatureType.status_request, x509.TLSFeatureType.status_request_v2


def builder(*names: str) -> x509.CertificateSigningRequestBuilder:
    """Return the library's builder of a request for CN=client.device with DNS names."""
    made = x509.CertificateSigningRequestBuilder().subject_name(parse_subject("CN=client.device,OU=ops"))
    general = [x509.DNSName(name) for name in names]
    return made.add_extension(x509.SubjectAlternativeName(general), critical=False) if names else made


@cache
def request(kind: str = "p-256", encoding: Encoding = Encoding.DER) -> bytes:
    """Return a good request by a key of this kind, for a.example and b.example."""
    return signed(key_of(kind)).public_bytes(encoding)


def signed(key: PrivateKey | dsa.DSAPrivateKey) -> x509.CertificateSigningRequest:
    """Return a good request signed by ``key``."""
    algorithm = None if type(key).__name__.startswith("Ed") else hashes.SHA256()
    return builder("a.example", "b.example").sign(key, algorithm)


def raw(*attributes: bytes, subject: bytes = EMPTY_NAME, version: int = 0, key_info: bytes | None = None) -> bytes:
    """Return a request put together by hand, with any attributes, signed by a P-256 key."""
    key = key_of("p-256")
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    own = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    content = der.sequence(der.integer(version), subject, key_info or own, der.explicit(0, *attributes))
    return der.sequence(content, ECDSA_WITH_SHA256, der.bit_string(key.sign(content, ec.ECDSA(hashes.SHA256()))))


def asking(*extensions: bytes, oid: str = EXTENSION_REQUEST) -> bytes:
    """Return an attribute that asks for extensions."""
    return der.sequence(der.object_identifier(oid), der.wrap(der.SET, der.sequence(*extensions)))


def alternative(value: bytes | str) -> bytes:
    """Return a subjectAltName extension with one DNS name, or with raw octets."""
    names = x509.SubjectAlternativeName([x509.DNSName(value)]).public_bytes() if isinstance(value, str) else value
    return der.extension("2.5.29.17", names, critical=False)


def code_of(content: bytes) -> str:
    """Return the code with which ``content`` is refused; the message is one printable line."""
    with pytest.raises(InputError) as caught:
        parse_csr(content)
    assert caught.value.message.isprintable()
    return caught.value.code


@pytest.mark.parametrize("kind", ["p-256", "p-384", "p-521", "rsa-2048", "ed25519", "ed448"])
@pytest.mark.parametrize("encoding", [Encoding.DER, Encoding.PEM])
def test_a_good_request(kind: str, encoding: Encoding) -> None:
    """Subject, names and key of every kind, from PEM and DER."""
    csr = parse_csr(request(kind, encoding))
    assert show_subject(csr.subject) == "CN=client.device,OU=ops"
    assert [show_name(name) for name in csr.names] == ["DNS:a.example", "DNS:b.example"]
    assert csr.public_key == key_of(kind).public_key()
    assert weaknesses(csr.public_key) == ()


def test_a_request_without_names() -> None:
    """No extensions, or others only, mean no names."""
    assert parse_csr(raw()).names == ()
    assert parse_csr(raw(asking(der.extension("2.5.29.15", b"\x03\x02\x07\x80", critical=True)))).names == ()


def test_text_around_the_pem_is_skipped() -> None:
    """The -text of openssl req writes the request in words before it."""
    pem = request("p-256", Encoding.PEM)
    for content in (
        b"Certificate Request:\n    Data:\n" + pem,
        pem + b"\ntrailing words\n",
        pem.replace(b"\n", b"\r\n"),
    ):
        assert parse_csr(content).names == parse_csr(pem).names


def test_the_old_label_is_read() -> None:
    """Microsoft and old OpenSSL write NEW CERTIFICATE REQUEST."""
    pem = request("p-256", Encoding.PEM).replace(b"CERTIFICATE REQUEST", b"NEW CERTIFICATE REQUEST")
    assert len(parse_csr(pem).names) == 2


def test_microsoft_s_attribute_is_read() -> None:
    """The same extensions under Microsoft's own identifier."""
    csr = parse_csr(raw(asking(alternative("a.example"), oid=MICROSOFT_REQUEST)))
    assert [show_name(name) for name in csr.names] == ["DNS:a.example"]


def test_what_is_not_a_request() -> None:
    """A certificate, a key, two requests, nothing, too much: the message says what it was, never what was in it."""
    certificate = pki().client.certificate
    assert code_of(certificate.public_bytes(Encoding.DER)) == "csr.malformed"
    with pytest.raises(InputError, match=r"not a certification request but: CERTIFICATE$"):
        parse_csr(certificate.public_bytes(Encoding.PEM))
    with pytest.raises(InputError, match=r"not a certification request but: PRIVATE KEY$"):
        parse_csr(b"-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n")
    with pytest.raises(InputError, match="2 certification requests in one file"):
        parse_csr(request("p-256", Encoding.PEM) * 2)
    assert code_of(b"") == "csr.malformed"
    assert code_of(b"-----BEGIN CERTIFICATE REQUEST-----") == "csr.malformed"
    assert code_of(b"-----BEGIN CERTIFICATE REQUEST-----\n!\n-----END CERTIFICATE REQUEST-----\n") == "csr.malformed"
    assert code_of(b"\x30" * (MAX_CSR_BYTES + 1)) == "csr.too_large"


@pytest.mark.parametrize("content", [b"\x30\x80\x30\x80", b"\x30\x84\xff\xff\xff\xff", b"\x30\x80" * 30_000])
def test_der_that_never_ends(content: bytes) -> None:
    """Indefinite lengths, lengths beyond the end and thousands of levels are refused at once."""
    assert code_of(content) == "csr.malformed"


def test_a_request_cut_short() -> None:
    """No beginning of a request is one."""
    whole = request()
    assert {code_of(whole[:length]) for length in range(0, len(whole), 7)} == {"csr.malformed"}
    assert code_of(whole + b"\0") == "csr.malformed"


def test_another_version() -> None:
    """RFC 2986 knows version 0 only."""
    assert code_of(raw(version=1)) == "csr.malformed"


def test_an_altered_request() -> None:
    """A flipped bit in what was signed, or in the signature, or another key, does not verify."""
    whole = bytearray(request())
    whole[whole.index(b"client.device")] ^= 1
    assert code_of(bytes(whole)) == "csr.signature"
    end = bytearray(request())
    end[-1] ^= 1
    assert code_of(bytes(end)) == "csr.signature"
    other = new_key().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert code_of(raw(key_info=other)) == "csr.signature"


def test_an_unknown_signature_algorithm() -> None:
    """What cannot be verified counts as not verified."""
    algorithm = der.sequence(der.object_identifier("1.2.840.10045.4.3.2"))
    unknown = der.sequence(der.object_identifier("1.2.840.10045.9.9.9"))
    assert code_of(request().replace(algorithm, unknown)) == "csr.signature"


@pytest.mark.parametrize(
    ("key", "codes"),
    [
        (rsa.generate_private_key(65_537, 1024), ["key.weak"]),  # noqa: S505 - weak on purpose
        (rsa.generate_private_key(3, 2048), ["key.exponent"]),
        (ec.generate_private_key(ec.SECP256K1()), ["key.unsuitable"]),
        (ec.generate_private_key(ec.BrainpoolP256R1()), ["key.unsuitable"]),
        (dsa.generate_private_key(2048), ["key.unsuitable"]),
    ],
)
def test_a_weak_key_is_read_and_left_to_policy(key: PrivateKey | dsa.DSAPrivateKey, codes: list[str]) -> None:
    """The request itself is sound; what is wrong with its key is said together with all other reasons."""
    csr = parse_csr(signed(key).public_bytes(Encoding.DER))
    assert [finding.code for finding in weaknesses(csr.public_key)] == codes


def rsa_key_info(modulus: int, exponent: int, *, kind: bytes = RSA_ENCRYPTION) -> bytes:
    """Return a SubjectPublicKeyInfo with these numbers, sound or not."""
    numbers = der.sequence(der.integer(modulus), der.integer(exponent))
    return der.sequence(kind, der.bit_string(numbers))


@pytest.mark.parametrize(
    "key_info",
    [
        rsa_key_info(2**2048 - 1, 65_538),
        rsa_key_info(2**2048 - 1, 1),
        rsa_key_info(0, 3),
        rsa_key_info(2**200_000 - 1, 65_537),
        der.sequence(der.sequence(der.object_identifier("1.2.3.4")), der.bit_string(b"x")),
        der.sequence(
            der.sequence(der.object_identifier("1.2.840.10045.2.1"), der.object_identifier("1.2.840.10045.3.1.7")),
            der.bit_string(b"\x04" + b"\x01" * 64),
        ),
    ],
    ids=["even exponent", "exponent one", "modulus zero", "huge", "unknown kind", "point off the curve"],
)
def test_a_key_that_is_none(key_info: bytes) -> None:
    """Numbers that make no key are refused before or at the signature, in a moment."""
    assert code_of(raw(key_info=key_info)) in {"csr.key", "csr.signature"}


def test_a_key_for_pss_alone_is_not_taken_for_any_rsa_key() -> None:
    """Its certificate would be for rsaEncryption, another kind of key than the one that lies beside it."""
    key = key_of("rsa-2048")
    assert isinstance(key, rsa.RSAPrivateKey)
    numbers = key.public_key().public_numbers()
    own = raw(key_info=rsa_key_info(numbers.n, numbers.e, kind=der.sequence(der.object_identifier(RSASSA_PSS))))
    for signed_by_it in (True, False):
        with pytest.raises(InputError, match="RSA-PSS") as refused:
            parse_csr(own, signed=signed_by_it)
        assert refused.value.code == "csr.key"


@pytest.mark.parametrize(
    "attributes",
    [
        [asking(alternative("a.example"), alternative("b.example"))],
        [asking(alternative("a.example")), asking(alternative("b.example"))],
        [asking(alternative("a.example")), asking(alternative("b.example"), oid=MICROSOFT_REQUEST)],
        [asking(alternative(b"\x30\x03\x82\x05a"))],
        [asking(alternative(b"\x30\x02\xa3\x00"))],
        [asking(alternative(b"\x30\x03\x82\x01\xe9"))],
        [asking(alternative(b"\x30\x10\xa4\x0e\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x03\x01\x00"))],
        [asking(alternative(b"\x30\x05\x87\x03\x01\x02\x03"))],
        [asking(der.extension(TLS_FEATURE, b"\x30\x03\x02\x01\x63", critical=False))],
        [der.sequence(der.object_identifier(EXTENSION_REQUEST), der.wrap(der.SET))],
    ],
    ids=[
        "extension twice",
        "attribute twice",
        "both attributes",
        "cut short",
        "x400 address",
        "not ASCII",
        "bit string in a directory name",
        "address of three octets",
        "unknown TLS feature",
        "no value",
    ],
)
def test_extensions_that_cannot_be_read_in_one_way(attributes: list[bytes]) -> None:
    """Where two readers could see different names, none is taken."""
    assert code_of(raw(*attributes)) == "csr.extensions"


@pytest.mark.parametrize(("tag", "content"), [(12, b"\xff"), (3, b"\0a"), (2, b"\x01")])
def test_a_subject_that_cannot_be_read(tag: int, content: bytes) -> None:
    """A common name that is not UTF-8, a bit string, a number."""
    value = der.sequence(der.object_identifier("2.5.4.3"), der.wrap(tag, content))
    assert code_of(raw(subject=der.sequence(der.wrap(der.SET, value)))) == "csr.subject"


def test_an_over_long_subject_is_read_and_left_to_policy() -> None:
    """The library's warning does not reach the terminal; the policy will say it in words."""
    value = der.sequence(der.object_identifier("2.5.4.3"), der.wrap(12, b"x" * 65))
    csr = parse_csr(raw(subject=der.sequence(der.wrap(der.SET, value))))
    assert subject_faults(csr.subject) == (f"subject attribute CN has 65 characters, at most 64: '{'x' * 65}'",)


def mutated(content: bytes, seed: int, count: int) -> bytes:
    """Return ``content`` with ``count`` octets changed, taken out or put in."""
    source, octets = random.Random(seed), bytearray(content)  # noqa: S311 - a repeatable mutation, no secret
    for _ in range(count):
        position = source.randrange(len(octets))
        match source.randrange(3):
            case 0:
                octets[position] = source.randrange(256)
            case 1:
                del octets[position]
            case _:
                octets.insert(position, source.choice([0, 1, 0x30, 0x7F, 0x80, 0x84, 0xFF]))
    return bytes(octets)


@given(
    st.sampled_from(["p-256", "rsa-2048", "ed25519"]),
    st.sampled_from([Encoding.DER, Encoding.PEM]),
    st.integers(0, 2**32),
    st.integers(1, 8),
)
def test_only_input_errors_leave_mutated_requests(kind: str, encoding: Encoding, seed: int, count: int) -> None:
    """Whatever octets are changed, no other exception gets out; a request that is still read was hardly changed."""
    with suppress(InputError):
        assert parse_csr(mutated(request(kind, encoding), seed, count)).public_key == key_of(kind).public_key()


@given(st.binary(max_size=200))
@example(b"-----BEGIN CERTIFICATE REQUEST-----\n-----END CERTIFICATE REQUEST-----")
def test_only_input_errors_leave_random_octets(content: bytes) -> None:
    """Random octets are no request."""
    with pytest.raises(InputError):
        parse_csr(content)


@pytest.mark.parametrize(
    ("extensions", "said", "must_staple"),
    [
        ([], [], False),
        ([x509.BasicConstraints(ca=False, path_length=None)], [], False),
        ([x509.TLSFeature([V2])], [], False),
        ([x509.BasicConstraints(ca=True, path_length=0)], ["CA:TRUE"], False),
        ([x509.TLSFeature([V1])], [], True),
        ([x509.TLSFeature([V1, V2])], ["status_request_v2"], True),
    ],
)
def test_what_would_change_the_meaning_is_told(
    extensions: list[x509.ExtensionType], said: list[str], *, must_staple: bool
) -> None:
    """To be a CA, and another TLS feature beside must-staple, which is read; the rest is the profile's."""
    made = builder("a.example")
    for extension in extensions:
        made = made.add_extension(extension, critical=False)
    csr = parse_csr(made.sign(new_key("p-256"), hashes.SHA256()).public_bytes(Encoding.DER))
    assert [word in one for word, one in zip(said, csr.unmet, strict=True)] == [True] * len(said)
    assert csr.must_staple is must_staple
