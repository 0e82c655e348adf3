"""register and deregister: what is written, what is asked, and what is left alone."""

from __future__ import annotations

import json
import shutil
import time

import fleet
import pytest


def calls(api, *names: str) -> list:
    return [call for call in api.calls if call.operation in names] if names else list(api.calls)


def test_first_boot(tool, api, machine, private, public, reverse):
    tool("register")
    name = f"{machine.id}.web.corp.example."
    [(_, rtype, identifier)] = [key for key in fleet.own(private)]
    found = fleet.IDENTIFIER.fullmatch(identifier)
    assert rtype == "A" and found.groups()[:4] == ("web", fleet.ACCOUNT, "eu-west-1", machine.id)
    assert abs(int(found[5]) - time.time()) < 60
    stored = private.sets[(name, "A", identifier)]
    assert stored["MultiValueAnswer"] is True and stored["TTL"] == 60
    assert fleet.own(private)[(name, "A", identifier)] == ["10.0.0.4"]
    # The public mark says nothing of the inside.
    name = f"{machine.id}.web.example.com."
    assert fleet.own(public)[(name, "A", "")] == ["203.0.113.9"]
    [mark] = fleet.own(public)[("_hz." + name, "TXT", "")]
    assert fleet.MARK.fullmatch(mark)[1] == "web" and fleet.MARK.fullmatch(mark)[6]
    assert fleet.own(reverse)[("4.0.0.10.in-addr.arpa.", "PTR", "")] == [f"{machine.id}.web.corp.example."]
    [mark] = fleet.own(reverse)[("_hz.4.0.0.10.in-addr.arpa.", "TXT", "")]
    assert fleet.MARK.fullmatch(mark)[4] == machine.id
    # One look and one change a zone; never UPSERT.
    assert len(calls(api, "GetHostedZone")) == 3 and len(calls(api, "ChangeResourceRecordSets")) == 3
    assert len(api.calls) == 6
    fleet.check_marks(private, public, reverse)


def test_twice_is_once(tool, api, private, public, reverse):
    tool("register")
    before = [fleet.own(zone) for zone in (private, public, reverse)]
    api.calls.clear()
    for _ in range(3):
        tool("register")
    assert [fleet.own(zone) for zone in (private, public, reverse)] == before
    assert not calls(api, "ChangeResourceRecordSets", "GetHostedZone")
    assert len(api.calls) <= 3 * 2


def test_what_somebody_removed_comes_back(tool, private, public, reverse):
    tool("register")
    before = [fleet.own(zone) for zone in (private, public, reverse)]
    for zone in (private, public, reverse):
        for key in list(fleet.own(zone)):
            zone.remove(*key)
    for _ in range(2):
        tool("register")
    assert [fleet.own(zone) for zone in (private, public, reverse)] == before


def test_deregister_takes_exactly_its_own(tool, private, public, reverse):
    for zone, name in ((private, "other.web.corp.example."), (public, "www.example.com.")):
        zone.put(name, "A", 60, ["192.0.2.7"])
    foreign = [fleet.own(zone) for zone in (private, public, reverse)]
    tool("register")
    done = tool("deregister")
    assert done.seconds < 5 and done.out.count("\n- ") + done.out.startswith("- ") == 5
    assert [fleet.own(zone) for zone in (private, public, reverse)] == foreign
    tool("deregister")


def test_deregister_when_the_address_is_gone(tool, metadata, private, public, reverse):
    tool("register")
    for path in ("public-ipv4", "local-ipv4"):
        metadata.paths.pop(path)
    tool("deregister")
    assert not any(fleet.own(zone) for zone in (private, public, reverse))


@pytest.mark.parametrize("reason,private_stays,public_stays", [
    ("reboot", True, True), ("stop", True, False), ("terminate", False, False)])
def test_reasons(tool, private, public, reverse, reason, private_stays, public_stays):
    tool("register")
    tool("deregister", "--reason", reason)
    assert (bool(fleet.own(private)), bool(fleet.own(reverse))) == (private_stays, private_stays)
    assert bool(fleet.own(public)) == public_stays
    tool("register")
    assert all(fleet.own(zone) for zone in (private, public, reverse))
    fleet.check_marks(private, public, reverse)


