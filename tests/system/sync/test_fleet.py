"""Followers take zones' copies from a peer over TLS with certificates on both sides, and go to the API without one."""

from __future__ import annotations

import socket
import ssl
import subprocess
import time

import net
import pytest

NAME = "fleet.corp.example"


class Fleet:
    """A CA, and certificates by it."""

    def __init__(self, folder):
        self.folder = folder
        self.ca = self.authority("ca")

    def _openssl(self, *args: str) -> None:
        subprocess.run(["openssl", *args], check=True, capture_output=True, cwd=self.folder)

    def authority(self, name: str) -> str:
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                      f"{name}.key", "-out", f"{name}.pem", "-days", "2", "-subj", f"/CN={name}")
        return str(self.folder / f"{name}.pem")

    def certificate(self, who: str, ca: str = "ca", name: str = NAME) -> tuple[str, str]:
        (self.folder / "ext").write_text(f"subjectAltName=DNS:{name}\n")
        self._openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                      f"{who}.key", "-out", f"{who}.csr", "-subj", f"/CN={who}")
        self._openssl("x509", "-req", "-in", f"{who}.csr", "-CA", f"{ca}.pem", "-CAkey", f"{ca}.key",
                      "-CAcreateserial", "-out", f"{who}.pem", "-days", "2", "-extfile", "ext")
        return str(self.folder / f"{who}.pem"), str(self.folder / f"{who}.key")

    def settings(self, who: str, **more) -> dict:
        certificate, key = self.certificate(who, **{k: more.pop(k) for k in ("ca", "name") if k in more})
        return {"name": NAME, "certificate": certificate, "key": key, "ca": self.ca, **more}


@pytest.fixture
def fleet(tmp_path):
    folder = tmp_path / "certificates"
    folder.mkdir()
    return Fleet(folder)


@pytest.fixture
def member(synced, tmp_path):
    """A daemon of the fleet; env tells whose calls are whose."""
    def make(who: str, peer: dict, zones: list[str], api, ready: bool = True, **route53):
        state = tmp_path / f"state-{who}"
        state.mkdir(exist_ok=True)
        key_id = f"AKID{who.upper()}"
        api.keys[key_id] = type(api.keys["AKIDEXAMPLE"])("secret" + who)
        return synced(zones=zones, ready=ready, more={"state_dir": str(state), "peer": peer},
                      env={"AWS_ACCESS_KEY_ID": key_id, "AWS_SECRET_ACCESS_KEY": "secret" + who}, **route53)
    return make


def listings(api, who: str) -> int:
    return sum(c.operation == "ListResourceRecordSets" and c.key_id == f"AKID{who.upper()}" for c in list(api.calls))


def source(daemon, zone) -> str:
    return next(z["source"] for z in daemon.ctl_json("zones")["zones"] if z["id"] == zone.id)


@pytest.fixture
def leader(fleet, member, api, zone):
    address = f"{net.address()}:8953"
    daemon = member("lead", fleet.settings("lead", listen=[address]), [zone.id], api)
    daemon.serves = address
    return daemon


def test_follower_has_its_zones_from_a_peer(api, fleet, member, leader, zone):
    """The same answers without a call; a change reaches it by the peer."""
    other = api.world.add_zone("alone.example.")
    other.put("www", "A", 60, ["10.0.1.1"])
    follower = member("follow", fleet.settings("follow", **{"from": [leader.serves]}), [zone.id, other.id], api,
                      interval=5)
    net.wait_for(lambda: source(follower, zone) == "peer", 10, "the zone comes from the peer")
    assert follower.ask("www.corp.example").data() == ["10.0.0.1"]
    assert source(follower, other) == "api", "what no peer has is listed"
    before = listings(api, "follow")
    zone.put("www", "A", 60, ["10.0.0.2"])
    follower.wait_answer("www.corp.example", "A", ["10.0.0.2"], 10)
    calls = [c for c in list(api.calls) if c.key_id == "AKIDFOLLOW" and c.params.get("HostedZoneId") == zone.id]
    assert not calls, calls
    assert listings(api, "follow") >= before


def test_api_is_the_fallback(api, fleet, member, leader, zone):
    """The peer ends: told, and after three intervals the zone is listed; it comes back, and is used again."""
    follower = member("follow", fleet.settings("follow", **{"from": [leader.serves]}), [zone.id], api)
    net.wait_for(lambda: source(follower, zone) == "peer", 10, "from the peer")
    leader.stop()
    zone.put("www", "A", 60, ["10.0.0.3"])
    follower.wait_answer("www.corp.example", "A", ["10.0.0.3"], 12)
    assert source(follower, zone) == "api" and follower.log("no peer answers: .*zones are listed from the API")
    leader.start()
    net.wait_for(lambda: source(follower, zone) == "peer", 15, "from the peer again")


