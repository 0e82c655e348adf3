/* Every key of the table is explained to users, and the example that is installed is right. */
#include "config/keys_int.h"
#include "try.h"

/* A whole file of this tree; the caller frees it. */
static char *read_file(const char *name)
{
	char path[512];
	snprintf(path, sizeof(path), "%s/../../../%s", TEST_DIR, name);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	static char bytes[1 << 20];
	size_t size = fread(bytes, 1, sizeof(bytes) - 1, file);
	assert_true(size > 0 && size < sizeof(bytes) - 1);
	fclose(file);
	bytes[size] = '\0';
	return strdup(bytes);
}

static void each_is_in(const struct key_group *group, const char *text, const char *before,
                       const char *behind)
{
	for (size_t i = 0; i < group->count; i++) {
		char word[64];
		snprintf(word, sizeof(word), "%s%s%s", before, group->keys[i].name, behind);
		if (strstr(text, word) == NULL) {
			fail_msg("nothing about %s", group->keys[i].name);
		}
		if (group->keys[i].group != NULL) {
			each_is_in(group->keys[i].group, text, before, behind);
		}
	}
}

static void test_example_is_right(void **state)
{
	char *example = read_file("conf/horizond.conf");
	struct settings *settings = try_good(example);
	assert_true(settings->route53.present);
	settings_free(&settings);
	free(example);
}

/* What the example shows in comments is what holds, but for lists, which show how to write them. */
static void test_example_has_every_key(void **state)
{
	char *example = read_file("conf/horizond.conf");
	each_is_in(&keys__all, example, "", " = ");
	free(example);
}

static void test_manual_has_every_key(void **state)
{
	char *manual = read_file("docs/horizond.conf.5");
	for (size_t i = 0; i < keys__all.count; i++) {
		const struct key *key = &keys__all.keys[i];
		char word[64];
		snprintf(word, sizeof(word), "%s %s\n", key->group == NULL ? ".It Ic" : ".Ss",
		         key->name);
		word[strlen(word) - 1] = '\0';
		if (strstr(manual, word) == NULL) {
			fail_msg("nothing about %s", key->name);
		}
		if (key->group != NULL) {
			each_is_in(key->group, manual, "Ic ", "");
		}
	}
	free(manual);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_example_is_right),
		cmocka_unit_test(test_example_has_every_key),
		cmocka_unit_test(test_manual_has_every_key),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
