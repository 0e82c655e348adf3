/* rooms: aws */
#include "aws/zone_list.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int on_set(void *ctx, const struct aws_record_set *set)
{
	assert(set->name != NULL && set->type != NULL);
	for (size_t i = 0; i < set->value_count; i++) {
		assert(set->values[i] != NULL);
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64], err[256] = "";
	int fd = memfd_create("zone", MFD_CLOEXEC);
	assert(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	int ret = aws_zone_file_read(path, on_set, NULL, err, sizeof(err));
	/* What is wrong is said, and where. */
	assert((ret == 0) == (err[0] == '\0'));
	assert(ret == 0 || strncmp(err, path, strlen(path)) == 0);
	close(fd);
	return 0;
}
