"""The generation that a deploy would make, made where nothing stays of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from counterseal.authority.deployment import gather
from counterseal.authority.due import kinds_due
from counterseal.authority.rehearsing import rehearsing
from counterseal.authority.site_files import missing_roots
from counterseal.authority.site_lint import lint_generation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from counterseal.authority.ground import Ground
    from counterseal.authority.parts import Authority
    from counterseal.authority.served import ServedSite
    from counterseal.fileset import FileSet
    from counterseal.findings import Finding


class RehearsedSites(NamedTuple):
    """Every file of a generation but its manifest, the sites that get a certificate, of which kind, and the findings.

    No key or signature, nor the number of a new probe, is the one that it will have.
    """

    files: FileSet
    due: list[tuple[ServedSite, str]]
    findings: tuple[Finding, ...]


def rehearse_sites(
    authority: Authority,
    served: Sequence[ServedSite],
    ground: Ground,
    *,
    generation: int,
    locks_out: bool,
    may_rest: bool,
    before: Callable[[Authority], object] = lambda _: None,
) -> RehearsedSites:
    """Return the generation that ``deploy_sites`` would write once ``before`` is done; raises what that refuses."""
    with rehearsing(authority) as rehearsed:
        before(rehearsed)
        due = [(one, kind) for one in served for kind in kinds_due(rehearsed, one, ground)]
        made, kept = gather(rehearsed, served, ground, generation, may_lack=locks_out or may_rest, rehearsed=True)
    linted = lint_generation(made, ground, now=authority.clock(), locks_out=locks_out, rehearsed=True)
    return RehearsedSites(made + kept, due, (*missing_roots(served), *linted.told))
