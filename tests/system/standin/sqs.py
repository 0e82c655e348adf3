"""SQS: queues with long polls, visibility timeouts and receipts."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
import uuid
from dataclasses import dataclass, field

from .caller import Caller
from .errors import ApiError

DEFAULT_VISIBILITY = 30.0


@dataclass
class Message:
    body: str
    sent: float
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    hidden_until: float = 0.0
    receipt: str = ""
    received: int = 0


class Queue:
    def __init__(self, url: str):
        self.url = url
        self.messages: list[Message] = []
        self.deleted: list[str] = []  # bodies
        self.visibility = DEFAULT_VISIBILITY
        self.changed = threading.Condition()

    def send(self, body: str) -> Message:
        message = Message(body, time.monotonic())
        with self.changed:
            self.messages.append(message)
            self.changed.notify_all()
        return message

    def take(self, most: int, wait: float, visibility: float) -> list[Message]:
        until = time.monotonic() + wait
        with self.changed:
            while True:
                now = time.monotonic()
                ready = [m for m in self.messages if m.hidden_until <= now][:most]
                if ready or now >= until:
                    break
                self.changed.wait(min(until - now, 0.5))
            for message in ready:
                message.hidden_until = now + visibility
                message.receipt = secrets.token_urlsafe(40) + "=="
                message.received += 1
            return ready

    def delete(self, receipt: str) -> bool:
        """Unknown receipts are no error while they look like one."""
        with self.changed:
            for message in self.messages:
                if message.receipt == receipt:
                    self.messages.remove(message)
                    self.deleted.append(message.body)
        return receipt.endswith("==")


class Sqs:
    def __init__(self) -> None:
        self.queues: dict[str, Queue] = {}

    def add(self, url: str) -> Queue:
        self.queues[url] = Queue(url)
        return self.queues[url]

    def _queue(self, params: dict) -> Queue:
        if params["QueueUrl"] not in self.queues:
            raise ApiError("AWS.SimpleQueueService.NonExistentQueue",
                           "The specified queue does not exist for this wsdl version.")
        return self.queues[params["QueueUrl"]]

    def SendMessage(self, params: dict, caller: Caller) -> dict:
        message = self._queue(params).send(params["MessageBody"])
        return {"MessageId": message.id, "MD5OfMessageBody": _md5(message.body)}

    def ReceiveMessage(self, params: dict, caller: Caller) -> dict:
        queue = self._queue(params)
        most = params.get("MaxNumberOfMessages", 1)
        wait = params.get("WaitTimeSeconds", 0)
        if not 1 <= most <= 10 or not 0 <= wait <= 20:
            raise ApiError("InvalidParameterValue", "MaxNumberOfMessages or WaitTimeSeconds out of range")
        rows = queue.take(most, wait, params.get("VisibilityTimeout", queue.visibility))
        if not rows:
            return {}
        return {"Messages": [{"MessageId": m.id, "ReceiptHandle": m.receipt, "Body": m.body,
                              "MD5OfBody": _md5(m.body)} for m in rows]}

    def DeleteMessage(self, params: dict, caller: Caller) -> dict:
        if not self._queue(params).delete(params["ReceiptHandle"]):
            raise ApiError("ReceiptHandleIsInvalid", "The input receipt handle is invalid.")
        return {}

    def DeleteMessageBatch(self, params: dict, caller: Caller) -> dict:
        queue, good, bad = self._queue(params), [], []
        entries = params["Entries"]
        if not 1 <= len(entries) <= 10:
            raise ApiError("AWS.SimpleQueueService.TooManyEntriesInBatchRequest", "not 1 to 10 entries")
        for entry in entries:
            if queue.delete(entry["ReceiptHandle"]):
                good.append({"Id": entry["Id"]})
            else:
                bad.append({"Id": entry["Id"], "Code": "ReceiptHandleIsInvalid", "SenderFault": True,
                            "Message": "The input receipt handle is invalid."})
        return {"Successful": good, "Failed": bad}


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()
