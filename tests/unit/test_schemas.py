"""The published schemas say no to what is not as they say: a test that holds outputs to them can fail."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from counterseal.handshake.explanation_json import explanation_to_json
from explained import explained
from schemas import hold

if TYPE_CHECKING:
    from collections.abc import Callable

RIGHT: dict[str, Any] = {"version": 1, "handshake": explanation_to_json(explained("nginx-1.3-mutual"))}


def test_a_document_as_it_is_written() -> None:
    """Is as published."""
    hold("handshake", RIGHT)


@pytest.mark.parametrize(
    ("spoil", "place"),
    [
        (lambda document: document.update(version=2), "version"),
        (lambda document: document["handshake"].update(extra=None), "extra"),
        (lambda document: document["handshake"]["ladder"][0].pop("sender"), "sender"),
        (lambda document: document["handshake"]["ladder"][0].update(sender="nobody"), "nobody"),
        (lambda document: document["handshake"]["diagnosis"].update(fix=None), "fix"),
    ],
)
def test_one_that_is_not(spoil: Callable[[dict[str, Any]], object], place: str) -> None:
    """Another version, a key too many or too few, another word, null where something must stand."""
    document = copy.deepcopy(RIGHT)
    spoil(document)
    with pytest.raises(AssertionError, match=place):
        hold("handshake", document)
