"""Questions of clients by TLS (RFC 7858), with tools that others wrote."""

from __future__ import annotations

import shutil
import signal
import socket
import ssl
import struct
import subprocess
import time

import certs
import horizon
import net
import pytest
import servers
import wire

NAME = "dns.corp.test"
PADDING = wire.edns_option(12, bytes(20))


@pytest.fixture
def settings(vpc, pair):
    vpc.records("www.test. 60 A 192.0.2.1", *[f'big.test. 60 TXT "{i:03d}{"x" * 200}"' for i in range(150)])
    return {"vpc_resolver": [vpc.target], "workers": 1,
            "tls": {"listen": [], "certificate": str(pair[0]), "key": str(pair[1])}}


@pytest.fixture
def daemon(launch, settings):
    made = launch(settings, start=False)
    settings["tls"]["listen"] = [made.address]  # port 853
    made.write(settings)
    return made.start()


def connect(daemon, authority, session=None, **how) -> ssl.SSLSocket:
    context = how.pop("context", None) or client(authority, **how)
    sock = socket.create_connection((daemon.address, 853), timeout=4)
    return context.wrap_socket(sock, server_hostname=NAME, session=session)


def client(authority, alpn=("dot",), version=None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(authority.file))
    if alpn:
        context.set_alpn_protocols(list(alpn))
    if version:
        context.maximum_version = version
    return context


def recv(sock) -> bytes:
    def exactly(count: int) -> bytes:
        got = b""
        while len(got) < count:
            part = sock.recv(count - len(got))
            assert part, "the connection has ended"
            got += part
        return got
    return exactly(struct.unpack("!H", exactly(2))[0])


def ask(sock, name: str, rtype: str = "A", **how) -> wire.Answer:
    query = wire.build(name, rtype, **how)
    sock.sendall(struct.pack("!H", len(query)) + query)
    return wire.parse(query, recv(sock), udp=False)


def kdig(daemon, authority, *args: str) -> str:
    done = subprocess.run(["kdig", f"@{daemon.address}", "-p", "853", f"+tls-ca={authority.file}",
                           f"+tls-hostname={NAME}", "+timeout=3", "+retry=0", *args],
                          capture_output=True, text=True, timeout=20, check=False)
    return done.stdout + done.stderr


def s_client(daemon, *args: str) -> str:
    done = subprocess.run(["openssl", "s_client", "-connect", f"{daemon.address}:853", *args],
                          input="Q\n", capture_output=True, text=True, timeout=20, check=False)
    return done.stdout + done.stderr


def shakes(daemon) -> dict[str, float]:
    return {dict(key)["result"]: value
            for key, value in daemon.metrics()["horizond_tls_handshakes_total"].items()}


def test_kdig(daemon, authority):
    out = kdig(daemon, authority, "www.test")
    assert "192.0.2.1" in out and "TLS session (TLS1.3)" in out, out
    assert "PADDING" in out, "it pads, so we do"
    many = kdig(daemon, authority, "+keepopen", *["www.test"] * 5, "big.test", "TXT")
    assert many.count("192.0.2.1") == 5 and many.count("xxxx\"") == 150
    assert daemon.metric("horizond_queries_total", proto="tls") == 7
    assert shakes(daemon) == {"full": 2, "resumed": 0, "failed": 0}


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_sessions_are_resumed(daemon, tmp_path, version):
    out = s_client(daemon, version, "-alpn", "dot", "-sess_out", str(tmp_path / "session")) \
        if version == "-tls1_2" else _ticket(daemon, tmp_path / "session")
    assert "New, " in out and "ALPN protocol: dot" in out, out
    again = s_client(daemon, version, "-alpn", "dot", "-sess_in", str(tmp_path / "session"))
    assert "Reused, " in again, again
    assert shakes(daemon)["resumed"] == 1
    if version == "-tls1_2":
        assert s_client(daemon, version, "-reconnect").count("Reused, ") == 5


