/* rooms: aws */
#include "aws/error_int.h"
#include "aws/record_xml_int.h"
#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int on_set(void *ctx, const struct aws_record_set *set)
{
	size_t octets = strlen(set->name) + strlen(set->type);
	for (size_t i = 0; i < set->value_count; i++) {
		octets += strlen(set->values[i]);
	}
	*(size_t *)ctx += octets;
	return 0;
}

/* In pieces of step octets; the same whatever they are. */
static int page_read(const char *bytes, size_t size, size_t step, size_t *ret_octets)
{
	struct record_page page;
	record_page__init(&page, on_set, ret_octets);
	struct xml *xml = xml__new(&record_page_format, &page);
	assert(xml != NULL);
	int ret = 0;
	for (size_t at = 0; at < size && ret == 0; at += step) {
		ret = xml__feed(xml, bytes + at, size - at < step ? size - at : step);
	}
	ret = ret != 0 ? ret : xml__finish(xml);
	ret = ret != 0 ? ret : record_page__check(&page);
	xml__free(&xml);
	record_page__fini(&page);
	return ret;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	struct aws_error error;
	size_t whole = 0, pieces = 0;
	int ret = page_read(bytes, size, size + 1, &whole);
	assert(ret == page_read(bytes, size, 7, &pieces));
	assert(ret != 0 || whole == pieces);
	aws_error__read(bytes, size, &error);
	assert(memchr(error.code, '\0', sizeof(error.code)) != NULL);
	assert(aws_error__fail(403, error.code) != 0);
	return 0;
}
