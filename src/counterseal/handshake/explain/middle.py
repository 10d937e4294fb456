"""What lies between client and server: load balancers, filters by name, and ways on which large packets are lost."""

from __future__ import annotations

from counterseal.handshake.explain.nginx_log import LogHint
from counterseal.handshake.explain.situation import Diagnosis
from counterseal.handshake.in_front import InFront

IN_FRONT: dict[InFront, Diagnosis] = {
    InFront.PROXY_EXPECTED: Diagnosis(
        "the peer cuts the connection; after a PROXY header it speaks TLS",
        "the port is for a load balancer, which says in a PROXY header who the client is; this client came past it",
        "connect to the load balancer, or let it send the header (HAProxy: send-proxy); where there is none, write "
        "listen without proxy_protocol",
        log=LogHint('broken header: "..." while reading PROXY protocol', "error"),
        directive="listen ADDRESS ssl proxy_protocol;",
    ),
    InFront.PROXY_SENT: Diagnosis(
        "the peer answers TLS and plain HTTP alike with 400 Bad Request, in the clear",
        "something in front of nginx puts octets before what the client sends, most likely a load balancer its PROXY "
        "header, and this listen does not expect them",
        "write proxy_protocol into the listen directive, or do not let the load balancer send it (HAProxy: send-proxy)",
        log=LogHint("client sent invalid request while reading client request line", "info"),
        directive="listen ADDRESS ssl proxy_protocol;",
    ),
    InFront.CUT_BY_NAME: Diagnosis(
        "the connection is cut at this name; without a name the peer speaks TLS",
        "something on the way looks at the name in the SNI and lets this one not pass: a filter, or a load balancer "
        "that has no backend of that name",
        "let the filter pass the name, or give the load balancer a backend for it; try from another network",
    ),
}
_WAY = "compare ping -M do -s 1400 with -s 100 to the peer; let the tunnel's ends clamp the MSS, or lower the MTU; "
STALLED_BEFORE = Diagnosis(
    "the peer begins TLS, and then nothing more arrives",
    "large packets are lost on the way from the server, as through a tunnel or VPN with a smaller MTU whose word of it "
    "is filtered; or the server waits for its key: a token, another machine",
    _WAY + "read the server's log",
)
STALLED_AFTER = Diagnosis(
    "the peer shakes hands up to the client's certificate, and then nothing more arrives",
    "large packets are lost on the way to the server, as through a tunnel or VPN with a smaller MTU whose word of it "
    "is filtered; or the server waits while it verifies: nginx's ssl_ocsp for a responder",
    _WAY + "look whether the responder answers",
)
