"""What nginx serves against what it should: the generation in force, its files, and the proof of every site."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from counterseal.authority.another import another_error, find_another
from counterseal.authority.deployment import prove_in_force
from counterseal.authority.doctor.check import DEPLOY, Check, attention, broken, ok
from counterseal.authority.due import is_outdated, probes_due, trusted_though_revoked
from counterseal.authority.ground import SETTINGS_FILE
from counterseal.authority.unseen import find_unseen, is_served, unseen_error
from counterseal.errors import FileError, KeyAccessError, NginxError, shell_line
from counterseal.files import read_file
from counterseal.handshake.causes import PROBE_ENDED
from counterseal.moments import show_moment
from counterseal.nginx.generations import read_generation
from counterseal.nginx.inclusion import plan_inclusion
from counterseal.nginx.status import NginxStatus, read_status
from counterseal.nginx.target import HTTP_FILE
from counterseal.pki.shown import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from counterseal.authority.ground import Ground
    from counterseal.authority.parts import Authority
    from counterseal.authority.served import ServedSite
    from counterseal.handshake.prove import Proof

UNFINISHED = "counterseal nginx status"
"""Mends a deploy that was killed; before it nothing is proved, for the proof would mend it unasked."""


def check_nginx(authority: Authority, ground: Ground, source: Path | None) -> Iterator[Check]:
    """Yield whether nginx runs on the generation in force, as it was written; ``source`` is the configuration file."""
    found = read_status(ground.place)
    yield from (broken("nginx", "", fault.message, fault.hint or DEPLOY) for fault in found.faults)
    if found.journal is not None:
        yield attention("nginx", "", "a deploy was killed and is not mended yet", UNFINISHED)
    if found.generation is None:
        yield attention("generation", "", "nothing is deployed", DEPLOY)
        return
    yield from _running(ground, found)
    if found.test is not None and found.test.passed and not ground.place.nginx.target.owned:
        yield from _included(ground)
    if found.test is not None and not found.test.passed:
        reason = found.test.failures[0].text if found.test.failures else found.test.output.partition("\n")[0]
        ours = ground.place.nginx.target.owned or str(ground.place.base) in reason
        mend = DEPLOY if ours else f"mend that line of your own, then: {DEPLOY}"
        yield broken("nginx", "", f"nginx -t refuses the configuration: {reason}", mend)
    yield from _generation(authority, ground, found, source)


def _included(ground: Ground) -> Iterator[Check]:
    """Yield that the user's own nginx no longer reads us, which a test of its configuration does not say."""
    target = ground.place.nginx.target
    try:
        plan_inclusion(target, ground.place.base, install=False, time_limit=ground.place.limits.test)
    except NginxError as error:
        ours = target.include_file
        can_install = ours is not None and not ours.exists() and target.included == (HTTP_FILE,)
        yield broken("nginx", "", error.message, f"{DEPLOY} --install-include" if can_install else error.hint or DEPLOY)


def _running(ground: Ground, found: NginxStatus) -> Iterator[Check]:
    version = (found.version or "unknown version").removeprefix("nginx version: ")
    unseen, another = find_unseen(ground), find_another(ground.place.base, found.master)
    error = unseen_error(ground, unseen) if unseen else another_error(another) if another else None
    if error is not None:
        yield broken("nginx", "", error.message, error.hint or DEPLOY)
    if found.running:
        yield ok("nginx", "", f"{version}, master {found.master}, {counted(len(found.workers), 'worker')}")
    elif not unseen:
        yield broken("nginx", "", f"{version} does not run", ground.place.nginx.target.start)


