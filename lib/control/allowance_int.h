/*
 * control/allowance_int.h - what a network interface's driver says of the cloud's allowances.
 *
 * What an instance sends beyond its allowances is dropped without a word: to link-local services (DNS, metadata,
 * time: 1024 packets/s an interface), or for want of connection tracking. The ENA driver counts these drops among
 * its ethtool statistics; most drivers have none.
 *
 * Source: ethtool(8), linux/ethtool.h; AWS EC2 user guide, "Network performance metrics for the ENA driver".
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum allowance_kind {
	ALLOWANCE_LINKLOCAL,
	ALLOWANCE_CONNTRACK,
	ALLOWANCE_KINDS,
};

struct allowance {
	bool known[ALLOWANCE_KINDS];
	uint64_t exceeded[ALLOWANCE_KINDS]; /* packets, since the driver was loaded */
};

/* ioctl(2), or what a test has in its place. */
typedef int allowance_ioctl_fn(int fd, unsigned long request, void *arg);

/* fd: any socket. False: the driver offers neither; then *ret is left alone. */
bool allowance__read(allowance_ioctl_fn *call, int fd, const char *interface,
                     struct allowance *ret);
