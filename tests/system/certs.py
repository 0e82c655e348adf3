"""Certificates for a test, made on the spot with openssl."""

from __future__ import annotations

import base64
import hashlib
import subprocess
from pathlib import Path


def _openssl(*args: str, stdin: bytes = b"") -> bytes:
    done = subprocess.run(["openssl", *args], input=stdin, capture_output=True, timeout=20, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


class Authority:
    """A CA and what it signs: each certificate is a pair of files, NAME.pem and NAME.key."""

    def __init__(self, folder: Path, name: str = "ca"):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / f"{name}.pem"
        self.key = folder / f"{name}.key"
        self._new_key(self.key)
        _openssl("req", "-x509", "-new", "-key", str(self.key), "-subj", f"/CN={name} of a test",
                 "-days", "30", "-out", str(self.file))

    @staticmethod
    def _new_key(path: Path) -> None:
        path.write_bytes(_openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout"))
        path.chmod(0o600)

    def issue(self, name: str, days: int = 30, file: str = "") -> tuple[Path, Path]:
        """For a server of this name; days under 0: it ran out so long ago."""
        cert, key = self.folder / f"{file or name}.pem", self.folder / f"{file or name}.key"
        self._new_key(key)
        request = _openssl("req", "-new", "-key", str(key), "-subj", f"/CN={name}")
        extensions = self.folder / "extensions"
        extensions.write_text(f"subjectAltName=DNS:{name}\n", encoding="ascii")
        dates = ["-days", str(days)]
        if days < 0:
            return self._expired(name, cert, key, request)
        cert.write_bytes(_openssl("x509", "-req", "-CA", str(self.file), "-CAkey", str(self.key),
                                  "-CAcreateserial", *dates, "-extfile", str(extensions), stdin=request))
        return cert, key

    def _expired(self, name: str, cert: Path, key: Path, request: bytes) -> tuple[Path, Path]:
        (self.folder / "index").write_text("", encoding="ascii")
        (self.folder / "serial").write_text("77\n", encoding="ascii")
        (self.folder / "request").write_bytes(request)
        (self.folder / "ca.conf").write_text(
            f"[ca]\ndefault_ca=x\n[x]\ndatabase={self.folder}/index\nserial={self.folder}/serial\n"
            f"new_certs_dir={self.folder}\ndefault_md=sha256\npolicy=p\nunique_subject=no\n"
            f"[p]\ncommonName=supplied\n[e]\nsubjectAltName=DNS:{name}\n", encoding="ascii")
        _openssl("ca", "-batch", "-config", str(self.folder / "ca.conf"), "-cert", str(self.file),
                 "-keyfile", str(self.key), "-in", str(self.folder / "request"), "-out", str(cert),
                 "-startdate", "20200101000000Z", "-enddate", "20200201000000Z", "-extensions", "e",
                 "-notext")
        return cert, key


def pin(cert: Path) -> str:
    """The key of a certificate, as the setting tls takes it."""
    public = _openssl("x509", "-in", str(cert), "-noout", "-pubkey")
    der = _openssl("pkey", "-pubin", "-outform", "DER", stdin=public)
    return "sha256/" + base64.b64encode(hashlib.sha256(der).digest()).decode()
