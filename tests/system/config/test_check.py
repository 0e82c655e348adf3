"""horizond -t and -T: every fault at once, with file, line, and what would be right."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from horizon import run

pytestmark = pytest.mark.quick
FAULT = re.compile(r"^(/[^:]+):(\d+): (.+)$")


@pytest.fixture
def check(tmp_path):
    """Writes a file, runs horizond -t on it: (exit status, [(file name, line, text)])."""
    def look(text: str, option: str = "-t"):
        file = tmp_path / "horizond.conf"
        file.write_text(text, encoding="utf-8")
        done = run(option, "-c", str(file))
        faults = []
        for line in done.stderr.splitlines():
            match = FAULT.match(line)
            assert match, f"not FILE:LINE: TEXT: {line}"
            faults.append((os.path.basename(match[1]), int(match[2]), match[3]))
        return done.returncode, faults
    return look


def test_empty_file_is_good(check):
    assert check("") == (0, [])


def test_contract_example_is_good(tmp_path):
    """Every key that the contract names, as it names it."""
    text = CONTRACT_KEYS.replace("@ZONES@", "")
    file = tmp_path / "horizond.conf"
    file.write_text(text, encoding="utf-8")
    done = run("-t", "-c", str(file))
    assert (done.returncode, done.stderr) == (0, "")


CONTRACT_KEYS = """
listen         = [ "127.0.0.1", "::1" ];
workers        = 0;
user           = "";
state_dir      = "/var/lib/horizond";
include_dir    = "";
vpc_resolver   = [ "169.254.169.253" ];
vpc_packet_rate = 900;
vpc_cidrs      = [ ];
version        = "";  server_id = "";
route53 = {
  vpc          = "auto";
  region       = "auto";
  zones        = [ ];
  interval     = 60;
  min_interval = 5;
  rate         = 2.0;
  endpoint     = "";
  queue        = "";
  public_fallback = [ ];
  public_resolver = [ ];
  roles = ( { role_arn = "arn:aws:iam::111122223333:role/x"; external_id = ""; accounts = [ "111122223333" ]; zones = [ ]; } );
  guard = { max_loss = 30; min_sets = 10; };
};
zone_files     = [ @ZONES@ ];
rules = (
  { type = "FORWARD"; domains = [ "corp.example.com", "10.0.0.0/8" ];
    targets = [ "10.200.0.53", "10.200.1.53:53" ];
    policy = "fastest";
    max_inflight = 1000; probe = "corp.example.com SOA"; tls = ""; source = ""; },
  { type = "SYSTEM"; domains = [ "aws.corp.example.com" ]; }
);
clients = (
  { from = [ "10.0.0.0/16" ]; may = "all"; rate = 0; },
  { from = [ "10.200.0.0/15" ]; may = "zones"; },
  { from = [ "0.0.0.0/0", "::/0" ]; may = "nothing"; }
);
cache   = { size = "64M"; min_ttl = 0; max_ttl = 86400; max_negative_ttl = 60; serve_stale = 86400; stale_after_ms = 800; persist = true; };
tcp     = { max_connections = 10000; max_per_client = 100; idle = 10; };
parity  = { enabled = false; rate = 1; fallback = false; };
peer    = { listen = [ "10.0.0.10" ]; from = [ "10.0.0.11:8953" ]; name = "horizond"; certificate = "/etc/c.pem"; key = "/etc/k.pem"; ca = "/etc/a.pem"; };
metrics = { listen = "127.0.0.1:9153"; };
control = "/run/horizond/control";
log     = { level = "info"; queries = false; };
"""


def test_all_faults_at_once_sorted(check):
    code, faults = check("""# 1
