"""Addresses of our own: each server in a test gets one of 127/8, so that ports never clash."""

from __future__ import annotations

import itertools
import os
import socket
import time

PORT = 5300  # of every DNS server in these tests
_next = itertools.count()


def address() -> str:
    """A loopback address on which nothing listens."""
    while True:
        n = next(_next)
        found = f"127.{20 + os.getpid() % 200}.{1 + n // 250}.{1 + n % 250}"
        if is_free(found, PORT):
            return found


def is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(family, kind) as sock:
            if kind == socket.SOCK_STREAM:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                sock.bind((host, port))
            except OSError:
                return False
    return True


def free_port() -> int:
    """A port free for UDP and TCP on 127.0.0.1."""
    for port in range(20000 + os.getpid() % 5000, 32000):
        if is_free("127.0.0.1", port):
            return port
    raise RuntimeError("no free port on 127.0.0.1")


def free_port6() -> int:
    """A port free for UDP and TCP on ::1."""
    for port in range(20000 + os.getpid() % 5000, 32000):
        if is_free("::1", port):
            return port
    raise RuntimeError("no free port on ::1")


def wait_for(check, seconds: float, what: str, every: float = 0.02):
    """Calls check until it gives something true; gives that back."""
    end = time.monotonic() + seconds
    while True:
        result = check()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError(f"after {seconds} s still not: {what}")
        time.sleep(every)
