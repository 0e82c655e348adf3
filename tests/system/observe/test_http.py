"""/metrics, /healthz, /readyz."""

from __future__ import annotations

import http.client
import re
import socket

import pytest
from horizon import parse_metrics
from resolvers import answer, silent

pytestmark = pytest.mark.quick

# CONTRACT, Metrics: name -> labels. Those of the AWS side and of later work are looked at where they arise.
CONTRACT = {
    "horizond_queries_total": {"proto", "may"},
    "horizond_answers_total": {"rcode"},
    "horizond_answers_from_total": {"source"},
    "horizond_answer_seconds_bucket": {"le"},
    "horizond_answer_seconds_sum": set(),
    "horizond_answer_seconds_count": set(),
    "horizond_upstream_queries_total": {"rule", "target"},
    "horizond_upstream_up": {"rule", "target"},
    "horizond_upstream_rtt_seconds": {"rule", "target"},
    "horizond_vpc_packets_total": set(),
    "horizond_vpc_packets_held_total": set(),
    "horizond_cache_bytes": set(),
    "horizond_cache_entries": set(),
    "horizond_zone_age_seconds": {"zone", "id"},
    "horizond_zone_sets": {"zone", "id"},
    "horizond_zone_faults": {"zone", "id"},
    "horizond_zone_held_back": {"zone", "id"},
    "horizond_zone_changed_seconds": {"zone", "id"},
    "horizond_zone_kept": {"zone", "id"},
    "horizond_zone_calls_total": {"zone", "id"},
    "horizond_zone_failures_total": {"zone", "id"},
    "horizond_zone_source": {"zone", "id", "source"},
    "process_resident_memory_bytes": set(),
    "process_start_time_seconds": set(),
    "process_cpu_seconds_total": set(),
}


@pytest.fixture
def daemon(launch, api, vpc, corp):
    zone = api.world.add_zone("zone.test.")
    zone.put("www", "A", 60, ["10.0.0.1"])
    corp.default = answer("@ 60 A 10.0.0.2")
    return launch({"vpc_resolver": [vpc.target],
                   "route53": {"vpc": "", "zones": [zone.id], "region": "eu-west-1"},
                   "rules": [{"type": "FORWARD", "domains": ["corp.test"], "targets": [corp.target]}]},
                  api.environment())


def lint(text: str) -> None:
    """The exposition format, as promtool would look at it."""
    families: dict[str, str] = {}
    seen: set[str] = set()
    current = ""
    for line in text.splitlines():
        assert line == line.strip() and line, repr(line)
        if line.startswith("# HELP "):
            name, help_text = line[7:].split(" ", 1)
            assert name not in families and help_text, line
            families[name] = ""
            current = name
        elif line.startswith("# TYPE "):
            name, kind = line[7:].split(" ")
            assert name == current and kind in ("counter", "gauge", "histogram"), line
            families[name] = kind
            assert (kind == "counter") == name.endswith("_total"), f"{name} is a {kind}"
        else:
            key = line.rsplit(" ", 1)[0]
            assert key not in seen, f"twice: {key}"
            seen.add(key)
            name = re.match(r"[a-zA-Z_:][a-zA-Z0-9_:]*", line)[0]
            family = re.sub(r"_(bucket|sum|count)$", "", name) if families.get(current) == "histogram" else name
            assert family == current, f"{line} stands under {current}"
            assert families[current], f"{current} has no TYPE"
    assert text.endswith("\n")
    parse_metrics(text)


def test_contract_metrics(daemon):
    for name in ("www.zone.test", "none.zone.test", "a.corp.test", "a.corp.test", "www.public.test"):
        daemon.ask(name)
        daemon.ask(name, tcp=True)
    status, text = daemon.http("/metrics")
    assert status == 200
    lint(text)
    metrics = parse_metrics(text)
    for name, labels in CONTRACT.items():
        assert name in metrics, f"no {name}"
        for key in metrics[name]:
            assert {label for label, _ in key} == labels, f"{name}{key}"


