"""EC2 Auto Scaling: who is in which group, lifecycle hooks, and the actions that wait for an answer."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from .caller import Caller
from .errors import ApiError

TERMINATING = "autoscaling:EC2_INSTANCE_TERMINATING"
LAUNCHING = "autoscaling:EC2_INSTANCE_LAUNCHING"


@dataclass
class Member:
    group: str
    state: str = "InService"
    az: str = "eu-west-1a"
    waits: set[str] = field(default_factory=set)  # names of hooks whose action is open


class AutoScaling:
    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.members: dict[str, Member] = {}
        self.hooks: dict[str, dict[str, dict]] = {}  # group: {name: {"transition", "heartbeat"}}
        self.completed: list[tuple[str, str, str, str]] = []  # group, hook, instance, result

    # --- for tests ---

    def add_hook(self, group: str, name: str, transition: str = TERMINATING, heartbeat: int = 3600) -> None:
        with self.lock:
            self.hooks.setdefault(group, {})[name] = {"transition": transition, "heartbeat": heartbeat}

    def join(self, instance_id: str, group: str) -> Member:
        with self.lock:
            self.hooks.setdefault(group, {})
            self.members[instance_id] = Member(group)
            return self.members[instance_id]

    def terminate(self, instance_id: str) -> None:
        """The group lets the instance go: each terminating hook waits for its answer."""
        with self.lock:
            member = self.members[instance_id]
            member.waits = {name for name, hook in self.hooks[member.group].items()
                            if hook["transition"] == TERMINATING}
            member.state = "Terminating:Wait" if member.waits else "Terminating:Proceed"

    # --- operations ---

    def CompleteLifecycleAction(self, params: dict, caller: Caller) -> dict:
        group, hook = params["AutoScalingGroupName"], params["LifecycleHookName"]
        result, wanted = params["LifecycleActionResult"], params.get("InstanceId", "")
        if result not in ("CONTINUE", "ABANDON"):
            raise ApiError("ValidationError", "Lifecycle Action Result must be CONTINUE or ABANDON")
        with self.lock:
            if hook not in self.hooks.get(group, {}):
                raise ApiError("ValidationError", f"No Lifecycle Hook found with name {hook}")
            member = self.members.get(wanted)
            if member is None or member.group != group or hook not in member.waits:
                raise ApiError("ValidationError",
                               f"No active Lifecycle Action found with instance ID {wanted}")
            member.waits.discard(hook)
            if not member.waits:
                member.state = "Terminating:Proceed"
            self.completed.append((group, hook, wanted, result))
        return {}

    def DescribeLifecycleHooks(self, params: dict, caller: Caller) -> dict:
        group, names = params["AutoScalingGroupName"], params.get("LifecycleHookNames", [])
        with self.lock:
            if group not in self.hooks:
                raise ApiError("ValidationError", f"AutoScalingGroup name not found - no group {group}")
            return {"LifecycleHooks": [
                {"LifecycleHookName": name, "AutoScalingGroupName": group,
                 "LifecycleTransition": hook["transition"], "HeartbeatTimeout": hook["heartbeat"],
                 "GlobalTimeout": 172800, "DefaultResult": "CONTINUE"}
                for name, hook in sorted(self.hooks[group].items()) if not names or name in names]}

    def DescribeAutoScalingInstances(self, params: dict, caller: Caller) -> dict:
        ids, size = params.get("InstanceIds", []), params.get("MaxRecords", 50)
        if len(ids) > 50 or not 1 <= size <= 50:
            raise ApiError("ValidationError", "at most 50 instances at once")
        start = params.get("NextToken", "")
        with self.lock:
            rows = [(i, m) for i, m in sorted(self.members.items())
                    if (not ids or i in ids) and i >= start]
            result: dict = {"AutoScalingInstances": [
                {"InstanceId": i, "AutoScalingGroupName": m.group, "AvailabilityZone": m.az,
                 "LifecycleState": m.state, "HealthStatus": "HEALTHY", "ProtectedFromScaleIn": False}
                for i, m in rows[:size]]}
        if len(rows) > size:
            result["NextToken"] = rows[size][0]
        return result
