"""Questions to targets by TLS (RFC 7858): to whom they should go, or not at all."""

from __future__ import annotations

import socket
import subprocess

import certs
import net
import pytest
import servers
import wire
from resolvers import Scripted, answer, later, silent

GOOD = answer("@ 60 A 10.0.0.1")
NAME = "dns.corp.test"


@pytest.fixture
def made():
    """Scripted servers with TLS, stopped at the end."""
    found: list[Scripted] = []

    def make(cert_and_key, **how) -> Scripted:
        found.append(Scripted(tls=Scripted.tls_with(*cert_and_key), **how))
        return found[-1]
    yield make
    for server in found:
        server.stop()


@pytest.fixture
def daemon_for(launch, vpc, authority):
    """A daemon that sends corp.test to these targets by TLS, and trusts the test's CA."""
    def start(tls: str, *targets: Scripted, **more):
        return launch({"vpc_resolver": [vpc.target], "workers": 1, "rules": [
            {"type": "FORWARD", "domains": ["corp.test"], "targets": [t.target for t in targets],
             "policy": "ordered", "tls": tls}], **more}, env={"SSL_CERT_FILE": str(authority.file)})
    return start


def _padded(seen) -> bool:
    return len(seen.wire) % 128 == 0 and any(o.otype == 12 for o in seen.msg.options)


def test_by_name_and_never_in_clear(daemon_for, made, authority):
    server = made(authority.issue(NAME), default=GOOD)
    daemon = daemon_for(NAME, server)
    for i in range(50):
        assert daemon.ask(f"n{i}.corp.test").data() == ["10.0.0.1"]
    assert server.count(proto="udp") == 0
    assert server.count(proto="tcp") == 50 and server.tcp_connections == 1
    assert all(_padded(seen) for seen in server.seen), "RFC 8467: blocks of 128 octets"
    up = daemon.ctl_json("upstreams")["upstreams"]
    assert [u["up"] for u in up if u["rule"] == "corp.test"] == [True]
    assert daemon.metric("horizond_upstream_rtt_seconds", rule="corp.test") > 0


def test_by_key(daemon_for, made, tmp_path):
    """Whoever signed it; two keys so that one may be changed for the other."""
    other = certs.Authority(tmp_path / "other")
    first, second = other.issue(NAME), other.issue("x.test", days=-1)
    server = made(second, default=GOOD)
    daemon = daemon_for(f"{certs.pin(first[0])} {certs.pin(second[0])}", server)
    assert daemon.ask("a.corp.test").data() == ["10.0.0.1"]


WRONG = {
    "other name": (lambda ca: ca.issue("other.test"), NAME, "is for other.test, not for dns.corp.test"),
    "expired": (lambda ca: ca.issue(NAME, days=-1, file="old"), NAME, "has expired: renew it"),
    "unknown CA": (lambda ca: certs.Authority(ca.folder / "foreign").issue(NAME), NAME, "add its CA"),
    "other key": (lambda ca: ca.issue(NAME), "sha256/" + "A" * 43 + "=", "its key is sha256/"),
    "name right, key wrong": (lambda ca: ca.issue(NAME), NAME + " sha256/" + "A" * 43 + "=",
                              "its key is sha256/"),
}


@pytest.mark.parametrize("what", WRONG)
def test_whom_we_do_not_trust(daemon_for, made, authority, what):
    """Nothing is asked of it; the next target is. One line says what to do."""
    issue, tls, words = WRONG[what]
    server = made(issue(authority), default=GOOD)
    daemon = daemon_for(tls, server)
    got = daemon.ask("a.corp.test", edns=True)
    assert got.rcode == "SERVFAIL" and got.took < 1.8
    assert any("TLS failed" in text for _, text in got.ede)
    assert server.count() == 0
    lines = daemon.log(r"forward: .*by TLS: ")
    assert len(lines) == 1 and words in lines[0], daemon.tail()
    assert daemon.metric("horizond_upstream_failures_total", rule="corp.test", reason="tls") > 0


def test_untrusted_goes_to_the_next(daemon_for, made, authority):
    bad, good = made(authority.issue("other.test"), default=GOOD), made(authority.issue(NAME), default=GOOD)
    daemon = daemon_for(NAME, bad, good)
    took = []
    for i in range(10):
        got = daemon.ask(f"n{i}.corp.test")
        assert got.data() == ["10.0.0.1"]
        took.append(got.took)
    assert max(took) < 0.8 and bad.count() == 0
    assert bad.tcp_connections <= 10


