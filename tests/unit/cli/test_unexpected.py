"""What nobody foresaw, while something has still to be done."""

from __future__ import annotations

import click
import pytest

from counterseal.cli.unexpected import foreseen
from counterseal.errors import CountersealError, InputError


def ends_in(error: BaseException) -> BaseException:
    """Return how a block that ends in this error ends."""
    with pytest.raises(BaseException) as caught, foreseen():  # noqa: PT011 - whichever it is
        raise error
    return caught.value


def test_it_is_told_as_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of ours, or a machine that is not as it was thought to be; all the rest stays what it is."""
    monkeypatch.delenv("COUNTERSEAL_DEBUG", raising=False)
    for error, code in ((ZeroDivisionError("x"), "command.unexpected"), (OSError(5, "no", "/there"), "file.use")):
        told = ends_in(error)
        assert isinstance(told, CountersealError)
        assert (told.code, told.__cause__) == (code, error)
    for kept in (InputError("test.no", "no"), click.UsageError("no"), click.Abort(), BrokenPipeError()):
        assert ends_in(kept) is kept


def test_who_looks_for_a_fault_has_it_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """With COUNTERSEAL_DEBUG."""
    monkeypatch.setenv("COUNTERSEAL_DEBUG", "1")
    error = ZeroDivisionError("x")
    assert ends_in(error) is error
