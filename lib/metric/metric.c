#include "metric/metric.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void metric_hist_add(struct metric_hist *hist, uint64_t us, uint64_t n)
{
	unsigned int i = us <= 1 ? 0 : 64u - (unsigned int)__builtin_clzll(us - 1);
	if (i >= METRIC_HIST_BUCKETS) {
		i = METRIC_HIST_BUCKETS - 1;
	}
	metric_add(&hist->bucket[i], n);
	metric_add(&hist->sum_us, us * n);
}

void metric_hist_merge(struct metric_hist *into, const struct metric_hist *from)
{
	for (unsigned int i = 0; i < METRIC_HIST_BUCKETS; i++) {
		into->bucket[i] += metric_get(&from->bucket[i]);
	}
	into->sum_us += metric_get(&from->sum_us);
}

static void add_char(struct text *out, char c)
{
	text_add(out, &c, 1);
}

static void add_text(struct text *out, const char *text)
{
	text_add(out, text, strlen(text));
}

/* In a help text a quote stands for itself, in a label's value it does not. */
static void add_escaped(struct text *out, const char *value, bool quoted)
{
	for (; *value != '\0'; value++) {
		unsigned char c = (unsigned char)*value;
		if (c == '\\' || (quoted && c == '"')) {
			add_char(out, '\\');
			add_char(out, (char)c);
		} else if (c == '\n') {
			add_text(out, "\\n");
		} else {
			add_char(out, c < 0x20 || c == 0x7f ? '?' : (char)c);
		}
	}
}

static const char *kind_text(enum metric_kind kind)
{
	switch (kind) {
	case METRIC_COUNTER:
		return "counter";
	case METRIC_GAUGE:
		return "gauge";
	case METRIC_HISTOGRAM:
		return "histogram";
	}
	return "untyped";
}

void metric_family(struct text *out, const char *name, enum metric_kind kind, const char *help)
{
	text_addf(out, "# HELP %s ", name);
	add_escaped(out, help, false);
	text_addf(out, "\n# TYPE %s %s\n", name, kind_text(kind));
}

/* "{a="1",b="2"}", with one label more when more_name is not NULL; nothing when there is none. */
static void add_labels(struct text *out, const char *const *labels, const char *more_name,
                       const char *more_value)
{
	char before = '{';
	for (; labels != NULL && labels[0] != NULL; labels += 2) {
		add_char(out, before);
		text_addf(out, "%s=\"", labels[0]);
		add_escaped(out, labels[1], true);
		add_char(out, '"');
		before = ',';
	}
	if (more_name != NULL) {
		text_addf(out, "%c%s=\"%s\"", before, more_name, more_value);
		before = ',';
	}
	if (before == ',') {
		add_char(out, '}');
	}
}

/* The shorter form when it reads back as the same number: 0.1, and not 0.10000000000000001. */
#define NUMBER_MAX 32
static const char *number_text(double value, char *buf)
{
	if (isnan(value)) {
		return "NaN";
	}
	if (isinf(value)) {
		return value > 0 ? "+Inf" : "-Inf";
	}
	snprintf(buf, NUMBER_MAX, "%.15g", value);
	if (strtod(buf, NULL) != value) {
		snprintf(buf, NUMBER_MAX, "%.17g", value);
	}
	return buf;
}

void metric_sample(struct text *out, const char *name, const char *const *labels, double value)
{
	char number[NUMBER_MAX];
	add_text(out, name);
	add_labels(out, labels, NULL, NULL);
	text_addf(out, " %s\n", number_text(value, number));
}

void metric_sample_u64(struct text *out, const char *name, const char *const *labels,
                       uint64_t value)
{
	add_text(out, name);
	add_labels(out, labels, NULL, NULL);
	text_addf(out, " %llu\n", (unsigned long long)value);
}

void metric_sample_hist(struct text *out, const char *name, const char *const *labels,
                        const struct metric_hist *hist)
{
	uint64_t count = 0; /* buckets are cumulative in the text */
	char number[NUMBER_MAX];
	for (unsigned int i = 0; i < METRIC_HIST_BUCKETS; i++) {
		double bound_s = i + 1 < METRIC_HIST_BUCKETS ? (double)(1u << i) / 1e6 : INFINITY;
		count += metric_get(&hist->bucket[i]);
		text_addf(out, "%s_bucket", name);
		add_labels(out, labels, "le", number_text(bound_s, number));
		text_addf(out, " %llu\n", (unsigned long long)count);
	}
	text_addf(out, "%s_sum", name);
	add_labels(out, labels, NULL, NULL);
	text_addf(out, " %s\n", number_text((double)metric_get(&hist->sum_us) / 1e6, number));
	text_addf(out, "%s_count", name);
	add_labels(out, labels, NULL, NULL);
	text_addf(out, " %llu\n", (unsigned long long)count);
}
