/*
 * aws/xml_int.h - XML read as a stream: known elements by their place, everything else passed over.
 *
 * A format is a table of rules: "within the element tagged X, an element of this local name is tagged
 * Y". What no rule names, and all inside it, is unknown and ignored: the services add elements over time.
 * Elements of another namespace than the root's are unknown too.
 *
 * Memory: one element's text at a time. Bounds (T34): depth 16, text 64 KiB; a DOCTYPE ends the
 *         reading before any entity is looked at; UTF-8 only. The caller bounds the bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define XML__DEPTH_MAX 16
#define XML__TEXT_MAX  65536
#define XML__RULES_MAX 64

enum {
	TAG_NONE = 0, /* unknown */
	TAG_ROOT = 1,
	TAG_FIRST = 2, /* a format's own begin here */
};

struct xml_rule {
	uint8_t parent;
	uint8_t tag;
	bool once; /* a second one in the same parent is FAIL_FORMAT */
	const char *name;
};

/* A non-zero return ends the reading and is its result. */
typedef int xml_begin_fn(void *ctx, unsigned int tag);
/* text: what stood inside, behind the last child; NUL-ended; may be changed, lives until the return. */
typedef int xml_end_fn(void *ctx, unsigned int tag, char *text);

struct xml_format {
	const char *root;  /* the only root that will do; NULL: any */
	const char *space; /* its namespace; NULL: any */
	const struct xml_rule *rules;
	size_t rule_count;   /* at most XML__RULES_MAX */
	xml_begin_fn *begin; /* may be NULL */
	xml_end_fn *end;
};

struct xml;

/* format is kept, not copied. NULL: no memory. */
struct xml *xml__new(const struct xml_format *format, void *ctx);
void xml__free(struct xml **xml);

/* 0, FAIL_FORMAT (not well formed, DOCTYPE, wrong root, a second `once`), FAIL_LIMIT, FAIL_NOMEM, or a callback's. */
int xml__feed(struct xml *xml, const char *bytes, size_t size);
/* After the last byte: FAIL_FORMAT when the document is not complete. */
int xml__finish(struct xml *xml);

/* Why the reading ended, in one line; "" while it goes well. */
const char *xml__trouble(const struct xml *xml);
/* Local name of the root; "" before it came. */
const char *xml__root(const struct xml *xml);
