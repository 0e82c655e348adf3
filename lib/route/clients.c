#include "route/clients.h"
#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * The prefixes of a family, nested as they are, are laid out flat: every address from `from` up
 * to the next span's belongs to one class. So a look-up is one binary search, whatever the number
 * of prefixes.
 */
struct span {
	unsigned __int128 from;
	unsigned int class;
};

struct spans {
	struct span *items;
	size_t count;
};

struct clients {
	struct client_class *classes; /* the first: in no prefix; then one an entry */
	struct spans four;
	struct spans six;
};

/* A prefix as its first and last address. */
struct range {
	unsigned __int128 from;
	unsigned __int128 to;
	unsigned int class;
};

#define NESTED_MAX 129 /* ranges of different lengths that hold one address */

const char *client_may_text(enum client_may may)
{
	switch (may) {
	case CLIENT_NOTHING:
		return "nothing";
	case CLIENT_ZONES:
		return "zones";
	case CLIENT_ALL:
		return "all";
	case CLIENT_MAYS:
		break;
	}
	return "?";
}

static unsigned __int128 bytes_value(const uint8_t *bytes, size_t count)
{
	unsigned __int128 value = 0;
	for (size_t i = 0; i < count; i++) {
		value = value << 8 | bytes[i];
	}
	return value;
}

/* --- Building --- */

static struct range range_of(const struct prefix *prefix, unsigned int class)
{
	unsigned int width = prefix->family == AF_INET ? 32 : 128;
	unsigned int host = width - prefix->bits;
	unsigned __int128 free_bits =
		host == 128 ? ~(unsigned __int128)0 : ((unsigned __int128)1 << host) - 1;
	unsigned __int128 from = bytes_value(prefix->bytes, width / 8);
	return (struct range){.from = from, .to = from | free_bits, .class = class};
}

/* By first address; of those that begin together the widest first, so that it stands outside. */
static int range_compare(const void *left, const void *right)
{
	const struct range *a = left;
	const struct range *b = right;
	if (a->from != b->from) {
		return a->from < b->from ? -1 : 1;
	}
	if (a->to != b->to) {
		return a->to > b->to ? -1 : 1;
	}
	return a->class < b->class ? -1 : 1;
}

/*
 * Spans come in order of their addresses. A range that begins where its neighbour ends takes that
 * place.
 */
static void span_add(struct spans *spans, unsigned __int128 from, unsigned int class)
{
	if (spans->count > 0 && spans->items[spans->count - 1].from == from) {
		spans->count--;
	}
	spans->items[spans->count++] = (struct span){.from = from, .class = class};
}

/* Ranges that do not reach `until` have ended before: what holds them goes on behind each. */
static size_t ranges_end(struct spans *spans, const struct range *const *open, size_t depth,
                         const unsigned __int128 *until)
{
	while (depth > 0 && (until == NULL || open[depth - 1]->to < *until)) {
		unsigned __int128 behind = open[depth - 1]->to + 1;
		depth--;
		if (behind != 0) {
			span_add(spans, behind, depth > 0 ? open[depth - 1]->class : 0);
		}
	}
	return depth;
}

static void spans_build(struct spans *spans, struct range *ranges, size_t count)
{
	const struct range *open[NESTED_MAX];
	size_t depth = 0;
	qsort(ranges, count, sizeof(*ranges), range_compare);
	span_add(spans, 0, 0);
	for (size_t i = 0; i < count; i++) {
		const struct range *range = &ranges[i];
		depth = ranges_end(spans, open, depth, &range->from);
		if (depth > 0 && open[depth - 1]->from == range->from &&
		    open[depth - 1]->to == range->to) {
			continue; /* the same prefix again: the first stays */
		}
		assert(depth < NESTED_MAX);
		open[depth++] = range;
		span_add(spans, range->from, range->class);
	}
	ranges_end(spans, open, depth, NULL);
}

