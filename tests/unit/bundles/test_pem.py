"""PEM files: which file holds what, and file names for any name."""

from __future__ import annotations

import re

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from hypothesis import example, given
from hypothesis import strategies as st

from bundle_fixtures import client_credential, single_tier_credential, without_key
from counterseal.bundles.pem import MAX_STEM, file_stem, pem_files
from counterseal.fileset import PUBLIC, SECRET


def test_each_file_holds_what_its_name_says() -> None:
    """Certificate, chain without the trust anchor, both in sending order, and the anchor alone."""
    known = client_credential()
    files = pem_files(known, pkcs12=b"p12")
    read = {file.path: x509.load_pem_x509_certificates(file.content) for file in files if b"CERTIF" in file.content}
    assert read == {
        "client.device.cert.pem": [known.certificate],
        "client.device.chain.pem": list(known.chain),
        "client.device.fullchain.pem": [known.certificate, *known.chain],
        "ca.pem": [known.trust_anchor],
    }
    assert files["client.device.p12"].content == b"p12"
    key = load_pem_private_key(files["client.device.key.pem"].content, None)
    assert key.public_key() == known.certificate.public_key()
    assert files["client.device.key.pem"].content.startswith(b"-----BEGIN PRIVATE KEY-----\n")


def test_what_holds_a_key_is_secret_and_the_rest_is_not() -> None:
    """Modes are part of the set."""
    modes = {file.path: file.mode for file in pem_files(client_credential(), pkcs12=b"p12")}
    assert {path for path, mode in modes.items() if mode == SECRET} == {"client.device.key.pem", "client.device.p12"}
    assert set(modes.values()) == {SECRET, PUBLIC}


def test_without_key_and_chain_their_files_are_left_out() -> None:
    """No empty file is planned: openssl and nginx call one malformed."""
    paths = [file.path for file in pem_files(without_key(single_tier_credential()))]
    assert paths == ["client.device.cert.pem", "client.device.fullchain.pem", "ca.pem"]


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("client.device", "client.device"),
        ("alice@example.com", "alice@example.com"),
        ("*.example.com", "_wildcard.example.com"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("Sensor_7+b", "Sensor_7+b"),
        ("a" * MAX_STEM, "a" * MAX_STEM),
        ("bücher.example", "xn--bcher-kva.example"),
        ("*.bücher.example", "_wildcard.xn--bcher-kva.example"),
        ("::1", "_ipv6.--1"),
        ("2001:db8::7", "_ipv6.2001-db8--7"),
        ("10.0.0.7", "10.0.0.7"),
    ],
)
def test_ordinary_names_are_their_own_file_names(name: str, stem: str) -> None:
    """Host, device and mail names are found again at a glance."""
    assert file_stem(name) == stem


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("Jörg Müller", "Jorg_Muller~"),
        ("a/b\\c", "a_b_c~"),
        ("../../etc/passwd", "_.._etc_passwd~"),
        (".hidden", "hidden~"),
        ("-rf", "rf~"),
        ("_wildcard.example.com", "_wildcard.example.com~"),
        ("alice.key", "alice.key~"),
        ("con", "_con~"),
        ("NUL.device", "_NUL.device~"),
        ("王", "_~"),
        ("..", "_~"),
        ("a" * 300, "a" * (MAX_STEM - 13) + "~"),
        ("a\nb", "a_b~"),
        ("Bücher.example", "xn--bcher-kva.example~"),
        ("bücher.example.", "xn--bcher-kva.example~"),
        ("2001:DB8::7", "_ipv6.2001-db8--7~"),
        ("_ipv6.--1", "_ipv6.--1~"),
        ("a:b", "a_b~"),
        ("jürgen", "jurgen~"),
    ],
)
def test_other_names_are_reduced_and_marked(name: str, begins: str) -> None:
    """What had to go is replaced by a mark, so that nothing else gets the same file name."""
    stem = file_stem(name)
    assert stem.startswith(begins)
    assert re.fullmatch(r"[0-9a-f]{12}", stem.removeprefix(begins))


@given(st.text(st.characters(codec=None), max_size=300))
@example("\ud800")
@example("a" * 129)
def test_a_file_name_is_always_safe(name: str) -> None:
    """One path component of harmless ASCII, short enough for every suffix, no option, no hidden file, no device."""
    stem = file_stem(name)
    assert re.fullmatch(r"[A-Za-z0-9_@+~][A-Za-z0-9._@+~-]*", stem)
    assert len(stem) <= MAX_STEM
    assert not re.match(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)", f"{stem}.cert.pem")


@given(st.sets(st.text("aA*. _~/-:1\u00e4\u00c4", min_size=1, max_size=4), min_size=2, max_size=40))
def test_different_names_have_different_file_names(names: set[str]) -> None:
    """Names that are close to each other never meet."""
    assert len({file_stem(name) for name in names}) == len(names)
