"""EC2 as far as others' records need it: instances, their interfaces, DHCP option sets, VPCs, tags."""

from __future__ import annotations

import base64
import copy
import fnmatch
import ipaddress
import itertools
import re
import threading
import time
from dataclasses import dataclass, field

from .caller import Caller
from .errors import ApiError

STATES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64,
          "stopped": 80}
FILTER_VALUES_MAX = 200
IDS_MAX = 1000
DHCP_KEYS = ("domain-name", "domain-name-servers", "ntp-servers", "netbios-name-servers",
             "netbios-node-type", "ipv6-address-preferred-lease-time")


@dataclass
class Instance:
    id: str
    private: str = ""
    public: str = ""
    ipv6: str = ""
    state: str = "running"
    region: str = "eu-west-1"
    account: str = "111122223333"
    az: str = "eu-west-1a"
    vpc: str = "vpc-0a1b2c3d4e5f60718"
    subnet: str = "subnet-0a1b2c3d4e5f60718"
    type: str = "t4g.nano"
    tags: dict[str, str] = field(default_factory=dict)
    secondary: list[str] = field(default_factory=list)  # more private addresses
    elastic: bool = False  # the public address is an Elastic IP: kept over a stop
    managed: bool = False  # by another service: hidden unless asked for
    seen_from: float = 0.0  # monotonic: not listed before (eventual consistency)
    launched: float = field(default_factory=time.time)


