"""Subjects are what openssl makes of the same words, and nginx_name is what libcrypto prints, which nginx calls."""

from __future__ import annotations

import ctypes

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.name import _ASN1Type
from hypothesis import given
from hypothesis import strategies as st

from counterseal.pki.attributes import ATTRIBUTE_TYPES
from counterseal.pki.subject import nginx_name, parse_subject, show_subject
from integration.pki.openssl import XN_FLAG_RFC2253, libcrypto, openssl

KEY = ed25519.Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def requested(subject: str) -> x509.Name:
    """Return the subject of the CSR that openssl makes with ``-subj``."""
    made = openssl("req", "-new", "-utf8", "-key", "/dev/stdin", "-subj", subject, stdin=KEY)
    assert made.returncode == 0, made.stderr.decode()
    return x509.load_pem_x509_csr(made.stdout).subject


@pytest.mark.parametrize(
    "subject",
    [
        "/C=CN/ST=shanghai/L=shanghai/O=example/OU=eng/CN=Root CA",
        "/C=DE/O=Größe & Söhne/CN=a",
        r"/O=a\/b/CN=c\\d\+e,f",
        "/O=x/CN=a+UID=b/",
        "/DC=org/DC=example/UID=x/CN=a=b",
        "/O=example/CN=a/emailAddress=a@example.org",
        "/CN=" + "ü" * 64,
    ],
)
@pytest.mark.filterwarnings("ignore:Attribute's length")  # of the library, which counts octets
def test_the_slash_form_means_what_openssl_means(subject: str) -> None:
    """Octet for octet, and the RFC 4514 form of it gives the same octets again."""
    theirs, ours = requested(subject), parse_subject(subject)
    assert ours.public_bytes() == theirs.public_bytes()
    assert parse_subject(show_subject(ours)).public_bytes() == theirs.public_bytes()


@pytest.mark.parametrize("name", [kind.name for kind in ATTRIBUTE_TYPES])
def test_every_attribute_is_encoded_as_openssl_does(name: str) -> None:
    """The type of the string is OpenSSL's for each attribute that may be given."""
    subject = f"/{name}=DE"
    assert parse_subject(subject).public_bytes() == requested(subject).public_bytes()


@pytest.mark.parametrize("subject", [r"/O=example, \+ \\ é #1/CN= a ", "/CN=a+UID=b+OU=cc"])
def test_nginx_name_is_what_the_command_prints(subject: str) -> None:
    """``openssl req -nameopt RFC2253`` shows the same line."""
    made = openssl("req", "-new", "-utf8", "-key", "/dev/stdin", "-subj", subject, stdin=KEY).stdout
    shown = openssl("req", "-noout", "-subject", "-nameopt", "RFC2253", stdin=made).stdout.decode()
    assert shown.removeprefix("subject=").removesuffix("\n") == nginx_name(parse_subject(subject))


def printed(name: bytes) -> str:
    """Return what X509_NAME_print_ex writes for a DER name, with the flags that nginx passes."""
    crypto = libcrypto()
    for function in (crypto.d2i_X509_NAME, crypto.BIO_new, crypto.BIO_s_mem):
        function.restype = ctypes.c_void_p
    octets = ctypes.c_char_p(name)
    parsed = ctypes.c_void_p(crypto.d2i_X509_NAME(None, ctypes.byref(octets), ctypes.c_long(len(name))))
    assert parsed.value, "libcrypto does not read this name"
    output = ctypes.c_void_p(crypto.BIO_new(ctypes.c_void_p(crypto.BIO_s_mem())))
    try:
        crypto.X509_NAME_print_ex(output, parsed, 0, ctypes.c_ulong(XN_FLAG_RFC2253))
        line = ctypes.create_string_buffer(65_536)
        length = crypto.BIO_read(output, line, len(line))
        return line.raw[: max(length, 0)].decode()
    finally:
        crypto.X509_NAME_free(parsed)
        crypto.BIO_free(output)


ANY_TEXT = st.text(
    st.sampled_from(' #,+"\\<>;=/\x00\x1f\x7f\x80aé中\U0001f600') | st.characters(codec="utf-8"), max_size=12
)
PLAIN = st.text(st.sampled_from(" 09'()+,-./:=?AZaz"), max_size=12)
ANY_OID = st.sampled_from([kind.oid.dotted_string for kind in ATTRIBUTE_TYPES] + ["1.2.3.4", "2.5.4.45", "2.999.1"])
ATTRIBUTES = st.one_of(
    st.tuples(ANY_OID, ANY_TEXT, st.sampled_from([_ASN1Type.UTF8String, _ASN1Type.UniversalString])),
    st.tuples(ANY_OID, PLAIN, st.sampled_from([_ASN1Type.PrintableString, _ASN1Type.IA5String, _ASN1Type.BMPString])),
    st.tuples(st.just("2.5.4.45"), st.binary(max_size=4).map(b"\0".__add__), st.just(_ASN1Type.BitString)),
    st.tuples(ANY_OID, st.text(st.characters(max_codepoint=0xFF), max_size=8), st.just(_ASN1Type.T61String)),
)


@pytest.mark.filterwarnings("ignore:Attribute's length:UserWarning")
@given(st.lists(st.lists(ATTRIBUTES, min_size=1, max_size=3, unique_by=lambda a: a[:2]), max_size=4))
def test_nginx_name_is_what_libcrypto_prints(rdns: list[list[tuple[str, str | bytes, _ASN1Type]]]) -> None:
    """Over names with any attribute, any string type and any characters, several to an RDN."""
    name = x509.Name(
        [
            x509.RelativeDistinguishedName(
                [
                    x509.NameAttribute(x509.ObjectIdentifier(oid), value, kind, _validate=False)
                    for oid, value, kind in rdn
                ]
            )
            for rdn in rdns
        ]
    )
    assert nginx_name(name) == printed(name.public_bytes())
