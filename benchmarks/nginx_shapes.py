"""Large configurations, each of a shape of its own: what is much in it is another thing.

Every shape is a function from a number of lines to the texts of its files by name, ``nginx.conf`` the main one. They
are measured in ``nginx_lint.py``, and the tests count in them how the work of the linter grows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

MAIN = "nginx.conf"
MANY_SERVERS = "servers"
_BEGIN = "error_log /var/log/nginx/error.log info;\nevents {}\nhttp {\n    ssl_session_tickets off;\n"
_TLS = """\
        listen 443 ssl;
        server_name s{number}.test www.s{number}.test;
        ssl_certificate /etc/x/{number}.pem;
        ssl_certificate_key /etc/x/{number}.key;
        ssl_client_certificate /etc/x/ca.pem;
        ssl_verify_client {verify};
"""
_CHECK = "            if ($ssl_client_verify != SUCCESS) { return 403; }\n"
_TOLD = """\
            proxy_set_header X-SSL-Client-Verify $ssl_client_verify;
            proxy_set_header X-SSL-Client-S-DN $ssl_client_s_dn;
"""
_SERVER = """\
        if ($user = "") {{ return 403; }}
        location / {{
{told}            proxy_pass http://127.0.0.1:{port};
        }}
        location ~ \\.php$ {{
            fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
            fastcgi_pass 127.0.0.1:9000;
        }}
        error_page 404 /404.html;
        error_page 495 496 =403 /403.html;
"""
_USER = '    map "$ssl_client_verify:$ssl_client_s_dn" $user { default ""; "SUCCESS:CN=alice" alice; }\n'


def servers(lines: int) -> Mapping[str, str]:
    """Make a server every 20 lines, two thirds of them with optional certificates and a map that decides."""
    return _whole(_USER, *(_server(number) for number in range(lines // 20)))


def files(lines: int) -> Mapping[str, str]:
    """Make a file with a server every ten lines, which one glob includes."""
    names = (f"sites/{number:05}.conf" for number in range(lines // 10))
    server = "    server {{\n{tls}        location / {{ proxy_pass http://127.0.0.1:9000; }}\n    }}\n"
    sites = {name: server.format(tls=_tls(number, "on")) for number, name in enumerate(names)}
    return _whole("    include sites/*.conf;\n") | sites


def guarded_locations(lines: int) -> Mapping[str, str]:
    """Make one server in which every three lines are a location that looks at the certificate."""
    one = "        location /l{}/ {{\n{}            proxy_pass http://127.0.0.1:9000; }}\n"
    return _one_server(one.format(number, _CHECK) for number in range(lines // 3))


def open_locations(lines: int) -> Mapping[str, str]:
    """Make one server in which locations that look at the certificate take turns with others that do not."""
    one = "        location /a{0}/ {{ alias /srv/{0}/; }}\n        location /b{0}/ {{\n{1}            root /srv; }}\n"
    return _one_server(one.format(number, _CHECK) for number in range(lines // 4))


def nested_locations(lines: int) -> Mapping[str, str]:
    """Make one server with locations four deep that look at the certificate, and tell an application of it."""
    one = "location {path} {{\n" + _CHECK.replace("{ ", "{{ ").replace(" }", " }}") + _TOLD
    one += "            proxy_pass http://127.0.0.1:9000;\n"
    depths = ("/{0}/", "/{0}/a/", "/{0}/a/b/", "/{0}/a/b/c/")
    texts = ("".join(one.format(path=path.format(number)) for path in depths) for number in range(lines // 24))
    return _one_server(f"{text}        }}}}}}}}\n" for text in texts)


def regex_locations(lines: int) -> Mapping[str, str]:
    """Make one server with regular expressions, every ten lines one, of which each looks at the certificate."""
    one = "        location ~ ^/r{}/(.*)\\.php$ {{\n{}{}            fastcgi_pass 127.0.0.1:9000;\n        }}\n"
    told = "".join(f"            fastcgi_param P{number} $ssl_client_s_dn;\n" for number in range(6))
    return _one_server(one.format(number, _CHECK, told) for number in range(lines // 10))


def error_pages(lines: int) -> Mapping[str, str]:
    """Make one server in which every refusal leads to a page of its own."""
    one = "        location /l{0}/ {{\n{1}            error_page 403 @p{0}; proxy_pass http://127.0.0.1:9000; }}\n"
    page = "        location @p{0} {{ root /srv/{0}; }}\n"
    return _one_server((one + page).format(number, _CHECK) for number in range(lines // 5))


def conditions(lines: int) -> Mapping[str, str]:
    """Make one server with a condition every other line."""
    one = '        if ($ssl_client_s_dn = "CN=u{}") {{\n            return 403; }}\n'
    return _one_server(one.format(number) for number in range(lines // 2))


def map_keys(lines: int) -> Mapping[str, str]:
    """Make a map with a key a line, by which one server decides."""
    keys = "".join(f'        "SUCCESS:CN=u{number}" u{number};\n' for number in range(lines))
    head = f'    map "$ssl_client_verify:$ssl_client_s_dn" $user {{\n        default "";\n{keys}    }}\n'
    return _whole(head, _server(1))


def geo_ranges(lines: int) -> Mapping[str, str]:
    """Make a geo block with a range a line, by which one server decides."""
    ranges = "".join(f"        10.{number >> 8 & 255}.{number & 255}.0/24 1;\n" for number in range(lines))
    return _whole(f'    geo $user {{\n        default "";\n{ranges}    }}\n', _server(1))


def upstreams(lines: int) -> Mapping[str, str]:
    """Make groups of 60 servers, each behind a location of one server."""
    groups, locations = [], []
    for number in range(lines // 65):
        members = "".join(f"        server 10.0.{number & 255}.{host}:8443;\n" for host in range(60))
        groups.append(f"    upstream u{number} {{\n{members}    }}\n")
        locations.append(
            f"        location /u{number}/ {{\n{_CHECK}            proxy_pass http://u{number};\n        }}\n"
        )
    return _whole(*groups, f"    server {{\n{_tls(1, 'optional')}{''.join(locations)}    }}\n")


SHAPES: Mapping[str, Callable[[int], Mapping[str, str]]] = {
    one.__name__.replace("_", " "): one
    for one in (
        servers,
        files,
        guarded_locations,
        open_locations,
        nested_locations,
        regex_locations,
        error_pages,
        conditions,
        map_keys,
        geo_ranges,
        upstreams,
    )
}


def _tls(number: int, verify: str) -> str:
    return _TLS.format(number=number, verify=verify)


def _server(number: int) -> str:
    inner = _SERVER.format(told=_TOLD, port=9000 + number % 100)
    return f"    server {{\n{_tls(number, 'optional' if number % 3 else 'on')}{inner}    }}\n"


def _one_server(inner: Iterable[str]) -> dict[str, str]:
    return _whole(f"    server {{\n{_tls(1, 'optional')}{''.join(inner)}    }}\n")


def _whole(*blocks: str) -> dict[str, str]:
    return {MAIN: f"{_BEGIN}{''.join(blocks)}}}\n"}
