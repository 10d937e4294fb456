"""What the operations of the API work with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from counterseal.authority.served import ServedSite
    from counterseal.protocols.api.rules import ApiRules
    from counterseal.service.parts import Service


@dataclass(frozen=True, slots=True)
class Parts:
    """The service, the rules of the API, and the sites of this home."""

    service: Service
    rules: ApiRules
    sites: Sequence[ServedSite] = ()
