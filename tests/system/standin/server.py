"""The stand-in itself: HTTP, signatures, throttling, faults, and a log of all calls, for every service."""

from __future__ import annotations

import json
import re
import ssl
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from . import iam, rights, signing
from .autoscaling import AutoScaling
from .caller import Caller
from .cloudwatch import CloudWatch
from .ec2 import Ec2
from .errors import ApiError
from .faults import Fault, Faults
from .form import FormProtocol, form_of
from .http import HttpServer, Reply, Request
from .jsons import JsonProtocol
from .protocol import Protocol
from .route53 import Route53
from .signing import Key
from .sns import Sns
from .sqs import Sqs
from .sts import Sts
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
    service: str = "route53"  # as it is signed
    region: str = ""


class Bucket:
    """So many calls a second, and so many at once."""

    def __init__(self, rate: float = 0.0, burst: float = 0.0):
        self.rate = rate  # 0: no limit
        self.room = max(burst or rate, 1.0)
        self._tokens, self._filled = burst or rate, time.monotonic()

    def take(self) -> bool:
        if not self.rate:
            return True
        now = time.monotonic()
        self._tokens = min(self.room, self._tokens + (now - self._filled) * self.rate)
        self._filled = now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True


@dataclass
class Service:
    name: str  # as it is signed
    protocol: Any
    handler: Any  # an operation is a method: parameters and caller in, result out
    throttled: tuple[str, str, int] = ("Throttling", "Rate exceeded", 400)
    bucket: Bucket = field(default_factory=Bucket)


