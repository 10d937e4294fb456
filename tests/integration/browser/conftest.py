"""One Firefox for the tests of a file: to start it takes seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from firefox import firefox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from firefox import Firefox


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    """Give a browser that trusts nobody of ours yet and has no certificate."""
    with firefox(tmp_path_factory.mktemp("firefox")) as running:
        yield running
