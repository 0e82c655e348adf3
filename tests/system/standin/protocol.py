"""The rest-xml protocol, both ways, from botocore's service model: nothing here knows an operation."""

from __future__ import annotations

import datetime
import re
import xml.etree.ElementTree as ElementTree
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.sax.saxutils import escape

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel, Shape

from .errors import ApiError


def load(service: str) -> ServiceModel:
    model = Loader().load_service_model(service, "service-2")
    if service == "route53":
        _add_younger(model["shapes"])
    return ServiceModel(model, service)


def _add_younger(shapes: dict) -> None:
    """What Debian's botocore does not have yet, as the model of 1.43 has it."""
    known = shapes["RRType"]["enum"]
    known += [rtype for rtype in ("TLSA", "SSHFP", "SVCB", "HTTPS") if rtype not in known]
    if "GeoProximityLocation" in shapes:
        return
    shapes["ProximityText"] = {"type": "string"}
    shapes["ProximityBias"] = {"type": "integer"}
    text = {"shape": "ProximityText"}
    shapes["ProximityCoordinates"] = {"type": "structure", "members": {"Latitude": text, "Longitude": text}}
    shapes["GeoProximityLocation"] = {"type": "structure", "members": {
        "AWSRegion": text, "LocalZoneGroup": text, "Coordinates": {"shape": "ProximityCoordinates"},
        "Bias": {"shape": "ProximityBias"}}}
    shapes["ResourceRecordSet"]["members"]["GeoProximityLocation"] = {"shape": "GeoProximityLocation"}


class Protocol:
    """Requests to (operation, parameters), results to bodies."""

    def __init__(self, service: str = "route53"):
        self.model = load(service)
        self.namespace = self._find_namespace()
        self._routes = self._build_routes()
        self.strict_order = False  # elements in the schema's order only, as the documentation asks

    def _find_namespace(self) -> str:
        for name in self.model.operation_names:
            shape = self.model.operation_model(name).input_shape
            found = shape.serialization.get("xmlNamespace") if shape is not None else None
            if found:
                return found["uri"]
        return ""

    def _build_routes(self) -> list[tuple[str, re.Pattern, str]]:
        routes = []
        for name in self.model.operation_names:
            http = self.model.operation_model(name).http
            path = http["requestUri"].split("?")[0].rstrip("/")
            pattern = re.sub(r"\\\{(\w+)(?:\\\+)?\\\}", r"(?P<\1>[^/]+)", re.escape(path))
            routes.append((http["method"], re.compile(pattern + "/?$"), name))
        # Literal paths before those with parameters: /healthcheck/{Id} must not take another's.
        routes.sort(key=lambda route: route[1].pattern.count("(?P<"))
        return routes

    def route(self, method: str, target: str) -> tuple[str, dict[str, str]] | None:
        path = urlsplit(target).path
        for wanted, pattern, name in self._routes:
            found = pattern.match(path) if wanted == method else None
            if found:
                return name, {key: unquote(value) for key, value in found.groupdict().items()}
        return None

    def read(self, name: str, uri: dict[str, str], target: str, body: bytes) -> dict:
        """The operation's input as botocore would have taken it."""
        shape = self.model.operation_model(name).input_shape
        if shape is None:
            return {}
        query = dict(parse_qsl(urlsplit(target).query, keep_blank_values=True))
        params: dict = {}
        in_body = {}
        for member, model in shape.members.items():
            where = model.serialization.get("location")
            wire = model.serialization.get("name", member)
            source = uri if where == "uri" else query if where == "querystring" else None
            if source is None:
                in_body[member] = model
            elif wire in source:
                params[member] = _scalar(model, source[wire])
        if in_body and body:
            params.update(_read_body(shape, in_body, body, self.strict_order))
        for member in shape.required_members:
            if member not in params:
                raise ApiError("InvalidInput", f"{member} is required")
        return params

    def error(self, error: ApiError, request_id: str) -> bytes:
        return error.body(self.namespace, request_id)

    def write(self, name: str, result: dict) -> bytes:
        """The body of a good answer. A member that the model does not have is a fault of ours."""
        operation: OperationModel = self.model.operation_model(name)
        shape = operation.output_shape
        text = ['<?xml version="1.0" encoding="UTF-8"?>\n']
        if shape is not None:
            text.append(f'<{name}Response xmlns="{self.namespace}">')
            text.append(_write_members(shape, result))
            text.append(f"</{name}Response>")
        return "".join(text).encode()


