/* daemon/horizond_metrics.c - what /metrics, /healthz and /readyz say. */
#include "horizond_int.h"

#include <stdio.h>

static void reload_metrics(const struct horizond *h, struct text *out)
{
	const char *labels[] = {"result", "ok", NULL};
	metric_family(out, "horizond_reloads_total", METRIC_COUNTER,
	              "Readings of the settings while running, by whether they were applied.");
	metric_sample_u64(out, "horizond_reloads_total", labels, h->reloads_ok);
	labels[1] = "refused";
	metric_sample_u64(out, "horizond_reloads_total", labels, h->reloads_bad);
}

void horizond_metrics(void *ctx, struct text *out)
{
	struct horizond *h = ctx;
	server_metrics(h->server, out);
	forward_metrics(h->forward, out);
	cache_metrics(h->cache, out);
	sync_metrics(h->sync, out);
	parity_metrics(h->parity, out);
	reload_metrics(h, out);
	http_process_metrics(out);
	http_allowance_metrics(out);
}

bool horizond_healthy(void *ctx, char *why, size_t why_size)
{
	const struct horizond *h = ctx;
	if (!h->alive) {
		snprintf(why, why_size, "a worker does not turn its loop");
		return false;
	}
	return true;
}

bool horizond_ready(void *ctx, char *why, size_t why_size)
{
	struct horizond *h = ctx;
	if (!sync_ready(h->sync, why, why_size)) {
		return false;
	}
	__atomic_store_n(&h->settled, true, __ATOMIC_RELAXED);
	if (!forward_way_out(h->forward, 0)) {
		snprintf(why, why_size, "every upstream is down");
		return false;
	}
	return true;
}
