"""The nginx with a cache that we ship (deploy/nginx/public.conf), made to run in a directory of its own."""

from __future__ import annotations

from pathlib import Path

from nginx_process import worker_user

SHIPPED = Path(__file__).resolve().parent.parent / "deploy" / "nginx" / "public.conf"
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def cache_configuration(run: Path, responder: str, port: int) -> str:
    """Return a whole configuration: the shipped file, but for its address, that of the service and where it keeps."""
    text = SHIPPED.read_text(encoding="utf-8")
    for written, meant in {
        "listen 80;": f"listen 127.0.0.1:{port};",
        "127.0.0.1:8080": responder,
        "/var/cache/nginx/counterseal": f"{run}/cache",
    }.items():
        assert text.count(written) == 1, written
        text = text.replace(written, meant)
    user = f"user {worker_user()};" if worker_user() else ""
    paths = " ".join(f"{name}_temp_path {run}/{name};" for name in TEMPORARY)
    return f"{user} pid {run}/pid; events {{}} http {{ {paths}\n{text}}}\n"
