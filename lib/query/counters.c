/* query/counters.c - what the workers counted, as Prometheus text. */
#include "query/query.h"

#include <string.h>

static void counters_sum(struct query_worker *const *workers, size_t count,
                         struct query_counters *ret_sum)
{
	memset(ret_sum, 0, sizeof(*ret_sum));
	for (size_t i = 0; i < count; i++) {
		const struct query_counters *from = &workers[i]->counters;
		for (unsigned int p = 0; p < QUERY_PROTOS; p++) {
			for (unsigned int m = 0; m < CLIENT_MAYS; m++) {
				ret_sum->queries[p][m] += metric_get(&from->queries[p][m]);
			}
		}
		for (unsigned int r = 0; r < QUERY_RCODES; r++) {
			ret_sum->answers[r] += metric_get(&from->answers[r]);
		}
		for (unsigned int s = 0; s < QUERY_SOURCES; s++) {
			ret_sum->from[s] += metric_get(&from->from[s]);
		}
		metric_hist_merge(&ret_sum->seconds, &from->seconds);
	}
}

static void write_queries(const struct query_counters *sum, struct text *out)
{
	static const char *const protos[QUERY_PROTOS] = {"udp", "tcp", "tls"};
	metric_family(out, "horizond_queries_total", METRIC_COUNTER, "Questions of clients.");
	for (unsigned int p = 0; p < QUERY_PROTOS; p++) {
		for (unsigned int m = 0; m < CLIENT_MAYS; m++) {
			const char *labels[] = {"proto", protos[p], "may", client_may_text(m),
			                        NULL};
			metric_sample_u64(out, "horizond_queries_total", labels,
			                  sum->queries[p][m]);
		}
	}
}

static void write_answers(const struct query_counters *sum, struct text *out)
{
	metric_family(out, "horizond_answers_total", METRIC_COUNTER, "Answers by rcode.");
	for (unsigned int r = 0; r < QUERY_RCODES; r++) {
		if (r > DNS_RCODE_REFUSED && sum->answers[r] == 0) {
			continue;
		}
		char word[16];
		const char *labels[] = {"rcode", dns_rcode_text(r, word), NULL};
		metric_sample_u64(out, "horizond_answers_total", labels, sum->answers[r]);
	}
	metric_family(out, "horizond_answers_from_total", METRIC_COUNTER,
	              "Answers by where they came from.");
	for (unsigned int s = 0; s < QUERY_SOURCES; s++) {
		const char *labels[] = {"source", query_source_text(s), NULL};
		metric_sample_u64(out, "horizond_answers_from_total", labels, sum->from[s]);
	}
}

void query_metrics(struct query_worker *const *workers, size_t count, struct text *out)
{
	struct query_counters sum;
	counters_sum(workers, count, &sum);
	write_queries(&sum, out);
	write_answers(&sum, out);
	metric_family(out, "horizond_answer_seconds", METRIC_HISTOGRAM,
	              "From a question's arrival to its answer.");
	metric_sample_hist(out, "horizond_answer_seconds", NULL, &sum.seconds);
}
