"""SNS: topics, who is subscribed to them, and their tags."""

from __future__ import annotations

import re
import threading
import uuid

from .caller import Caller
from .errors import ApiError

PROTOCOLS = ("http", "https", "email", "email-json", "sms", "sqs", "application", "lambda", "firehose")
PENDING = "PendingConfirmation"


class Sns:
    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.topics: dict[str, dict] = {}  # by ARN: {"attributes", "tags", "subscriptions"}

    def CreateTopic(self, params: dict, caller: Caller) -> dict:
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", params["Name"]):
            raise ApiError("InvalidParameter", "Invalid parameter: Topic Name")
        arn = f"arn:aws:sns:{caller.region}:{caller.account}:{params['Name']}"
        tags = {tag["Key"]: tag["Value"] for tag in params.get("Tags", [])}
        with self.lock:
            topic = self.topics.get(arn)
            if topic is None:
                self.topics[arn] = {"attributes": dict(params.get("Attributes", {})), "tags": tags,
                                    "subscriptions": []}
            elif "Tags" in params and tags != topic["tags"]:
                raise ApiError("InvalidParameter", "Invalid parameter: Tags Reason: Topic already "
                               "exists with different tags")
            elif any(topic["attributes"].get(k) != v for k, v in params.get("Attributes", {}).items()):
                raise ApiError("InvalidParameter", "Invalid parameter: Attributes Reason: Topic already "
                               "exists with different attributes")
        return {"TopicArn": arn}

    def _topic(self, arn: str) -> dict:
        if arn not in self.topics:
            raise ApiError("NotFound", "Topic does not exist", 404)
        return self.topics[arn]

    def GetTopicAttributes(self, params: dict, caller: Caller) -> dict:
        with self.lock:
            topic = self._topic(params["TopicArn"])
            return {"Attributes": {"TopicArn": params["TopicArn"], "Owner": caller.account,
                                   **topic["attributes"]}}

    def Subscribe(self, params: dict, caller: Caller) -> dict:
        if params["Protocol"] not in PROTOCOLS or not params.get("Endpoint"):
            raise ApiError("InvalidParameter", "Invalid parameter: Protocol or Endpoint")
        with self.lock:
            topic = self._topic(params["TopicArn"])
            waits = params["Protocol"] in ("http", "https", "email", "email-json")
            for old in topic["subscriptions"]:
                if (old["Protocol"], old["Endpoint"]) == (params["Protocol"], params["Endpoint"]):
                    return {"SubscriptionArn": _shown(old["SubscriptionArn"])}
            arn = PENDING if waits else f"{params['TopicArn']}:{uuid.uuid4()}"
            topic["subscriptions"].append({
                "SubscriptionArn": arn, "Owner": caller.account, "Protocol": params["Protocol"],
                "Endpoint": params["Endpoint"], "TopicArn": params["TopicArn"]})
            return {"SubscriptionArn": _shown(arn)}

    def ListSubscriptionsByTopic(self, params: dict, caller: Caller) -> dict:
        start = int(params.get("NextToken", "0"))
        with self.lock:
            rows = self._topic(params["TopicArn"])["subscriptions"]
            result: dict = {"Subscriptions": rows[start:start + 100]}
            if len(rows) > start + 100:
                result["NextToken"] = str(start + 100)
            return result

    def TagResource(self, params: dict, caller: Caller) -> dict:
        with self.lock:
            if params["ResourceArn"] not in self.topics:
                raise ApiError("ResourceNotFound", "Resource does not exist", 404)
            self.topics[params["ResourceArn"]]["tags"].update(
                {tag["Key"]: tag["Value"] for tag in params["Tags"]})
        return {}

    def ListTagsForResource(self, params: dict, caller: Caller) -> dict:
        with self.lock:
            if params["ResourceArn"] not in self.topics:
                raise ApiError("ResourceNotFound", "Resource does not exist", 404)
            return {"Tags": [{"Key": key, "Value": value} for key, value
                             in self.topics[params["ResourceArn"]]["tags"].items()]}


def _shown(arn: str) -> str:
    return "pending confirmation" if arn == PENDING else arn
