"""Whether times are encoded as RFC 5280 wants them (4.1.2.5 and 5.1.2.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.errors import InputError
from counterseal.pki import der, der_reader

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from counterseal.pki.der_reader import Element

_UTC_TIME_ENDS = 2050


def time_faults(times: Iterable[Element]) -> Iterator[str]:
    """Yield what is wrong with each of these times."""
    for element in times:
        shown = element.content.decode("ascii", "replace")
        try:
            moment = der_reader.as_time(element)
        except InputError:
            yield f"time not in whole seconds of UTC: {shown!r}"
            continue
        if element.tag == der.GENERALIZED_TIME and moment.year < _UTC_TIME_ENDS:
            yield f"GeneralizedTime before 2050: {shown!r}"
