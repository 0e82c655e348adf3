#include "aws/service_int.h"

static const struct aws_service services[AWS_SERVICES] = {
	[AWS_ROUTE53] = {"route53", "ROUTE_53", AWS_REST_XML, NULL, NULL, false},
	[AWS_STS] = {"sts", "STS", AWS_QUERY, "2011-06-15", NULL, true},
	[AWS_EC2] = {"ec2", "EC2", AWS_QUERY, "2016-11-15", NULL, false},
	[AWS_MONITORING] = {"monitoring", "CLOUDWATCH", AWS_QUERY, "2010-08-01", NULL, false},
	[AWS_SNS] = {"sns", "SNS", AWS_QUERY, "2010-03-31", NULL, false},
	[AWS_AUTOSCALING] = {"autoscaling", "AUTO_SCALING", AWS_QUERY, "2011-01-01", NULL, false},
	[AWS_SQS] = {"sqs", "SQS", AWS_JSON, "1.0", "AmazonSQS", true},
};

static const struct aws_operation_info operations[AWS_OPERATIONS] = {
	[AWS_LIST_RECORD_SETS] = {AWS_ROUTE53, "ListResourceRecordSets", false},
	[AWS_LIST_ZONES_BY_VPC] = {AWS_ROUTE53, "ListHostedZonesByVPC", false},
	[AWS_GET_ZONE] = {AWS_ROUTE53, "GetHostedZone", false},
	[AWS_GET_HEALTH] = {AWS_ROUTE53, "GetHealthCheckStatus", false},
	/* Route 53 writes its metrics where it lives. */
	[AWS_GET_METRIC] = {AWS_MONITORING, "GetMetricStatistics", true},
	[AWS_CALLER_IDENTITY] = {AWS_STS, "GetCallerIdentity", false},
	[AWS_ASSUME_ROLE] = {AWS_STS, "AssumeRole", false},
	[AWS_ASSUME_ROLE_WEB] = {AWS_STS, "AssumeRoleWithWebIdentity", false},
	[AWS_RECEIVE_MESSAGE] = {AWS_SQS, "ReceiveMessage", false},
	[AWS_DELETE_MESSAGES] = {AWS_SQS, "DeleteMessageBatch", false},
	[AWS_DESCRIBE_VPCS] = {AWS_EC2, "DescribeVpcs", false},
	[AWS_DESCRIBE_DHCP_OPTIONS] = {AWS_EC2, "DescribeDhcpOptions", false},
	[AWS_CREATE_DHCP_OPTIONS] = {AWS_EC2, "CreateDhcpOptions", false},
	[AWS_ASSOCIATE_DHCP_OPTIONS] = {AWS_EC2, "AssociateDhcpOptions", false},
	[AWS_CREATE_TAGS] = {AWS_EC2, "CreateTags", false},
	[AWS_DESCRIBE_ALARMS] = {AWS_MONITORING, "DescribeAlarms", false},
	[AWS_PUT_ALARM] = {AWS_MONITORING, "PutMetricAlarm", false},
	[AWS_PUT_METRIC] = {AWS_MONITORING, "PutMetricData", false},
	[AWS_TAG_ALARM] = {AWS_MONITORING, "TagResource", false},
	[AWS_LIST_ALARM_TAGS] = {AWS_MONITORING, "ListTagsForResource", false},
	[AWS_CREATE_TOPIC] = {AWS_SNS, "CreateTopic", false},
	[AWS_GET_TOPIC] = {AWS_SNS, "GetTopicAttributes", false},
	[AWS_SUBSCRIBE] = {AWS_SNS, "Subscribe", false},
	[AWS_LIST_SUBSCRIPTIONS] = {AWS_SNS, "ListSubscriptionsByTopic", false},
	[AWS_TAG_TOPIC] = {AWS_SNS, "TagResource", false},
	[AWS_LIST_TOPIC_TAGS] = {AWS_SNS, "ListTagsForResource", false},
	[AWS_CHANGE_RECORD_SETS] = {AWS_ROUTE53, "ChangeResourceRecordSets", false},
	[AWS_GET_CHANGE] = {AWS_ROUTE53, "GetChange", false},
	[AWS_LIST_ZONES] = {AWS_ROUTE53, "ListHostedZones", false},
	[AWS_LIST_TAGS] = {AWS_ROUTE53, "ListTagsForResources", false},
	[AWS_DESCRIBE_INSTANCES] = {AWS_EC2, "DescribeInstances", false},
	[AWS_DESCRIBE_SCALING_INSTANCES] = {AWS_AUTOSCALING, "DescribeAutoScalingInstances", false},
	[AWS_DESCRIBE_LIFECYCLE_HOOKS] = {AWS_AUTOSCALING, "DescribeLifecycleHooks", false},
	[AWS_COMPLETE_LIFECYCLE] = {AWS_AUTOSCALING, "CompleteLifecycleAction", false},
};

const struct aws_service *aws_service__get(enum aws_service_id id)
{
	return &services[id];
}

const struct aws_operation_info *aws_operation__get(enum aws_operation operation)
{
	return &operations[operation];
}
