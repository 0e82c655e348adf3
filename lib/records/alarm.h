/*
 * records/alarm.h - the two alarms on an instance that answers: what they must be, and how they differ from what is there.
 *
 * Pure. Recovery keeps the instance's id and addresses; it is for the machine underneath (StatusCheckFailed_System), not for
 * what runs on it. The other alarm is on the daemon's own figure, and no figure is a bad one.
 *
 * AWS: EC2 User Guide, "Create alarms that stop, terminate, reboot, or recover an instance"; facts/route53.md section 9.4.
 */
#pragma once

#include "aws/alarm.h"
#include "base/text.h"

#define ALARM_METRIC "Healthy" /* 1 or 0, of one instance */

struct alarm_place {
	const char *region;
	const char *instance;
	const char *topic; /* ARN; "": nobody is told */
	const char *space; /* namespace of the daemon's figure */
};

void alarm_recover(const struct alarm_place *place, struct aws_alarm *ret_alarm);
void alarm_health(const struct alarm_place *place, struct aws_alarm *ret_alarm);

bool alarm_equal(const struct aws_alarm *a, const struct aws_alarm *b);
/* One line a setting that differs: "- " as it is, "+ " as it must be. old NULL: there is none. */
void alarm_diff(const struct aws_alarm *old, const struct aws_alarm *wanted, struct text *out);
