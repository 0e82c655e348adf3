/*
 * metric/metric.h - counters, histograms, and their Prometheus text.
 *
 * A counter is a uint64_t with one writing thread; the reader adds the workers' up. Rooms keep their
 * counters in plain structs, one a worker, and offer a function that writes them as text; the daemon
 * hands those functions to control/.
 */
#pragma once

#include "base/text.h"
#include <stdint.h>

/* Single writer, any reader: a plain add whose halves no reader sees. */
static inline void metric_add(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, __atomic_load_n(counter, __ATOMIC_RELAXED) + n, __ATOMIC_RELAXED);
}

/* Several writers. Not on the hit path. */
static inline void metric_add_shared(uint64_t *counter, uint64_t n)
{
	__atomic_fetch_add(counter, n, __ATOMIC_RELAXED);
}

static inline uint64_t metric_get(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

/* Buckets at 2^i microseconds, i = 0..METRIC_HIST_BUCKETS-2; the last has no bound. */
#define METRIC_HIST_BUCKETS 24

struct metric_hist {
	uint64_t bucket[METRIC_HIST_BUCKETS];
	uint64_t sum_us;
};

/* n observations of us microseconds each. Single writer. */
void metric_hist_add(struct metric_hist *hist, uint64_t us, uint64_t n);
/* Adds from's figures to into's (into is the reader's own). */
void metric_hist_merge(struct metric_hist *into, const struct metric_hist *from);

enum metric_kind {
	METRIC_COUNTER,
	METRIC_GAUGE,
	METRIC_HISTOGRAM,
};

/* # HELP and # TYPE. Once a family, before its samples. */
void metric_family(struct text *out, const char *name, enum metric_kind kind, const char *help);

/*
 * One sample. labels: NULL-ended pairs name, value, name, value, NULL (or NULL: none); values are
 * escaped here (backslash, quote, newline; other control bytes become '?').
 */
void metric_sample(struct text *out, const char *name, const char *const *labels, double value);
void metric_sample_u64(struct text *out, const char *name, const char *const *labels,
                       uint64_t value);

/* The _bucket, _sum and _count samples of a histogram, in seconds. */
void metric_sample_hist(struct text *out, const char *name, const char *const *labels,
                        const struct metric_hist *hist);

/* A room's counters as text. */
typedef void metric_write_fn(void *ctx, struct text *out);
