"""The envelope: one form is taken, every other is refused before a key is looked at."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from acme_signing import ClientKey, b64, jws
from counterseal.protocols.acme.jwk import ALGORITHMS, AccountKey
from counterseal.protocols.acme.jws import read_envelope, require
from counterseal.protocols.acme.problems import Problem

URL = "https://ca.example.com/acme/new-order"
KEY = ClientKey()
RSA = ClientKey(rsa.generate_private_key(65537, 2048))


def request(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any member
    """Return a good request with other members in its protected header."""
    return jws(KEY, {"a": 1}, **{"nonce": "n", "url": URL, "kid": "https://ca.example.com/acme/account/1", **changes})


def refused(document: object) -> Problem:
    """Return the problem with which a request is refused."""
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    with pytest.raises(Problem) as caught:
        read_envelope(content)
    return caught.value


@pytest.mark.parametrize(
    "key",
    [
        KEY,
        ClientKey(ec.generate_private_key(ec.SECP384R1())),
        ClientKey(ec.generate_private_key(ec.SECP521R1())),
        ClientKey(ed25519.Ed25519PrivateKey.generate()),
        RSA,
    ],
    ids=["ES256", "ES384", "ES512", "EdDSA", "RS256"],
)
def test_a_signature_of_each_kind_verifies(key: ClientKey) -> None:
    """And fails for another message, another signature, and another key of its kind."""
    envelope = read_envelope(json.dumps(jws(key, {"a": 1}, nonce="n", url=URL, jwk=key.jwk)).encode())
    assert (envelope.algorithm, envelope.payload, envelope.nonce, envelope.url) == (
        key.algorithm,
        b'{"a": 1}',
        "n",
        URL,
    )
    own = AccountKey.of(envelope.jwk or {})
    assert own.thumbprint == key.thumbprint
    assert own.verifies(envelope.algorithm, envelope.signed, envelope.signature)
    assert not own.verifies(envelope.algorithm, envelope.signed + b"x", envelope.signature)
    assert not own.verifies(envelope.algorithm, envelope.signed, envelope.signature[:-1])
    assert not own.verifies(envelope.algorithm, envelope.signed, bytes(len(envelope.signature)))


@pytest.mark.parametrize("algorithm", ["none", "HS256", "HS512", "RS384", "PS256", "ES256K", "", "es256"])
def test_other_algorithms_are_refused_with_a_list_of_those_taken(algorithm: str) -> None:
    """RFC 8555 6.2: badSignatureAlgorithm, with ``algorithms``."""
    problem = refused(request(alg=algorithm))
    assert problem.kind == "badSignatureAlgorithm"
    assert problem.document()["algorithms"] == list(ALGORITHMS)


def test_an_algorithm_is_not_taken_for_another_kind_of_key() -> None:
    """Neither a curve for the other, nor RSA's for a curve; the answer lists what fits the key."""
    own = AccountKey.of(KEY.jwk)
    for algorithm in ("ES384", "ES512", "RS256", "EdDSA"):
        with pytest.raises(Problem) as caught:
            own.verifies(algorithm, b"", b"")
        assert (caught.value.kind, caught.value.members["algorithms"]) == ("badSignatureAlgorithm", ["ES256"])


@pytest.mark.parametrize(
    "change",
    [
        {"header": {"kid": "x"}},
        {"header": {}},
        {"signatures": []},
        {"protected": ""},
        {"protected": 1},
        {"signature": None},
        {"payload": "e30="},
        {"payload": "e3 0"},
        {"payload": "e31"},
        {"payload": "e30\n"},
        {"payload": "é"},
        {"signature": "AA=="},
        {"signature": "+/AA"},
    ],
    ids=str,
)
def test_another_form_is_malformed(change: dict[str, Any]) -> None:
    """Unprotected headers, several signatures, padded or loose base64url, missing members."""
    assert refused({**request(), **change}).kind == "malformed"


