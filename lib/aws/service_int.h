/*
 * aws/service_int.h - the services that are called, how each is spoken to, and where it lives.
 *
 * To add an operation: a line in enum aws_operation, a line in the table of service.c, and a struct aws_call
 * (client_int.h) where it is made. To add a service: a line in enum aws_service_id and in the table.
 *
 * Source: facts/route53.md sections 3.1, 8.2, 9.2, 9.5 (botocore's service models and endpoint rules).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum aws_service_id {
	AWS_ROUTE53,
	AWS_STS,
	AWS_EC2,
	AWS_MONITORING, /* CloudWatch */
	AWS_SNS,
	AWS_AUTOSCALING,
	AWS_SQS,
	AWS_SERVICES,
};

enum aws_protocol {
	AWS_REST_XML, /* method, path and query are the caller's; a body is XML */
	AWS_QUERY, /* a form is posted, Action and Version ahead of the caller's pairs; answers are XML */
	AWS_JSON, /* a JSON object is posted, the operation in a header; so is the answer */
};

struct aws_service {
	const char *name;     /* signing name, first label of its hosts, and how metrics have it */
	const char *variable; /* AWS_ENDPOINT_URL_<variable> */
	enum aws_protocol protocol;
	const char *version; /* AWS_QUERY: the API's; AWS_JSON: "1.0" or "1.1" */
	const char *target;  /* AWS_JSON: what stands before the operation in X-Amz-Target */
	bool unmetered; /* aws_opts.before is not asked: another budget than that of the API proper */
};

enum aws_operation {
	AWS_LIST_RECORD_SETS,
	AWS_LIST_ZONES_BY_VPC,
	AWS_GET_ZONE,
	AWS_GET_HEALTH,
	AWS_GET_METRIC,
	AWS_CALLER_IDENTITY,
	AWS_ASSUME_ROLE,
	AWS_ASSUME_ROLE_WEB,
	AWS_RECEIVE_MESSAGE,
	AWS_DELETE_MESSAGES,
	AWS_DESCRIBE_VPCS,
	AWS_DESCRIBE_DHCP_OPTIONS,
	AWS_CREATE_DHCP_OPTIONS,
	AWS_ASSOCIATE_DHCP_OPTIONS,
	AWS_CREATE_TAGS,
	AWS_DESCRIBE_ALARMS,
	AWS_PUT_ALARM,
	AWS_PUT_METRIC,
	AWS_TAG_ALARM,
	AWS_LIST_ALARM_TAGS,
	AWS_CREATE_TOPIC,
	AWS_GET_TOPIC,
	AWS_SUBSCRIBE,
	AWS_LIST_SUBSCRIPTIONS,
	AWS_TAG_TOPIC,
	AWS_LIST_TOPIC_TAGS,
	AWS_CHANGE_RECORD_SETS,
	AWS_GET_CHANGE,
	AWS_LIST_ZONES,
	AWS_LIST_TAGS,
	AWS_DESCRIBE_INSTANCES,
	AWS_DESCRIBE_SCALING_INSTANCES,
	AWS_DESCRIBE_LIFECYCLE_HOOKS,
	AWS_COMPLETE_LIFECYCLE,
	AWS_OPERATIONS,
};

struct aws_operation_info {
	enum aws_service_id service;
	const char *name;
	bool home; /* asked in the Region where Route 53 lives, not in ours */
};

/* Never NULL. */
const struct aws_service *aws_service__get(enum aws_service_id id);
const struct aws_operation_info *aws_operation__get(enum aws_operation operation);
