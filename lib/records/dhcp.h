/*
 * records/dhcp.h - the DHCP option set that hands our addresses to a VPC's instances: what it must be, and the way back.
 *
 * Pure but for the file that remembers what the VPC had before. Options that the settings do not name stay as they were:
 * a set is replaced whole, so they are copied from the old one.
 *
 * AWS: VPC User Guide, "DHCP option sets"; facts/route53.md section 7.4.
 */
#pragma once

#include "aws/dhcp.h"
#include "base/text.h"
#include "config/records.h"

/* The old set (no options: the VPC has none) with what the settings ask for. FAIL_LIMIT: more options than a set has. */
int dhcp_plan(const struct aws_dhcp *old, const struct records_dhcp *wanted,
              struct aws_dhcp *ret_set);

/* The same options with the same values in the same order; order of options, ids and tags aside. */
bool dhcp_equal(const struct aws_dhcp *a, const struct aws_dhcp *b);

/* One line an option: "  " what stays, "- " what goes, "+ " what comes. */
void dhcp_diff(const struct aws_dhcp *old, const struct aws_dhcp *set, struct text *out);

/* What a VPC had before we came, and what we gave it; each "" when nothing is remembered. */
struct dhcp_memory {
	char before[AWS_DHCP_ID_MAX];
	char ours[AWS_DHCP_ID_MAX];
};

/* DIR/dhcp-VPC.json. 0 (with nothing remembered when there is no file), FAIL_FORMAT, -errno, FAIL_NOMEM. */
int dhcp_memory_load(const char *dir, const char *vpc, struct dhcp_memory *ret_memory);
int dhcp_memory_save(const char *dir, const char *vpc, const struct dhcp_memory *memory);
/* No more to go back to. 0 or -errno. */
int dhcp_memory_drop(const char *dir, const char *vpc);
