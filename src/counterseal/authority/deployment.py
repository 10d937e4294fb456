"""Deploy the sites: gather what nginx must hold, put it in force as a new generation, and prove it; or go back.

The good probe of the generation before makes a session first, is then revoked, and must be refused afterwards: so
every deploy proves a revocation, resumed sessions included.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from threading import Thread
from typing import TYPE_CHECKING

from counterseal.authority.another import naming_another
from counterseal.authority.backend_certificate import (
    ensure_backend_certificate,
    rehearse_backend_certificate,
)
from counterseal.authority.backend_material import backend_material
from counterseal.authority.backend_probes import make_backends
from counterseal.authority.generation_lists import list_numbers
from counterseal.authority.generation_probes import generation_probes
from counterseal.authority.probes import files_of
from counterseal.authority.proof import prove_sites, remember_leavers
from counterseal.authority.publish import publish, rehearse_publish
from counterseal.authority.readmission import refuse_readmission, require_made_here
from counterseal.authority.site_certificate import (
    ensure_server_certificate,
    read_server_certificate,
    rehearse_server_certificate,
)
from counterseal.authority.site_files import missing_roots, require_files
from counterseal.authority.site_material import material_of
from counterseal.authority.stapling import require_stapling
from counterseal.errors import InputError, NotFoundError
from counterseal.files import exposed
from counterseal.handshake.rows import RowKind
from counterseal.nginx.deploy import ProofOutcome, choose_generation, deploy, mend, rollback
from counterseal.nginx.generations import list_generations
from counterseal.nginx.render import render, render_snippets

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from counterseal.authority.ground import Ground
    from counterseal.authority.parts import Authority
    from counterseal.authority.served import ServedSite
    from counterseal.authority.site_lint import Linted
    from counterseal.fileset import FileSet
    from counterseal.findings import Finding
    from counterseal.handshake.prove import Proof
    from counterseal.handshake.rows import RowResult
    from counterseal.handshake.site import Leaver
    from counterseal.nginx.deploy import DeployResult
    from counterseal.nginx.material import Material


@dataclass(frozen=True, slots=True)
class Deployed:
    """A deploy that succeeded, with the proof of every site."""

    result: DeployResult
    proofs: tuple[Proof, ...] = field(repr=False)
    findings: tuple[Finding, ...] = ()
    """What the linter has to say of the configuration around the sites."""
    passed_over: tuple[Finding, ...] = ()
    """What of it stops every deploy that locks nobody out."""

    @property
    def rests(self) -> bool:
        """Whether nginx does not run, and has the generation, tested and unproved, for its next start."""
        return self.result.active.proof is None

    @property
    def unmet(self) -> tuple[RowResult, ...]:
        """The rows that failed and did not make it go back."""
        return tuple(row for proof in self.proofs for row in proof.failed)


def render_sites(
    authority: Authority, served: Sequence[ServedSite], ground: Ground, *, generation: int, snippets: bool = False
) -> FileSet:
    """Return the files of a generation, probes left out; or snippets for server blocks that the user keeps.

    Nothing is written: a certificate that a site still lacks stands in them without its signature.
    """
    materials = [(one.site, _material(authority, one, ground.home, rehearsing=True)) for one in served]
    make = render_snippets if snippets else render
    return make(materials, version=ground.version, generation=generation, layout=ground.layout)


def deploy_sites(
    authority: Authority,
    served: Sequence[ServedSite],
    ground: Ground,
    *,
    reason: str,
    install: bool = False,
    locks_out: bool = False,
    may_rest: bool = False,
) -> Deployed:
    """Put the sites in force as they are now, proved, or raise DeployError and serve again what was served.

    ``locks_out``: it brings a revocation, which no OCSP response that is not stapled may hold up: such rows are left to
    the caller, in ``Deployed.unmet``. Nor may the mode of a key, which else is FileError ``file.secret_mode``, nor what
    the linter finds in force already (``Deployed.passed_over``), nor an nginx that does not run. ``may_rest``: nor does
    that hold up another deploy: nginx is not started, and has the new generation when it is (``Deployed.rests``).
    """
    require_deployable(served, locks_out=locks_out)
    leavers: dict[str, Leaver] = {}
    linted: list[Linted] = []

    def files(number: int) -> FileSet:
        """Gather everything under the deploy's lock: two deploys at once must not retire each other's probes."""
        leavers.update(_leavers(authority, served, ground))
        made, kept = gather(authority, served, ground, number, may_lack=locks_out or may_rest)
        linted.append(_lint(authority, made, ground, locks_out=locks_out))
        reading.enter_context(load_beside("counterseal.handshake.prove"))  # nginx is what is waited for from here
        return made + kept

    with naming_another(ground), load_beside("counterseal.authority.site_lint"), ExitStack() as reading:
        result = deploy(
            files,
            place=ground.place,
            prove=lambda number: _outcome(
                prove_sites(authority, [one.site for one in served], ground.stage(number, served), leavers=leavers),
                locks_out=locks_out,
            ),
            reason=reason,
            install=install,
            may_rest=locks_out or may_rest,
        )
    return Deployed(result, _proofs(result), (*missing_roots(served), *linted[0].told), linted[0].passed_over)


def gather(
    authority: Authority,
    served: Sequence[ServedSite],
    ground: Ground,
    number: int,
    *,
    may_lack: bool,
    rehearsed: bool = False,
) -> tuple[FileSet, FileSet]:
    """Return the files of a generation: what nginx reads, and what is kept beside it for the proof and for us.

    ``may_lack``: as ``generation_probes`` has it. ``rehearsed``: nothing is written, where ``authority`` is one of a
    ``rehearsing``.
    """
    sites = [one.site for one in served]
    probes = generation_probes(authority, sites, ground, keep=not rehearsed, may_lack=may_lack)
    backends = [make_backends(authority, one.site) for one in served if one.proves_backend]
    (rehearse_publish if rehearsed else publish)(authority)
    kept = list_numbers(authority) + ground.kept
    materials = [(one.site, _material(authority, one, ground.home, rehearsing=rehearsed)) for one in served]
    made = render(materials, version=ground.version, generation=number, layout=ground.layout)
    return made, sum((*backends, *(files_of(ca, of_ca) for ca, of_ca in probes.items())), start=kept)


def _lint(authority: Authority, made: FileSet, ground: Ground, *, locks_out: bool) -> Linted:
    from counterseal.authority.site_lint import lint_generation  # noqa: PLC0415 - loads every rule, for this alone

    return lint_generation(made, ground, now=authority.clock(), locks_out=locks_out)


@contextmanager
def load_beside(module: str) -> Iterator[None]:
    """Load code in a thread, while the block waits for something; whoever imports it too early waits."""
    thread = Thread(target=import_module, args=(module,), name="load")
    thread.start()
    try:
        yield
    finally:
        thread.join()  # where the block fails at once: some code cannot be loaded while the interpreter ends


def require_sites(served: Sequence[ServedSite]) -> None:
    """Raise InputError ``site.none`` where there is nothing to deploy, ConfigError ``site.file`` where a file lacks."""
    if not served:
        hint = "counterseal nginx add SERVER_NAME --upstream HOST:PORT, or write [sites.NAME] into counterseal.toml"
        raise InputError("site.none", "no site is configured", hint=hint)
    require_files(served)


def require_deployable(served: Sequence[ServedSite], *, locks_out: bool = False) -> None:
    """Raise InputError ``site.none``; FileError ``file.secret_mode`` where everybody can read a key of the user's own.

    Not the latter where it locks somebody out, who must not stay because of a mode.
    """
    require_sites(served)
    for key in (key for one in served for key in (one.certificate_key, one.backend.certificate_key) if not locks_out):
        if key is not None and key.is_file() and (error := exposed(key)):
            raise error


def rollback_sites(
    authority: Authority, served: Sequence[ServedSite], ground: Ground, *, to: int | None, readmit: bool = False
) -> Deployed:
    """Put an older generation in force again, proved with its own probes; ``readmit``: also where it knows less.

    Raises RefusedError ``rollback.readmits`` where it would let in again who was revoked since.
    """
    mend(ground.place)
    sites = [one.site for one in served]
    with naming_another(ground):
        result = rollback(
            place=ground.place,
            prove=lambda number: _outcome(prove_sites(authority, sites, ground.stage(number, served))),
            to=choose_generation(ground.place.base, to),
            judge=lambda number: _judge(authority, ground, number, readmit=readmit),
        )
    return Deployed(result, _proofs(result))


def choose_rollback(authority: Authority, ground: Ground, *, to: int | None, readmit: bool) -> int:
    """Return the generation that ``rollback_sites`` goes to; raises what it raises by then."""
    number = choose_generation(ground.place.base, to)
    _judge(authority, ground, number, readmit=readmit)
    return number


def _judge(authority: Authority, ground: Ground, number: int, *, readmit: bool) -> None:
    require_made_here(ground, number)
    if not readmit:
        refuse_readmission(authority, ground.place.directories.directory(number), number)


def prove_in_force(
    authority: Authority, served: Sequence[ServedSite], ground: Ground, *, only: str | None = None
) -> tuple[Proof, ...]:
    """Prove the generation in force, or ``only`` one site of it; raises NotFoundError when there is none."""
    mend(ground.place)
    stage = ground.stage(require_in_force(ground), served)
    return prove_sites(authority, [one.site for one in served], stage, only=only)


def require_in_force(ground: Ground) -> int:
    """Return the generation in force; raises NotFoundError ``generation.none``."""
    if ground.in_force is None:
        raise NotFoundError("generation.none", "nothing is deployed yet", hint="run: counterseal nginx deploy")
    return ground.in_force


def kept_in(one: ServedSite, home: Path) -> Path:
    """Return the directory in which a site's own certificates are kept with their keys."""
    return home / "sites" / one.site.name