@pytest.mark.parametrize(
    "header",
    [
        {"kid": None},
        {"jwk": {"kty": "EC"}},
        {"crit": ["exp"]},
        {"b64": False},
        {"url": 3},
        {"url": "https://x/" + "a" * 2000},
        {"nonce": 5},
        {"jwk": "x", "kid": None},
    ],
    ids=str,
)
def test_another_header_is_malformed(header: dict[str, Any]) -> None:
    """Neither or both of jwk and kid, critical extensions, members of other types."""
    assert refused(request(**header)).kind == "malformed"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"x"',
        b"{",
        json.dumps(request()).encode() + b"{}",
        json.dumps(request()).encode() + b"x",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"header":' + b"[" * 100_000,
        b'{"protected":"' + b64(b'{"alg":' + b"[" * 100_000).encode() + b'","payload":"","signature":""}',
        b"eyJh.eyJi.c2ln",
    ],
    ids=lambda body: repr(body[:20]),
)
def test_what_is_not_one_document_is_malformed(body: bytes) -> None:
    """Also data after the end, and nesting without one."""
    assert refused(body).kind == "malformed"


@settings(deadline=None)
@given(st.binary(max_size=300) | st.text(max_size=100).map(str.encode))
@example(b'{"protected":"e30","payload":"","signature":""}')
def test_no_body_is_too_strange(body: bytes) -> None:
    """Every body is a problem or an envelope, never anything else."""
    refused(body)


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["alg", "kid", "jwk", "url", "nonce", "crit", "x"]),
        st.none() | st.integers() | st.text(max_size=10) | st.lists(st.integers(), max_size=3) | st.just({"kty": "EC"}),
    )
)
def test_no_header_is_too_strange(header: dict[str, Any]) -> None:
    """Whatever is in it, it is a problem or an envelope."""
    protected = b64(json.dumps(header).encode())
    with suppress(Problem):
        read_envelope(json.dumps({"protected": protected, "payload": "", "signature": ""}).encode())


def test_jwk_where_kid_is_due_and_the_reverse() -> None:
    """RFC 8555 6.2 says which resource takes which."""
    with_kid = read_envelope(json.dumps(request()).encode())
    require(with_kid, "kid")
    with pytest.raises(Problem, match="takes jwk in the protected header, not kid"):
        require(with_kid, "jwk")


def bad_keys() -> dict[str, dict[str, Any]]:
    """Return JWKs that are no key for an account, each for another reason."""
    good = KEY.jwk
    return {
        "empty": {},
        "private": {**good, "d": "AAAA"},
        "symmetric": {"kty": "oct", "k": "AAAA"},
        "kind unknown": {"kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA"},
        "list": {"kty": ["EC"]},
        "not on the curve": {**good, "y": good["x"]},
        "short coordinate": {**good, "x": b64(bytes(31))},
        "bits left over": {**good, "x": good["x"][:-1] + "B"},
        "padded": {**good, "x": good["x"] + "="},
        "other curve": {**good, "crv": "P-521"},
        "curve of another kind": {**good, "crv": "Ed25519"},
        "1024 bits": {"kty": "RSA", "n": b64(b"\xc1" * 128), "e": "AQAB"},
        "no exponent": {"kty": "RSA", "n": RSA.jwk["n"]},
        "leading zero": {**RSA.jwk, "e": "AAEAAQ"},
        "exponent 1": {**RSA.jwk, "e": "AQ"},
        "even modulus": {**RSA.jwk, "n": RSA.jwk["n"][:-2] + "AA"},
        "long modulus": {"kty": "RSA", "n": b64(b"\xff" * 4000), "e": "AQAB"},
    }


@pytest.mark.parametrize("name", bad_keys())
def test_a_bad_key_is_refused(name: str) -> None:
    """Weak, private, of another kind, or not a key at all; what is no base64url is malformed before that."""
    with pytest.raises(Problem) as caught:
        AccountKey.of(bad_keys()[name])
    assert caught.value.kind == ("malformed" if name in {"bits left over", "padded"} else "badPublicKey")


def test_other_members_of_a_key_do_not_make_another_key() -> None:
    """RFC 7638: only the required members count."""
    assert AccountKey.of({**KEY.jwk, "kid": "x", "use": "sig"}) == AccountKey.of(KEY.jwk)