class Ec2:
    """Each method is an operation: parameters in, result out, both as botocore has them."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.instances: dict[str, Instance] = {}
        self.dhcp: dict[str, dict] = {}  # id: {"keys": {key: [values]}, "tags": {}, ...}
        self.vpcs: dict[str, dict] = {}  # id: {"dhcp", "cidr", "region", "account", "tags"}
        self.page = 1000  # instances on a page without MaxResults, and at most
        self.thin = 0  # so many pages hold nothing, but say that there is more
        self.hide_managed = False  # as the account's visibility setting may say
        self._count = itertools.count(1)

    # --- for tests ---

    def launch(self, instance_id: str = "", lag: float = 0.0, **how) -> Instance:
        """A new instance; lag: seconds until it is listed."""
        with self.lock:
            number = next(self._count)
            instance_id = instance_id or f"i-{number:017x}"
            how.setdefault("private", f"10.0.{number // 250 % 250}.{number % 250 + 4}")
            made = Instance(instance_id, seen_from=time.monotonic() + lag, **how)
            self.instances[instance_id] = made
            return made

    def forget(self, instance_id: str) -> None:
        """As about an hour after its end."""
        with self.lock:
            del self.instances[instance_id]

    def add_vpc(self, vpc_id: str = "vpc-0a1b2c3d4e5f60718", cidr: str = "10.0.0.0/16",
                region: str = "eu-west-1", dhcp: dict[str, list[str]] | None = None,
                account: str = "111122223333") -> dict:
        """A VPC and its first DHCP option set, by default as AWS makes it."""
        with self.lock:
            made = self.add_dhcp(dhcp or {"domain-name": [f"{region}.compute.internal"],
                                          "domain-name-servers": ["AmazonProvidedDNS"]},
                                 region, account)
            self.vpcs[vpc_id] = {"dhcp": made["id"], "cidr": cidr, "region": region,
                                 "account": account, "tags": {}}
            return self.vpcs[vpc_id]

    def add_dhcp(self, keys: dict[str, list[str]], region: str = "eu-west-1",
                 account: str = "111122223333", tags: dict[str, str] | None = None) -> dict:
        with self.lock:
            made = {"id": f"dopt-{next(self._count):017x}", "keys": keys, "region": region,
                    "account": account, "tags": tags or {}}
            self.dhcp[made["id"]] = made
            return made

    # --- instances ---

    def DescribeInstances(self, params: dict, caller: Caller) -> dict:
        ids = params.get("InstanceIds", [])
        if ids and "MaxResults" in params:
            raise ApiError("InvalidParameterCombination", "The parameter instancesSet cannot be "
                           "used with the parameter maxResults")
        _check_filters(params)
        listed = [i for i in self._listed(caller, params) if not ids or i.id in ids]
        self._check_ids(ids, {i.id for i in listed})
        listed = [i for i in listed if _fits(i, _instance_fields(i), params)]
        page, token = self._cut(listed, params, caller)
        result: dict = {"Reservations": [
            {"ReservationId": "r-" + i.id[2:], "OwnerId": i.account, "Instances": [_describe(i)]}
            for i in page]}
        if token:
            result["NextToken"] = token
        return result

    def _listed(self, caller: Caller, params: dict) -> list[Instance]:
        with self.lock:
            now = time.monotonic()
            hidden = self.hide_managed and not params.get("IncludeManagedResources")
            return [copy.copy(i) for i in sorted(self.instances.values(), key=lambda i: i.id)
                    if i.seen_from <= now and (i.region, i.account) == (caller.region, caller.account)
                    and not (hidden and i.managed)]

    def _check_ids(self, ids: list[str], known: set[str]) -> None:
        if len(ids) > IDS_MAX:
            raise ApiError("InvalidParameterValue", f"more than {IDS_MAX} instance ids")
        for wanted in ids:
            if not re.fullmatch(r"i-([0-9a-f]{8}|[0-9a-f]{17})", wanted):
                raise ApiError("InvalidInstanceID.Malformed", f'Invalid id: "{wanted}"')
        missing = [wanted for wanted in ids if wanted not in known]
        if missing:
            raise ApiError("InvalidInstanceID.NotFound",
                           f"The instance IDs '{', '.join(missing)}' do not exist")

    def _cut(self, listed: list, params: dict, caller: Caller) -> tuple[list, str]:
        size = params.get("MaxResults", self.page)
        if "MaxResults" in params and not 5 <= size <= 1000:
            raise ApiError("InvalidParameterValue", f"Value ( {size} ) for parameter maxResults is "
                           "invalid. Expecting a value between 5 and 1000")
        start, thin = self._start(params, caller)
        if thin < self.thin:
            return [], _token(start, thin + 1, caller)
        size = min(size, self.page)
        rest = listed[start:start + size]
        more = len(listed) > start + size
        return rest, _token(start + size, 0, caller) if more else ""

    def _start(self, params: dict, caller: Caller) -> tuple[int, int]:
        if "NextToken" not in params:
            return 0, 0
        try:
            text = base64.b64decode(params["NextToken"], validate=True).decode()
            region, start, thin = text.split(":")
            if region == caller.region:
                return int(start), int(thin)
        except ValueError:
            pass
        raise ApiError("InvalidParameterValue", "Invalid value for nextToken")

    def DescribeNetworkInterfaces(self, params: dict, caller: Caller) -> dict:
        _check_filters(params)
        rows = []
        for instance in self._listed(caller, params):
            if instance.state in ("terminated", "shutting-down"):
                continue
            row = _interface(instance)
            fields = {"attachment.instance-id": [instance.id], "vpc-id": [instance.vpc],
                      "addresses.private-ip-address": [instance.private, *instance.secondary],
                      "network-interface-id": [row["NetworkInterfaceId"]],
                      "ipv6-addresses.ipv6-address": [instance.ipv6]}
            if _fits(instance, fields, params):
                rows.append(row)
        page, token = self._cut(rows, params, caller)
        return {"NetworkInterfaces": page, **({"NextToken": token} if token else {})}

    def DescribeAddresses(self, params: dict, caller: Caller) -> dict:
        _check_filters(params)
        rows = []
        for instance in self._listed(caller, params):
            if instance.elastic and instance.public and _fits(instance, {
                    "public-ip": [instance.public], "instance-id": [instance.id],
                    "domain": ["vpc"]}, params):
                rows.append({"PublicIp": instance.public, "InstanceId": instance.id,
                             "AllocationId": "eipalloc-" + instance.id[2:], "Domain": "vpc",
                             "PrivateIpAddress": instance.private})
        return {"Addresses": rows}

    # --- VPCs and their DHCP option sets ---

    def _here(self, table: dict[str, dict], wanted: str, caller: Caller, code: str, what: str) -> dict:
        found = table.get(wanted)
        if found is None or (found["region"], found["account"]) != (caller.region, caller.account):
            raise ApiError(code, f"The {what} ID '{wanted}' does not exist")
        return found

    def DescribeVpcs(self, params: dict, caller: Caller) -> dict:
        _check_filters(params)
        with self.lock:
            for wanted in params.get("VpcIds", []):
                self._here(self.vpcs, wanted, caller, "InvalidVpcID.NotFound", "vpc")
            rows = []
            for vpc_id, vpc in sorted(self.vpcs.items()):
                if (vpc["region"], vpc["account"]) != (caller.region, caller.account):
                    continue
                fields = {"vpc-id": [vpc_id], "dhcp-options-id": [vpc["dhcp"]], "cidr": [vpc["cidr"]]}
                wanted_ids = params.get("VpcIds", [])
                if (not wanted_ids or vpc_id in wanted_ids) and _fits(vpc, fields, params):
                    rows.append({"VpcId": vpc_id, "DhcpOptionsId": vpc["dhcp"], "CidrBlock": vpc["cidr"],
                                 "State": "available", "OwnerId": vpc["account"],
                                 "Tags": _tags(vpc["tags"])})
            return {"Vpcs": rows}

    def DescribeDhcpOptions(self, params: dict, caller: Caller) -> dict:
        _check_filters(params)
        with self.lock:
            wanted_ids = params.get("DhcpOptionsIds", [])
            for wanted in wanted_ids:
                self._here(self.dhcp, wanted, caller, "InvalidDhcpOptionID.NotFound", "dhcpOption")
            rows = [_dhcp(d) for _, d in sorted(self.dhcp.items())
                    if (d["region"], d["account"]) == (caller.region, caller.account)
                    and (not wanted_ids or d["id"] in wanted_ids)
                    and _fits(d, {"dhcp-options-id": [d["id"]], "key": list(d["keys"]),
                                  "value": sum(d["keys"].values(), [])}, params)]
            page, token = self._cut(rows, params, caller)
            return {"DhcpOptions": page, **({"NextToken": token} if token else {})}

    def CreateDhcpOptions(self, params: dict, caller: Caller) -> dict:
        keys: dict[str, list[str]] = {}
        for entry in params["DhcpConfigurations"]:
            key, values = entry.get("Key", ""), entry.get("Values", [])
            if key not in DHCP_KEYS or key in keys:
                raise ApiError("InvalidParameterValue", f"Value ({key}) for parameter key is invalid")
            _check_dhcp(key, values)
            keys[key] = values
        if not keys:
            raise ApiError("MissingParameter", "The request must contain dhcpConfiguration")
        tags: dict[str, str] = {}
        for spec in params.get("TagSpecifications", []):
            if spec.get("ResourceType") != "dhcp-options":
                raise ApiError("InvalidParameterValue", f"'{spec.get('ResourceType')}' is not a valid "
                               "taggable resource type for this operation.")
            tags.update(_untag(spec.get("Tags", [])))
        return {"DhcpOptions": _dhcp(self.add_dhcp(keys, caller.region, caller.account, tags))}

    def AssociateDhcpOptions(self, params: dict, caller: Caller) -> dict:
        with self.lock:
            vpc = self._here(self.vpcs, params["VpcId"], caller, "InvalidVpcID.NotFound", "vpc")
            wanted = params["DhcpOptionsId"]
            if wanted != "default":
                self._here(self.dhcp, wanted, caller, "InvalidDhcpOptionID.NotFound", "dhcpOption")
            vpc["dhcp"] = wanted
        return {}

    def DeleteDhcpOptions(self, params: dict, caller: Caller) -> dict:
        wanted = params["DhcpOptionsId"]
        with self.lock:
            self._here(self.dhcp, wanted, caller, "InvalidDhcpOptionID.NotFound", "dhcpOption")
            if any(vpc["dhcp"] == wanted for vpc in self.vpcs.values()):
                raise ApiError("DependencyViolation",
                               f"The dhcpOptions '{wanted}' has dependencies and cannot be deleted.")
            del self.dhcp[wanted]
        return {}

    def CreateTags(self, params: dict, caller: Caller) -> dict:
        tags = _untag(params["Tags"])
        with self.lock:
            for wanted in params["Resources"]:
                if wanted.startswith("dopt-"):
                    self._here(self.dhcp, wanted, caller, "InvalidDhcpOptionID.NotFound",
                               "dhcpOption")["tags"].update(tags)
                elif wanted.startswith("i-") and wanted in self.instances:
                    self.instances[wanted].tags.update(tags)
                else:
                    raise ApiError("InvalidID", f"The ID '{wanted}' is not valid")
        return {}


def _token(start: int, thin: int, caller: Caller) -> str:
    return base64.b64encode(f"{caller.region}:{start}:{thin}".encode()).decode()


def _check_filters(params: dict) -> None:
    for wanted in params.get("Filters", []):
        if not wanted.get("Values"):
            raise ApiError("InvalidParameterValue", f"filter {wanted.get('Name')} has no values")
        if len(wanted["Values"]) > FILTER_VALUES_MAX:
            raise ApiError("FilterLimitExceeded", "The maximum number of filter values specified on "
                           f"a single call is {FILTER_VALUES_MAX}")


def _fits(thing, fields: dict[str, list[str]], params: dict) -> bool:
    """Filters: all of them, any value of each; * and ? are wild, case counts."""
    tags = thing["tags"] if isinstance(thing, dict) else thing.tags
    for wanted in params.get("Filters", []):
        name, values = wanted.get("Name", ""), wanted["Values"]
        if name.startswith("tag:"):
            have = [tags[name[4:]]] if name[4:] in tags else []
        elif name == "tag-key":
            have = list(tags)
        elif name in fields:
            have = fields[name]
        else:
            raise ApiError("InvalidParameterValue", f"The filter '{name}' is invalid")
        if not any(_wild(text, value) for text in have if text for value in values):
            return False
    return True


def _wild(text: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(text, pattern.replace("[", "[[]"))


def _instance_fields(i: Instance) -> dict[str, list[str]]:
    return {"instance-id": [i.id], "instance-state-name": [i.state], "private-ip-address": [i.private],
            "network-interface.addresses.private-ip-address": [i.private, *i.secondary],
            "ip-address": [i.public], "ipv6-address": [i.ipv6], "vpc-id": [i.vpc],
            "network-interface.ipv6-addresses.ipv6-address": [i.ipv6], "subnet-id": [i.subnet],
            "instance-type": [i.type], "availability-zone": [i.az], "owner-id": [i.account]}


def _describe(i: Instance) -> dict:
    out: dict = {
        "InstanceId": i.id, "InstanceType": i.type, "State": {"Code": STATES[i.state], "Name": i.state},
        "PrivateDnsName": "", "PublicDnsName": "", "Placement": {"AvailabilityZone": i.az},
        "LaunchTime": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(i.launched)),
        "Tags": _tags(i.tags)}
    if i.state in ("terminated", "shutting-down"):
        return out  # its addresses are somebody else's
    out |= {"VpcId": i.vpc, "SubnetId": i.subnet, "NetworkInterfaces": [_attached(i)]}
    if i.private:
        out |= {"PrivateIpAddress": i.private}
    if i.public and (i.elastic or i.state in ("running", "pending")):
        out |= {"PublicIpAddress": i.public}
    if i.ipv6:
        out |= {"Ipv6Address": i.ipv6}
    return out


def _addresses(i: Instance) -> dict:
    rows = [{"PrivateIpAddress": a, "Primary": n == 0}
            for n, a in enumerate([i.private, *i.secondary]) if a]
    return {"PrivateIpAddresses": rows, "Ipv6Addresses": [{"Ipv6Address": i.ipv6}] if i.ipv6 else []}


def _attached(i: Instance) -> dict:
    return {"NetworkInterfaceId": "eni-" + i.id[2:], "Status": "in-use", "VpcId": i.vpc, **_addresses(i)}


def _interface(i: Instance) -> dict:
    return {"NetworkInterfaceId": "eni-" + i.id[2:], "Status": "in-use", "VpcId": i.vpc,
            "PrivateIpAddress": i.private, **_addresses(i),
            "Attachment": {"InstanceId": i.id, "DeviceIndex": 0, "Status": "attached"}}


def _tags(tags: dict[str, str]) -> list[dict]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _untag(tags: list[dict]) -> dict[str, str]:
    for tag in tags:
        if not 1 <= len(tag.get("Key", "")) <= 127 or len(tag.get("Value", "")) > 255:
            raise ApiError("InvalidParameterValue", "Tag key 1 to 127 characters, value up to 255")
        if tag["Key"].lower().startswith("aws:"):
            raise ApiError("InvalidParameterValue", "Tag keys starting with 'aws:' are reserved")
    return {tag["Key"]: tag.get("Value", "") for tag in tags}


def _dhcp(made: dict) -> dict:
    return {"DhcpOptionsId": made["id"], "OwnerId": made["account"], "Tags": _tags(made["tags"]),
            "DhcpConfigurations": [{"Key": key, "Values": [{"Value": v} for v in values]}
                                   for key, values in made["keys"].items()]}


def _check_dhcp(key: str, values: list[str]) -> None:
    bad = ApiError("InvalidParameterValue", f"Value ({', '.join(values)}) for parameter value is "
                   f"invalid. Invalid {key}")
    if not values:
        raise bad
    if key == "domain-name-servers":
        custom = [v for v in values if v != "AmazonProvidedDNS"]
        v6 = [v for v in custom if ":" in v]
        if len(values) - len(v6) > 4 or len(v6) > 4 or not all(map(_address, custom)):
            raise bad
    elif key == "ntp-servers" and (len(values) > 8 or not all(map(_address, values))):
        raise bad
    elif key == "netbios-name-servers" and (len(values) > 4 or not all(map(_address, values))):
        raise bad
    elif key == "netbios-node-type" and values not in (["1"], ["2"], ["4"], ["8"]):
        raise bad
    elif key == "ipv6-address-preferred-lease-time" and not (
            len(values) == 1 and values[0].isdigit() and 140 <= int(values[0]) <= 2147483647):
        raise bad


def _address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
