/*
 * config/load_int.h - one load under way.
 */
#pragma once

#include "base/fail.h"
#include "config/keys_int.h"

/* Something that may be said once: over all files, or in one list. */
struct claim {
	const void *key; /* equal bytes: the same is claimed */
	size_t key_len;
	const char *text; /* as written */
	struct settings_place place;
	size_t owner; /* equal: of the same list */
	size_t seq;
};

struct claims {
	struct claim *items;
	size_t count;
	size_t room;
	size_t owners;
};

struct load {
	const struct key_group *root; /* all keys of this kind of file */
	void *settings;        /* struct settings or its like: what root's offsets begin at */
	struct arena *arena;   /* of the settings */
	struct arena *scratch; /* until the load ends */
	struct faults *faults;
	const struct source *source; /* being read */
	const char *main_file;       /* when the source is a file of include_dir, else NULL */
	struct claims domains;       /* of all rules */
	struct claims froms;         /* of all clients */
	bool nomem;
};

struct settings_place load__place(const struct load *load, const config_setting_t *setting);
void load__fault(struct load *load, const config_setting_t *setting, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* "`KEY`: `VALUE` WHAT; LIKE would be right". */
void load__wrong(struct load *load, const struct key *key, const config_setting_t *setting,
                 const char *what);
/* The same, when it is of no type that the key takes. */
void load__wrong_type(struct load *load, const struct key *key, const config_setting_t *setting);
/* Arena memory, cleared; NULL sets nomem. */
void *load__alloc(struct load *load, size_t size);
void *load__scratch(struct load *load, size_t size);
/* A copy that lives as long as the settings, or (note) the load; "" when memory is short. */
const char *load__text(struct load *load, const char *text);
const char *load__note(struct load *load, const char *text);

/* A kind of settings file. */
struct load_form {
	const struct key_group *root;
	size_t size; /* of its struct */
	bool (*defaults)(void *ret_settings, struct arena *arena);
	void (*after)(struct load *load); /* once the main file is read; may be NULL */
};

/*
 * One load of a file of that form. bytes NULL: from disk. Returns as settings_load does; the struct is given back by
 * load__free.
 */
int load__run(const struct load_form *form, const char *path, const char *bytes, size_t size,
              void **ret_settings, struct text *faults);
void load__free(void *settings);
/* Reads the open source's settings into load->settings. */
void load__source(struct load *load, const struct source *source);

/* read.c: all members of a group into its struct, which holds the defaults. */
void load__group(struct load *load, const struct key_group *group, const config_setting_t *setting,
                 void *base);

/* value.c: KEY_COUNT to KEY_PROBE. When it is wrong (told), the struct stays as it was. */
void load__value(struct load *load, const struct key *key, const config_setting_t *setting,
                 void *base);

/* items.c: KEY_ADDRS to KEY_DOMAINS; wrong members are told and left out. */
void load__items(struct load *load, const struct key *key, const config_setting_t *setting,
                 struct key_items *ret_items);

/* parse.c: text to value; false when told. */
bool load__addr(struct load *load, const struct key *key, const config_setting_t *setting,
                struct addr *ret_addr);
bool load__prefix(struct load *load, const struct key *key, const config_setting_t *setting,
                  struct prefix *ret_prefix);
/* ret_name: DNS_NAME_MAX; lower case. */
bool load__name(struct load *load, const struct key *key, const config_setting_t *setting,
                const char *text, uint8_t *ret_name);

/* finish.c: what hangs together in a group that has been read. */
void finish__route53(struct load *load, const config_setting_t *group, void *base);
void finish__rule(struct load *load, const config_setting_t *group, void *base);
void finish__client(struct load *load, const config_setting_t *group, void *base);
void finish__cache(struct load *load, const config_setting_t *group, void *base);
void finish__tls(struct load *load, const config_setting_t *group, void *base);
void finish__peer(struct load *load, const config_setting_t *group, void *base);
void finish__all(struct load *load, const config_setting_t *group, void *base);

/*
 * claims.c: the members of a list are each there once. Domains of rules and prefixes of clients are
 * kept until all files are read, others looked at right away.
 */
void claims__items(struct load *load, const struct key *key, const struct key_items *items,
                   const struct settings_place *places);
/* Tells every claim that was made before. each: "rule", what should make it once. */
void claims__tell(struct claims *claims, struct faults *faults, const char *each);
void claims__fini(struct claims *claims);
