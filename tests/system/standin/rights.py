"""Which rights a call needs: actions, the resources they are checked against, and the condition keys they carry.

Source: Service Authorization Reference, one page a service.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from . import names
from .caller import Caller
from .errors import ApiError

PREFIX = {"monitoring": "cloudwatch"}  # where a service's actions are named otherwise than it is signed
# Nobody needs a right for these.
FREE = {("sts", "GetCallerIdentity")}
# Actions whose only resource is "*".
EVERYWHERE = {
    "route53": ("ListHostedZones", "ListHostedZonesByName", "ListHostedZonesByVPC"),
    "ec2": ("DescribeInstances", "DescribeNetworkInterfaces", "DescribeAddresses", "DescribeVpcs",
            "DescribeDhcpOptions"),
    "autoscaling": ("DescribeLifecycleHooks", "DescribeAutoScalingInstances"),
    "monitoring": ("GetMetricStatistics",),
}


@dataclass
class Need:
    action: str
    resource: str = "*"
    context: dict = field(default_factory=dict)


def denial(service: str, caller: Caller, need: Need) -> ApiError:
    text = (f"User: {caller.arn} is not authorized to perform: {need.action} on resource: "
            f"{need.resource} because no identity-based policy allows the {need.action} action")
    if service == "ec2":
        return ApiError("UnauthorizedOperation", "You are not authorized to perform this operation. "
                        + text, 403)
    return ApiError("AuthorizationError" if service == "sns" else "AccessDenied", text, 403)


def needs(service: str, operation: str, params: dict, caller: Caller) -> list[Need]:
    """All of them must be allowed."""
    if (service, operation) in FREE:
        return []
    made = Need(f"{PREFIX.get(service, service)}:{operation}",
                context={"aws:RequestedRegion": caller.region, "aws:PrincipalArn": caller.arn})
    tags = _tags(params)
    if tags:
        made.context["aws:TagKeys"] = list(tags)
        made.context.update({f"aws:RequestTag/{key}": value for key, value in tags.items()})
    find = globals().get(f"_{service}")
    out = find(operation, params, caller, made) if find else None
    if out is None and operation in EVERYWHERE.get(service, ()):
        out = [made]
    if out is None:
        raise AssertionError(f"no rights are known for {service} {operation}")
    return out


def _tags(params: dict) -> dict[str, str]:
    listed = params.get("Tags") or [t for s in params.get("TagSpecifications", []) for t in s.get("Tags", [])]
    return {tag["Key"]: tag.get("Value", "") for tag in listed}


def _at(made: Need, resource: str, **context) -> Need:
    return Need(made.action, resource, made.context | context)


def _also(made: Need, action: str, resource: str, **context) -> Need:
    return Need(action, resource, made.context | context)


# --- Route 53 ---

def normalized(name: str) -> str:
    """As the condition key has it: no dot at the end."""
    return names.escape(name).rstrip(".")


def _route53(operation: str, params: dict, caller: Caller, made: Need) -> list[Need] | None:
    if operation == "ListHostedZonesByVPC":
        vpc = f"VPCId={params['VPCId']},VPCRegion={params['VPCRegion']}"
        return [_at(made, "*", **{"route53:VPCs": [vpc]}), _also(made, "ec2:DescribeVpcs", "*")]
    if operation == "ListTagsForResources":
        return [_at(made, f"arn:aws:route53:::{params['ResourceType']}/{each}") for each in params["ResourceIds"]]
    if operation == "GetChange":
        return [_at(made, "arn:aws:route53:::change/" + params["Id"].removeprefix("/change/"))]
    if operation == "GetHealthCheckStatus":
        return [_at(made, "arn:aws:route53:::healthcheck/" + params["HealthCheckId"])]
    if operation == "ChangeResourceRecordSets":
        sets = [change["ResourceRecordSet"] for change in params["ChangeBatch"]["Changes"]]
        key = "route53:ChangeResourceRecordSets"
        made.context |= {
            key + "NormalizedRecordNames": sorted({normalized(s["Name"]) for s in sets}),
            key + "RecordTypes": sorted({s["Type"] for s in sets}),
            key + "Actions": sorted({change["Action"] for change in params["ChangeBatch"]["Changes"]})}
    zone = params.get("Id") or params.get("HostedZoneId")
    if zone is None:
        return None
    return [_at(made, "arn:aws:route53:::hostedzone/" + zone.removeprefix("/hostedzone/"))]


# --- the others ---

def _ec2(operation: str, params: dict, caller: Caller, made: Need) -> list[Need] | None:
    base = f"arn:aws:ec2:{caller.region}:{caller.account}:"
    made.context["ec2:Region"] = caller.region
    if operation == "CreateDhcpOptions":
        out = [_at(made, base + "dhcp-options/*")]
        if _tags(params):
            out.append(_also(made, "ec2:CreateTags", base + "dhcp-options/*",
                             **{"ec2:CreateAction": operation}))
        return out
    if operation == "AssociateDhcpOptions":
        return [_at(made, base + "dhcp-options/" + params["DhcpOptionsId"]),
                _at(made, base + "vpc/" + params["VpcId"])]
    if operation == "DeleteDhcpOptions":
        return [_at(made, base + "dhcp-options/" + params["DhcpOptionsId"])]
    if operation == "CreateTags":
        kinds = {"dopt-": "dhcp-options/", "i-": "instance/", "vpc-": "vpc/"}
        return [_at(made, base + next(kind + wanted for prefix, kind in kinds.items()
                                      if wanted.startswith(prefix))) for wanted in params["Resources"]]
    return None


def _autoscaling(operation: str, params: dict, caller: Caller, made: Need) -> list[Need] | None:
    if operation != "CompleteLifecycleAction":
        return None
    return [_at(made, f"arn:aws:autoscaling:{caller.region}:{caller.account}:autoScalingGroup:"
                "11111111-2222-3333-4444-555555555555:autoScalingGroupName/"
                + params["AutoScalingGroupName"])]


def _monitoring(operation: str, params: dict, caller: Caller, made: Need) -> list[Need] | None:
    base = f"arn:aws:cloudwatch:{caller.region}:{caller.account}:alarm:"
    if operation == "PutMetricData":
        return [_at(made, "*", **{"cloudwatch:namespace": params["Namespace"]})]
    if operation == "PutMetricAlarm":
        out = [_at(made, base + params["AlarmName"])]
        if _tags(params):
            out.append(_also(made, "cloudwatch:TagResource", base + params["AlarmName"]))
        return out
    if operation == "DescribeAlarms":
        return [_at(made, base + "*")]
    if operation in ("TagResource", "ListTagsForResource"):
        return [_at(made, params["ResourceARN"])]
    return None


def _sns(operation: str, params: dict, caller: Caller, made: Need) -> list[Need] | None:
    if operation == "CreateTopic":
        arn = f"arn:aws:sns:{caller.region}:{caller.account}:{params['Name']}"
        return [_at(made, arn)] + ([_also(made, "sns:TagResource", arn)] if _tags(params) else [])
    if operation == "Subscribe":
        made.context |= {"sns:Protocol": params["Protocol"], "sns:Endpoint": params.get("Endpoint", "")}
    arn = params.get("TopicArn") or params.get("ResourceArn")
    return [_at(made, arn)] if arn else None


def _sqs(operation: str, params: dict, caller: Caller, made: Need) -> list[Need] | None:
    account, name = params["QueueUrl"].rstrip("/").split("/")[-2:]
    made.action = made.action.removesuffix("Batch")  # batches have no action of their own
    return [_at(made, f"arn:aws:sqs:{caller.region}:{account}:{name}")]


def _sts(operation: str, params: dict, caller: Caller, made: Need) -> list[Need] | None:
    return [_at(made, params["RoleArn"])] if operation == "AssumeRole" else None
