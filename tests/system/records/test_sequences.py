"""The real program in random sequences: create, kill, retry, reboot, reuse of addresses, a sweeper beside them.

A smaller sister of tests/unit/records/test_sequences.c, with real processes, files and HTTP in between.
"""

from __future__ import annotations

import random
import threading
import time

import fleet
from standin import Metadata

SLOTS = 5
SECONDS = 6.0


class Slot(threading.Thread):
    def __init__(self, number: int, folder, api, records, until: float):
        super().__init__()
        self.draw = random.Random(number)
        self.api, self.until = api, until
        self.metadata = Metadata()
        self.metadata.keys = api.keys
        self.metadata.start()
        self.tool = fleet.Tool(folder / f"slot{number}", api, self.metadata, {"records": records})
        self.instance = None
        self.problem: BaseException | None = None
        self.ran = 0

    def launch(self) -> None:
        self.instance = self.api.ec2.launch(public=f"203.0.113.{self.draw.randrange(1, 250)}")
        self.metadata.become(self.instance)

    def act(self, *args: str) -> None:
        """One run; one in three is killed somewhere."""
        process = self.tool.start(*args)
        if self.draw.random() < 0.33:
            time.sleep(self.draw.random() * 0.2)
            process.kill()
        _, err = process.communicate(timeout=60)
        assert not fleet.horizon.COMPLAINTS.search(err), err

    def step(self) -> None:
        what = self.draw.randrange(5)
        if self.instance is None:
            self.launch()
        elif what == 0:
            self.act("deregister", "--reason", "reboot")
        elif what == 1:
            self.act("deregister")
            self.end()
            return
        elif what == 2:
            self.end()
            return
        elif what == 3:
            self.instance.private = f"10.0.77.{self.draw.randrange(1, 250)}"
            self.metadata.become(self.instance)
        self.act("register")

    def end(self) -> None:
        self.instance.state = "terminated"
        self.instance = None

    def run(self) -> None:
        try:
            while time.monotonic() < self.until:
                self.step()
                self.ran += 1
        except BaseException as error:  # told by the test
            self.problem = error


def test_sequences(tmp_path, api, metadata, private, public, records):
    records = tuple({**record, "ttl": 0} for record in (
        *records[:2], {**records[0], "name": "web.corp.example"}))
    private.put("web", "A", 60, ["192.0.2.1"], SetIdentifier="by-hand", MultiValueAnswer=True)
    private.put("www", "A", 60, ["192.0.2.2"])
    foreign = fleet.own(private)
    metadata.become(api.ec2.launch())
    sweeper = fleet.Tool(tmp_path / "sweeper", api, metadata, {"records": records, "sweep": {
        "apply": True, "grace": 0, "second_look": 0, "max_share": 100, "max_number": 1000}})
    until = time.monotonic() + SECONDS
    slots = [Slot(number, tmp_path, api, records, until) for number in range(SLOTS)]
    for slot in slots:
        slot.start()
    while any(slot.is_alive() for slot in slots):
        sweeper("sweep", "--apply", status=None)
        fleet.check_marks(private, public, foreign=foreign)
        assert foreign.items() <= fleet.own(private).items()
    for slot in slots:
        slot.join()
        slot.metadata.stop()
        if slot.problem:
            raise slot.problem
    assert sum(slot.ran for slot in slots) > SLOTS
    for _ in range(12):
        sweeper("sweep", "--apply", status=None)
        left = {fleet.IDENTIFIER.fullmatch(key[2])[4] for key in fleet.own(private) if key[2] != "by-hand" and key[2]}
        if left <= {slot.instance.id for slot in slots if slot.instance}:
            break
    living = {slot.instance.id for slot in slots if slot.instance}
    assert left <= living, "records of the dead are left"
    assert foreign.items() <= fleet.own(private).items()
    fleet.check_marks(private, public, foreign=foreign)
    assert all(any(one in key[0] for one in living) for key in fleet.own(public))
