"""The generation that a deploy would make, made where nothing stays of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.authority.deployment import gather
from counterseal.authority.due import kinds_due
from counterseal.authority.rehearsing import rehearsing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from counterseal.authority.ground import Ground
    from counterseal.authority.parts import Authority
    from counterseal.authority.served import ServedSite
    from counterseal.fileset import FileSet


def rehearse_sites(
    authority: Authority,
    served: Sequence[ServedSite],
    ground: Ground,
    *,
    generation: int,
    may_lack: bool,
    before: Callable[[Authority], object] = lambda _: None,
) -> tuple[FileSet, list[tuple[ServedSite, str]]]:
    """Return every file of the generation that ``deploy_sites`` would write once ``before`` is done, but its manifest.

    No key or signature, nor the number of a new probe, is the one that it will have. With them come the sites that get
    a certificate, and of which kind.
    """
    with rehearsing(authority) as rehearsed:
        before(rehearsed)
        due = [(one, kind) for one in served for kind in kinds_due(rehearsed, one, ground)]
        made, kept = gather(rehearsed, served, ground, generation, may_lack=may_lack, rehearsed=True)
    return made + kept, due
