"""Faults to order: which calls they hit, and what happens instead of the right answer."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Callable


@dataclass
class Fault:
    operation: str = "*"  # an operation's name, or for metadata a path; "*": all
    when: Callable[[dict], bool] | None = None  # looks at the call's parameters
    after: int = 0  # lets that many calls pass first
    times: int | None = None  # then hits that many; None: for good
    delay: float = 0.0  # seconds before anything is said
    status: int = 0  # with code: an error; with body: that body; alone: an empty body
    code: str = ""
    message: str = "made to order"
    shape: str = "error"  # of an error: "error", "messages", "bare"
    body: bytes | None = None
    content_type: str = "text/xml"
    headers: dict[str, str] = field(default_factory=dict)
    edit: Callable[[bytes], bytes] | None = None  # changes the right answer's body
    cut: int | None = None  # ends the connection after that many octets of the body
    cut_quietly: bool = False  # the same without a Content-Length: HTTP sees nothing wrong
    drop: bool = False  # ends the connection without an answer
    trickle: float = 0.0  # octets a second
    hits: int = 0
    seen: int = 0

    def takes(self, operation: str, params: dict) -> bool:
        if self.operation not in ("*", operation):
            return False
        if self.when is not None and not self.when(params):
            return False
        self.seen += 1
        if self.seen <= self.after or (self.times is not None and self.hits >= self.times):
            return False
        self.hits += 1
        return True


class Faults:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._list: list[Fault] = []

    def add(self, **what) -> Fault:
        fault = Fault(**what)
        with self._lock:
            self._list.append(fault)
        return fault

    def remove(self, fault: Fault) -> None:
        with self._lock:
            self._list.remove(fault)

    def clear(self) -> None:
        with self._lock:
            self._list.clear()

    def take(self, operation: str, params: dict) -> Fault | None:
        with self._lock:
            for fault in self._list:
                if fault.takes(operation, params):
                    return fault
        return None
