"""The service put together: which faces there are, the store and the clock they work with, TLS, and one event loop.

A new face is one line in ``_faces``.
"""

from __future__ import annotations

import asyncio
import gc
import signal
from contextlib import AsyncExitStack, closing, nullcontext
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import uvicorn
import uvloop

from counterseal.authority.ahead import Ahead
from counterseal.authority.publish import unlock
from counterseal.compose.ground import nginx_directory, open_ground
from counterseal.compose.home import open_authority, service_secret
from counterseal.compose.listening import (
    CONNECTIONS,
    OwnCertificate,
    allow_open_files,
    bind,
    connection_limits,
    origin_of,
    shown_address,
)
from counterseal.compose.reminding import reminding
from counterseal.compose.stores import open_store
from counterseal.errors import CountersealError
from counterseal.nginx.generations import list_generations, read_current
from counterseal.protocols.acme.face import acme_face
from counterseal.protocols.acme.rules import AcmeRules
from counterseal.protocols.api.face import api_face
from counterseal.protocols.api.parts import Host
from counterseal.protocols.api.rules import ApiRules
from counterseal.protocols.est.face import est_face
from counterseal.protocols.est.rules import ESTRules
from counterseal.protocols.health import health_face
from counterseal.protocols.metrics import metrics_face
from counterseal.protocols.ocsp import ocsp_face
from counterseal.protocols.ocsp_rules import OCSPRules
from counterseal.protocols.publication import publication_face
from counterseal.service.access import Access
from counterseal.service.connection import Connection
from counterseal.service.door import Door
from counterseal.service.issuing import tell_unrecorded
from counterseal.service.log import log, log_error, start_logging
from counterseal.service.metrics import Metrics
from counterseal.service.moved import until_moved
from counterseal.service.parts import Face, Service, Upkeep
from counterseal.service.requests import Requests
from counterseal.service.short_way import ShortWay
from counterseal.service.systemd import READY, STOPPING, notify, notify_reloading, watchdog
from counterseal.service.upkeep import upkeep

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from starlette.types import ASGIApp

    from counterseal.authority.parts import Authority
    from counterseal.config.settings import Settings
    from counterseal.service.settings import Network, ServeSettings

    Passphrase = Callable[[], bytes | None]

CERTIFICATE_SECONDS = 600.0
GRACE_SECONDS = 30
HANDSHAKE_SECONDS = 10.0
IDLE_SECONDS = 30


def _faces(service: Service, home: Path, settings: Settings, own: OwnCertificate | None) -> Sequence[Face]:
    faces = [health_face(service, own.ends if own else None), publication_face(service)]
    acme = settings.acme or AcmeRules()
    ocsp = settings.ocsp or OCSPRules()
    est = settings.est or ESTRules()
    faces += [ocsp_face(service, ocsp)] if ocsp.enabled else []
    if service.access.reads_only:
        return faces
    faces += [acme_face(service, acme)] if acme.enabled else []
    api = settings.api or ApiRules()
    faces += [api_face(service, api, _host(home, settings), has_ocsp=ocsp.enabled)] if api.enabled else []
    faces += [est_face(service, est)] if est.enabled else []
    return faces


def _host(home: Path, settings: Settings) -> Host:
    base = nginx_directory(home)
    now, kept = partial(read_current, base), partial(list_generations, base)
    return Host(lambda: settings.sites, now, kept, partial(open_ground, home, settings))


@dataclass(frozen=True, slots=True)
class Listening:
    """Where the service answers, told once it does; ``entries`` are the URLs with which clients begin, by protocol."""

    url: str
    address: str
    entries: dict[str, str]
    http_address: str | None = None
    metrics_address: str | None = None


class _Loop(uvloop.Loop):
    """uvloop's, with a door of ours where there is TLS."""

    def __init__(self, proxies: tuple[Network, ...]) -> None:
        super().__init__()
        self._proxies = proxies

    async def create_server(self, *arguments: Any, **more: Any) -> Any:  # noqa: ANN401 - whatever uvicorn asks for
        """Listen."""
        if more.get("ssl") is None:
            return await super().create_server(*arguments, **more)
        _, handshakes = connection_limits()
        return Door(
            more["sock"],
            arguments[0],
            more["ssl"],
            proxies=self._proxies,
            at_once=handshakes,
            seconds=HANDSHAKE_SECONDS,
        )


def serve(home: Path, settings: Settings, passphrase: Passphrase, *, started: Callable[[Listening], None]) -> None:
    """Serve until SIGTERM or SIGINT, then finish what was begun; raises CountersealError when it cannot start.

    Raises StoreError ``store.moved`` also when the store was moved away while it served.
    """
    start_logging()
    for one in settings.error.findings if settings.error else ():
        log_error("counterseal.toml has a fault", code=one.code, where=one.where, line=one.line, reason=one.message)
    allow_open_files()
    with asyncio.Runner(loop_factory=partial(_Loop, settings.serve.trust_proxy_protocol)) as runner:
        runner.run(_serve(home, settings, passphrase, started))


