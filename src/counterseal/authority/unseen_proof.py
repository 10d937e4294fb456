"""The proof of a generation that something serves whose master is not found: somebody reloaded it by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.authority.doctor.check import State
from counterseal.authority.doctor.served import check_served
from counterseal.authority.proof import prove_sites
from counterseal.nginx.generations import mark_proven, read_generation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from counterseal.authority.ground import Ground
    from counterseal.authority.parts import Authority
    from counterseal.authority.served import ServedSite


def prove_unseen(authority: Authority, served: Sequence[ServedSite], ground: Ground) -> bool:
    """Whether what answers serves the generation in force, and it is proved now if it was not."""
    number = ground.in_force
    if number is None or any(check.state is not State.OK for check in check_served(ground, served)):
        return False
    generation = read_generation(ground.place.base, number)
    if generation.proven:
        return True
    proofs = prove_sites(authority, [one.site for one in served], ground.stage(number, served))
    if any(proof.failed for proof in proofs):
        return False
    mark_proven(generation)
    return True
