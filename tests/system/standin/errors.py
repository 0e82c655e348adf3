"""The API's errors, and the three shapes of body in which they come."""

from __future__ import annotations

from xml.sax.saxutils import escape

STATUS = {
    "AccessDenied": 403,
    "ExpiredToken": 403,
    "IncompleteSignature": 403,
    "InvalidClientTokenId": 403,
    "MissingAuthenticationToken": 403,
    "NoSuchChange": 404,
    "NoSuchHealthCheck": 404,
    "NoSuchHostedZone": 404,
    "NotAuthorizedException": 401,
    "SignatureDoesNotMatch": 403,
}


class ApiError(Exception):
    """What an operation raises; shape is "error", "messages" or "bare"."""

    def __init__(self, code: str, message: str | list[str], status: int = 0, shape: str = ""):
        messages = [message] if isinstance(message, str) else list(message)
        super().__init__(f"{code}: {'; '.join(messages)}")
        self.code = code
        self.messages = messages
        self.status = status or STATUS.get(code, 400)
        self.shape = shape or "error"

    def body(self, namespace: str, request_id: str) -> bytes:
        head = '<?xml version="1.0"?>\n'
        if self.shape == "messages":
            inner = "".join(f"<Message>{escape(m)}</Message>" for m in self.messages)
            text = (
                f'<{self.code} xmlns="{namespace}"><Messages>{inner}</Messages>'
                f"<RequestId>{request_id}</RequestId></{self.code}>"
            )
        elif self.shape == "bare":
            name = self.code if self.code.endswith("Exception") else self.code + "Exception"
            text = f"<{name}><Message>{escape(self.messages[0])}</Message></{name}>"
        else:
            message = ", ".join(self.messages)
            if len(self.messages) > 1:
                message = f"[{message}]"
            sender = "Receiver" if self.status >= 500 else "Sender"
            text = (
                f'<ErrorResponse xmlns="{namespace}"><Error><Type>{sender}</Type>'
                f"<Code>{self.code}</Code><Message>{escape(message)}</Message>"
                f"</Error><RequestId>{request_id}</RequestId></ErrorResponse>"
            )
        return (head + text).encode()
