/* daemon/horizond_peer.c - serves our zones' copies to the rest of the fleet. */
#include "horizond_int.h"

#include "base/fail.h"
#include "base/log.h"
#include "peer/peer.h"
#include <limits.h>
#include <stdio.h>

static void index_write(void *ctx, struct text *out)
{
	const struct horizond *h = ctx;
	sync_fleet_index(h->sync, out);
}

int horizond_peer_start(struct horizond *h, const struct settings *settings, char *err,
                        size_t err_size)
{
	char dir[PATH_MAX];
	const struct settings_peer *peer = &settings->peer;
	if (peer->listen.count == 0 || settings->state_dir[0] == '\0') {
		return 0;
	}
	snprintf(dir, sizeof(dir), "%s/zones", settings->state_dir);
	const struct peer_opts opts = {
		.listen = peer->listen.items,
		.listen_count = peer->listen.count,
		.certificate = peer->certificate,
		.key = peer->key,
		.ca = peer->ca,
		.name = peer->name,
		.dir = dir,
		.index = index_write,
		.ctx = h,
	};
	int ret = peer_start(&opts, &h->peer, err, err_size);
	if (ret == 0) {
		log_info("horizond", "zones' copies are served to peers");
	}
	return ret;
}

/* Anew each time: the files may have changed though the settings have not. */
void horizond_peer_follow(struct horizond *h, const struct settings *settings)
{
	char err[256] = "";
	peer_stop(&h->peer);
	if (horizond_peer_start(h, settings, err, sizeof(err)) != 0) {
		log_error("horizond", "zones' copies are not served to peers: %s", err);
	}
}
