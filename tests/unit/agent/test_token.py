"""A token in every form in which it is handed over."""

from __future__ import annotations

import json

import pytest

from counterseal.agent.token import parse_token
from counterseal.errors import InputError

SECRET = "cst_" + "a_B-" * 10 + "xyz"
PIN = "0123456789abcdef" * 4
TEXT = f"made a token\n  id       0123456789ab\n  secret   {SECRET}\n  root CA  SHA-256 {PIN}\nnext: x\n"


@pytest.mark.parametrize(
    ("content", "fingerprint"),
    [
        (f" {SECRET}\n", None),
        (TEXT, bytes.fromhex(PIN)),
        (json.dumps({"secret": SECRET, "root_sha256": PIN}), bytes.fromhex(PIN)),
        (f"{SECRET} {PIN} {PIN[::-1]}", None),
    ],
    ids=["alone", "text", "JSON", "two fingerprints"],
)
def test_a_token_is_found(content: str, fingerprint: bytes | None) -> None:
    """The fingerprint beside it counts where there is one."""
    token = parse_token(content.encode())
    assert (token.secret, token.fingerprint) == (SECRET, fingerprint)
    assert SECRET not in repr(token)


def test_a_secret_of_another_service_is_taken_alone() -> None:
    """Also one that looks like a fingerprint."""
    assert parse_token(PIN.encode()).secret == PIN
    assert parse_token(PIN.encode()).fingerprint is None


@pytest.mark.parametrize(
    "content", ["", "short", "one secret-and-more", f"{SECRET} {SECRET[:-1]}0", "x" * 20_000, "ключ" * 10]
)
def test_what_is_no_token_is_refused_and_not_shown(content: str) -> None:
    """It may be a secret all the same."""
    with pytest.raises(InputError) as caught:
        parse_token(content.encode())
    assert caught.value.code == "token.malformed"
    assert not content or content not in f"{caught.value.message}{caught.value.hint}"
