"""``--dry-run`` of what deploys, and of ``nginx rollback``: what would change against the generation in force."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from counterseal.authority.deployment import kept_in, require_deployable
from counterseal.authority.due import sites_due
from counterseal.authority.probes import canary_file
from counterseal.authority.publish import signing_cas
from counterseal.authority.rehearsed_sites import rehearse_sites
from counterseal.authority.site_certificate import file_names
from counterseal.authority.site_material import client_cas
from counterseal.cli.dry_run import show_dry_run, unseen
from counterseal.cli.findings import findings_to_json, tell_findings
from counterseal.files import Preview, preview, read_file
from counterseal.fileset import PUBLIC, SECRET, FileSet, PlannedFile
from counterseal.moments import show_moment
from counterseal.nginx.deploy import await_others
from counterseal.nginx.generations import MANIFEST, next_number, plan_manifest, read_generation
from counterseal.nginx.inclusion import include_file, plan_inclusion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from counterseal.authority.ground import Ground
    from counterseal.authority.parts import Authority
    from counterseal.authority.served import ServedSite
    from counterseal.cli.common import Run
    from counterseal.findings import Finding


def rehearse_deploy(
    run: Run, authority: Authority, served: Sequence[ServedSite], ground: Ground, *, install: bool
) -> None:
    """Show the files of the generation to come, each beside that of the one in force, and a new include file."""
    require_deployable(served)
    ours = _include(ground, install=install)
    run.rehearse_opening(authority, signing_cas(authority))
    made = rehearse_generation(authority, served, ground, reason="deploy", locks_out=False)
    admitted = (ca for one in served for ca in client_cas(authority, one.site))
    cas = dict.fromkeys(ca.name for ca in admitted if not authority.is_away(ca))
    acts = [f"issue a certificate for site {site}" for site in sites_due(authority, served, ground)]
    acts += [f"issue probes under CA {ca}, and revoke those of the generation before" for ca in cas]
    acts += [f"sign a new revocation list of {ca.name}" for ca in signing_cas(authority)]
    acts += [_reload(ground, f"generation {made.number}")]
    tell_findings(run, made.findings)
    document = {"generation": made.number, "findings": findings_to_json(made.findings)}
    show_dry_run(run, acts=acts, files=[*made.files, *preview(Path(), ours)], document=document)


class RehearsedGeneration(NamedTuple):
    """The number of a generation, its files and those kept beside it, and what the linter has to say."""

    number: int
    files: list[Preview]
    findings: Sequence[Finding]


def rehearse_generation(
    authority: Authority,
    served: Sequence[ServedSite],
    ground: Ground,
    *,
    reason: str,
    locks_out: bool,
    may_rest: bool = False,
    before: Callable[[Authority], object] = lambda _: None,
) -> RehearsedGeneration:
    """Return the generation that a deploy would make once ``before`` is done; raises what that refuses.

    Of its files nobody can say how many octets a signature will have.
    """
    await_others(ground.place)
    number, place = next_number(ground.place.base), ground.place
    files, due, findings = rehearse_sites(
        authority, served, ground, generation=number, locks_out=locks_out, may_rest=may_rest, before=before
    )
    created_at = place.nginx.clock.now()
    manifest = plan_manifest(place.base, files, number=number, created_at=created_at, reason=reason)
    shown = [
        seen._replace(varies=seen.change != "same" and seen.path.endswith((".pem", MANIFEST)))
        for seen in _beside(ground, number, files + FileSet((manifest,)))
    ]
    shown[-1] = shown[-1]._replace(diff=None)  # the hashes of all that stands above
    return RehearsedGeneration(number, [*shown, *_kept_beside(files, due, ground)], findings)


def _kept_beside(files: FileSet, due: Sequence[tuple[ServedSite, str]], ground: Ground) -> Iterator[Preview]:
    """Yield what a deploy writes outside of its generation: new certificates of sites, and the first canary of a CA."""
    for one, kind in due:
        key, chain = (kept_in(one, ground.home) / name for name in file_names(kind))
        yield unseen(key, size=None)
        yield unseen(chain, size=None, mode=PUBLIC)
    cas = dict.fromkeys(Path(file.path).parent.name for file in files if file.path.startswith("probes/"))
    canaries = (canary_file(ground.home / "canaries", ca) for ca in cas)
    yield from (unseen(path, size=None) for path in canaries if not path.exists())


def _include(ground: Ground, *, install: bool) -> FileSet:
    """Return the include file that a deploy would make; raises NginxError where the user's nginx would not read us."""
    target, base = ground.place.nginx.target, ground.place.base
    if target.owned:
        return FileSet()
    path = plan_inclusion(target, base, install=install, time_limit=ground.place.limits.test).to_install
    return FileSet() if path is None else FileSet((include_file(path, base),))


def rehearse_rollback(run: Run, ground: Ground, number: int) -> None:
    """Show the generation that would come back, and in which files it differs from the one in force."""
    generation = read_generation(ground.place.base, number)
    manifest = generation.manifest
    made = f", made {show_moment(manifest.created_at)} ({manifest.reason})" if manifest else ""
    paths = sorted(manifest.files) if manifest else []
    files = FileSet(tuple(_read(generation.directory, path) for path in paths))
    differing = [file for file in _beside(ground, number, files) if file.change != "same"]
    acts = [f"switch from generation {ground.in_force} to {number}{made}; no file is written, these differ:"]
    acts += [_reload(ground, f"generation {number}")]
    show_dry_run(run, acts=acts, files=differing, document={"generation": number}, writes=False)


def _reload(ground: Ground, what: str) -> str:
    running = ground.place.nginx.master_pid() is not None
    return f"{'reload' if running else 'start'} nginx on {what} and prove it, or go back"


def _beside(ground: Ground, number: int, files: FileSet) -> list[Preview]:
    """Return the files as they would lie in generation ``number``, compared with the generation in force."""
    current = ground.place.directories.current
    directory = ground.place.directories.directory(number)
    pairs = zip(files, preview(current, files), strict=True)
    return [seen._replace(path=str(directory / file.path)) for file, seen in pairs]


def _read(directory: Path, path: str) -> PlannedFile:
    mode = (directory / path).stat().st_mode & 0o777
    return PlannedFile(path, read_file(directory / path), mode if mode & 0o077 else SECRET)
