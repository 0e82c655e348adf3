#include "records/sightings.h"
#include "aws/digest.h"
#include "base/fail.h"
#include "base/log.h"
#include "records/json.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

struct sightings {
	json_t *seen; /* key of a record: when first, since 1970 */
};

/* The record in all its parts, so that one which changed is another. buf: 65. */
static const char *key_of(const struct sweep_item *item, char *buf)
{
	const struct record_entry *entry = &item->marked.entry;
	sweep_sum(&entry, 1, buf);
	return buf;
}

struct sightings *sightings_load(const char *dir)
{
	char path[PATH_MAX];
	json_error_t error;
	struct sightings *sightings = calloc(1, sizeof(*sightings));
	if (sightings == NULL) {
		return NULL;
	}
	snprintf(path, sizeof(path), "%s/sightings.json", dir);
	FILE *file = fopen(path, "re");
	if (file != NULL) {
		sightings->seen = json_loadf(file, 0, &error);
		fclose(file);
	}
	if (file != NULL && !json_is_object(sightings->seen)) {
		log_warn("records", "%s makes no sense: every record is seen for the first time",
		         path);
	}
	if (!json_is_object(sightings->seen)) {
		json_decref(sightings->seen);
		sightings->seen = json_object();
	}
	if (sightings->seen == NULL) {
		sightings_free(&sightings);
	}
	return sightings;
}

int64_t sightings_seen(void *ctx, const struct sweep_item *item)
{
	const struct sightings *sightings = ctx;
	char key[65];
	return json_integer_value(json_object_get(sightings->seen, key_of(item, key)));
}

int sightings_save(struct sightings *sightings, const char *dir, const struct sweep_plan *plan,
                   int64_t now_s)
{
	char path[PATH_MAX];
	char key[65];
	json_t *seen = json_object();
	if (seen == NULL) {
		return FAIL_NOMEM;
	}
	for (size_t i = 0; i < plan->count; i++) {
		const struct sweep_item *item = &plan->items[i];
		if (item->wanted < SWEEP_GO) {
			int64_t first_s = sightings_seen(sightings, item);
			json_object_set_new(seen, key_of(item, key),
			                    json_integer(first_s == 0 ? now_s : first_s));
		}
	}
	json_decref(sightings->seen);
	sightings->seen = seen;
	snprintf(path, sizeof(path), "%s/sightings.json", dir);
	return json_file_write(path, seen);
}

void sightings_free(struct sightings **sightings)
{
	if (*sightings != NULL) {
		json_decref((*sightings)->seen);
	}
	free(*sightings);
	*sightings = NULL;
}
