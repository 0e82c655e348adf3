"""A stand-in for the AWS interfaces that we talk to: Route 53, EC2, Auto Scaling, CloudWatch, SNS, STS, SQS, metadata.

Built from botocore's own service model and signer, so that what is right here is right there.

    api = Standin(World()).start()          # http://127.0.0.1:PORT
    zone = api.world.add_zone("corp.example.", vpcs=[("vpc-1", "eu-west-1")])
    zone.put("www", "A", 60, ["10.0.0.1"])
    api.faults.add(operation="ListResourceRecordSets", status=500, times=2)
    instance = api.ec2.launch(private="10.0.0.9", tags={"Name": "web"})
"""

from .container import Container
from .ec2 import Instance
from .errors import ApiError
from .faults import Faults
from .imds import Metadata
from .server import Key, Standin
from .sts import Role
from .world import World, Zone

__all__ = ["ApiError", "Container", "Faults", "Instance", "Key", "Metadata", "Role", "Standin", "World", "Zone"]
