"""Kubernetes Secrets: entries, names, and YAML that means what it says."""

from __future__ import annotations

from base64 import b64decode

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from bundle_fixtures import client_credential, server_credential, without_key
from counterseal.bundles.kubernetes import check_secret_name, encode_secret, kubernetes_files
from counterseal.errors import InputError, NotFoundError
from counterseal.fileset import SECRET


def _data(secret: bytes) -> dict[str, bytes]:
    rows = (line.split(": ") for line in secret.decode().split("\ndata:\n")[1].splitlines())
    return {entry.strip(): b64decode(value, validate=True) for entry, value in rows}


def test_the_entries_are_those_that_ingress_controllers_read() -> None:
    """Full chain, key and root."""
    known = server_credential()
    data = _data(encode_secret(known))
    assert x509.load_pem_x509_certificates(data["tls.crt"]) == [known.certificate, *known.chain]
    assert x509.load_pem_x509_certificates(data["ca.crt"]) == [known.trust_anchor]
    assert data["tls.key"].startswith(b"-----BEGIN PRIVATE KEY-----")


def test_the_file_is_secret_and_named_after_the_credential() -> None:
    """So is the Secret in it."""
    (file,) = kubernetes_files(server_credential())
    assert (file.path, file.mode) == ("server.example.com.secret.yaml", SECRET)
    assert b'metadata:\n  name: "server.example.com"\ndata:\n' in file.content


@pytest.mark.parametrize("name", ["a", "1e3", "true", "a-b.c-d", "a" * 253])
def test_names_that_kubernetes_takes(name: str) -> None:
    """They are quoted, so that YAML does not read a number or a truth value."""
    assert check_secret_name(name) == name
    assert f'  name: "{name}"\n'.encode() in encode_secret(client_credential(name=name))


@pytest.mark.parametrize(
    ("name", "suggested"),
    [
        ("*.example.com", "wildcard.example.com"),
        ("Alice Smith", "alice-smith"),
        ("alice@example.com", "alice-example.com"),
        ("-a-.-b-", "a.b"),
        ("a..b", "a.b"),
        ("", "client-certificate"),
        ("王", "client-certificate"),
        ("a" * 254, "a" * 253),
        ("a\n", "a"),
    ],
)
def test_other_names_are_refused_with_one_that_would_do(name: str, suggested: str) -> None:
    """The hint can be pasted."""
    with pytest.raises(InputError) as caught:
        check_secret_name(name)
    assert caught.value.code == "bundle.secret_name"
    assert (caught.value.hint or "").endswith(f": for instance {suggested}")


@given(st.text())
def test_a_suggestion_is_always_acceptable(name: str) -> None:
    """Whatever was asked for."""
    try:
        check_secret_name(name)
    except InputError as error:
        suggested = (error.hint or "").rsplit(" ", 1)[-1]
        assert check_secret_name(suggested) == suggested


def test_without_the_key_there_is_no_secret() -> None:
    """``kubernetes.io/tls`` demands one."""
    with pytest.raises(NotFoundError):
        encode_secret(without_key(client_credential()))
