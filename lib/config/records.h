/*
 * config/records.h - the settings of horizon-aws: a libconfig file, checked, as one plain struct.
 *
 * Read as horizond's own file is (config/settings.h): everything in one pass, every fault told with its file and line
 * and what would be right, nothing of a faulty file handed out. What only the instance can tell (has it a public
 * address?) is looked at when it registers.
 *
 * Memory: one arena a load, freed whole by records_settings_free. Strings are never NULL.
 */
#pragma once

#include "config/settings.h"

/* Same order as the words of `type`. */
enum records_type {
	RECORDS_A,
	RECORDS_AAAA,
	RECORDS_PTR,
	RECORDS_CNAME,
	RECORDS_TXT,
	RECORDS_SRV,
	RECORDS_TYPES,
};

/* Same order as the words of `mark`. */
enum records_mark {
	RECORDS_MARK_SET, /* the SetIdentifier of a multivalue set */
	RECORDS_MARK_TXT, /* a TXT of its own at _hz.NAME */
};

#define RECORDS_MAX        100 /* records of one file */
#define RECORDS_VALUES_MAX 100 /* values of one record */
#define RECORDS_FLEET_MAX  32

struct records_record {
	const char *zone;             /* id, without "/hostedzone/" */
	bool private_zone;            /* what the zone must be */
	const char *name;             /* a template; no dot at its end */
	unsigned int type;            /* enum records_type */
	struct settings_texts values; /* templates; at least one */
	unsigned int ttl_s;
	unsigned int mark; /* enum records_mark */
	bool keep_on_stop; /* as said, else as private_zone is */
	struct settings_place place;
};

struct records_sweep {
	bool apply;                  /* the first of two switches */
	unsigned int grace_s;        /* since a record was made, at least 2 * TTL in any case */
	unsigned int second_look_s;  /* least time between two sightings */
	unsigned int max_share;      /* percent of a zone's own sets */
	unsigned int max_number;     /* of one run */
	const char *canary;          /* an instance that must be seen; "": the one that sweeps */
	struct settings_texts zones; /* swept beside those of the records */
};

/* What DHCP hands to the instances of a VPC; what is empty stays as it is there. */
struct records_dhcp {
	const char *vpc;               /* "auto" or an id */
	struct settings_texts servers; /* none: the address of the instance itself */
	const char *domain;
	struct settings_texts ntp;
};

/* Alarms on the instance that answers, and the daemon's own health figure. */
struct records_alarm {
	const char *instance;        /* "auto" or an id */
	const char *topic;           /* SNS topic that hears of them; "": none */
	struct settings_texts email; /* who is subscribed to it */
	const char *namespace;       /* of the metric */
	const char *url;             /* of the daemon's metrics.listen */
};

struct records_settings {
	const char *state_dir; /* absolute */
	const char *fleet;     /* "": none; no record may stand then */
	const char *key;       /* of the digests in public marks; "": made of the fleet's name */
	struct settings_pairs tags;
	const struct records_record *records;
	size_t record_count;
	struct records_sweep sweep;
	struct records_dhcp dhcp;
	struct records_alarm alarm;
	unsigned int deadline_s; /* how long a run may try */
	bool fail_boot;          /* register --boot fails with Route 53 */
	const char *control;     /* horizond's control socket, for hints; "": none */
};

const char *records_type_text(unsigned int type); /* "A" */

/* As settings_load, settings_load_bytes, settings_free. */
int records_settings_load(const char *path, struct records_settings **ret_settings,
                          struct text *faults);
int records_settings_load_bytes(const char *path, const char *bytes, size_t size,
                                struct records_settings **ret_settings, struct text *faults);
void records_settings_free(struct records_settings **settings);
