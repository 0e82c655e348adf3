"""The Route 53 stand-in itself: HTTP, signatures, throttling, faults, and a log of all calls."""

from __future__ import annotations

import json
import ssl
import threading
import time
import uuid
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from . import signing
from .errors import ApiError
from .faults import Fault, Faults
from .http import HttpServer, Reply, Request
from .protocol import Protocol
from .route53 import Route53
from .signing import Key
from .world import World

DEFAULT_KEY_ID = "AKIDEXAMPLE"
DEFAULT_SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


@dataclass
class Call:
    operation: str
    params: dict
    at: float  # monotonic seconds
    status: int = 0
    code: str = ""
    key_id: str = ""
    signature: str = ""  # "" good, else the API's code
    target: str = ""
    body: bytes = field(default=b"", repr=False)


class Standin(HttpServer):
    """`calls` holds all that was asked; `bad_signatures` those calls whose signature did not hold."""

    def __init__(self, world: World | None = None, address: str = "127.0.0.1", port: int = 0,
                 tls: ssl.SSLContext | None = None):
        super().__init__(address, port, tls)
        self.world = world or World()
        self.protocol = Protocol("route53")
        self.service = Route53(self.world)
        self.keys = {DEFAULT_KEY_ID: Key(DEFAULT_SECRET)}
        self.region = "us-east-1"
        self.batch_shape = "error"  # in which InvalidChangeBatch comes; also "messages"
        self.faults = Faults()
        self.rate = 0.0  # requests a second; 0: no limit
        self.calls: list[Call] = []
        self._lock = threading.Lock()
        self._tokens = 0.0
        self._filled = time.monotonic()

    # --- for tests ---

    def environment(self, key_id: str = DEFAULT_KEY_ID) -> dict[str, str]:
        """What a client needs to find and satisfy the stand-in."""
        env = {"AWS_ENDPOINT_URL_ROUTE_53": self.url, "AWS_ENDPOINT_URL_CLOUDWATCH": self.url,
               "AWS_ACCESS_KEY_ID": key_id,
               "AWS_SECRET_ACCESS_KEY": self.keys[key_id].secret}
        if self.keys[key_id].token:
            env["AWS_SESSION_TOKEN"] = self.keys[key_id].token
        return env

    def throttle(self, rate: float, burst: float = 0.0) -> None:
        """From now on rate requests/s (0: no limit)."""
        with self._lock:
            self.rate, self._tokens, self._filled = rate, burst or rate, time.monotonic()

    @property
    def bad_signatures(self) -> list[Call]:
        return [call for call in list(self.calls) if call.signature]

    def count(self, operation: str, **params) -> int:
        return sum(call.operation == operation and params.items() <= call.params.items()
                   for call in list(self.calls))

    # --- the server's side ---

    def handle(self, request: Request) -> tuple[Reply, Fault | None]:
        if request.target.startswith("/_standin/"):
            return self._control(request), None
        if request.method == "POST" and request.target == "/":
            return self._metric(request), None
        call, params_error = self._note(request)
        fault = self.faults.take(call.operation, call.params)
        try:
            self.wait_delay(fault)
            reply = self._answer(call, request, fault, params_error)
        except ApiError as error:
            call.status, call.code = error.status, error.code
            if error.code == "InvalidChangeBatch" and fault is None:
                error.shape = self.batch_shape
            reply = Reply(error.status, error.body(self.protocol.namespace, str(uuid.uuid4())))
        if fault is not None and fault.edit is not None:
            reply.body = fault.edit(reply.body)
        call.status = reply.status
        reply.headers.setdefault("x-amzn-RequestId", str(uuid.uuid4()))
        return reply, fault

    def _note(self, request: Request) -> tuple[Call, ApiError | None]:
        call = Call("?", {}, time.monotonic(), target=request.target, body=request.body)
        problem = None
        try:
            found = self.protocol.route(request.method, request.target)
            if found is None:
                raise ApiError("InvalidAction", f"no operation at {request.method} {request.target}", 404)
            call.operation = found[0]
            call.params = self.protocol.read(found[0], found[1], request.target, request.body)
        except ApiError as error:
            problem = error
        try:
            call.key_id = signing.check(request.method, request.target, request.headers, request.body,
                                        self.keys, "route53", self.region,
                                        time.time() + self.clock_offset)
        except ApiError as error:
            call.signature = error.code
            problem = error
        with self._lock:
            self.calls.append(call)
        return call, problem

    def _answer(self, call: Call, request: Request, fault: Fault | None,
                problem: ApiError | None) -> Reply:
        if fault is not None and fault.code:
            raise ApiError(fault.code, fault.message, fault.status, fault.shape)
        if fault is not None and (fault.body is not None or fault.status):
            return Reply(fault.status or 200, fault.body or b"", fault.content_type,
                         dict(fault.headers))
        if not self._token():
            raise ApiError("Throttling", "Rate exceeded")
        if problem is not None:
            raise problem
        return Reply(200, self.protocol.write(call.operation,
                                              self.service.call(call.operation, call.params)))

    def _token(self) -> bool:
        with self._lock:
            if not self.rate:
                return True
            now = time.monotonic()
            self._tokens = min(max(self.rate, 1.0), self._tokens + (now - self._filled) * self.rate)
            self._filled = now
            if self._tokens < 1.0:
                return False
            self._tokens -= 1.0
            return True

    # --- CloudWatch, for the one metric that Route 53 writes ---

    def _metric(self, request: Request) -> Reply:
        params = dict(parse_qsl(request.body.decode()))
        call = Call(params["Action"], params, time.monotonic(), target=request.target)
        try:
            call.key_id = signing.check(request.method, request.target, request.headers, request.body,
                                        self.keys, "monitoring", self.region,
                                        time.time() + self.clock_offset)
        except ApiError as error:
            call.signature = error.code
        with self._lock:
            self.calls.append(call)
        value = self.world.metric.get(params["Dimensions.member.1.Value"])
        point = "" if value is None else (f"<member><Timestamp>{params['EndTime']}</Timestamp>"
                                          f"<Minimum>{value}</Minimum><Unit>None</Unit></member>")
        call.status = 200
        return Reply(200, (
            '<GetMetricStatisticsResponse xmlns="http://monitoring.amazonaws.com/doc/2010-08-01/">'
            f"<GetMetricStatisticsResult><Datapoints>{point}</Datapoints><Label>HealthCheckStatus</Label>"
            "</GetMetricStatisticsResult></GetMetricStatisticsResponse>").encode())

    # --- the control path, for whoever runs it by hand ---

    def _control(self, request: Request) -> Reply:
        what = request.target.removeprefix("/_standin/")
        args = json.loads(request.body) if request.body else {}
        if what == "calls":
            rows = [{"operation": c.operation, "status": c.status, "code": c.code, "target": c.target}
                    for c in list(self.calls)]
            return _json(rows)
        if what == "throttle":
            self.throttle(float(args["rate"]))
        elif what == "faults" and request.method == "DELETE":
            self.faults.clear()
        elif what == "faults":
            if "body" in args:
                args["body"] = args["body"].encode()
            self.faults.add(**args)
        else:
            return _json({"error": "calls, throttle, faults"}, 404)
        return _json({})


def _json(value, status: int = 200) -> Reply:
    return Reply(status, json.dumps(value, indent=1).encode() + b"\n", "application/json")
