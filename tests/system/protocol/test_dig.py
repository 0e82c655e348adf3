"""dig, as people have it, against the daemon."""

from __future__ import annotations

import re
import subprocess

import net
import pytest

pytestmark = pytest.mark.quick


def dig(server, *args: str) -> str:
    done = subprocess.run(["dig", f"@{server.address}", "-p", str(net.PORT), "+time=3", "+tries=1", *args],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    # What dig itself objects to.
    for warning in ("WARNING", "Question section mismatch", "malformed", "extra bytes", "Got bad packet"):
        assert warning not in done.stdout + done.stderr, done.stdout + done.stderr
    return done.stdout


def status(text: str) -> str:
    return re.search(r"status: (\w+)", text)[1]


def test_short(server):
    assert dig(server, "+short", "www.corp.example") == "10.0.0.1\n"
    assert dig(server, "+short", "+tcp", "www.corp.example", "TXT") == '"hello"\n'


@pytest.mark.parametrize("how", [[], ["+tcp"], ["+noedns"], ["+dnssec"], ["+nocookie"], ["+nsid"], ["+bufsize=512"],
                                 ["+subnet=10.0.0.0/24"], ["+expire"], ["+keepalive", "+tcp"], ["+padding=128"],
                                 ["+zflag"], ["+cdflag", "+adflag"], ["+ednsopt=65001:abcd"]])
def test_every_way_to_ask(server, how):
    text = dig(server, "www.corp.example", *how)
    assert status(text) == "NOERROR" and "10.0.0.1" in text
    assert re.search(r";; flags: qr aa rd ra", text)


def test_verdicts(server):
    assert status(dig(server, "none.corp.example")) == "NXDOMAIN"
    assert status(dig(server, "www.corp.example", "MX")) == "NOERROR"
    assert status(dig(server, "+opcode=NOTIFY", "+noedns", "corp.example", "SOA")) == "NOTIMP"
    assert status(dig(server, "+edns=1", "+noednsnegotiation", "www.corp.example")) == "BADVERS"
    assert status(dig(server, "version.bind", "CH", "TXT")) == "REFUSED"
    assert status(dig(server, "www.corp.example", "ANY")) == "NOERROR"


def test_truncated_comes_again_by_tcp(server):
    text = dig(server, "big.corp.example")
    assert len(re.findall(r"^big\.corp\.example\.\s+60\s+IN\s+A", text, re.M)) == 400
