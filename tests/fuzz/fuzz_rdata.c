/* rooms: dns */
#include "base/cursor.h"
#include "dns/layout_int.h"
#include "dns/rdata.h"
#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Two octets of type, then a Value (as text) that is record data (as it stands) as well. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t rdata[DNS_RDATA_MAX];
	char text[1024];
	char err[128];
	if (size < 2) {
		return 0;
	}
	uint16_t type = get_u16(data);
	dns_rdata_text(type, data + 2, size - 2, text, sizeof(text));
	dns_rdata_target(type, data + 2, size - 2);

	char *value = malloc(size - 1);
	memcpy(value, data + 2, size - 2);
	value[size - 2] = '\0';
	int len = dns_rdata_parse_route53(type, value, rdata, sizeof(rdata), err, sizeof(err));
	if (len >= 0) {
		/* what was taken has the shape that answers are held to, and a text of its own */
		struct dns__scan scan = dns__scan_of(rdata, (size_t)len);
		assert(dns__scan_rdata(&scan, type, 0, (size_t)len));
		dns_rdata_text(type, rdata, (size_t)len, text, sizeof(text));
		assert(strncmp(text, "\\#", 2) != 0);
	}
	free(value);
	return 0;
}