def _ticket(daemon, path) -> str:
    """By TLS 1.3 the ticket comes behind the handshake: stay until it is there."""
    with subprocess.Popen(["openssl", "s_client", "-tls1_3", "-connect", f"{daemon.address}:853", "-alpn",
                           "dot", "-sess_out", str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True) as process:
        net.wait_for(lambda: path.exists() and path.stat().st_size > 0, 5, "a ticket")
        out, _ = process.communicate("Q\n", timeout=5)
    return out


def test_what_is_not_taken(daemon, authority):
    """Old versions, other protocols, and no TLS at all."""
    assert "no protocols available" in s_client(daemon, "-tls1_1") or \
        "alert protocol version" in s_client(daemon, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0")
    assert "no application protocol" in s_client(daemon, "-alpn", "h2")
    with pytest.raises(ssl.SSLError):
        connect(daemon, authority, alpn=("http/1.1",))
    with connect(daemon, authority, alpn=()) as sock:
        assert ask(sock, "www.test").data() == ["192.0.2.1"], "no ALPN at all is fine"
    with wire.Tcp((daemon.address, 853)) as tcp:
        tcp.send(wire.build("www.test"))
        assert tcp.recv() is None
    assert shakes(daemon)["failed"] >= 3


def test_padding_is_for_those_who_pad(daemon, authority):
    with connect(daemon, authority) as sock:
        for name in ("www.test", "nothing.test"):
            padded = wire.header(ar=1) + wire.question(name) + wire.opt(options=PADDING)
            plain = wire.header(ar=1) + wire.question(name) + wire.opt()
            sock.sendall(b"".join(struct.pack("!H", len(p)) + p for p in (padded, plain, padded)))
            sizes = [len(recv(sock)) for _ in range(3)]
            assert sizes[0] == sizes[2] == 468 and sizes[1] < 200, sizes
        big = wire.header(ar=1) + wire.question("big.test", 16) + wire.opt(options=PADDING)
        sock.sendall(struct.pack("!H", len(big)) + big)
        assert len(recv(sock)) % 468 == 0
    by_tcp = wire.send_tcp(daemon.where, wire.header(ar=1) + wire.question("www.test") +
                           wire.opt(options=PADDING))
    assert len(by_tcp) < 200, "in clear it would hide nothing"


def test_many_questions_in_any_pieces(daemon, authority):
    asked = {i: wire.build("www.test" if i % 10 else "big.test", "A" if i % 10 else "TXT", qid=i)
             for i in range(300)}
    octets = b"".join(struct.pack("!H", len(p)) + p for p in asked.values())
    daemon.wait_answer("www.test", "A", ["192.0.2.1"])
    net.wait_for(lambda: len(daemon.ask("big.test", "TXT", tcp=True).data()) == 150, 5, "both are cached")
    with connect(daemon, authority) as sock:
        for at in range(0, 400):
            sock.sendall(octets[at:at + 1])
        sock.sendall(octets[400:])
        for _ in range(300):
            reply = recv(sock)
            found = wire.parse(asked.pop(int.from_bytes(reply[:2], "big")), reply, udp=False)
            assert len(found.data()) in (1, 150)
    assert not asked


def test_unbound_asks_us(daemon, authority, tmp_path):
    """A corporate server that forwards to us by TLS, and looks at our certificate."""
    server = servers.Unbound(tmp_path / "unbound", "local.test", ["local.test. 60 IN SOA a. b. 1 2 3 4 5"],
                             more=f'forward-zone:\n  name: "test."\n  forward-tls-upstream: yes\n'
                                  f'  forward-addr: {daemon.address}@853#{NAME}\n')
    config = tmp_path / "unbound" / "unbound.conf"
    config.write_text(config.read_text(encoding="utf-8") +
                      f'server:\n  tls-cert-bundle: "{authority.file}"\n  local-zone: "test." nodefault\n',
                      encoding="utf-8")
    server.start()
    try:
        got = wire.exchange(server.where, wire.build("www.test"), False, 4.0, "")
        assert got.data() == ["192.0.2.1"]
    finally:
        server.stop()
    assert daemon.metric("horizond_queries_total", proto="tls") >= 1


def test_who_never_shakes_hands(daemon, settings, authority):
    """Connections that say nothing, and some that begin: others come in at once, and these go (T42)."""
    settings["tcp"] = {"max_per_client": 2000}
    daemon.reload(settings)
    mute = [socket.create_connection((daemon.address, 853), timeout=4) for _ in range(400)]
    for sock in mute[200:]:
        sock.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")  # and no more
    began = time.monotonic()
    with connect(daemon, authority) as sock:
        assert ask(sock, "www.test").data() == ["192.0.2.1"]
    assert time.monotonic() - began < 1.0
    assert daemon.ask("www.test").took < 0.5
    assert daemon.metric("horizond_tls_connections") <= 257, "the oldest made way"
    net.wait_for(lambda: daemon.metric("horizond_tls_connections") == 0, 8, "they are gone")
    assert shakes(daemon)["failed"] == 400
    for sock in mute:
        sock.close()


def test_bounds_of_tcp_hold(daemon, settings, authority):
    settings["tcp"] = {"max_per_client": 5, "idle": 1}
    daemon.reload(settings)
    socks = [connect(daemon, authority) for _ in range(5)]
    with pytest.raises(OSError):
        connect(daemon, authority)
    assert ask(socks[0], "www.test").data() == ["192.0.2.1"]
    net.wait_for(lambda: daemon.metric("horizond_tls_connections") == 0, 5, "idle ones are closed")
    for sock in socks:
        sock.close()


def test_certificate_comes_with_a_reload(daemon, settings, authority):
    """Whoever has a connection or a session keeps it; a bad pair changes nothing."""
    context = client(authority, version=ssl.TLSVersion.TLSv1_2)
    first = connect(daemon, authority, context=context)
    session, before = first.session, first.getpeercert()["serialNumber"]
    new = authority.issue(NAME, file="new")
    shutil.copy(new[0], settings["tls"]["certificate"])
    daemon.reload(good=False)
    assert "new.pem" not in daemon.tail()
    refused = daemon.log(r"horizond\.conf:\d+: .*dns\.corp\.test\.key is no key to the certificate")
    assert refused, daemon.tail()
    with connect(daemon, authority) as sock:
        assert sock.getpeercert()["serialNumber"] == before
    shutil.copy(new[1], settings["tls"]["key"])
    daemon.reload()
    with connect(daemon, authority) as sock:
        assert sock.getpeercert()["serialNumber"] != before
    with connect(daemon, authority, session=session, context=context) as sock:
        assert sock.session_reused
    assert ask(first, "www.test").data() == ["192.0.2.1"]
    first.close()


def test_ends_with_its_answers(daemon, vpc, authority):
    """SIGTERM: what was asked is answered, and the goodbye is said."""
    from resolvers import answer, later
    vpc.on("slow.test", "A", later(0.3, answer("@ 60 A 192.0.2.9")))
    with connect(daemon, authority) as sock:
        query = wire.build("slow.test")
        sock.sendall(struct.pack("!H", len(query)) + query)
        net.wait_for(lambda: vpc.count("slow.test") == 1, 3, "it is asked")
        daemon.signal(signal.SIGTERM)
        assert wire.parse(query, recv(sock), udp=False).data() == ["192.0.2.9"]
        assert sock.recv(1) == b""
    daemon.process.wait(5)
    daemon.process = None


FAULTS = {
    "no certificate": ({"certificate": ""}, "listens without `certificate`"),
    "no key": ({"key": ""}, "listens without `key`"),
    "missing": ({"certificate": "nowhere.pem"}, "nowhere.pem cannot be read: No such file or directory"),
    "not a certificate": ({"certificate": "horizond.conf"}, "horizond.conf is no certificate in PEM"),
    "port taken": ({"listen": ["127.0.0.1:53"]}, "`tls.listen` has an address of `listen`"),
}


@pytest.mark.parametrize("what", FAULTS)
def test_faults_are_found(tmp_path, pair, what):
    """Each at its line, by -t as by a start or a reload."""
    change, words = FAULTS[what]
    given = {"listen": ["127.0.0.1:8853"], "certificate": str(pair[0]), "key": str(pair[1]), **change}
    file = tmp_path / "horizond.conf"
    file.write_text(horizon.render({"tls": given}), encoding="ascii")
    done = horizon.run("-t", "-c", str(file))
    assert done.returncode == 1 and words in done.stderr, done.stderr
    assert done.stderr.startswith(f"{file}:") and done.stderr.count("\n") == 1


def test_key_must_be_secret(tmp_path, authority):
    cert, key = authority.issue("open.test")
    key.chmod(0o644)
    file = tmp_path / "horizond.conf"
    file.write_text(horizon.render({"tls": {"listen": ["127.0.0.1:8853"], "certificate": str(cert),
                                            "key": str(key)}}), encoding="ascii")
    done = horizon.run("-t", "-c", str(file))
    assert done.returncode == 1 and f":4: {key} is open to others; mode 0600 or 0640" in done.stderr


def test_expired_is_said(launch, settings, authority):
    """It serves those who pin the key; refusing to start would help nobody."""
    cert, key = authority.issue("old.test", days=-1)
    settings["tls"] = {"listen": [f"{net.address()}:853"], "certificate": str(cert), "key": str(key)}
    daemon = launch(settings)
    assert daemon.log("has expired: clients will refuse it; renew it")
    assert certs.pin(cert).startswith("sha256/")