def test_numbers_are_right(daemon, corp, vpc):
    daemon.ask("www.zone.test")
    before = daemon.metrics()
    for _ in range(7):
        daemon.ask("www.zone.test")
    for _ in range(3):
        daemon.ask("none.zone.test", tcp=True)
    daemon.ask("x.corp.test")
    for _ in range(4):
        daemon.ask("x.corp.test")
    daemon.ask("pub.test")
    after = daemon.metrics()

    def grown(name: str, **labels: str) -> float:
        wanted = set(labels.items())
        def total(of):
            return sum(v for k, v in of.get(name, {}).items() if wanted <= set(k))
        return total(after) - total(before)
    assert grown("horizond_queries_total", proto="udp", may="all") == 13
    assert grown("horizond_queries_total", proto="tcp") == 3
    assert grown("horizond_answers_total", rcode="NOERROR") == 12
    assert grown("horizond_answers_total", rcode="NXDOMAIN") == 4
    assert grown("horizond_answers_from_total", source="static") == 10
    assert grown("horizond_answers_from_total", source="cache") == 4
    assert grown("horizond_answers_from_total", source="upstream") == 2
    assert grown("horizond_answer_seconds_count") == 16
    probes = grown("horizond_upstream_probes_total", target=corp.target)  # of loops, soon after the start
    assert grown("horizond_upstream_queries_total", target=corp.target) - probes == 1
    assert grown("horizond_vpc_packets_total") == 1
    assert grown("horizond_cache_entries") == 2
    zone = dict(next(iter(after["horizond_zone_sets"])))
    assert zone["zone"].rstrip(".") == "zone.test" and zone["id"].startswith("Z")
    assert after["horizond_zone_sets"].popitem()[1] == 3
    assert 0 <= after["horizond_zone_age_seconds"].popitem()[1] < 30
    calls = after["horizond_api_calls_total"]
    assert {"service", "operation", "result"} == {k for k, _ in next(iter(calls))}
    assert any(dict(k)["operation"] == "ListResourceRecordSets" for k in calls)


def test_refusals_and_drops_are_counted(daemon):
    import wire
    daemon.udp(b"short", timeout=0.1)
    daemon.udp(wire.header(flags=0x8180) + wire.question(), timeout=0.1)
    daemon.udp(wire.header(qd=2) + wire.question())
    assert daemon.metric("horizond_dropped_total") >= 2
    assert daemon.metric("horizond_answers_total", rcode="FORMERR") == 1


def test_failures_of_upstreams_are_counted(daemon, corp):
    corp.default = silent()
    daemon.ask("silent.corp.test")
    failures = daemon.metrics()["horizond_upstream_failures_total"]
    assert any(dict(k)["target"] == corp.target and "reason" in dict(k) and v >= 1 for k, v in failures.items())


def test_names_from_clients_stay_out(daemon):
    """T38: octets that would break a page or a log line come back neither in labels nor raw in the log."""
    import wire
    daemon.ctl("log", "debug", code=None)
    for label in (b'"\n} 1\n', b"\x1b[31m", b"%n%s%s", b"\0\x80\xff", b"a\r\nb"):
        packet = wire.header() + bytes([len(label)]) + label + b"\4corp\4test\0\0\1\0\1"
        assert daemon.udp(packet) is not None
    lint(daemon.http("/metrics")[1])
    assert not [line for line in daemon.lines if re.search(r"[\x00-\x08\x0b-\x1f\x7f]", line)]


def test_paths(daemon):
    for path, status in (("/healthz", 200), ("/readyz", 200), ("/metrics", 200), ("/", 404), ("/other", 404)):
        got, text = daemon.http(path)
        assert got in (status, 400) if status == 404 else got == status, path
    connection = http.client.HTTPConnection(daemon.address, 9153, timeout=3)
    connection.request("POST", "/metrics", body=b"x" * 100)
    assert connection.getresponse().status in (404, 405, 501)


def test_http_stands_rubbish(daemon):
    before = daemon.rss_kb
    held = []
    for i in range(100):
        sock = socket.create_connection((daemon.address, 9153), 2)
        try:
            sock.send([b"GET /metrics", b"G" * 200_000, b"\0\xff\r\n\r\n", b"GET / HTTP/1.1\r\nContent-Length: 999999999999\r\n\r\n"][i % 4])
        except OSError:
            pass
        held.append(sock)
    assert daemon.http("/healthz")[0] == 200
    for sock in held:
        sock.close()
    assert daemon.rss_kb < before + 40_000


def test_not_ready_without_a_way_out(launch, vpc, corp):
    """Every target of the default way is down: 503; ready again when it is back."""
    import net
    vpc.default = answer("@ 60 A 10.0.0.1")
    made = launch({"vpc_resolver": [vpc.target]})
    vpc.mute = True
    count = iter(range(1000))

    def not_ready():
        made.ask(f"n{next(count)}.test")
        return made.http("/readyz")[0] == 503
    net.wait_for(not_ready, 20, "/readyz says 503 when the VPC resolver is dead")
    assert made.http("/healthz")[0] == 200
    vpc.mute = False

    def ready():
        made.ask(f"n{next(count)}.test")
        return made.http("/readyz")[0] == 200
    net.wait_for(ready, 15, "/readyz says 200 again")


def test_query_log(launch, vpc):
    vpc.default = answer("@ 60 A 10.0.0.1")
    made = launch({"vpc_resolver": [vpc.target], "log": {"level": "info", "queries": True}})
    made.ask("logged.example.test")
    made.ask("logged.example.test", "TXT", tcp=True)
    import net
    lines = net.wait_for(lambda: len(found := made.log("logged.example.test")) >= 2 and found, 3, "a line each")
    assert len(lines) == 2 and "127.0.0.1" in lines[0]