def test_second_peer_when_the_first_is_silent(api, fleet, member, leader, zone):
    """One that takes connections and says nothing holds up neither answers nor the other peer for long."""
    silent = socket.create_server((net.address(), 8953))
    follower = member("follow", fleet.settings("follow", **{"from": [
        f"{silent.getsockname()[0]}:8953", leader.serves]}), [zone.id], api)
    net.wait_for(lambda: source(follower, zone) == "peer", 12, "from the second peer")
    assert follower.ask("www.corp.example").data() == ["10.0.0.1"]
    silent.close()


def test_no_peer_at_start(api, fleet, member, zone):
    began = time.monotonic()
    follower = member("follow", fleet.settings("follow", **{"from": [f"{net.address()}:8953"]}), [zone.id],
                      api)
    assert time.monotonic() - began < 8
    assert follower.ask("www.corp.example").data() == ["10.0.0.1"] and source(follower, zone) == "api"


@pytest.mark.parametrize("how", ["other CA", "other name"])
def test_certificates_of_others(api, fleet, member, leader, zone, how):
    """Refused by the server, whatever the client thinks; and the other way round."""
    fleet.authority("evil")
    more = {"ca": "evil"} if how == "other CA" else {"name": "www.corp.example"}
    stranger = fleet.settings("stranger", **more, **{"from": [leader.serves]})
    follower = member("follow", stranger, [zone.id], api)
    net.wait_for(lambda: leader.log("is no peer of ours"), 10, "refused by the server")
    net.wait_for(lambda: follower.log("no peer answers"), 10, "told")
    assert source(follower, zone) == "api"
    if how == "other CA":
        trusting_evil = {**fleet.settings("second", **{"from": [leader.serves]}),
                         "ca": str(fleet.folder / "evil.pem")}
        second = member("second", trusting_evil, [zone.id], api)
        net.wait_for(lambda: second.log("no peer answers: .*(?i:certificate)"), 10, "refused by the client")


def test_server_bounds(fleet, leader, zone):
    """Without a certificate nothing; silent and long requests end; paths lead nowhere else."""
    host, port = leader.serves.split(":")

    def ask(target: str, certificate=None, method: str = "GET") -> bytes:
        context = ssl.create_default_context(cafile=fleet.ca)
        if certificate is not None:
            context.load_cert_chain(*certificate)
        with socket.create_connection((host, int(port)), 5) as plain, \
                context.wrap_socket(plain, server_hostname=NAME) as tls:
            tls.sendall(f"{method} {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            got = b""
            while piece := tls.recv(65536):
                got += piece
            return got

    with pytest.raises(OSError):
        assert ask("/v1/zones")
    mine = fleet.certificate("mine")
    listed = ask("/v1/zones", mine)
    assert listed.startswith(b"HTTP/1.1 200 ") and zone.id.encode() in listed
    assert ask(f"/v1/zones/{zone.id}", mine).startswith(b"HTTP/1.1 200 ")
    for target in ("/", "/v1/zones/", "/v1/zones/../cache", "/v1/zones/" + "Z" * 33, "/v1/zones/" + zone.id + ".zone",
                   "/v1/zones/..%2fcache"):
        assert ask(target, mine).startswith(b"HTTP/1.1 404 "), target
    assert ask("/v1/zones", mine, "POST").startswith(b"HTTP/1.1 400 ")
    # More silent ones than there are threads: those who come after wait, but not for ever.
    silent = [socket.create_connection((host, int(port)), 5) for _ in range(6)]
    assert ask("/v1/zones", mine).startswith(b"HTTP/1.1 200 ")
    for connection in silent:
        connection.close()


def test_damaged_copies_are_not_taken(api, fleet, member, zone, tmp_path):
    """A peer that sends rubbish, more or less than it says: the zone is listed from the API."""
    import http.server
    import threading
    certificate, key = fleet.certificate("liar")
    bodies = iter([b"", b"rubbish" * 1000, b"\0" * 4096])

    class Liar(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = f"{zone.id} {'0' * 15}1 {int(time.time())} {int(time.time())}\n".encode()
            if self.path != "/v1/zones":
                body = next(bodies, b"x")
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Liar)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    follower = member("follow", fleet.settings("follow", **{"from": [f"127.0.0.1:{server.server_port}"]}), [zone.id],
                      api)
    net.wait_for(lambda: len(follower.log("copy is not taken from a peer")) >= 3, 15, "each is refused")
    assert follower.ask("www.corp.example").data() == ["10.0.0.1"] and source(follower, zone) == "api"
    server.shutdown()