def test_server_in_clear(daemon_for, corp, made, authority):
    """It answers in clear on that port: not believed, and told apart."""
    corp.default = GOOD
    daemon = daemon_for(NAME, corp)
    assert daemon.ask("a.corp.test").rcode == "SERVFAIL"
    assert corp.count(proto="udp") == 0
    net.wait_for(lambda: daemon.log("does it speak TLS|does not speak TLS"), 5, "the log says so")


def test_session_is_resumed(daemon_for, made, authority):
    """A new connection to a server that was spoken to costs no certificates."""
    server = made(authority.issue(NAME), default=GOOD)
    daemon = daemon_for(NAME, server)
    assert daemon.ask("first.corp.test").data() == ["10.0.0.1"]
    for i in range(5):
        server.stop()
        server.start()
        assert daemon.ask(f"n{i}.corp.test").data() == ["10.0.0.1"]
    assert server.tcp_connections == 6 and server.resumed == 5


def test_many_at_once_in_any_order(daemon_for, made, authority):
    server = made(authority.issue(NAME))
    for i in range(200):
        server.on(f"n{i}.corp.test", "A", later((i * 7 % 50) / 500, answer(f"@ 60 A 10.0.2.{i}")))
    daemon = daemon_for(NAME, server)
    asked = {i: wire.build(f"n{i}.corp.test", qid=i) for i in range(200)}
    with daemon.connect(timeout=6) as tcp:
        tcp.send(*asked.values())
        replies = [tcp.recv() for _ in asked]
    for reply in replies:
        i = int.from_bytes(reply[:2], "big")
        assert wire.parse(asked[i], reply, udp=False).data() == [f"10.0.2.{i}"]
    assert server.tcp_connections <= 2


def test_silent_after_the_handshake(daemon_for, made, authority):
    """The connection is there, and nobody answers: like any silent target."""
    dead, good = made(authority.issue(NAME), default=silent()), made(authority.issue(NAME), default=GOOD)
    daemon = daemon_for(NAME, dead, good)
    for i in range(8):
        got = daemon.ask(f"n{i}.corp.test")
        assert got.data() == ["10.0.0.1"] and got.took < 1.2
    assert daemon.ask("last.corp.test").took < 0.2, "it is known to be down"


def test_handshake_never_ends(daemon_for, corp, made, authority):
    """Whoever takes the connection and says nothing holds up nobody for long (T42)."""
    with socket.create_server((net.address(), net.PORT), backlog=200) as deaf:
        class Deaf:
            target = f"{deaf.getsockname()[0]}:{net.PORT}"
        good = made(authority.issue(NAME), default=GOOD)
        daemon = daemon_for(NAME, Deaf, good)
        before = daemon.descriptors()
        for i in range(12):
            got = daemon.ask(f"n{i}.corp.test")
            assert got.data() == ["10.0.0.1"] and got.took < 1.2
        assert daemon.descriptors() - before < 12, "they share the connection that is being made"


def test_unbound(daemon_for, authority, tmp_path):
    """A real one, by its name; long answers come whole, and by one connection."""
    cert, key = authority.issue(NAME)
    server = servers.Unbound(tmp_path / "unbound", "corp.test", [
        "corp.test. 60 IN SOA ns.corp.test. root.corp.test. 1 2 3 4 60",
        "www.corp.test. 60 IN A 10.0.0.7",
        *[f'big.corp.test. 60 IN TXT "{i:03d} {"x" * 200}"' for i in range(100)]],
        more=f'server:\n  interface: {net.address()}@{net.PORT}')
    tls_address = net.address()
    config = tmp_path / "unbound" / "unbound.conf"
    config.write_text(config.read_text(encoding="utf-8") +
                      f'server:\n  interface: {tls_address}@853\n  tls-port: 853\n'
                      f'  tls-service-pem: "{cert}"\n  tls-service-key: "{key}"\n', encoding="utf-8")
    server.start()
    try:
        class Target:
            target = tls_address  # the port is that of DNS over TLS
        daemon = daemon_for(NAME, Target)
        assert daemon.ask("www.corp.test").data() == ["10.0.0.7"]
        assert len(daemon.ask("big.corp.test", "TXT", tcp=True).data()) == 100
        assert daemon.ask("nothing.corp.test").rcode == "NXDOMAIN"
        assert f"{tls_address}:853" in daemon.ctl("upstreams")
    finally:
        server.stop()