@pytest.mark.parametrize("job,state,left", [
    ("reboot.target start waiting", "", (True, True)), ("kexec.target start waiting", "", (True, True)),
    ("poweroff.target start waiting", "", (True, False)), ("halt.target start waiting", "", (True, False)),
    ("poweroff.target start waiting", "Terminated", (False, False)),
    ("poweroff.target start waiting", "Warmed:Stopped", (True, False)),
    ("ssh.service restart waiting", "", (False, False))])
def test_reason_auto(tool, metadata, private, public, job, state, left):
    if state:
        metadata.paths["autoscaling/target-lifecycle-state"] = state
    tool.jobs("12 sysinit.target stop waiting", "  3 " + job)
    tool("register")
    tool("deregister", "--reason", "auto")
    assert (bool(fleet.own(private)), bool(fleet.own(public))) == left


def test_spot_that_ends(tool, metadata, private):
    metadata.paths["spot/instance-action"] = json.dumps({"action": "terminate", "time": "2026-01-02T03:04:05Z"})
    tool.jobs("3 poweroff.target start waiting")
    tool("register")
    tool("deregister")
    assert not fleet.own(private)


def test_address_changes(tool, api, metadata, machine, private, public, reverse):
    tool("register")
    [old] = [key for key in fleet.own(private)]
    machine.private, machine.public = "10.0.0.77", "203.0.113.77"
    metadata.become(machine)
    api.calls.clear()
    tool("register")
    assert fleet.own(private) == {old: ["10.0.0.77"]}  # the boot stamp stays, too
    assert fleet.own(public)[(f"{machine.id}.web.example.com.", "A", "")] == ["203.0.113.77"]
    assert {key[0] for key in fleet.own(reverse)} == {"77.0.0.10.in-addr.arpa.", "_hz.77.0.0.10.in-addr.arpa."}
    assert len(calls(api, "ChangeResourceRecordSets")) == 3 == len(api.calls)
    fleet.check_marks(private, public, reverse)


def test_foreign_simple_record(tool, machine, private, public, reverse):
    """A hand-made record of the same name: nothing of it changes, the other records are written."""
    private.put(f"{machine.id}.web.corp.example.", "A", 300, ["192.0.2.1"])
    before = fleet.own(private)
    done = tool("register", status=1)
    [line] = [line for line in done.err.splitlines() if line.startswith("horizon-aws: ")]
    assert "192.0.2.1" in line and "without a mark" in line and machine.id in line and "Z0PRIVATE" in line
    assert fleet.own(private) == before and fleet.own(public) and fleet.own(reverse)
    tool("deregister")
    assert fleet.own(private) == before


def test_foreign_mark(tool, another, records, private, reverse):
    """Two instances with one name in txt mode: the second is told who has it."""
    shared = {"records": ({**records[0], "name": "db.corp.example", "mark": "txt"},)}
    first = another(shared)
    second = another(shared)
    first("register")
    before = fleet.own(private)
    done = second("register", status=1)
    assert first.instance.id in done.err and second.instance.id in done.err
    assert fleet.own(private) == before
    second("deregister")
    assert fleet.own(private) == before
    first("deregister")
    second("register")
    assert fleet.own(private)[("db.corp.example.", "A", "")] == [second.instance.private]


def test_shared_name(another, private, records):
    shared = {"records": ({**records[0], "name": "web.corp.example"},)}
    tools = [another(shared) for _ in range(3)]
    for tool in tools:
        tool("register")
    assert sorted(v for [v] in fleet.own(private).values()) == sorted(t.instance.private for t in tools)
    tools[1]("deregister")
    assert tools[1].instance.private not in [v for [v] in fleet.own(private).values()]
    assert len(fleet.own(private)) == 2


