"""What the operations of the API work with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from counterseal.authority.ground import Ground
    from counterseal.authority.served import ServedSite
    from counterseal.nginx.generations import Generation
    from counterseal.protocols.api.rules import ApiRules
    from counterseal.service.parts import Service


@dataclass(frozen=True, slots=True)
class Host:
    """What there is of nginx on this host: the sites of this home, and what is deployed.

    ``sites`` raises ConfigError where the configuration of some is faulty. ``generation`` is the number in force, None
    where nothing is deployed; ``generations`` are those that are kept; ``ground`` finds the nginx, and may take a
    second or raise NginxError, ConfigError.
    """

    sites: Callable[[], Sequence[ServedSite]]
    generation: Callable[[], int | None]
    generations: Callable[[], Sequence[Generation]]
    ground: Callable[[], Ground]


@dataclass(frozen=True, slots=True)
class Parts:
    """The service, the rules of the API, what nginx serves here, and whether there is an OCSP responder."""

    service: Service
    rules: ApiRules
    host: Host
    has_ocsp: bool
