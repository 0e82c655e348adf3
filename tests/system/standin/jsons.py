"""The JSON protocol: the operation in X-Amz-Target, input and output by botocore's service model."""

from __future__ import annotations

import json

from botocore.model import Shape

from .errors import ApiError
from .form import FormProtocol

TYPES = {"string": str, "integer": int, "long": int, "boolean": bool, "structure": dict, "list": list,
         "map": dict}


class JsonProtocol:
    """On top of the service's form protocol: younger clients speak this one, older ones that one."""

    def __init__(self, form: FormProtocol, target: str):
        self.model = form.model
        self.target = target

    def read(self, target: str, body: bytes) -> tuple[str, dict]:
        name = target.removeprefix(self.target + ".")
        if name not in self.model.operation_names:
            raise ApiError("UnknownOperationException", f"no operation {target}")
        try:
            params = json.loads(body)
        except ValueError as error:
            raise ApiError("SerializationException", str(error)) from error
        shape = self.model.operation_model(name).input_shape
        self._check(shape, params, name)
        return name, params

    def _check(self, shape: Shape, value, where: str) -> None:
        kind = TYPES.get(shape.type_name)
        if kind is not None and (not isinstance(value, kind) or (kind is int and isinstance(value, bool))):
            raise ApiError("SerializationException", f"{where} is no {shape.type_name}")
        if shape.type_name == "structure":
            for member in shape.required_members:
                if member not in value:
                    raise ApiError("MissingParameter", f"The request must contain the parameter {member}.")
            for member, part in value.items():
                if member not in shape.members:
                    raise ApiError("SerializationException", f"{where} has no {member}")
                self._check(shape.members[member], part, member)
        elif shape.type_name == "list":
            for part in value:
                self._check(shape.member, part, where)

    def write(self, name: str, result: dict) -> bytes:
        shape = self.model.operation_model(name).output_shape
        unknown = set(result) - set(shape.members if shape is not None else ())
        assert not unknown, f"{name} has no {unknown}"
        return json.dumps(result).encode() if shape is not None else b""

    def error(self, error: ApiError, request_id: str) -> bytes:
        name = {"AWS.SimpleQueueService.NonExistentQueue": "QueueDoesNotExist"}.get(error.code, error.code)
        return json.dumps({"__type": f"com.amazonaws.sqs#{name}", "message": error.messages[0]}).encode()