def test_memory_lost(tool, private, public, reverse):
    """One listing of each name finds our own sets again: nothing twice, and all of it can go."""
    tool("register")
    before = [fleet.own(zone) for zone in (private, public, reverse)]
    shutil.rmtree(tool.state)
    tool("deregister")
    assert not any(fleet.own(zone) for zone in (private, public, reverse))
    tool("register")
    before = [fleet.own(zone) for zone in (public, reverse)]
    shutil.rmtree(tool.state)
    tool("register")
    tool("register")
    assert [fleet.own(zone) for zone in (public, reverse)] == before
    assert len(fleet.own(private)) == 1


def test_memory_of_another(tool, another, records, private):
    """An image made of a registered instance carries its memory along."""
    tool("register")
    before = fleet.own(private)
    copy = another({"records": records[:1]}, private="10.0.0.9")
    shutil.copytree(tool.state, copy.state)
    copy("deregister")
    assert fleet.own(private) == before
    copy("register")
    assert len(fleet.own(private)) == 2 and before.items() <= fleet.own(private).items()


def test_dry_run(tool, api, private, public, reverse):
    done = tool("register", "--dry-run", status=3)
    assert done.out.count("\n") == 5 and all(line.startswith("+ Z0") for line in done.out.splitlines())
    assert "10.0.0.4" in done.out and not tool.state.joinpath("state.json").exists()
    assert not calls(api, "ChangeResourceRecordSets")
    tool("register")
    tool("register", "--dry-run")


def test_wait(tool, api):
    api.service.insync = False
    done = tool("register", "--wait", "1", status=1)
    assert "PENDING" in done.err and done.seconds < 8
    api.service.insync = True
    tool("deregister")
    tool("register", "--wait", "10")
    assert calls(api, "GetChange")


def test_no_public_address(tool, metadata, public, private):
    metadata.paths.pop("public-ipv4")
    done = tool("register", status=1)
    assert f"{tool.file}:" in done.err and "{public_ipv4}" in done.err
    assert not fleet.own(public) and fleet.own(private)


def test_zone_of_the_other_kind(tool, records, public, private):
    tool.write({"records": ({**records[1], "private": True, "mark": "set"}, records[0])})
    done = tool("register", status=1)
    assert "Z0PUBLIC is public" in done.err and f"{tool.file}:" in done.err
    assert not fleet.own(public) and fleet.own(private)


@pytest.mark.parametrize("operation", ["GetHostedZone", "ChangeResourceRecordSets"])
def test_missing_rights(tool, api, private, operation):
    api.faults.add(operation=operation, code="AccessDenied", status=403,
                   when=lambda params: "Z0PRIVATE" in str(params))
    done = tool("register", status=1)
    assert "Z0PRIVATE" in done.err and "AccessDenied" in done.err and not fleet.own(private)
    tool("register", "--boot", status=1)


def test_names_too_long(tool, records):
    tool.write({"records": ({**records[0], "name": "{instance_id}" + "x" * 50 + ".corp.example"},)})
    done = tool("register", status=1)
    assert "63" in done.err and f"{tool.file}:" in done.err
    long = ".".join(["y" * 62] * 4)  # fits without the mark's label alone
    tool.write({"records": ({**records[0], "name": long, "mark": "txt"},)})
    done = tool("register", status=2)
    assert "mark" in done.err and f"{tool.file}:" in done.err


def test_lost_answer(tool, api, private, public, reverse):
    """The change was made, its answer lost: the second try finds it done."""
    api.faults.add(operation="ChangeResourceRecordSets", times=3, cut=10)
    tool("register")
    fleet.check_marks(private, public, reverse)
    assert all(fleet.own(zone) for zone in (private, public, reverse))
    assert len(fleet.own(private)) == 1


def test_busy_zone_and_throttling(tool, api, private):
    api.faults.add(operation="ChangeResourceRecordSets", times=2, code="PriorRequestNotComplete", status=400)
    api.faults.add(operation="GetHostedZone", times=2, code="Throttling", status=400)
    tool("register")
    assert fleet.own(private)


def test_one_bad_change_does_not_hold_back_the_rest(tool, records, private):
    others = [{**records[0], "name": f"{{instance_id}}-{i}.web.corp.example"} for i in range(9)]
    outside = {**records[0], "name": "{instance_id}.elsewhere.test"}
    tool.write({"records": (*others[:5], outside, *others[5:])})
    done = tool("register", status=1)
    assert len(fleet.own(private)) == 9
    assert done.err.count("\n") <= 3 and "elsewhere.test" in done.err and "not permitted in zone" in done.err


