/* rooms: aws */
#include "aws/profile_int.h"
#include "base/fail.h"
#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (int config = 0; config < 2; config++) {
		struct profile profile = {0};
		bool found = false;
		unsigned int line = 0;
		int ret = profile__parse((const char *)data, size, "a b", config, &profile, &found,
		                         &line);
		assert(ret == 0 || ret == FAIL_FORMAT || ret == FAIL_NOMEM);
		for (size_t i = 0; i < PROFILE_KEYS; i++) {
			/* Values come from the section alone, and are never empty. */
			assert(profile.values[i] == NULL ||
			       (found && profile.values[i][0] != '\0'));
		}
		profile__fini(&profile);
	}
	return 0;
}
