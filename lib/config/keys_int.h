/*
 * config/keys_int.h - the table of settings: one entry a key, used by the reader, the printer and the
 * difference alike.
 */
#pragma once

#include "config/source_int.h"

struct load;
struct key_group;

enum key_kind {
	KEY_COUNT,    /* unsigned int */
	KEY_SIZE,     /* uint64_t: bytes, or text such as "64M" */
	KEY_REAL,     /* double */
	KEY_SWITCH,   /* bool */
	KEY_WORD,     /* an enum: first + which of words */
	KEY_TEXT,     /* const char * */
	KEY_FILE,     /* const char *, made absolute; "" stays */
	KEY_ADDR,     /* struct addr; "" is none */
	KEY_PROBE,    /* struct settings_rule: probe_name, probe_type */
	KEY_ADDRS,    /* from here on: struct key_items */
	KEY_PREFIXES, /* struct prefix */
	KEY_TEXTS,    /* const char * */
	KEY_FILES,    /* const char *, absolute, must be there */
	KEY_NAMES,    /* const uint8_t *: wire */
	KEY_DOMAINS,  /* struct settings_domain */
	KEY_PAIRS,    /* struct settings_pair: a group of any names, each with text */
	KEY_LIST,     /* groups: structs of group->size */
	KEY_GROUP,    /* a group: its struct stands at the offset itself */
};

/* All lists of struct settings begin like this. */
struct key_items {
	const void *items;
	size_t count;
};

typedef bool key_check_fn(const char *text);

struct key {
	const char *name;
	enum key_kind kind;
	bool required;
	bool shared;   /* no member twice in all lists of this key, over all files */
	bool include;  /* may stand in a file of include_dir */
	bool optional; /* KEY_GROUP: its struct begins with a bool, whether it stood */
	size_t offset;
	double min; /* least and largest value; of lists: number of members */
	double max;
	uint16_t port; /* addresses: unless given */
	uint16_t
		tls_port; /* the same beside a setting `tls` that says something; 0: no such thing */
	const char *like;  /* what a value, or a member, looks like: "a zone id such as ..." */
	const char *strip; /* what may stand in front of text, and is left out */
	const char *const *words; /* KEY_WORD: ended by NULL */
	unsigned int first;       /* the number of the first word */
	key_check_fn *check;      /* of text; NULL: any */
	const struct key_group *group;
};

#define KEY_GROUP_MAX 32 /* keys of one group */

struct key_group {
	const char *noun; /* "a rule"; NULL: the outermost */
	const struct key *keys;
	size_t count;
	const void *defaults; /* its struct to begin with; NULL: keys__defaults has it */
	size_t size;          /* of its struct */
	/* Called when the group has been read: what hangs together. May be NULL. */
	void (*finish)(struct load *load, const config_setting_t *group, void *at);
};

extern const struct key_group keys__all;

/* What is right for this key, as the phrase before " would be right". */
void keys__like(const struct key *key, struct text *out);

/* All that stands when a file is empty. False: no memory. */
bool keys__defaults(void *ret_settings, struct arena *arena);

/* Text of these bytes only, least .. most of them. */
bool keys__only(const char *text, const char *bytes, size_t least, size_t most);
/* Checks that both kinds of files have. */
bool keys__is_zone_id(const char *text);
bool keys__is_socket(const char *text);

/* write.c: the value at the key's offset in `base`, as a file has it. Not for KEY_LIST and KEY_GROUP. */
void keys__write(const struct key *key, const void *base, struct text *out);
/* Member i of a list of values. */
void keys__write_item(const struct key *key, const struct key_items *items, size_t i,
                      struct text *out);
