"""The sites of this home and the nginx that serves them: looked at, never changed.

A deploy writes where only root may and reloads a program that is not ours to stop; both are kept out of a process that
listens to a network. `counterseal refresh` on the host does it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec

from counterseal.authority.deployment import render_sites
from counterseal.protocols.api.operation import Call, Operation, Reply
from counterseal.protocols.api.rules import Role
from counterseal.protocols.api.shapes import Described, Time

if TYPE_CHECKING:
    from counterseal.authority.parts import Authority
    from counterseal.nginx.any_site import AnySite
    from counterseal.nginx.generations import Generation as Kept
    from counterseal.nginx.status import NginxStatus

FAULTY = "counterseal.toml had a fault in its sites or nginx when the service was started"
NO_SITES = {503: f"{FAULTY}."}
NO_NGINX = {503: f"No nginx is found on this host, or it does not answer, or {FAULTY}."}


class Site(msgspec.Struct, frozen=True):
    """A site as it is configured."""

    name: str
    server_names: list[str]
    listen: list[str]
    client_certificates: str
    client_cas: list[str]
    upstreams: list[str]
    revocation: str
    admit: str


class Sites(msgspec.Struct, frozen=True):
    """All sites, and the generation in force on this host; null where nothing is deployed."""

    sites: list[Site]
    generation: int | None


class ConfigurationFile(msgspec.Struct, frozen=True):
    """A file of a generation; of a private key only that it is there."""

    path: str
    mode: Annotated[str, Described(description="Octal.")]
    size: int
    content: str | None


class Configuration(msgspec.Struct, frozen=True):
    """The files that the next deploy would write."""

    generation: int
    files: list[ConfigurationFile]


class Generation(msgspec.Struct, frozen=True):
    """All files of one deploy; when and why it was made, null where that cannot be read."""

    number: int
    created_at: Time | None
    reason: str | None
    proven: Annotated[bool, Described(description="Whether the proof after its deploy passed.")]
    in_force: bool


class Generations(msgspec.Struct, frozen=True):
    """The generations that are kept on this host, oldest first."""

    generations: list[Generation]


class Status(msgspec.Struct, frozen=True):
    """What nginx is doing, as ``counterseal nginx status`` has it."""

    binary: str
    version: str | None
    running: bool
    workers: int
    generation: int | None
    proven: bool
    changed: Annotated[list[str], Described(description="Files that are not as they were written.")]
    faults: list[str]


async def list_sites(call: Call) -> Reply:
    """List the sites of counterseal.toml as the service read it when it started."""
    host = call.parts.host
    return Reply(Sites([_show(one.site) for one in host.sites()], host.generation()))


async def show_configuration(call: Call) -> Reply:
    """Show the configuration that a deploy would write; keys are left out."""
    host = call.parts.host

    def render(authority: Authority) -> Configuration:
        ground = host.ground()
        number = (ground.in_force or 0) + 1
        files = render_sites(authority, host.sites(), ground, generation=number)
        shown = [
            ConfigurationFile(
                str(one.path),
                f"{one.mode:04o}",
                len(one.content),
                None if one.is_secret else one.content.decode(errors="replace"),
            )
            for one in files
        ]
        return Configuration(number, shown)

    return Reply(await call.parts.service.access.apart(render))


async def list_generations(call: Call) -> Reply:
    """List the generations that were deployed on this host and can be rolled back to."""
    host = call.parts.host
    return Reply(Generations([_show_generation(one, host.generation()) for one in host.generations()]))


async def show_status(call: Call) -> Reply:
    """Say which nginx runs, and which generation it serves."""
    from counterseal.nginx.status import read_status  # noqa: PLC0415 - nginx only where somebody asks for it

    found = await call.parts.service.access.sign(lambda: read_status(call.parts.host.ground().place))
    return Reply(_status(found))


def _show(site: AnySite) -> Site:
    return Site(
        name=site.name,
        server_names=list(site.server_names),
        listen=[str(one) for one in site.listen],
        client_certificates=str(site.client_certificates),
        client_cas=list(site.client_cas),
        upstreams=list(site.upstream_texts),
        revocation=str(site.revocation),
        admit=str(site.admit),
    )


def _show_generation(found: Kept, in_force: int | None) -> Generation:
    manifest = found.manifest
    return Generation(
        number=found.number,
        created_at=manifest.created_at.isoformat() if manifest else None,
        reason=manifest.reason if manifest else None,
        proven=found.proven,
        in_force=found.number == in_force,
    )


def _status(found: NginxStatus) -> Status:
    return Status(
        binary=str(found.binary),
        version=found.version,
        running=found.running,
        workers=len(found.workers),
        generation=found.generation,
        proven=bool(found.proven),
        changed=[str(one) for one in found.changed],
        faults=[one.message for one in found.faults],
    )


OPERATIONS = (
    Operation(
        "listSites", "GET", "/v1/sites", Role.VIEWER, list_sites, Sites, "List the sites", problems=NO_SITES,
    ),
    Operation(
        "showConfiguration", "GET", "/v1/nginx/configuration", Role.VIEWER, show_configuration, Configuration,
        "Show the rendered configuration", problems=NO_NGINX | {422: "A file that a site names cannot be read."},
    ),
    Operation(
        "listGenerations", "GET", "/v1/nginx/generations", Role.VIEWER, list_generations, Generations,
        "List the generations",
    ),
    Operation(
        "showStatus", "GET", "/v1/nginx/status", Role.VIEWER, show_status, Status, "Show what nginx is doing",
        problems=NO_NGINX,
    ),
)  # fmt: skip