class Standin(HttpServer):
    """`calls` holds all that was asked; `bad_signatures` those calls whose signature did not hold."""

    def __init__(self, world: World | None = None, address: str = "127.0.0.1", port: int = 0,
                 tls: ssl.SSLContext | None = None):
        super().__init__(address, port, tls)
        self.world = world or World()
        self.protocol = Protocol("route53")
        self.service = Route53(self.world)
        self.ec2 = Ec2()
        self.autoscaling = AutoScaling()
        self.cloudwatch = CloudWatch(self.world)
        self.sns = Sns()
        self.services = {"route53": Service("route53", self.protocol, self.service)}
        self.add_service("ec2", FormProtocol("ec2"), self.ec2,
                         ("RequestLimitExceeded", "Request limit exceeded.", 503))
        self.add_service("autoscaling", FormProtocol("autoscaling"), self.autoscaling)
        self.add_service("monitoring", FormProtocol("cloudwatch"), self.cloudwatch)
        self.add_service("sns", FormProtocol("sns"), self.sns)
        self.keys = {DEFAULT_KEY_ID: Key(DEFAULT_SECRET)}
        self.sts = Sts(self.keys)
        self.sqs = Sqs()
        self.add_service("sts", FormProtocol("sts"), self.sts)
        self.add_service("sqs", FormProtocol("sqs"), self.sqs)
        form = self.services["sqs"]
        self.sqs_json = Service("sqs", JsonProtocol(form.protocol, "AmazonSQS"), self.sqs,
                                ("ThrottlingException", "Rate exceeded", 400), form.bucket)
        self.region = "us-east-1"  # in which Route 53 is signed; the others by where they are asked
        self.batch_shape = "error"  # in which InvalidChangeBatch comes; also "messages"
        self.faults = Faults()
        self.calls: list[Call] = []
        self._lock = threading.Lock()

    def add_service(self, name: str, protocol: FormProtocol, handler: Any,
                    throttled: tuple[str, str, int] = ("Throttling", "Rate exceeded", 400)) -> None:
        self.services[name] = Service(name, protocol, handler, throttled)

    # --- for tests ---

    def environment(self, key_id: str = DEFAULT_KEY_ID) -> dict[str, str]:
        """What a client needs to find and satisfy the stand-in."""
        env = {f"AWS_ENDPOINT_URL_{name}": self.url
               for name in ("ROUTE_53", "CLOUDWATCH", "EC2", "AUTO_SCALING", "SNS", "STS", "SQS")}
        env |= {"AWS_ACCESS_KEY_ID": key_id,
               "AWS_SECRET_ACCESS_KEY": self.keys[key_id].secret}
        if self.keys[key_id].token:
            env["AWS_SESSION_TOKEN"] = self.keys[key_id].token
        return env

    def throttle(self, rate: float, burst: float = 0.0, service: str = "route53") -> None:
        """From now on rate requests/s (0: no limit) of the service."""
        with self._lock:
            self.services[service].bucket = Bucket(rate, burst)

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
        call, service, problem = self._note(request)
        fault = self.faults.take(call.operation, call.params)
        try:
            self.wait_delay(fault)
            reply = self._answer(call, service, fault, problem)
        except ApiError as error:
            call.status, call.code = error.status, error.code
            if error.code == "InvalidChangeBatch" and fault is None:
                error.shape = self.batch_shape
            reply = Reply(error.status, service.protocol.error(error, str(uuid.uuid4())))
        if fault is not None and fault.edit is not None:
            reply.body = fault.edit(reply.body)
        call.status = reply.status
        reply.headers.setdefault("x-amzn-RequestId", str(uuid.uuid4()))
        return reply, fault

    def _note(self, request: Request) -> tuple[Call, Service, ApiError | None]:
        call = Call("?", {}, time.monotonic(), target=request.target, body=request.body)
        service, problem = self.services["route53"], None
        try:
            target = request.header("X-Amz-Target")
            form = form_of(request.method, request.target, request.body)
            if target is not None:
                service = self.sqs_json
                call.service, call.operation = service.name, target
                call.operation, call.params = service.protocol.read(target, request.body)
            elif form is not None:
                service = self._by_version(form)
                call.service, call.operation = service.name, form.get("Action", "?")
                call.operation, call.params = service.protocol.read(form)
            else:
                found = self.protocol.route(request.method, request.target)
                if found is None:
                    raise ApiError("InvalidAction", f"no operation at {request.method} {request.target}", 404)
                call.operation = found[0]
                call.params = self.protocol.read(found[0], found[1], request.target, request.body)
        except ApiError as error:
            problem = error
        if call.operation in getattr(service.handler, "UNSIGNED", ()):
            return self._noted(call), service, problem
        try:
            call.key_id = signing.check(request.method, request.target, request.headers, request.body,
                                        self.keys, service.name, self._region(service, request),
                                        time.time() + self.clock_offset)
        except ApiError as error:
            call.signature = error.code
            problem = error
        call.region = self._region(service, request)
        return self._noted(call), service, problem

    def _noted(self, call: Call) -> Call:
        with self._lock:
            self.calls.append(call)
        return call

    def _by_version(self, form: dict[str, str]) -> Service:
        for service in self.services.values():
            if getattr(service.protocol, "version", "") == form.get("Version"):
                return service
        raise ApiError("InvalidAction", f"no service of version {form.get('Version')}")

    def _region(self, service: Service, request: Request) -> str:
        """Where the call was meant to go: only Route 53 is everywhere the same."""
        found = re.search(r"Credential=[^/]+/\d{8}/([a-z]{2}(?:-[a-z]+)+-\d)/",
                          request.header("Authorization") or "")
        return self.region if service.name == "route53" or found is None else found.group(1)

    def _answer(self, call: Call, service: Service, fault: Fault | None,
                problem: ApiError | None) -> Reply:
        if fault is not None and fault.code:
            raise ApiError(fault.code, fault.message, fault.status, fault.shape)
        if fault is not None and (fault.body is not None or fault.status):
            return Reply(fault.status or 200, fault.body or b"", fault.content_type,
                         dict(fault.headers))
        with self._lock:
            allowed = service.bucket.take()
        if not allowed:
            raise ApiError(*service.throttled)
        if problem is not None:
            raise problem
        method = getattr(service.handler, call.operation, None)
        if method is None:
            raise ApiError("InvalidAction", f"the stand-in has no {call.operation}")
        caller = Caller()
        if call.key_id:
            key = self.keys[call.key_id]
            caller = Caller(call.key_id, key.account, key.arn, call.region)
            self._check_rights(key, service, call, caller)
        kind = "application/x-amz-json-1.0" if service is self.sqs_json else "text/xml"
        return Reply(200, service.protocol.write(call.operation, method(call.params, caller)), kind)

    def _check_rights(self, key: Key, service: Service, call: Call, caller: Caller) -> None:
        if key.policies is None:
            return
        for need in rights.needs(service.name, call.operation, call.params, caller):
            if not iam.allowed(key.policies, need.action, need.resource, need.context):
                raise rights.denial(service.name, caller, need)

    # --- the control path, for whoever runs it by hand ---

    def _control(self, request: Request) -> Reply:
        what = request.target.removeprefix("/_standin/")
        args = json.loads(request.body) if request.body else {}
        if what == "calls":
            rows = [{"operation": c.operation, "status": c.status, "code": c.code, "target": c.target}
                    for c in list(self.calls)]
            return _json(rows)
        if what == "throttle":
            self.throttle(float(args["rate"]), float(args.get("burst", 0)),
                          args.get("service", "route53"))
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