def _leavers(authority: Authority, served: Sequence[ServedSite], ground: Ground) -> Mapping[str, Leaver]:
    number = ground.in_force
    if number is None or ground.place.nginx.master_pid() is None:
        return {}
    proven = {generation.number for generation in list_generations(ground.place.base) if generation.proven}
    stage = ground.stage(number, served)
    return remember_leavers(authority, [one.site for one in served], stage) if number in proven else {}


def _material(authority: Authority, one: ServedSite, home: Path, *, rehearsing: bool) -> Material:
    directory = kept_in(one, home)
    if one.certificate and one.certificate_key:
        server = read_server_certificate(one.certificate, one.certificate_key)
    else:
        certify = rehearse_server_certificate if rehearsing else ensure_server_certificate
        server = certify(authority, one.site.name, one.site.server_names, directory)
    if one.site.stapling:
        require_stapling(one.site.name, server)
    show = rehearse_backend_certificate if rehearsing else ensure_backend_certificate
    return material_of(authority, one.site, server, backend_material(authority, one, show(authority, one, directory)))


def _outcome(proofs: tuple[Proof, ...], *, locks_out: bool = False) -> ProofOutcome:
    """Return whether a generation may stay; ``locks_out``: also where it staples no response."""
    failed = [(proof.site, row) for proof in proofs for row in proof.failed]
    if locks_out:
        failed = [(site, row) for site, row in failed if row.row.kind is not RowKind.STAPLE]
    if not failed:
        count = sum(len(proof.rows) - len(proof.failed) for proof in proofs)
        return ProofOutcome(passed=True, summary=f"{count} rows as expected", details=proofs)
    site, row = failed[0]
    more = f", and {len(failed) - 1} more" if len(failed) > 1 else ""
    summary = f"site {site}: {row.row.title}: expected {row.expected}, saw {row.observed}{more}"
    advice = (("cause", row.cause), ("fix", row.fix))
    told = tuple(f"{word}: {text}" for word, text in advice if text is not None)
    return ProofOutcome(passed=False, summary=summary, advice=told, details=proofs)


def _proofs(result: DeployResult) -> tuple[Proof, ...]:
    details = result.active.proof and result.active.proof.details
    return details if isinstance(details, tuple) else ()
