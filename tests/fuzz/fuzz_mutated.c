/* rooms: query */
#include "mutated.h"

/* An upstream's answer, spoiled as the input says, must do no harm: see mutated.h. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool ready;
	if (!ready) {
		mutated_setup();
		ready = true;
	}
	mutated_one(data, size);
	return 0;
}
