"""API tokens: what is one, whose it is, and what is told to who shows another one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from authority_fixtures import small_ca
from counterseal.errors import CountersealError, InputError, RefusedError
from counterseal.protocols.api.bearer import (
    BEARER,
    CERTIFICATE,
    TokenTerms,
    bearer,
    challenges_of,
    grant_of,
    is_bearer,
    new_api_token,
    shown_token,
)
from counterseal.protocols.api.rules import Grant, Role
from counterseal.store.api_tokens import add_api_token, revoke_api_token

if TYPE_CHECKING:
    from pathlib import Path

TERMS = TokenTerms("ci", Grant(Role.OPERATOR, ("server",)), timedelta(days=1), ("10.0.0.0/8", "fd00::1"))


def refused(code: str, authority: object, text: str, client: str | None = "10.0.0.1") -> None:
    """Assert that the token is refused with this code."""
    with pytest.raises(RefusedError) as caught:
        bearer(authority, text, client)  # type: ignore[arg-type] # an authority
    assert caught.value.code == code


def test_a_token_from_its_making_to_its_end(tmp_path: Path) -> None:
    """Known by its secret; by no other one, not after its end, and not when it is revoked."""
    with small_ca(tmp_path) as authority:
        token, text = new_api_token(authority, TERMS)
        refused("api.token_unknown", authority, text)  # not stored yet: a rehearsal leaves nothing
        add_api_token(authority.store, token)
        assert bearer(authority, text, "10.0.0.1") == token
        assert grant_of(token) == TERMS.grant
        assert text.split("_", 2)[2] not in repr(token)
        for other in (text[:-1], f"{text}x", f"csa_{token.id}_", f"csa_{token.id}", "csa", "", f"cst_{token.id}_x"):
            refused("api.token_unknown", authority, other)
        now = authority.clock()
        later = replace(authority, clock=lambda: now + timedelta(days=1))
        refused("api.token_expired", later, text)
        revoke_api_token(authority.store, token.id, 0)
        refused("api.token_revoked", authority, text)


@pytest.mark.parametrize("client", ["10.1.2.3", "::ffff:10.1.2.3", "fd00::1", "fd00::1%eth0"])
def test_from_its_networks(tmp_path: Path, client: str) -> None:
    """However a socket writes the address."""
    with small_ca(tmp_path) as authority:
        token, text = new_api_token(authority, TERMS)
        add_api_token(authority.store, token)
        assert bearer(authority, text, client) == token
        for other in ("11.0.0.1", "fd00::2", "::ffff:11.0.0.1", None):
            refused("api.token_network", authority, text, other)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"name": ""}, "api_token.name"),
        ({"name": "two\nlines"}, "api_token.name"),
        ({"expires_in": timedelta(0)}, "api_token.expires"),
        ({"networks": ("10.0.0.1/8",)}, "api_token.network"),
        ({"networks": ("home",)}, "api_token.network"),
        ({"grant": Grant(Role.VIEWER, ("servre",))}, "profile.unknown"),
    ],
)
def test_what_makes_no_token(tmp_path: Path, change: dict[str, object], code: str) -> None:
    """Each with its code."""
    with small_ca(tmp_path) as authority, pytest.raises(CountersealError) as caught:
        new_api_token(authority, replace(TERMS, **change))  # type: ignore[arg-type] # as the fields are
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], None),
        (["Bearer abc"], "abc"),
        (["bearer  abc "], "abc"),
        (["Basic YTpi"], None),
        (["Basic x", "Bearer y"], "y"),
    ],
)
def test_the_header(values: list[str], expected: str | None) -> None:
    """RFC 6750 2.1; what a proxy asks for is left alone."""
    assert shown_token(values) == expected
    assert any(map(is_bearer, values)) == (expected is not None)


@pytest.mark.parametrize("values", [["Bearer"], ["Bearer "], ["Bearer a", "Bearer b"]])
def test_a_broken_header(values: list[str]) -> None:
    """Is no token, and nobody guesses which one was meant."""
    with pytest.raises(InputError, match="one bearer token"):
        shown_token(values)


def test_challenges() -> None:
    """RFC 6750 3: both ways where nothing was shown; what is wrong where a token was, and nothing breaks the quotes."""
    nobody, forbidden = RefusedError("api.unauthenticated", "who?"), RefusedError("api.forbidden", 'not "you" \\ ü')
    assert challenges_of(nobody, 401, token_shown=False) == [BEARER, CERTIFICATE]
    assert challenges_of(forbidden, 403, token_shown=False) == []
    described = f'{BEARER}, error="insufficient_scope", error_description="not you  "'
    assert challenges_of(forbidden, 403, token_shown=True) == [described]
    unknown = RefusedError("api.token_unknown", "no such API token")
    described = f'{BEARER}, error="invalid_token", error_description="no such API token"'
    assert challenges_of(unknown, 401, token_shown=True) == [described]
