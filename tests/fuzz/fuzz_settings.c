/* rooms: config */
/* Any bytes are settings or faults; settings that are printed read back as the same (T40). */
#include "config/settings.h"
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_print(const struct settings *settings)
{
	struct text printed;
	struct text faults;
	struct text lines;
	text_init(&printed, 0);
	text_init(&faults, 0);
	text_init(&lines, 0);
	settings_print(settings, &printed);
	struct settings *again = NULL;
	int ret =
		settings_load_bytes("again.conf", text_get(&printed), printed.len, &again, &faults);
	assert(ret == 0);
	assert(settings_diff(settings, again, &lines) == 0);
	settings_free(&again);
	text_fini(&printed);
	text_fini(&faults);
	text_fini(&lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct settings *settings = NULL;
	struct text faults;
	text_init(&faults, 0);
	int ret = settings_load_bytes("fuzz.conf", (const char *)bytes, size, &settings, &faults);
	assert((ret == 0) == (settings != NULL) && (ret == 0) == (faults.len == 0));
	if (ret == 0) {
		check_print(settings);
	}
	settings_free(&settings);
	text_fini(&faults);
	return 0;
}
