#include "zone/zones.h"
#include "zone_text.h"

/* A zone of this origin with one A record of this address at its apex. */
static struct zone *small_zone(const char *origin, const char *id, const char *address)
{
	uint8_t name[DNS_NAME_MAX];
	assert_true(dns_name_parse(origin, name) > 0);
	struct zone_builder *builder =
		zone_builder_new(&(struct zone_opts){.id = id, .origin = name});
	char line[300];
	snprintf(line, sizeof(line), "%s SOA : a. b. 1 2 3 4 5", origin);
	assert_int_equal(text_add(builder, line), 0);
	snprintf(line, sizeof(line), "%s A : %s", origin, address);
	assert_int_equal(text_add(builder, line), 0);
	return builder_zone(builder);
}

static const char *id_at(const struct zones *zones, const char *name, unsigned int label)
{
	struct dns_key key;
	key_of(&key, name);
	const struct zones_entry *entry = zones_at(zones, &key, label);
	return entry == NULL ? NULL : entry->id;
}

static void test_found_by_suffix(void **state)
{
	char id[] = "Z1";
	struct zones_entry entries[] = {
		{.zone = small_zone("example.com.", "Z1", "10.0.0.1"),
	         .id = id,
	         .source = ZONE_SOURCE_API},
		{.zone = small_zone("A.b.example.com.", "Z2", "10.0.0.2"),
	         .id = "Z2",
	         .trouble = "old"},
		{.zone = NULL, .id = "Z3", .unavailable = true},
		{.zone = small_zone("example.net.", "", "10.0.0.2"),
	         .id = NULL,
	         .source = ZONE_SOURCE_FILE},
	};
	struct zones *zones = zones_new(entries, 4);
	assert_non_null(zones);
	for (size_t i = 0; i < 4; i++) {
		zone_unref(&entries[i].zone); /* zones has its own */
	}
	id[1] = '9'; /* and its own ids */
	assert_int_equal(zones_count(zones), 4);
	assert_int_equal(zones_depths(zones), 1 << 4 | 1 << 2);
	assert_string_equal(id_at(zones, "example.com.", 0), "Z1");
	assert_string_equal(id_at(zones, "www.EXAMPLE.com.", 1), "Z1");
	assert_null(id_at(zones, "www.example.com.", 0));
	assert_null(id_at(zones, "www.example.com.", 2));
	assert_null(id_at(zones, "www.example.com.", 3));
	assert_string_equal(id_at(zones, "x.a.b.example.com.", 1), "Z2");
	assert_null(id_at(zones, "x.a.b.example.com.", 2));
	assert_string_equal(id_at(zones, "x.a.b.example.com.", 3), "Z1");
	assert_string_equal(id_at(zones, "example.net.", 0), "");
	assert_string_equal(zones_get(zones, 2)->id, "Z3");
	assert_true(zones_get(zones, 2)->unavailable);
	assert_false(zones_get(zones, 2)->origin_known);
	assert_string_equal(zones_get(zones, 1)->trouble, "old");
	assert_true(zones_get(zones, 1)->origin_known);
	assert_true(dns_name_equal(zones_get(zones, 1)->origin,
	                           zone_origin(zones_get(zones, 1)->zone)));
	struct zones *other = zones_ref(zones);
	zones_unref(&zones);
	assert_null(zones);
	assert_string_equal(id_at(other, "example.com.", 0), "Z1");
	zones_unref(&other);
	zones_unref(&other);
}

static void test_two_of_one_origin(void **state)
{
	struct zones_entry entries[] = {
		{.zone = NULL, .id = "Z0", .associated = true},
		{.zone = small_zone("example.com.", "Z1", "10.0.0.1"), .id = "Z1"},
		{.zone = small_zone("example.com.", "Z2", "10.0.0.1"), .id = "Z2"},
		{.zone = small_zone("example.com.", "Z3", "10.0.0.1"),
	         .id = "Z3",
	         .associated = true},
		{.zone = small_zone("example.com.", "Z4", "10.0.0.1"),
	         .id = "Z4",
	         .associated = true},
	};
	dns_name_parse("example.com", entries[0].origin);
	entries[0].origin_known = true;
	for (size_t count = 0; count <= 5; count++) {
		static const char *const expected[] = {NULL, NULL, "Z1", "Z1", "Z3", "Z3"};
		struct zones *zones = zones_new(entries, count);
		const char *id = id_at(zones, "example.com.", 0);
		if (expected[count] == NULL) {
			assert_null(id);
		} else {
			assert_string_equal(id, expected[count]);
		}
		assert_int_equal(zones_depths(zones), expected[count] == NULL ? 0 : 1 << 2);
		zones_unref(&zones);
	}
	for (size_t i = 0; i < 5; i++) {
		zone_unref(&entries[i].zone);
	}
}

static void test_many(void **state)
{
	enum { COUNT = 500 };
	static struct zones_entry entries[COUNT];
	static char ids[COUNT][8];
	for (int i = 0; i < COUNT; i++) {
		char origin[40];
		snprintf(origin, sizeof(origin), "z%d.example.", i);
		snprintf(ids[i], sizeof(ids[i]), "Z%d", i);
		entries[i] = (struct zones_entry){.zone = small_zone(origin, ids[i], "10.0.0.1"),
		                                  .id = ids[i]};
	}
	struct zones *zones = zones_new(entries, COUNT);
	for (int i = 0; i < COUNT; i++) {
		char name[40];
		snprintf(name, sizeof(name), "www.z%d.example.", i);
		assert_string_equal(id_at(zones, name, 1), ids[i]);
		assert_null(id_at(zones, name, 0));
		zone_unref(&entries[i].zone);
	}
	zones_unref(&zones);
}

static void test_words(void **state)
{
	assert_string_equal(zone_source_text(ZONE_SOURCE_NONE), "none");
	assert_string_equal(zone_source_text(ZONE_SOURCE_API), "api");
	assert_string_equal(zone_source_text(ZONE_SOURCE_DISK), "disk");
	assert_string_equal(zone_source_text(ZONE_SOURCE_PEER), "peer");
	assert_string_equal(zone_source_text(ZONE_SOURCE_FILE), "file");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found_by_suffix),
		cmocka_unit_test(test_two_of_one_origin),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
