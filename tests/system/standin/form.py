"""The form protocols, "query" and "ec2": requests and answers by botocore's service model, limits included."""

from __future__ import annotations

import datetime
import re
import uuid
from urllib.parse import parse_qsl, urlsplit
from xml.sax.saxutils import escape

from botocore.loaders import Loader
from botocore.model import ServiceModel, Shape

from .errors import ApiError

XMLNS = {"ec2": "http://ec2.amazonaws.com/doc/2016-11-15/"}


def load(service: str) -> ServiceModel:
    model = Loader().load_service_model(service, "service-2")
    if service == "ec2":
        _add_younger(model["shapes"])
    return ServiceModel(model, service)


def _add_younger(shapes: dict) -> None:
    """What Debian's botocore does not have yet."""
    for name in ("DescribeInstancesRequest", "DescribeNetworkInterfacesRequest"):
        shapes[name]["members"].setdefault("IncludeManagedResources", {"shape": "Boolean"})


class FormProtocol:
    """Requests to (operation, parameters), results to bodies, errors to bodies."""

    def __init__(self, service: str):
        self.model = load(service)
        self.ec2 = self.model.metadata["protocol"] == "ec2"
        self.version = self.model.metadata["apiVersion"]
        self.namespace = XMLNS.get(service) or self.model.metadata["xmlNamespace"]

    def read(self, form: dict[str, str]) -> tuple[str, dict]:
        name = form.get("Action", "")
        if name not in self.model.operation_names:
            raise ApiError("InvalidAction", f"The action {name} is not valid for this web service.")
        tree: dict = {}
        for key, value in form.items():
            if key not in ("Action", "Version"):
                _plant(tree, key.split("."), value)
        shape = self.model.operation_model(name).input_shape
        return name, {} if shape is None else self._structure(shape, tree, name)

    def _wire(self, member: str, shape: Shape) -> str:
        name = shape.serialization.get("name", member)
        if not self.ec2 and shape.type_name == "list" and shape.serialization.get("flattened"):
            name = shape.member.serialization.get("name", name)
        if not self.ec2:
            return name
        return shape.serialization.get("queryName") or name[0].upper() + name[1:]

    def _structure(self, shape: Shape, node, where: str) -> dict:
        if not isinstance(node, dict):
            raise self._invalid(f"{where} is a structure")
        names = {self._wire(member, model): member for member, model in shape.members.items()}
        unknown = set(node) - set(names)
        if unknown:
            raise ApiError("UnknownParameter", f"The parameter {sorted(unknown)[0]} is not recognized")
        got = {names[wire]: self._value(shape.members[names[wire]], sub, names[wire])
               for wire, sub in node.items()}
        for member in shape.required_members:
            if member not in got:
                raise ApiError("MissingParameter", f"The request must contain the parameter {member}")
        return got

    def _value(self, shape: Shape, node, where: str):
        kind = shape.type_name
        if kind == "structure":
            return self._structure(shape, node, where)
        if kind == "list":
            if node == "":
                return []
            if not self.ec2 and not shape.serialization.get("flattened"):
                node = self._only(node, shape.member.serialization.get("name", "member"), where)
            return self._bounded(shape, [self._value(shape.member, sub, where)
                                         for sub in self._numbered(node, where)], where)
        if kind == "map":
            flat = shape.serialization.get("flattened")
            rows = self._numbered(node if flat else self._only(node, "entry", where), where)
            return {row["key"]: self._value(shape.value, row["value"], where) for row in rows}
        if isinstance(node, dict):
            raise self._invalid(f"{where} has no parts")
        return self._scalar(shape, node, where)

    def _only(self, node, name: str, where: str):
        if not isinstance(node, dict) or set(node) != {name}:
            raise self._invalid(f"{where} is a list of {name}")
        return node[name]

    def _numbered(self, node, where: str) -> list:
        if not isinstance(node, dict) or set(node) != {str(i + 1) for i in range(len(node))}:
            raise self._invalid(f"{where} is numbered from 1 without gaps")
        return [node[str(i + 1)] for i in range(len(node))]

    def _scalar(self, shape: Shape, text: str, where: str):
        kind = shape.type_name
        try:
            if kind in ("integer", "long"):
                return self._bounded(shape, int(text), where)
            if kind in ("float", "double"):
                return self._bounded(shape, float(text), where)
            if kind == "timestamp":
                return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
        except ValueError as error:
            raise self._invalid(f"{where}: {text} is no {kind}") from error
        if kind == "boolean":
            if text.lower() not in ("true", "false"):
                raise self._invalid(f"{where}: {text} is no boolean")
            return text.lower() == "true"
        enum = getattr(shape, "enum", None)
        if enum and text not in enum:
            raise self._invalid(f"{where}: {text} is not one of {', '.join(enum)}")
        return self._bounded(shape, text, where)

    def _bounded(self, shape: Shape, value, where: str):
        size = len(value) if isinstance(value, (str, list)) else value
        low, high = shape.metadata.get("min"), shape.metadata.get("max")
        if (low is not None and size < low) or (high is not None and size > high):
            raise self._invalid(f"{where} must be between {low} and {high}, is {size}")
        pattern = shape.metadata.get("pattern")
        if pattern and isinstance(value, str) and not _matches(pattern, value):
            raise self._invalid(f"{where} must satisfy {pattern}")
        return value

    def _invalid(self, message: str) -> ApiError:
        return ApiError("InvalidParameterValue" if self.ec2 else "ValidationError", message)

    # --- answers ---

    def write(self, name: str, result: dict) -> bytes:
        shape = self.model.operation_model(name).output_shape
        request_id = str(uuid.uuid4())
        body = "" if shape is None else self._members(shape, result)
        if self.ec2:
            done = "<return>true</return>" if shape is None else ""
            inner = f"<requestId>{request_id}</requestId>{body}{done}"
        else:
            wrapper = shape.serialization.get("resultWrapper") if shape is not None else None
            wrapped = f"<{wrapper}>{body}</{wrapper}>" if wrapper else body
            inner = (f"{wrapped}<ResponseMetadata><RequestId>{request_id}</RequestId>"
                     "</ResponseMetadata>")
        return (f'<?xml version="1.0" encoding="UTF-8"?>\n<{name}Response xmlns="{self.namespace}">'
                f"{inner}</{name}Response>").encode()

    def error(self, error: ApiError, request_id: str) -> bytes:
        if not self.ec2:
            return error.body(self.namespace, request_id)
        return ('<?xml version="1.0" encoding="UTF-8"?>\n<Response><Errors><Error>'
                f"<Code>{error.code}</Code><Message>{escape(error.messages[0])}</Message></Error>"
                f"</Errors><RequestID>{request_id}</RequestID></Response>").encode()

    def _members(self, shape: Shape, value: dict) -> str:
        unknown = set(value) - set(shape.members)
        assert not unknown, f"{shape.name} has no {unknown}"
        return "".join(self._element(model, model.serialization.get("name", member), value[member])
                       for member, model in shape.members.items() if member in value)

    def _element(self, shape: Shape, name: str, value) -> str:
        kind = shape.type_name
        if kind == "structure":
            return f"<{name}>{self._members(shape, value)}</{name}>"
        if kind == "list":
            item = shape.member.serialization.get("name", "item" if self.ec2 else "member")
            rows = "".join(self._element(shape.member, item, v) for v in value)
            return rows if shape.serialization.get("flattened") else f"<{name}>{rows}</{name}>"
        if kind == "map":
            rows = "".join("<entry>" + self._element(shape.key, "key", k)
                           + self._element(shape.value, "value", v) + "</entry>"
                           for k, v in value.items())
            return f"<{name}>{rows}</{name}>"
        if kind == "boolean":
            text = "true" if value else "false"
        elif isinstance(value, datetime.datetime):
            text = value.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        else:
            text = escape(str(value))
        return f"<{name}>{text}</{name}>"


def form_of(method: str, target: str, body: bytes) -> dict[str, str] | None:
    """The form of a request to "/", whether it stands in the query or in the body."""
    parts = urlsplit(target)
    if parts.path not in ("", "/"):
        return None
    text = parts.query if method == "GET" else body.decode("utf-8", "replace")
    return dict(parse_qsl(text, keep_blank_values=True))


def _plant(tree: dict, path: list[str], value: str) -> None:
    for part in path[:-1]:
        tree = tree.setdefault(part, {})
        if not isinstance(tree, dict):
            raise ApiError("MalformedQueryString", f"{'.'.join(path)} stands under a value")
    if path[-1] in tree:
        raise ApiError("MalformedQueryString", f"{'.'.join(path)} stands twice")
    tree[path[-1]] = value


def _matches(pattern: str, value: str) -> bool:
    try:
        return re.fullmatch(pattern, value) is not None
    except re.error:
        return True  # Java's dialect: not ours to judge
