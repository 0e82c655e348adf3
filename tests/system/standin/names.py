"""Names as the API writes them: lower case, absolute, every byte but a-z 0-9 - _ as three octal digits."""

from __future__ import annotations

from .errors import ApiError

PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789-_")


def labels(text: str) -> list[bytes]:
    """The labels of a name in any form the API takes (dot at the end optional, octal escapes)."""
    out: list[bytes] = []
    label = bytearray()
    data = text.encode("utf-8").lower()
    i = 0
    while i < len(data):
        if data[i : i + 1] == b"\\":
            digits = data[i + 1 : i + 4]
            if len(digits) != 3 or not digits.isdigit() or int(digits, 8) > 255:
                raise ApiError("InvalidInput", f"bad escape in {text}")
            label.append(int(digits, 8))
            i += 4
            continue
        if data[i : i + 1] == b".":
            out.append(bytes(label))
            label = bytearray()
        else:
            label.append(data[i])
        i += 1
    if label:
        out.append(bytes(label))
    if any(not part or len(part) > 63 for part in out) or sum(map(len, out)) + len(out) > 254:
        raise ApiError("InvalidInput", f"not a domain name: {text}")
    return [bytes(part).lower() for part in out]


def escape(text: str) -> str:
    """The form in which the API gives a name back."""
    return "".join(_escape_label(part) + "." for part in labels(text))


def _escape_label(label: bytes) -> str:
    return "".join(chr(byte) if byte in PLAIN else f"\\{byte:03o}" for byte in label)


def order(name: str) -> str:
    """What the listing is sorted by: the escaped labels reversed, dot at the end included."""
    return "".join(part + "." for part in reversed(name.rstrip(".").split(".")))


def within(name: str, zone: str) -> bool:
    return name == zone or name.endswith("." + zone)
