"""Every nginx at hand, a private one of each."""

from __future__ import annotations

from nginx_process import nginx_binary, nginx_version, private_nginx

__all__ = ["nginx_binary", "nginx_version", "private_nginx"]
