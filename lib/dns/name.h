/*
 * dns/name.h - domain names in wire form.
 *
 * A name is a run of labels, each a length octet (0..63) and its octets, ended by the root label (0):
 * 1..255 octets in all, never compressed. `const uint8_t *name` means such a run, already checked.
 * Comparison ignores ASCII case. RFC: 1035 section 3.1, 4343.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DNS_NAME_MAX      255
#define DNS_LABEL_MAX     63
#define DNS_LABELS_MAX    127                    /* the root label not counted */
#define DNS_NAME_TEXT_MAX (DNS_NAME_MAX * 4 + 2) /* \DDD for each octet, and NUL */

static inline uint8_t dns_fold(uint8_t c)
{
	return (uint8_t)(c + (((uint8_t)(c - 'A') < 26) << 5));
}

/* The octets of the uncompressed name at the start of bytes, of which room may be read; 0 when there is none. */
size_t dns_name_check(const uint8_t *bytes, size_t room);

/* Octets of a checked name, root included. */
size_t dns_name_len(const uint8_t *name);
/* Labels, root not counted. */
unsigned int dns_name_labels(const uint8_t *name);

/*
 * Presentation form to wire: "www.Example.com", trailing dot optional, \DDD decimal and \X escapes
 * (RFC 1035 section 5.1). Case is kept. ret_name: DNS_NAME_MAX. Returns the length in octets,
 * or FAIL_FORMAT (empty label, label over 63, name over 255, bad escape, empty text; blanks, control and 8-bit
 * characters that are not escaped). "." is the root.
 */
int dns_name_parse(const char *text, uint8_t *ret_name);

/*
 * The same with Route 53's escapes: \ooo is octal (facts: API names and values). "*" needs no escape.
 */
int dns_name_parse_route53(const char *text, uint8_t *ret_name);

/* Wire to presentation with a trailing dot; odd octets as \DDD. buf: DNS_NAME_TEXT_MAX. Returns buf. */
const char *dns_name_text(const uint8_t *name, char *buf);

bool dns_name_equal(const uint8_t *a, const uint8_t *b);
/* name lies at or below zone. */
bool dns_name_within(const uint8_t *name, const uint8_t *zone);
/* Lower case in place. */
void dns_name_lower(uint8_t *name);

/* The name that reverses addr/prefix to its zone is in dns/reverse.h. */

/*
 * A folded name with the hash of each of its suffixes: made once a question, used for every look-up.
 *
 * Label i begins at name + off[i]; off[labels] is the root's octet. hash[i] is the seeded hash of the
 * suffix that begins at label i, hash[labels] the root's. The hash of a suffix is the same whatever
 * stands before it, so a table of zones and a table of names share it.
 */
struct dns_key {
	uint8_t len; /* octets in name */
	uint8_t labels;
	uint8_t off[DNS_LABELS_MAX + 1];
	uint8_t name[DNS_NAME_MAX + 1];
	uint32_t hash[DNS_LABELS_MAX + 1];
};

/* From a checked wire name, any case. */
void dns_key_make(struct dns_key *ret_key, const uint8_t *name);

/* The suffix that begins at label i. */
static inline const uint8_t *dns_key_suffix(const struct dns_key *key, unsigned int i)
{
	return key->name + key->off[i];
}

/* A set of label counts has a bit for each; 63 and more share one. */
static inline uint64_t dns_depth_bit(unsigned int labels)
{
	return UINT64_C(1) << (labels < 63 ? labels : 63);
}

static inline uint32_t dns_key_hash(const struct dns_key *key)
{
	return key->hash[0];
}
