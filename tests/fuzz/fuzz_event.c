/* rooms: aws */
#include "aws/queue.h"
#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever a queue brings: an id, or none. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct aws_event event;
	aws_event_read((const char *)data, size, &event);
	size_t len = strlen(event.zone_id);
	assert(strspn(event.zone_id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == len);
	assert(event.kind != AWS_EVENT_SETS || len > 0);
	assert(event.kind != AWS_EVENT_NONE || len == 0);
	return 0;
}
