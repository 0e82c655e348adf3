/*
 * config/records_int.h - the groups of the settings of horizon-aws that stand in a file of their own.
 */
#pragma once

#include "config/keys_int.h"

/* In records_account.c: what is set up once a VPC, and once an instance that answers. */
extern const struct key_group records__dhcp_group;
extern const struct key_group records__alarm_group;
