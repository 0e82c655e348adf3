#include "base/fail.h"
#include "sync/sync_int.h"
#include "sync/translate_int.h"
#include <stdio.h>

static int on_set(void *ctx, const struct aws_record_set *set)
{
	char place[TRANSLATE_PLACE_MAX];
	struct zone_record_set translated;
	sync_translate__set(set, true, place, &translated);
	return zone_builder_add(ctx, &translated);
}

int sync_file__read(const char *path, struct zone **ret_zone, char *err, size_t err_size)
{
	const struct zone_opts opts = {.id = ""};
	struct zone_builder *builder = zone_builder_new(&opts);
	if (builder == NULL) {
		snprintf(err, err_size, "%s: %s", path, fail_text(FAIL_NOMEM));
		return FAIL_NOMEM;
	}
	int ret = aws_zone_file_read(path, on_set, builder, err, err_size);
	if (ret == 0) {
		char why[256];
		ret = zone_builder_finish(builder, ret_zone, why, sizeof(why));
		if (ret != 0) {
			snprintf(err, err_size, "%s: %s", path, why);
		}
	}
	zone_builder_free(&builder);
	return ret;
}