def _scalar(shape: Shape, text: str):
    kind = shape.type_name
    try:
        if kind in ("integer", "long"):
            return int(text)
        if kind in ("float", "double"):
            return float(text)
    except ValueError as error:
        raise ApiError("InvalidInput", f"{text} is not a number") from error
    if kind == "boolean":
        return text == "true"
    enum = getattr(shape, "enum", None)
    if enum and text not in enum:
        raise ApiError("InvalidInput", f"{text} is not one of {', '.join(enum)}")
    return text


def _local(tag: str) -> str:
    return tag.rsplit("}", 1)[-1]


def _read_body(shape: Shape, members: dict[str, Shape], body: bytes, strict: bool) -> dict:
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError as error:
        raise ApiError("MalformedXML", str(error)) from error
    if _local(root.tag) != shape.serialization.get("name", shape.name):
        raise ApiError("MalformedXML", f"unexpected element {_local(root.tag)}")
    return _read_members(members, root, strict)


def _read_members(members: dict[str, Shape], node: ElementTree.Element, strict: bool) -> dict:
    names = {model.serialization.get("name", member): member for member, model in members.items()}
    result: dict = {}
    last = -1
    order = list(names)
    for child in node:
        member = names.get(_local(child.tag))
        if member is None:
            raise ApiError("MalformedXML", f"unexpected element {_local(child.tag)}")
        if strict and order.index(_local(child.tag)) < last:
            raise ApiError("MalformedXML", f"{_local(child.tag)} stands out of order")
        last = order.index(_local(child.tag))
        result[member] = _read_value(members[member], child, strict)
    return result


def _read_value(shape: Shape, node: ElementTree.Element, strict: bool):
    if shape.type_name == "structure":
        value = _read_members(shape.members, node, strict)
        for member in shape.required_members:
            if member not in value:
                raise ApiError("MalformedXML", f"{_local(node.tag)} lacks {member}")
        return value
    if shape.type_name == "list":
        wanted = shape.member.serialization.get("name", "member")
        for child in node:
            if _local(child.tag) != wanted:
                raise ApiError("MalformedXML", f"unexpected element {_local(child.tag)}")
        return [_read_value(shape.member, child, strict) for child in node]
    return _scalar(shape, node.text or "")


def _write_members(shape: Shape, value: dict) -> str:
    unknown = set(value) - set(shape.members)
    assert not unknown, f"{shape.name} has no {unknown}"
    parts = []
    for member, model in shape.members.items():
        if member in value and "location" not in model.serialization:
            parts.append(_write_value(model, model.serialization.get("name", member), value[member]))
    return "".join(parts)


def _write_value(shape: Shape, name: str, value) -> str:
    kind = shape.type_name
    if kind == "structure":
        return f"<{name}>{_write_members(shape, value)}</{name}>"
    if kind == "list":
        item = shape.member.serialization.get("name", "member")
        if shape.serialization.get("flattened"):
            return "".join(_write_value(shape.member, item, v) for v in value)
        return f"<{name}>{''.join(_write_value(shape.member, item, v) for v in value)}</{name}>"
    if kind == "boolean":
        text = "true" if value else "false"
    elif kind == "timestamp" and isinstance(value, datetime.datetime):
        text = value.strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03d}Z"
    else:
        text = escape(str(value))
    return f"<{name}>{text}</{name}>"
