"""By hand: python3 -m standin --port 8053 --zone corp.example=saved.json --vpc vpc-1:eu-west-1"""

from __future__ import annotations

import argparse
import json
import signal
import sys

from . import Metadata, Standin, World


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="standin", description=__doc__)
    parser.add_argument("--port", type=int, default=8053, help="of the Route 53 API")
    parser.add_argument("--metadata-port", type=int, default=0, help="of instance metadata; 0: none")
    parser.add_argument("--zone", action="append", default=[], metavar="NAME=FILE",
                        help="a private zone from saved list-resource-record-sets output")
    parser.add_argument("--vpc", default="vpc-0a1b2c3d4e5f60718:eu-west-1", metavar="ID:REGION")
    parser.add_argument("--rate", type=float, default=5.0, help="requests a second; 0: no limit")
    return parser.parse_args()


def main() -> int:
    options = _options()
    vpc, _, region = options.vpc.partition(":")
    world = World()
    for text in options.zone:
        name, _, path = text.partition("=")
        with open(path, encoding="utf-8") as file:
            zone = world.load(name, json.load(file), vpcs=[(vpc, region)])
        print(f"zone {zone.name} {zone.id}: {len(zone.sets)} sets")
    api = Standin(world, port=options.port).start()
    api.throttle(options.rate)
    for key, value in api.environment().items():
        print(f"export {key}={value}")
    if options.metadata_port:
        metadata = Metadata(region, vpc, port=options.metadata_port)
        metadata.keys = api.keys
        print(f"export AWS_EC2_METADATA_SERVICE_ENDPOINT={metadata.start().url}")
    print(f"# control: curl {api.url}/_standin/calls; Ctrl-C ends", flush=True)
    try:
        signal.pause()
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