def test_bind(daemon_for, authority, tmp_path):
    """Another real one, by its key; AD's kind of names as well."""
    cert, key = authority.issue("bind.test")
    with socket.create_server(("127.0.0.1", 0)) as free:  # named listens on addresses of interfaces alone
        port = free.getsockname()[1]
    (tmp_path / "hints").write_text(". 60 NS l.\nl. 60 A 127.0.0.2\n", encoding="ascii")
    (tmp_path / "zone").write_text(
        "$TTL 60\n@ SOA ns root 1 2 3 4 60\n@ NS ns\nns A 10.0.0.1\nwww A 10.0.0.8\n"
        "_ldap._tcp.dc._msdcs SRV 0 100 389 dc1\nx TYPE65280 \\# 3 010203\n", encoding="ascii")
    (tmp_path / "named.conf").write_text(f"""
        options {{ directory "{tmp_path}"; pid-file none; session-keyfile none; listen-on-v6 {{ none; }};
            listen-on port {port} tls x {{ 127.0.0.1; }};
            recursion no; dnssec-validation no; }};
        controls {{ }};
        tls x {{ cert-file "{cert}"; key-file "{key}"; }};
        zone "." {{ type hint; file "hints"; }};
        zone "corp.test" {{ type primary; file "zone"; }};""", encoding="ascii")
    with open(tmp_path / "named.log", "wb") as log, subprocess.Popen(
            ["/usr/sbin/named", "-g", "-4", "-n", "1", "-c", str(tmp_path / "named.conf")], stderr=log) as named:
        try:
            class Target:
                target = f"127.0.0.1:{port}"
            net.wait_for(lambda: not net.is_free("127.0.0.1", port), 10, "named listens")
            daemon = daemon_for(certs.pin(cert), Target)
            assert daemon.ask("www.corp.test").data() == ["10.0.0.8"]
            assert daemon.ask("_ldap._tcp.dc._msdcs.corp.test", "SRV").data() == ["0 100 389 dc1.corp.test."]
            assert daemon.ask("x.corp.test", "TYPE65280").data() == ["\\# 3 010203"]
            for i in range(100):
                assert daemon.ask(f"n{i}.corp.test").rcode == "NXDOMAIN"
            assert daemon.metric("horizond_upstream_failures_total", rule="corp.test") == 0
        finally:
            named.terminate()


def test_new_ca_with_a_reload(launch, vpc, made, authority, tmp_path):
    """The CA comes into the system's store later: a reload will do."""
    import shutil
    trusted = tmp_path / "trusted.pem"
    shutil.copy(certs.Authority(tmp_path / "foreign").file, trusted)
    server = made(authority.issue(NAME), default=GOOD)
    settings = {"vpc_resolver": [vpc.target], "rules": [
        {"type": "FORWARD", "domains": ["corp.test"], "targets": [server.target], "tls": NAME}]}
    daemon = launch(settings, env={"SSL_CERT_FILE": str(trusted)})
    assert daemon.ask("a.corp.test").rcode == "SERVFAIL"
    shutil.copy(authority.file, trusted)
    daemon.reload()
    daemon.wait_answer("b.corp.test", "A", ["10.0.0.1"])


def test_from_clear_to_tls_with_a_reload(launch, vpc, made, authority):
    server = made(authority.issue(NAME), default=GOOD)
    rule = {"type": "FORWARD", "domains": ["corp.test"], "targets": [server.target]}
    daemon = launch({"vpc_resolver": [vpc.target], "rules": [rule]},
                    env={"SSL_CERT_FILE": str(authority.file)})
    assert daemon.ask("a.corp.test").data() == ["10.0.0.1"] and server.count(proto="udp") == 1
    daemon.reload({"vpc_resolver": [vpc.target], "rules": [{**rule, "tls": NAME}]})
    for i in range(20):
        assert daemon.ask(f"n{i}.corp.test").data() == ["10.0.0.1"]
    assert server.count(proto="udp") == 1
