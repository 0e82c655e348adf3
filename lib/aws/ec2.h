/*
 * aws/ec2.h - instances, who the caller is, and the lifecycle hooks of autoscaling. Blocking, as aws/route53.h.
 *
 * AWS: API Reference EC2 DescribeInstances, STS GetCallerIdentity, Auto Scaling CompleteLifecycleAction;
 * facts/route53.md section 9.2. Errors as aws/route53.h; a listing that is cut short is never a success.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct aws;

#define AWS_EC2_ADDRESSES_MAX 256

/* Texts are borrowed for the call. */
struct aws_ec2_instance {
	const char *id;
	const char *state;                            /* "running", "stopped", ... */
	const char *public_ip;                        /* NULL: none */
	const char *addresses[AWS_EC2_ADDRESSES_MAX]; /* all, public ones too; more are left out */
	size_t address_count;
};
/* A non-zero return ends the listing and is its result. */
typedef int aws_ec2_instance_fn(void *ctx, const struct aws_ec2_instance *instance);

/*
 * Every instance of the caller's account in the Region of the client, those that AWS services manage included
 * (IncludeManagedResources), page after page. FAIL_FORMAT: an answer that is not complete.
 */
int aws_ec2_instances(struct aws *aws, aws_ec2_instance_fn *fn, void *ctx);

/* The account of our credentials: 12 digits. buf: 13. */
int aws_account(struct aws *aws, char *buf);

/*
 * Lets an instance that waits in a lifecycle hook go on (result CONTINUE). group and hook "": the instance's group, and
 * its hook of termination, are asked for first. FAIL_NOTFOUND: not in a group, or no such hook.
 */
int aws_lifecycle_complete(struct aws *aws, const char *instance_id, const char *group,
                           const char *hook);

/* Text of instance metadata (IMDSv2) at a path below /latest/. FAIL_NOTFOUND: no such thing, or metadata is off. */
int aws_metadata_get(struct aws *aws, const char *path, char *buf, size_t size);