static void class_fill(struct client_class *class, const struct client_opts *opts)
{
	char text[PREFIX_TEXT_MAX];
	class->may = opts->may;
	class->rate = opts->rate;
	snprintf(class->text, sizeof(class->text), "%s %s", prefix_text(&opts->from, text),
	         client_may_text(opts->may));
}

static int family_build(struct spans *spans, uint8_t family, const struct client_opts *opts,
                        size_t count)
{
	struct range *ranges = calloc(count, sizeof(*ranges));
	spans->items = calloc(2 * count + 1, sizeof(*spans->items));
	if (ranges == NULL || spans->items == NULL) {
		free(ranges);
		return -1;
	}
	size_t mine = 0;
	for (size_t i = 0; i < count; i++) {
		if (opts[i].from.family == family) {
			ranges[mine++] = range_of(&opts[i].from, (unsigned int)i + 1);
		}
	}
	spans_build(spans, ranges, mine);
	free(ranges);
	return 0;
}

static struct clients *clients_build(const struct client_opts *opts, size_t count)
{
	struct clients *clients = calloc(1, sizeof(*clients));
	if (clients == NULL) {
		return NULL;
	}
	clients->classes = calloc(count + 1, sizeof(*clients->classes));
	if (clients->classes == NULL || family_build(&clients->four, AF_INET, opts, count) != 0 ||
	    family_build(&clients->six, AF_INET6, opts, count) != 0) {
		clients_free(&clients);
		return NULL;
	}
	clients->classes[0] =
		(struct client_class){.may = CLIENT_NOTHING, .text = "no prefix nothing"};
	for (size_t i = 0; i < count; i++) {
		class_fill(&clients->classes[i + 1], &opts[i]);
	}
	return clients;
}

/* What is not routed on the internet: ours, unless somebody says otherwise. */
static const char *const default_prefixes[] = {
	"127.0.0.0/8",    "::1",           "10.0.0.0/8",     "172.16.0.0/12",
	"192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "fc00::/7",
	"fe80::/10",
};
#define DEFAULT_COUNT (sizeof(default_prefixes) / sizeof(default_prefixes[0]))

struct clients *clients_new(const struct client_opts *opts, size_t count)
{
	if (count > 0) {
		return clients_build(opts, count);
	}
	struct client_opts defaults[DEFAULT_COUNT];
	memset(defaults, 0, sizeof(defaults));
	for (size_t i = 0; i < DEFAULT_COUNT; i++) {
		int ret = prefix_parse(default_prefixes[i], &defaults[i].from);
		assert(ret == 0);
		defaults[i].may = CLIENT_ALL;
	}
	return clients_build(defaults, DEFAULT_COUNT);
}

void clients_free(struct clients **clients)
{
	if (*clients == NULL) {
		return;
	}
	free((*clients)->classes);
	free((*clients)->four.items);
	free((*clients)->six.items);
	free(*clients);
	*clients = NULL;
}

/* --- Looking up --- */

/*
 * The last span that begins at or before value. No branch depends on the address: nothing to
 * mispredict.
 */
static unsigned int spans_class(const struct spans *spans, unsigned __int128 value)
{
	const struct span *at = spans->items;
	for (size_t left = spans->count; left > 1;) {
		size_t half = left / 2;
		at = at[half].from <= value ? at + half : at;
		left -= half;
	}
	return at->class;
}

const struct client_class *clients_find(const struct clients *clients, const struct addr *addr)
{
	unsigned int class = 0;
	if (addr->len == 0) {
		return &clients->classes[0];
	}
	if (addr->sa.sa_family == AF_INET) {
		class = spans_class(&clients->four, ntohl(addr->in4.sin_addr.s_addr));
	} else if (addr->sa.sa_family == AF_INET6) {
		const uint8_t *bytes = addr->in6.sin6_addr.s6_addr;
		if (IN6_IS_ADDR_V4MAPPED(&addr->in6.sin6_addr)) {
			class = spans_class(&clients->four, bytes_value(bytes + 12, 4));
		} else {
			class = spans_class(&clients->six, bytes_value(bytes, 16));
		}
	}
	return &clients->classes[class];
}
