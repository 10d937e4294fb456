"""An attribute that is made when it is first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

ValueT = TypeVar("ValueT")


class once(Generic[ValueT]):  # noqa: N801 - a decorator
    """``functools.cached_property`` without the lock that it takes before Python 3.12.

    The lock takes longer than much of what is read here, thirty parts a chain; two threads may make the same value.
    """

    def __init__(self, make: Callable[[Any], ValueT]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    def __get__(self, instance: object, owner: type) -> ValueT:
        """Make the value; the next look finds it in the instance and comes here no more."""
        value = instance.__dict__[self._make.__name__] = self._make(instance)
        return value
