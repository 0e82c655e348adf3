"""Names that never leave the machine: localhost and the loopback's reverse names (RFC 6761)."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("name, rtype, data", [
    ("localhost", "A", ["127.0.0.1"]),
    ("localhost", "AAAA", ["::1"]),
    ("LocalHost", "A", ["127.0.0.1"]),
    ("any.localhost", "A", ["127.0.0.1"]),
    ("1.0.0.127.in-addr.arpa", "PTR", ["localhost."]),
    ("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa", "PTR", ["localhost."]),
])
def test_answered_here(server, vpc_module, name, rtype, data):
    vpc_module.forget()
    answer = server.ask(name, rtype)
    assert answer.rcode == "NOERROR" and answer.data() == data
    assert vpc_module.names() == []


def test_no_data_and_no_name(server, vpc_module):
    vpc_module.forget()
    answer = server.ask("localhost", "MX")
    assert answer.rcode == "NOERROR" and not answer.data()
    assert server.ask("9.9.9.127.in-addr.arpa", "PTR").rcode in ("NXDOMAIN", "NOERROR")
    assert vpc_module.names() == []


def test_who_may_not_ask(launch, vpc, tmp_path):
    from standin import World
    zone = World().add_zone("corp.example.")
    zone.put("www", "A", 60, ["10.0.0.1"])
    zone.put("out", "CNAME", 60, ["public.test."])
    from resolvers import answer
    vpc.on("public.test", "A", answer("@ 60 A 192.0.2.1"))
    daemon = launch({"zone_files": [zone.save(tmp_path / "z.json")], "vpc_resolver": [vpc.target],
                     "clients": [{"from": ["127.0.0.0/8"], "may": "nothing"},
                                 {"from": ["127.0.0.1/32"], "may": "all"},
                                 {"from": ["127.9.0.0/16"], "may": "zones"}]})
    for tcp in (False, True):
        # A forwarded answer in the cache changes nothing for those who may not have it.
        assert daemon.ask("public.test", tcp=tcp).data() == ["192.0.2.1"]
        assert daemon.ask("www.corp.example", tcp=tcp, source="127.9.1.1").data() == ["10.0.0.1"]
        assert daemon.ask("out.corp.example", tcp=tcp, source="127.9.1.1").data("A") == ["192.0.2.1"]
        assert daemon.ask("nothing.corp.example", tcp=tcp, source="127.9.1.1").rcode == "NXDOMAIN"
        assert daemon.ask("public.test", tcp=tcp, source="127.9.1.1").rcode == "REFUSED"
        for name in ("www.corp.example", "public.test", "localhost"):
            refused = daemon.ask(name, tcp=tcp, source="127.8.1.1", edns=True)
            assert refused.rcode == "REFUSED" and not refused.data()
            assert [code for code, _ in refused.ede] == [18], "prohibited (RFC 8914)"
