"""Paths: each form finds its resource, and nothing else does."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from counterseal.protocols.acme.paths import Paths

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

FORMS = ("directory", "order/{id}", "order/{id}/finalize", "challenge/{id}/{kind}", "certificate/{id}/{chain}")


async def resource(scope: Scope, receive: Receive, send: Send) -> None:
    """Stand for a resource; it is never asked."""


@pytest.mark.parametrize(
    ("path", "form", "parameters"),
    [
        ("directory", "directory", {}),
        ("order/x", "order/{id}", {"id": "x"}),
        ("order/x/finalize", "order/{id}/finalize", {"id": "x"}),
        ("challenge/a/http-01", "challenge/{id}/{kind}", {"id": "a", "kind": "http-01"}),
        ("certificate/x/1", "certificate/{id}/{chain}", {"id": "x", "chain": "1"}),
        ("", None, {}),
        ("directory/", None, {}),
        ("order", None, {}),
        ("order/", None, {}),
        ("order/x/", None, {}),
        ("order/x/finalise", None, {}),
        ("order//finalize", None, {}),
        ("order/x/finalize/y", None, {}),
        ("Order/x", None, {}),
        ("order/x\0", None, {}),
    ],
)
def test_a_path_finds_its_resource(path: str, form: str | None, parameters: dict[str, str]) -> None:
    """With what is variable in it; an empty segment is none."""
    resources = {one: partial(resource) for one in (*FORMS, None)}
    paths = Paths("/acme", [(one, resources[one]) for one in FORMS], resources[None])
    assert paths.find(path) == (resources[form], parameters)