async def _serve(home: Path, settings: Settings, passphrase: Passphrase, started: Callable[[Listening], None]) -> None:
    async with AsyncExitStack() as stack:
        authority = stack.enter_context(open_authority(home, passphrase, one_thread=False))
        unlock(authority)
        listener = stack.enter_context(closing(bind(settings.serve.listen)))
        origin = origin_of(settings.serve, listener)
        own = None if settings.serve.listen.unix else OwnCertificate(home, settings.serve, origin.names)
        context = own.open(authority) if own else None
        metrics = Metrics()
        access = _access(stack, home, settings, authority, metrics)
        service = Service(
            access,
            origin,
            authority.clock,
            authority.random_bytes,
            service_secret(home),
            trusts_proxy=settings.serve.trust_client_cert,
            trusts_real_ip=settings.serve.trust_x_real_ip,
            metrics=metrics,
            short_way=ShortWay(metrics),
        )
        faces = _faces(service, home, settings, own)
        watching = [metrics_face(service, own.ends if own else None)] if settings.serve.metrics_listen else []
        await stack.enter_async_context(upkeep(_works([*faces, *watching], own, access, settings)))
        await _start([*faces, *watching])
        bound = _bind_more(stack, settings.serve)
        served = [(_server(faces, service, context), listener)]
        for one, shown in zip(bound, ([face for face in faces if face.public], watching), strict=True):
            served += [(_server(shown, service, None), one)] if one else []
        _listen_to_signals([server for server, _ in served], access, own)
        addresses = [None if one is None else shown_address(one) for one in bound]
        entries = {face.entry[0]: origin.usual + face.entry[1] for face in faces if face.entry}
        gc.freeze()  # what was loaded and made so far stays: no collection has to walk through it
        listening = Listening(origin.usual, shown_address(listener), entries, *addresses)
        started(listening)
        log("serving", **asdict(listening))
        notify(READY)
        async with until_moved(access, lambda: _stop([server for server, _ in served], access)):
            await asyncio.gather(*(server.serve([one]) for server, one in served))
    log("stopped")


def _access(stack: AsyncExitStack, home: Path, settings: Settings, authority: Authority, metrics: Metrics) -> Access:
    def open_one(*, one_thread: bool = True) -> Authority:
        store = open_store(home, settings.store, one_thread=one_thread)
        return replace(authority, store=store, tell_unrecorded=tell_unrecorded)

    if authority.store.is_shared:
        from counterseal.service.shared_access import SharedAccess  # noqa: PLC0415 - greenlets, for this store alone

        access: Access = SharedAccess(open_one, metrics)
    else:
        writer = stack.enter_context(open_one(one_thread=False))
        writer.store.wait_never()
        access = Access(authority, replace(writer, ahead=Ahead()), partial(open_one, one_thread=False), metrics)
    stack.push_async_callback(access.close)
    return access


async def _start(faces: Sequence[Face]) -> None:
    for face in faces:
        if face.start:
            await face.start()


def _bind_more(stack: AsyncExitStack, settings: ServeSettings) -> tuple[socket.socket | None, socket.socket | None]:
    """Return the sockets without TLS: for what is public, and for metrics."""
    public, metrics = (
        None if address is None else stack.enter_context(closing(bind(address, f"{name} in [serve]")))
        for name, address in (("http_listen", settings.http_listen), ("metrics_listen", settings.metrics_listen))
    )
    return public, metrics


def _works(faces: Sequence[Face], own: OwnCertificate | None, access: Access, settings: Settings) -> list[Upkeep]:
    works = [work for face in faces for work in face.upkeep]
    works += watchdog()
    if not access.reads_only:
        works += reminding(access, settings.reminders)
    if own is not None:
        works.append(Upkeep("own certificate", CERTIFICATE_SECONDS, lambda: own.renew(access)))
    return works


def _application(faces: Sequence[Face], service: Service) -> ASGIApp:
    routes = [route for face in faces for route in face.routes]
    return Requests(
        routes,
        clock=service.clock,
        random_bytes=service.random_bytes,
        metrics=service.metrics,
        trusts_real_ip=service.trusts_real_ip,
    )


class _Server(uvicorn.Server):
    """uvicorn's, whose signals are ours: it would end the process by the very signal again, with an exit code of it."""

    def capture_signals(self) -> nullcontext[None]:  # type: ignore[override] # a context manager as well
        return nullcontext()


def _server(faces: Sequence[Face], service: Service, context: ssl.SSLContext | None) -> _Server:
    short_way = service.short_way if any(face.public for face in faces) else None
    most, _ = connection_limits()
    config = uvicorn.Config(
        _application(faces, service),
        http=partial(Connection, short_way=short_way, most=most),  # type: ignore[arg-type] # called, and nothing else
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=most + CONNECTIONS,  # counts what is still at work for those that have made room, too
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
        ssl_context_factory=(lambda _config, _default: context) if context else None,
    )
    return _Server(config)


def _stop(servers: Sequence[_Server], access: Access) -> None:
    for server in servers:
        server.should_exit = True
    access.hurry()
    notify(STOPPING)
    log("stopping")


def _listen_to_signals(servers: Sequence[_Server], access: Access, own: OwnCertificate | None) -> None:
    """SIGTERM and SIGINT finish what was begun, the second one does not; SIGHUP reads the certificate again."""
    loop = asyncio.get_running_loop()

    def stop() -> None:
        for server in servers:
            server.force_exit = server.should_exit
        _stop(servers, access)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)

    def reload() -> None:
        notify_reloading()
        try:
            if own is not None:
                own.reload()
        except CountersealError as error:
            log_error("own certificate not loaded", code=error.code, reason=error.message)
        notify(READY)

    loop.add_signal_handler(signal.SIGHUP, reload)