def _generation(authority: Authority, ground: Ground, found: NginxStatus, source: Path | None) -> Iterator[Check]:
    number = found.generation
    assert number is not None  # noqa: S101 - asked only where there is one
    manifest = read_generation(ground.place.base, number).manifest
    faults = []
    if found.changed:
        named = ", ".join(found.changed[:3])
        faults.append(broken("generation", str(number), f"files were changed since the deploy: {named}", DEPLOY))
    if not found.proven:
        faults.append(attention("generation", str(number), "never proved", DEPLOY))
    if trusted := trusted_though_revoked(authority, ground):
        told = f"nginx still trusts a CA that is revoked: {', '.join(trusted)}"
        faults.append(broken("generation", str(number), told, "counterseal refresh"))
    if is_outdated(authority, ground):
        faults.append(attention("generation", str(number), "a newer revocation list is out", "counterseal refresh"))
    if probes_due(authority, ground):
        told = "the probes of its proof have ended, or end soon"
        faults.append(attention("generation", str(number), told, "counterseal refresh"))
    if source and _is_made_by_another(ground, number, source):
        faults.append(
            attention("generation", str(number), f"it was made by another {source.name} than today's", DEPLOY)
        )
    made = f", made {show_moment(manifest.created_at)}" if manifest else ""
    yield from faults or [ok("generation", str(number), f"in force, proved, as it was written{made}")]


def check_unnamed(ground: Ground, names: Sequence[str]) -> Iterator[Check]:
    """Yield what is so of a generation in force where counterseal.toml names no site any more; ``names`` it has."""
    number, target = ground.in_force, ground.place.nginx.target
    if number is None:
        return
    told = ": ".join(("of sites that counterseal.toml no longer names", *filter(None, [", ".join(names)])))
    forget = shell_line("rm", ground.place.base / "current")
    if is_served(ground) or find_another(ground.place.base, None):
        end = "counterseal nginx stop" if target.owned else f"{forget}, once nginx no longer reads {ground.place.base}"
        mend = f"name them again; or, where they are to end: {end}"
        yield broken("generation", str(number), f"nginx may serve it, and it is {told}", mend)
    elif target.owned:
        yield ok("generation", str(number), f"not served, and {told}; to forget it: {forget}")
    else:
        mend = f"name them again; or, where they have ended: {forget}"
        yield attention("generation", str(number), f"nginx does not run, and may start with it: {told}", mend)


def _is_made_by_another(ground: Ground, number: int, source: Path) -> bool:
    """Whether the configuration is not what a generation keeps of its day; an old one keeps none and tells by times."""
    kept = ground.place.directories.directory(number) / SETTINGS_FILE
    if kept.exists():
        return read_file(kept) != ground.settings
    manifest = read_generation(ground.place.base, number).manifest
    return manifest is not None and datetime.fromtimestamp(source.stat().st_mtime, UTC) > manifest.created_at


def check_proof(authority: Authority, ground: Ground, served: Sequence[ServedSite]) -> Iterator[Check]:
    """Yield the proof of each site; none where nothing runs, or without the passphrase of the CA keys."""
    if not is_served(ground):
        yield attention("proof", "", "not tried: nothing of ours is served", ground.place.nginx.target.start)
        return
    try:
        proofs = prove_in_force(authority, served, ground)
    except KeyAccessError as error:
        yield attention("proof", "", f"not tried: {error.message}", error.hint or "counterseal prove")
        return
    except FileError as error:
        yield broken("proof", "", f"not tried: {error.message}", error.hint or DEPLOY)
        return
    yield from (_proof(proof) for proof in proofs)


def _proof(proof: Proof) -> Check:
    if proof.passed:
        return ok("proof", proof.site, f"{len(proof.rows)} rows as expected, in {proof.seconds:.1f} s")
    if all(result.cause == PROBE_ENDED.cause for result in proof.failed):
        return attention("proof", proof.site, PROBE_ENDED.cause, PROBE_ENDED.fix)
    first = proof.failed[0]
    told = f"{len(proof.failed)} of {len(proof.rows)} rows failed: {first.row.title}: {first.cause or first.observed}"
    return broken(
        "proof",
        proof.site,
        told,
        f"{DEPLOY}; where that fails: {first.fix or shell_line('counterseal', 'prove', proof.site)}",
    )