workrs = 2;
listen = [ "127.0.0.1", "not an address" ];
cache = {
  size = "64Q";
  min_tl = 3;
};
rules = (
  { type = "FORWARD"; domains = [ "corp.example" ]; },
  { type = "FORWART"; domains = [ "x.example" ]; targets = [ "10.0.0.1" ]; }
);
log = { level = "chatty"; };
""")
    assert code == 1
    assert [line for _, line, _ in faults] == sorted(line for _, line, _ in faults)
    assert {line for _, line, _ in faults} == {2, 3, 5, 6, 9, 10, 12}
    by_line = {line: text for _, line, text in faults}
    assert "workers" in by_line[2] and "min_ttl" in by_line[6], "the nearest known key"
    assert "targets" in by_line[9] and "FORWARD" in by_line[10] and "info" in by_line[12]


@pytest.mark.parametrize("text, line, word", [
    ("listen = [ ];", 1, "listen"),
    ("listen = \"127.0.0.1\";", 1, "listen"),
    ("workers = -1;", 1, "workers"),
    ("workers = \"two\";", 1, "workers"),
    ("\n\nvpc_packet_rate = -3;", 3, "vpc_packet_rate"),
    ("tcp = { idle = 0; };", 1, "idle"),
    ("route53 = { interval = 0; };", 1, "interval"),
    ("route53 = { rate = 0.0; };", 1, "rate"),
    ("cache = { max_ttl = -5; };", 1, "max_ttl"),
    ("clients = ( { from = [ \"10.0.0.0/33\" ]; may = \"all\"; } );", 1, "10.0.0.0/33"),
    ("clients = ( { from = [ \"10.0.0.0/8\" ]; may = \"everything\"; } );", 1, "all"),
    ("rules = ( { type = \"FORWARD\"; domains = [ \"a..b\" ]; targets = [ \"10.0.0.1\" ]; } );", 1, "a..b"),
    ("rules = ( { type = \"FORWARD\"; domains = [ \"a.b\" ]; targets = [ \"10.0.0.1:99999\" ]; } );", 1, "99999"),
    ("rules = ( { type = \"SYSTEM\"; domains = [ \"a.b\" ]; targets = [ \"10.0.0.1\" ]; } );", 1, "SYSTEM"),
    ("rules = ( { type = \"FORWARD\"; domains = [ \"a.b\" ]; targets = [ \"10.0.0.1\" ]; },\n"
     "{ type = \"SYSTEM\"; domains = [ \"A.B.\" ]; } );", 2, "a.b"),
    ("metrics = { listen = \"here\"; };", 1, "here"),
])
def test_one_fault(check, text, line, word):
    code, faults = check(text)
    assert code == 1 and len(faults) == 1, faults
    assert faults[0][1] == line and word.lower() in faults[0][2].lower()


def test_syntax_error(check):
    code, faults = check("workers = 2;\nlisten = [ \"127.0.0.1\" ;\n")
    assert code == 1 and len(faults) == 1 and faults[0][1] in (2, 3)


def test_missing_file(tmp_path):
    done = run("-t", "-c", str(tmp_path / "none.conf"))
    assert done.returncode == 1 and "none.conf" in done.stderr


def test_faults_of_included_files(check, tmp_path):
    """In the file in which they stand."""
    (tmp_path / "rules.d").mkdir()
    (tmp_path / "rules.d" / "b.conf").write_text('rules = (\n { type = "FORWARD"; domians = [ "x" ]; } );\n')
    (tmp_path / "rules.d" / "a.conf").write_text("\nclients = ( { from = [ \"bad\" ]; may = \"all\"; } );\n")
    (tmp_path / "more.inc").write_text("\n\nworkrs = 1;\n")
    code, faults = check('include_dir = "rules.d";\n@include "more.inc"\n')
    assert code == 1
    assert ("more.inc", 3) in [f[:2] for f in faults] and ("a.conf", 2) in [f[:2] for f in faults]
    assert any(f[0] == "b.conf" and f[1] == 2 and "domains" in f[2] for f in faults)


def test_print_is_a_fixed_point(tmp_path):
    """-T prints what was understood; read again it prints the same."""
    first = tmp_path / "first.conf"
    first.write_text(CONTRACT_KEYS.replace("@ZONES@", '"z.json"'), encoding="utf-8")
    (tmp_path / "z.json").write_text("{}")
    printed = run("-T", "-c", str(first))
    assert printed.returncode == 0, printed.stderr
    assert "10.200.1.53" in printed.stdout and "max_negative_ttl" in printed.stdout
    second = tmp_path / "second.conf"
    second.write_text(printed.stdout, encoding="utf-8")
    again = run("-T", "-c", str(second))
    assert again.returncode == 0 and again.stdout == printed.stdout


def test_usage():
    for args in (["-x"], ["-c"], ["extra"], ["-c", "f", "extra"]):
        done = run(*args)
        assert done.returncode == 2 and done.stderr, args


def test_start_with_a_bad_file(tmp_path):
    file = tmp_path / "bad.conf"
    file.write_text("workrs = 1;\n")
    done = run("-c", str(file))
    assert done.returncode == 1 and done.stderr.startswith(f"{file}:1: ")


def test_start_where_something_listens(tmp_path):
    """The port is taken: one line that names it, exit 1."""
    import net
    import socket
    address = net.address()
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp, \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind((address, net.PORT))
        tcp.bind((address, net.PORT))
        tcp.listen()
        file = tmp_path / "c.conf"
        file.write_text(f'listen = [ "{address}:{net.PORT}" ]; metrics = {{ listen = ""; }}; control = ""; '
                        f'state_dir = "{tmp_path}/s";\n')
        done = run("-c", str(file))
        assert done.returncode == 1 and address in done.stderr


def test_example_files_are_good():
    """What is installed as an example is right, and explains every key."""
    from horizon import TOP
    examples = [p for p in (TOP / "conf").glob("*.conf*") if p.suffix != ".in"]
    assert examples, "conf/ holds the example configuration"
    keys = set(re.findall(r"(\w+)\s*=", CONTRACT_KEYS))
    for path in examples:
        copy = path.read_text(encoding="utf-8")
        done = run("-t", "-c", str(path))
        assert done.returncode == 0, done.stderr
        if path.name.startswith("horizond"):
            missing = {key for key in keys if not re.search(rf"\b{key}\b", copy)}
            assert not missing, f"{path.name} does not explain {missing}"
        assert Path(path).stat().st_mode & 0o022 == 0
