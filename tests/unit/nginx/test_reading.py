"""A configuration is read whole, from files, from what is yet to be written, and from the output of nginx -T."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.nginx.reading import read_configuration, read_dump, split_dump
from counterseal.nginx.tree import walk

if TYPE_CHECKING:
    from pathlib import Path

    from counterseal.nginx.reading import WholeConfiguration

DUMP = """# configuration file /etc/nginx/nginx.conf:
http {
  include conf.d/*.conf;
  include /etc/nginx/snippets/tls.conf;
}

# configuration file /etc/nginx/conf.d/b.conf:
server { listen 82; }
# configuration file /etc/nginx/conf.d/a.conf:
server { listen 81; }

# configuration file /etc/nginx/snippets/tls.conf:
ssl_protocols TLSv1.3;
"""


def listens(whole: WholeConfiguration) -> list[str]:
    """Return what is listened on, in order, with where it stands."""
    found = (one.directive for one in walk(whole.tree) if one.context[-1:] == ("server",))
    return [f"{directive.where} {directive.arguments[0]}" for directive in found]


def test_the_output_of_nginx_is_a_configuration() -> None:
    """Patterns find their files in it, sorted; each file keeps its own lines."""
    whole = read_dump(split_dump(DUMP))
    assert listens(whole) == ["/etc/nginx/conf.d/a.conf:1:10 81", "/etc/nginx/conf.d/b.conf:1:10 82"]
    assert whole.texts["/etc/nginx/snippets/tls.conf"] == "ssl_protocols TLSv1.3;"


def test_other_text_is_no_such_output() -> None:
    """Neither a plain file nor one that quotes the line."""
    assert split_dump("server { listen 80; }") == {}
    assert split_dump(f"server {{ listen 80; }}\n{DUMP}") == {}


def test_files_to_be_lie_over_those_that_are(tmp_path: Path) -> None:
    """By name and by pattern; what is skipped is not read, and an unreadable directory is no file."""
    conf = tmp_path / "nginx.conf"
    (tmp_path / "d.conf").mkdir()
    (tmp_path / "a.conf").write_text("server { listen 81; }")
    (tmp_path / "own.conf").write_text("server { broken")
    conf.write_text("http { include *.conf_; include [a-z]*.conf; include own.conf; }")
    overlay = {str(tmp_path / "a.conf"): "server { listen 91; }", str(tmp_path / "z.conf"): "server { listen 92; }"}
    whole = read_configuration(conf, overlay=overlay, skip=lambda path: path.name in {"own.conf", "nginx.conf"})
    assert listens(whole) == [f"{tmp_path}/a.conf:1:10 91", f"{tmp_path}/z.conf:1:10 92"]