def test_killed_in_the_middle(tool, api, private, public, reverse):
    """Killed while the change is under way, its fate unknown: the next run finishes it, deregister finds it."""
    for operation, after, again in (("GetHostedZone", 1, True), ("ChangeResourceRecordSets", 0, False),
                                    ("ChangeResourceRecordSets", 1, True), ("ChangeResourceRecordSets", 2, False)):
        fault = api.faults.add(operation=operation, after=after, times=1, delay=0.4)
        process = tool.start("register")
        for _ in range(500):
            if fault.hits or process.poll() is not None:
                break
            time.sleep(0.01)
        assert fault.hits
        process.kill()
        process.communicate()
        api.faults.clear()
        time.sleep(0.5)  # the change is made all the same
        if again:
            tool("register")
            assert len(fleet.own(private)) == 1 and fleet.own(public) and fleet.own(reverse)
        tool("deregister")
        assert not any(fleet.own(zone) for zone in (private, public, reverse)), (operation, after)


def test_silent_api_ends_in_time(tool, api):
    tool("register")
    api.faults.add(operation="ChangeResourceRecordSets", delay=30)
    done = tool("deregister", status=1)
    assert done.seconds < 5 and "left to the sweep" in done.err


def test_boot_goes_on(tool, api):
    tool.write(tool.file.read_text().replace("deadline = 20", "deadline = 1"))
    api.faults.add(code="Throttling", status=400)
    tool("register", status=1)
    done = tool("register", "--boot")
    assert "boot goes on" in done.err
    tool.write(tool.file.read_text() + "\nfail_boot = true;\n")
    tool("register", "--boot", status=1)


def test_drain(tool, api, machine, records):
    api.autoscaling.join(machine.id, "shop")
    api.autoscaling.add_hook("shop", "records")
    tool.write({"records": ({**records[0], "ttl": 1},)})
    tool("register")
    api.autoscaling.terminate(machine.id)
    done = tool("deregister", "--drain")
    assert done.seconds >= 1.0
    assert api.autoscaling.completed == [("shop", "records", machine.id, "CONTINUE")]


def test_every_template(tool, metadata, machine, private):
    values = ("instance_id private_ipv4 public_ipv4 ipv6 private_ipv4_dashed private_ipv4_reverse mac az region "
              "account instance_type tag:Name private_ipv4:0 mac:0").split()
    tool.write({"records": (fleet.record(private, "all.corp.example", [f"{v}={{{v}}}" for v in values], "TXT"),
                            fleet.record(private, "{private_ipv4_dashed}.{tag:role}.{mac}.{az}.corp.example",
                                         ["{ipv6}"], "AAAA"),
                            fleet.record(private, "_http._tcp.corp.example",
                                         ["0 5 80 {instance_id}.web.corp.example"], "SRV"),
                            fleet.record(private, "www.corp.example", ["{instance_id}.web.corp.example"], "CNAME",
                                         mark="txt"))})
    tool("register")
    told = next(v for key, v in fleet.own(private).items() if key[0] == "all.corp.example.")
    told = dict(text.strip('"').split("=", 1) for text in told)
    mac = metadata.paths["mac"]
    assert told == {"instance_id": machine.id, "private_ipv4": "10.0.0.4", "public_ipv4": "203.0.113.9",
                    "ipv6": "2001:db8::4", "private_ipv4_dashed": "10-0-0-4",
                    "private_ipv4_reverse": "4.0.0.10.in-addr.arpa", "mac": mac, "az": "eu-west-1a",
                    "region": "eu-west-1", "account": fleet.ACCOUNT, "instance_type": "t4g.nano",
                    "tag:Name": "shop-1", "private_ipv4:0": "10.0.0.4", "mac:0": mac}
    names = {key[0] for key in fleet.own(private)}
    assert f"10-0-0-4.web.{mac.replace(':', '-')}.eu-west-1a.corp.example." in names
    tool("deregister")
    assert not fleet.own(private)
