/* control/allowance.c - drops that only the driver knows of, as metrics. */
#include "control/allowance_int.h"

#include "base/mono.h"
#include "control/http.h"
#include "metric/metric.h"
#include <dirent.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define STATS_MAX      2048            /* of one interface; a driver with more is left alone */
#define STATS_ROOM     (2 * STATS_MAX) /* it writes as many as it has: more may have come meanwhile */
#define INTERFACES_MAX 64
#define KEEP_MS        10000 /* asking costs the driver a command to its device */

static const char *const stat_names[ALLOWANCE_KINDS] = {
	[ALLOWANCE_LINKLOCAL] = "linklocal_allowance_exceeded",
	[ALLOWANCE_CONNTRACK] = "conntrack_allowance_exceeded",
};
static const char *const kind_texts[ALLOWANCE_KINDS] = {
	[ALLOWANCE_LINKLOCAL] = "linklocal",
	[ALLOWANCE_CONNTRACK] = "conntrack",
};

/* --- One interface --- */

struct link {
	allowance_ioctl_fn *call;
	int fd;
	const char *interface;
};

static bool link_ask(const struct link *link, void *command)
{
	struct ifreq request = {.ifr_data = command};
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", link->interface);
	return link->call(link->fd, SIOCETHTOOL, &request) == 0;
}

/* How many statistics it has; 0: none, or too many. */
static uint32_t link_count(const struct link *link)
{
	struct {
		struct ethtool_sset_info info;
		uint32_t count;
	} sets = {.info = {.cmd = ETHTOOL_GSSET_INFO, .sset_mask = 1u << ETH_SS_STATS}};
	if (!link_ask(link, &sets) || sets.info.sset_mask == 0 || sets.count > STATS_MAX) {
		return 0;
	}
	return sets.count;
}

/* Where each of ours stands; false: none of them does. */
static bool link_places(const struct link *link, struct ethtool_gstrings *names, uint32_t count,
                        uint32_t *places)
{
	names->cmd = ETHTOOL_GSTRINGS;
	names->string_set = ETH_SS_STATS;
	names->len = count;
	if (!link_ask(link, names) || names->len != count) {
		return false;
	}
	bool any = false;
	for (unsigned int kind = 0; kind < ALLOWANCE_KINDS; kind++) {
		places[kind] = count;
		for (uint32_t i = 0; i < count; i++) {
			const char *name = (const char *)names->data + (size_t)i * ETH_GSTRING_LEN;
			if (strncmp(name, stat_names[kind], ETH_GSTRING_LEN) == 0) {
				places[kind] = i;
				any = true;
			}
		}
	}
	return any;
}

static bool link_read(const struct link *link, struct ethtool_gstrings *names,
                      struct ethtool_stats *stats, struct allowance *ret)
{
	uint32_t places[ALLOWANCE_KINDS];
	uint32_t count = link_count(link);
	if (count == 0 || !link_places(link, names, count, places)) {
		return false;
	}
	stats->cmd = ETHTOOL_GSTATS;
	stats->n_stats = count;
	if (!link_ask(link, stats) || stats->n_stats != count) {
		return false;
	}
	for (unsigned int kind = 0; kind < ALLOWANCE_KINDS; kind++) {
		ret->known[kind] = places[kind] < count;
		ret->exceeded[kind] = ret->known[kind] ? (uint64_t)stats->data[places[kind]] : 0;
	}
	return true;
}

bool allowance__read(allowance_ioctl_fn *call, int fd, const char *interface, struct allowance *ret)
{
	struct link link = {.call = call, .fd = fd, .interface = interface};
	struct ethtool_gstrings *names =
		malloc(sizeof(*names) + (size_t)STATS_ROOM * ETH_GSTRING_LEN);
	struct ethtool_stats *stats = malloc(sizeof(*stats) + STATS_ROOM * sizeof(uint64_t));
	bool found = names != NULL && stats != NULL && link_read(&link, names, stats, ret);
	free(names);
	free(stats);
	return found;
}

/* --- All of them --- */

struct reading {
	char interface[IFNAMSIZ];
	struct allowance allowance;
};

struct readings {
	struct reading of[INTERFACES_MAX];
	size_t count;
	uint64_t at_ms; /* 0: never */
};

static int system_ioctl(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg);
}

static void readings_take(struct readings *readings)
{
	readings->count = 0;
	DIR *dir = opendir("/sys/class/net");
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	const struct dirent *entry;
	while (dir != NULL && fd >= 0 && readings->count < INTERFACES_MAX &&
	       (entry = readdir(dir)) != NULL) {
		struct reading *reading = &readings->of[readings->count];
		size_t len = strlen(entry->d_name);
		if (entry->d_name[0] == '.' || len >= sizeof(reading->interface)) {
			continue;
		}
		memcpy(reading->interface, entry->d_name, len + 1);
		readings->count +=
			allowance__read(system_ioctl, fd, reading->interface, &reading->allowance);
	}
	if (fd >= 0) {
		close(fd);
	}
	if (dir != NULL) {
		closedir(dir);
	}
}

void http_allowance_metrics(struct text *out)
{
	static struct readings readings; /* the control thread's */
	uint64_t now_ms = mono_ms();
	if (readings.at_ms == 0 || now_ms - readings.at_ms >= KEEP_MS) {
		readings_take(&readings);
		readings.at_ms = now_ms;
	}
	if (readings.count == 0) {
		return;
	}
	metric_family(out, "horizond_allowance_exceeded_total", METRIC_COUNTER,
	              "Packets that the cloud dropped since an allowance of the interface was used "
	              "up, as its driver counts them.");
	for (size_t i = 0; i < readings.count; i++) {
		const struct reading *reading = &readings.of[i];
		for (unsigned int kind = 0; kind < ALLOWANCE_KINDS; kind++) {
			if (reading->allowance.known[kind]) {
				const char *labels[] = {"interface", reading->interface,
				                        "allowance", kind_texts[kind], NULL};
				metric_sample_u64(out, "horizond_allowance_exceeded_total", labels,
				                  reading->allowance.exceeded[kind]);
			}
		}
	}
}
