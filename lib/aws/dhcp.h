/*
 * aws/dhcp.h - DHCP option sets of VPCs. Blocking, as aws/route53.h; errors as there.
 *
 * Sets are immutable: a change is a new set and its association. Instances take it at the next renewal of their lease.
 *
 * AWS: API Reference EC2 DescribeVpcs, DescribeDhcpOptions, CreateDhcpOptions, AssociateDhcpOptions, CreateTags;
 * facts/route53.md section 7.4.
 */
#pragma once

#include "aws/tag.h"

struct aws;

#define AWS_DHCP_ID_MAX      64
#define AWS_DHCP_OPTIONS_MAX 8
#define AWS_DHCP_VALUES_MAX  8
#define AWS_DHCP_DEFAULT     "default" /* the id of a VPC's set when it has none */

struct aws_dhcp_option {
	char key[40];
	char values[AWS_DHCP_VALUES_MAX][256];
	size_t count;
};

struct aws_dhcp {
	char id[AWS_DHCP_ID_MAX];
	struct aws_dhcp_option options[AWS_DHCP_OPTIONS_MAX];
	size_t option_count;
	struct aws_tag_list tags;
};

/* The set that a VPC has now. FAIL_NOTFOUND: no such VPC. ret_id: AWS_DHCP_ID_MAX. */
int aws_dhcp_of_vpc(struct aws *aws, const char *vpc_id, char *ret_id);

/* A non-zero return ends the listing and is its result. */
typedef int aws_dhcp_fn(void *ctx, const struct aws_dhcp *dhcp);
/* Every set of the account in the client's Region; with an id only that one (FAIL_NOTFOUND: it is gone). */
int aws_dhcp_list(struct aws *aws, const char *id, aws_dhcp_fn *fn, void *ctx);

/* A new set with the options (its id and tags aside). ret_id: AWS_DHCP_ID_MAX. */
int aws_dhcp_create(struct aws *aws, const struct aws_dhcp *dhcp, const struct aws_tags *tags,
                    char *ret_id);
int aws_dhcp_associate(struct aws *aws, const char *vpc_id, const char *id);
/* Adds tags to any resource of EC2. */
int aws_ec2_tag(struct aws *aws, const char *id, const struct aws_tags *tags);
