/*
 * aws/arn.h - names of resources: arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE.
 *
 * AWS: General Reference, "Amazon Resource Names"; facts/route53.md sections 3.1, 9.3.
 */
#pragma once

/* The partition that a Region belongs to, as ARNs have it: "aws", "aws-cn", ... A Region that nobody knows: "aws". */
const char *aws_arn_partition(const char *region);
