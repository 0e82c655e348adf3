/*
 * dns/rdata_int.h - record data field by field: one table for reading text and for writing it.
 */
#pragma once

#include "base/cursor.h"
#include "dns/name.h"

enum dns__field_kind {
	DNS__FIELD_END,
	DNS__FIELD_U8,
	DNS__FIELD_U16,
	DNS__FIELD_U32,
	DNS__FIELD_IP4,
	DNS__FIELD_IP6,
	DNS__FIELD_NAME,
	DNS__FIELD_STRING,  /* a length octet and so many octets */
	DNS__FIELD_STRINGS, /* one or more of them, to the end */
	DNS__FIELD_TAG,     /* a string of letters and digits, written without quotes */
	DNS__FIELD_VALUE,   /* octets to the end, written as one string */
	DNS__FIELD_HEX,     /* octets to the end, written as hexadecimal digits */
	DNS__FIELD_PARAMS,  /* SvcParams (RFC 9460 section 2.1) */
};

struct dns__field {
	enum dns__field_kind kind;
	const char *name; /* for messages */
};

/* Ended by DNS__FIELD_END; NULL for a type we do not take apart. */
const struct dns__field *dns__fields_of(uint16_t type);

/*
 * Text of SvcParams ("alpn=h2 port=443", Route 53's octal escapes) to wire. NULL, or what is wrong.
 * Lack of room: out->bad.
 */
const char *dns__svcparams_parse(const char *text, struct writer *out);

/* Keys that are known by name, 0 (mandatory) to 6; NULL for others. */
const char *dns__svcparam_name(uint16_t key);

/* What of RFC 9460 (section 2.2, 7, 8) these params in wire form break, or NULL. */
const char *dns__svcparams_check(const uint8_t *params, size_t size);
