"""Revocation lists from a URL."""

from __future__ import annotations

import pytest

from counterseal.compose.revocations import crls_at
from counterseal.errors import FileError
from ports import free_port


def test_where_nobody_answers_is_said_in_words() -> None:
    """And without the number that the system has for it."""
    place = f"http://127.0.0.1:{free_port()}/ca.crl"
    with pytest.raises(FileError) as caught:
        crls_at(place)
    assert caught.value.message == f"cannot fetch '{place}': connection refused"
