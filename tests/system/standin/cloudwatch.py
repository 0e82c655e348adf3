"""CloudWatch: alarms, metrics put by others, and the one metric that Route 53 writes."""

from __future__ import annotations

import math
import re
import threading

from .caller import Caller
from .errors import ApiError
from .world import World

ALARM_MEMBERS = ("AlarmName", "AlarmDescription", "ActionsEnabled", "OKActions", "AlarmActions",
                 "InsufficientDataActions", "MetricName", "Namespace", "Statistic", "Dimensions",
                 "Period", "Unit", "EvaluationPeriods", "DatapointsToAlarm", "Threshold",
                 "ComparisonOperator", "TreatMissingData")
EC2_ACTION = re.compile(r"arn:(aws[a-z-]*):automate:([a-z0-9-]+):ec2:(recover|stop|terminate|reboot)")
SNS_ACTION = re.compile(r"arn:(aws[a-z-]*):sns:([a-z0-9-]+):(\d{12}):[A-Za-z0-9_-]{1,256}")


class CloudWatch:
    def __init__(self, world: World):
        self.lock = threading.RLock()
        self.world = world  # its metric: HealthCheckStatus by check
        self.alarms: dict[tuple[str, str], dict] = {}  # (region, name)
        self.tags: dict[str, dict[str, str]] = {}  # by ARN
        self.data: list[dict] = []  # every datum, with its Namespace and region

    def PutMetricAlarm(self, params: dict, caller: Caller) -> dict:
        _check_alarm(params)
        for action in params.get("AlarmActions", []) + params.get("OKActions", []):
            _check_action(params, action, caller)
        key = (caller.region, params["AlarmName"])
        arn = f"arn:aws:cloudwatch:{caller.region}:{caller.account}:alarm:{params['AlarmName']}"
        with self.lock:
            if key not in self.alarms:  # tags of a call that changes an alarm are ignored
                self.tags[arn] = _untag(params.get("Tags", []))
            state = self.alarms.get(key, {}).get("StateValue", "INSUFFICIENT_DATA")
            kept = {name: params[name] for name in ALARM_MEMBERS if name in params}
            self.alarms[key] = {"ActionsEnabled": True, "TreatMissingData": "missing", **kept,
                                "AlarmArn": arn, "StateValue": state}
        return {}

    def DescribeAlarms(self, params: dict, caller: Caller) -> dict:
        names, prefix = params.get("AlarmNames"), params.get("AlarmNamePrefix", "")
        if names is not None and prefix:
            raise ApiError("ValidationError", "AlarmNames and AlarmNamePrefix exclude each other")
        size, start = params.get("MaxRecords", 50), params.get("NextToken", "")
        with self.lock:
            rows = [alarm for (region, name), alarm in sorted(self.alarms.items())
                    if region == caller.region and (names is None or name in names)
                    and name.startswith(prefix) and name >= start]
        result: dict = {"MetricAlarms": rows[:size], "CompositeAlarms": []}
        if len(rows) > size:
            result["NextToken"] = rows[size]["AlarmName"]
        return result

    def PutMetricData(self, params: dict, caller: Caller) -> dict:
        if params["Namespace"].startswith("AWS/"):
            raise ApiError("InvalidParameterValue", "The value AWS/ for parameter Namespace is invalid.")
        if len(params["MetricData"]) > 1000:
            raise ApiError("InvalidParameterValue", "more than 1000 metrics")
        for datum in params["MetricData"]:
            if not math.isfinite(datum.get("Value", 0.0)):
                raise ApiError("InvalidParameterValue", "The value is not a number that can be stored")
            if datum.get("StorageResolution", 60) not in (1, 60):
                raise ApiError("InvalidParameterValue", "StorageResolution is 1 or 60")
        with self.lock:
            self.data += [{"Namespace": params["Namespace"], "region": caller.region, **datum}
                          for datum in params["MetricData"]]
        return {}

    def GetMetricStatistics(self, params: dict, caller: Caller) -> dict:
        if params["Namespace"] != "AWS/Route53" or params["MetricName"] != "HealthCheckStatus":
            return {"Label": params["MetricName"], "Datapoints": []}
        value = self.world.metric.get(params["Dimensions"][0]["Value"])
        points = [] if value is None else [{"Timestamp": params["EndTime"], "Minimum": value,
                                            "Unit": "None"}]
        return {"Label": "HealthCheckStatus", "Datapoints": points}

    def TagResource(self, params: dict, caller: Caller) -> dict:
        with self.lock:
            self._known(params["ResourceARN"]).update(_untag(params["Tags"]))
        return {}

    def ListTagsForResource(self, params: dict, caller: Caller) -> dict:
        with self.lock:
            tags = self._known(params["ResourceARN"])
            return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def _known(self, arn: str) -> dict[str, str]:
        if arn not in self.tags:
            raise ApiError("ResourceNotFoundException", f"{arn} does not exist", 404)
        return self.tags[arn]


def _untag(tags: list[dict]) -> dict[str, str]:
    if len(tags) > 50 or any(tag["Key"].lower().startswith("aws:") for tag in tags):
        raise ApiError("InvalidParameterValue", "at most 50 tags, none of aws:")
    return {tag["Key"]: tag["Value"] for tag in tags}


def _check_alarm(params: dict) -> None:
    period = params.get("Period", 0)
    if period not in (10, 30) and (period < 60 or period % 60):
        raise ApiError("ValidationError", "Period must be 10, 30 or a multiple of 60")
    if period * params["EvaluationPeriods"] > 86400:
        raise ApiError("ValidationError", "Metrics cannot be checked across more than a day")
    for member in ("MetricName", "Namespace", "Statistic", "Threshold"):
        if member not in params:
            raise ApiError("MissingParameter", f"The parameter {member} is required.")
    if params.get("TreatMissingData", "missing") not in ("breaching", "notBreaching", "ignore", "missing"):
        raise ApiError("ValidationError", "TreatMissingData")
    if params.get("DatapointsToAlarm", 1) > params["EvaluationPeriods"]:
        raise ApiError("ValidationError", "DatapointsToAlarm must not exceed EvaluationPeriods")
    _untag(params.get("Tags", []))


def _check_action(params: dict, action: str, caller: Caller) -> None:
    ec2, sns = EC2_ACTION.fullmatch(action), SNS_ACTION.fullmatch(action)
    if not ec2 and not sns:
        raise ApiError("ValidationError", f"Invalid arn syntax: {action}")
    if (ec2 or sns).group(2) != caller.region:
        raise ApiError("ValidationError", f"Invalid region {(ec2 or sns).group(2)} specified. "
                       f"Only {caller.region} is supported.")
    if ec2:
        names = {dimension["Name"] for dimension in params.get("Dimensions", [])}
        if "InstanceId" not in names:
            raise ApiError("ValidationError", "EC2 actions need the dimension InstanceId")
        if ec2.group(3) == "recover" and (params["Namespace"], params["MetricName"]) != (
                "AWS/EC2", "StatusCheckFailed_System"):
            raise ApiError("ValidationError", "recover needs AWS/EC2 StatusCheckFailed_System")
