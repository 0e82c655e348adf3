"""The HTTP under both stand-ins: one thread a connection, and ways to answer badly."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .faults import Fault


@dataclass
class Reply:
    status: int
    body: bytes = b""
    content_type: str = "text/xml"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Request:
    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        for key, value in self.headers:
            if key.lower() == name.lower():
                return value
        return None


class Cut(Exception):
    """The connection ends now."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    owner: "HttpServer"

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else b""
        request = Request(self.command, self.path, list(self.headers.items()), body)
        try:
            reply, fault = self.owner.handle(request)
            self._send(reply, fault)
        except Cut:
            self._cut()
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _serve

    def _send(self, reply: Reply, fault: Fault | None) -> None:
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if fault is not None and fault.cut_quietly:
            self.send_header("Connection", "close")
        else:
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if fault is not None and fault.trickle:
            self._trickle(reply.body, fault.trickle)
        elif fault is not None and fault.cut is not None:
            self.wfile.write(reply.body[:fault.cut])
            self.wfile.flush()
            if not fault.cut_quietly:
                raise Cut
            self.close_connection = True
        else:
            self.wfile.write(reply.body)

    def _trickle(self, body: bytes, rate: float) -> None:
        step = max(1, int(rate / 20))
        for i in range(0, len(body), step):
            if self.owner.stopping.wait(step / rate):
                raise Cut
            self.wfile.write(body[i:i + step])
            self.wfile.flush()

    def _cut(self) -> None:
        """Ends the connection with a reset, as a dying peer would."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def date_time_string(self, timestamp=None) -> str:
        return http_date(self.owner.clock_offset)

    def log_message(self, *args) -> None:
        pass


class QuietServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, *args):
        self.open: set[socket.socket] = set()
        super().__init__(*args)

    def process_request(self, request, client_address) -> None:
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request) -> None:
        self.open.discard(request)
        super().shutdown_request(request)

    def close_all(self) -> None:
        for connection in list(self.open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # gone already

    def handle_error(self, request, client_address) -> None:
        pass  # a client that goes away is what some tests want


class HttpServer:
    """Starts and stops; what a request gets is the child's `respond`."""

    def __init__(self, address: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None):
        self.address = address
        self.wanted_port = port
        self.tls = tls
        self.clock_offset = 0.0  # this server's clock against ours, seconds
        self.stopping = threading.Event()
        self._server: QuietServer | None = None

    @property
    def port(self) -> int:
        return self._server.server_address[1] if self._server else self.wanted_port

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.address}:{self.port}"

    def start(self):
        """Listens; after a stop on the same port again."""
        self.stopping.clear()
        port = self.port
        handler = type("BoundHandler", (Handler,), {"owner": self})
        self._server = QuietServer((self.address, port), handler)
        self.wanted_port = self.port
        if self.tls is not None:
            self._server.socket = self.tls.wrap_socket(self._server.socket, server_side=True,
                                                       do_handshake_on_connect=False)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Gone from the network: open connections end, new ones are refused."""
        self.stopping.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server.close_all()
            self._server = None

    def handle(self, request: Request) -> tuple[Reply, Fault | None]:
        raise NotImplementedError

    def wait_delay(self, fault: Fault | None) -> None:
        if fault is not None and fault.delay and self.stopping.wait(fault.delay):
            raise Cut
        if fault is not None and fault.drop:
            raise Cut


def http_date(offset: float = 0.0) -> str:
    return time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + offset))
