"""The operations of the Route 53 API, over a World."""

from __future__ import annotations

import base64
import bisect
import datetime
import time

from . import names
from .caller import Caller
from .errors import ApiError
from .world import World, Zone, sort_key

PAGE_SETS = 300
PAGE_ZONES = 100


def _limit(params: dict, default: int) -> int:
    try:
        wanted = int(params.get("MaxItems", default))
    except ValueError as error:
        raise ApiError("InvalidInput", "maxitems is not a number") from error
    if wanted < 1:
        raise ApiError("InvalidInput", "maxitems must be at least 1")
    return min(wanted, default)


class Route53:
    """Each method is an operation: parameters in, result out, both as botocore has them."""

    def __init__(self, world: World):
        self.world = world
        self.page_sets = PAGE_SETS
        self.page_zones = PAGE_ZONES
        self.deny_by_vpc = False  # the caller lacks route53:ListHostedZonesByVPC
        self.insync = True  # GetChange says so, once a change is
        self.insync_after = 0.0  # seconds old
        self.work = 0.0  # seconds that a change takes; another one of its zone is refused meanwhile

    def _zone(self, params: dict, caller: Caller) -> Zone:
        zone = self.world.find(params.get("Id") or params["HostedZoneId"])
        if zone.denied or (zone.readers and caller.account not in zone.readers):
            raise ApiError("AccessDenied", f"not authorized to access this resource: {zone.id}")
        return zone

    # --- zones ---

    def GetHostedZone(self, params: dict, caller: Caller) -> dict:
        zone = self._zone(params, caller)
        result: dict = {"HostedZone": zone.summary()}
        if zone.private:
            result["VPCs"] = [{"VPCRegion": region, "VPCId": vpc} for vpc, region in zone.vpcs]
        else:
            result["DelegationSet"] = {"NameServers": ["ns-1.awsdns-00.com"]}
        return result

    def ListHostedZones(self, params: dict, caller: Caller) -> dict:
        limit = _limit(params, self.page_zones)
        zones = sorted(self.world.zones.values(), key=lambda zone: zone.id)
        if params.get("HostedZoneType") == "PrivateHostedZone":
            zones = [zone for zone in zones if zone.private]
        start = params.get("Marker", "")
        zones = [zone for zone in zones if zone.id >= start]
        result = {"HostedZones": [zone.summary() for zone in zones[:limit]],
                  "Marker": start, "IsTruncated": len(zones) > limit, "MaxItems": limit}
        if len(zones) > limit:
            result["NextMarker"] = zones[limit].id
        return result

    def ListHostedZonesByName(self, params: dict, caller: Caller) -> dict:
        limit = _limit(params, self.page_zones)
        zones = sorted(self.world.zones.values(), key=lambda z: (names.order(z.name), z.id))
        if "DNSName" in params:
            start = (names.order(names.escape(params["DNSName"])), params.get("HostedZoneId", ""))
            zones = [z for z in zones if (names.order(z.name), z.id) >= start]
        elif "HostedZoneId" in params:
            raise ApiError("InvalidInput", "hostedzoneid needs dnsname")
        result = {"HostedZones": [zone.summary() for zone in zones[:limit]],
                  "IsTruncated": len(zones) > limit, "MaxItems": limit}
        result.update({key: params[key] for key in ("DNSName", "HostedZoneId") if key in params})
        if len(zones) > limit:
            result["NextDNSName"] = zones[limit].name
            result["NextHostedZoneId"] = zones[limit].id
        return result

    def ListHostedZonesByVPC(self, params: dict, caller: Caller) -> dict:
        if self.deny_by_vpc:
            raise ApiError("AccessDenied", "not authorized to perform: route53:ListHostedZonesByVPC")
        if not params["VPCId"].startswith("vpc-"):
            raise ApiError("InvalidInput", f"not a VPC: {params['VPCId']}")
        limit = _limit(params, self.page_zones)
        wanted = (params["VPCId"], params["VPCRegion"])
        zones = sorted((z for z in self.world.zones.values() if z.private and wanted in z.vpcs),
                       key=lambda zone: zone.id)
        start = _untoken(params["NextToken"]) if "NextToken" in params else ""
        zones = [zone for zone in zones if zone.id >= start]
        result = {"HostedZoneSummaries": [
            {"HostedZoneId": zone.id, "Name": zone.name, "Owner": zone.owner} for zone in zones[:limit]],
            "MaxItems": limit}
        if len(zones) > limit:
            result["NextToken"] = base64.b64encode(f"next:{zones[limit].id}".encode()).decode()
        return result

    def ListTagsForResources(self, params: dict, caller: Caller) -> dict:
        ids = params["ResourceIds"]
        if len(ids) > 10:
            raise ApiError("InvalidInput", "at most 10 resources")
        return {"ResourceTagSets": [
            {"ResourceType": "hostedzone", "ResourceId": zone_id,
             "Tags": [{"Key": key, "Value": value} for key, value in self.world.find(zone_id).tags.items()]}
            for zone_id in ids]}

    # --- health checks ---

    def GetHealthCheckStatus(self, params: dict, caller: Caller) -> dict:
        """world.health: id to the share of checkers that see it well; None: a calculated check."""
        share = self.world.health.get(params["HealthCheckId"], "")
        if share == "":
            raise ApiError("NoSuchHealthCheck", f"no health check {params['HealthCheckId']}")
        if share is None:
            raise ApiError("InvalidInput", "not for calculated health checks")
        return {"HealthCheckObservations": [
            {"Region": "us-east-1", "IPAddress": f"192.0.2.{i}", "StatusReport": {
                "Status": "Success: HTTP Status Code 200, OK" if i < 16 * share else "Failure: timed out"}}
            for i in range(16)]}

    # --- record sets ---

    def ListResourceRecordSets(self, params: dict, caller: Caller) -> dict:
        zone = self._zone(params, caller)
        limit = _limit(params, self.page_sets)
        keys = zone.listing()
        start = bisect.bisect_left(keys, _start(params), key=sort_key)
        page, rest = keys[start:start + limit], keys[start + limit:start + limit + 1]
        with self.world.lock:
            sets = [zone.sets[key] for key in page if key in zone.sets]
        result = {"ResourceRecordSets": sets, "IsTruncated": bool(rest), "MaxItems": limit}
        if rest:
            result["NextRecordName"], result["NextRecordType"], identifier = rest[0]
            if identifier:
                result["NextRecordIdentifier"] = identifier
        return result

    def ChangeResourceRecordSets(self, params: dict, caller: Caller) -> dict:
        zone = self._zone(params, caller)
        batch = params["ChangeBatch"]
        if not zone.busy.acquire(blocking=not self.work):
            raise ApiError("PriorRequestNotComplete", "The request was rejected because Route 53 was "
                           "still processing a prior request.")
        try:
            if self.work:
                time.sleep(self.work)
            zone.change(batch)
        finally:
            zone.busy.release()
        return {"ChangeInfo": self.world.record_change(batch.get("Comment", ""))}

    def GetChange(self, params: dict, caller: Caller) -> dict:
        info = self.world.changes.get(params["Id"].removeprefix("/change/"))
        if info is None:
            raise ApiError("NoSuchChange", f"no change {params['Id']}")
        age = (datetime.datetime.now(datetime.timezone.utc) - info["SubmittedAt"]).total_seconds()
        done = self.insync and age >= self.insync_after
        return {"ChangeInfo": {**info, "Status": "INSYNC" if done else "PENDING"}}

    def GetHostedZoneLimit(self, params: dict, caller: Caller) -> dict:
        zone = self._zone(params, caller)
        if params["Type"] == "MAX_VPCS_ASSOCIATED_BY_ZONE":
            if not zone.private:
                raise ApiError("HostedZoneNotPrivate", zone.id)
            return {"Limit": {"Type": params["Type"], "Value": 300}, "Count": len(zone.vpcs)}
        return {"Limit": {"Type": params["Type"], "Value": 10000}, "Count": len(zone.sets)}


def _start(params: dict) -> tuple[str, str, str]:
    name, rtype = params.get("StartRecordName"), params.get("StartRecordType")
    identifier = params.get("StartRecordIdentifier")
    if rtype and name is None:
        raise ApiError("InvalidInput", "type needs name")
    if identifier is not None and (name is None or not rtype):
        raise ApiError("InvalidInput", "identifier needs name and type")
    if name is None:
        return "", "", ""
    return names.order(names.escape(name)), rtype or "", identifier or ""


def _untoken(token: str) -> str:
    try:
        text = base64.b64decode(token, validate=True).decode()
    except (ValueError, UnicodeDecodeError):
        text = ""
    if not text.startswith("next:"):
        raise ApiError("InvalidPaginationToken", "The token is not valid")
    return text.removeprefix("next:")
