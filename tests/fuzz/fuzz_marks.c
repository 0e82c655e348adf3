/* rooms: records */
/* Marks that others may write: whatever is read as one is written back as the same. */
#include "records/owner.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void identifier_try(const char *text)
{
	struct owner owner = {0};
	struct owner again = {0};
	char buf[OWNER_IDENTIFIER_MAX + 1];
	if (!owner_identifier_read(text, &owner)) {
		return;
	}
	if (owner_identifier(&owner, buf) == 0) {
		assert(owner_identifier_read(buf, &again));
		assert(memcmp(&owner, &again, sizeof(owner)) == 0);
	}
	assert(owner_same(&owner, &owner, "key", true));
}

static void txt_try(const char *text)
{
	struct owner owner = {0};
	struct owner again = {0};
	char buf[OWNER_TXT_MAX + 3];
	if (!owner_txt_read(text, &owner) || owner.digest[0] != '\0') {
		return;
	}
	if (owner_txt(&owner, NULL, buf) == 0) {
		assert(owner_txt_read(buf, &again));
		assert(memcmp(&owner, &again, sizeof(owner)) == 0);
	}
	if (owner_txt(&owner, "key", buf) == 0) {
		assert(owner_txt_read(buf, &again));
		assert(owner_same(&again, &owner, "key", true));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	assert(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	identifier_try(text);
	txt_try(text);
	free(text);
	return 0;
}
