/* Which answers a static set may give: what it draws, and nothing else. */
#include "zone_text.h"

static const char *const lines[] = {
	"plain A ttl=60 : 10.0.0.1",
	"three A : 10.0.0.1 | 10.0.0.2 | 10.0.0.3",
	"w A id=a weight=10 : 10.0.1.1 | 10.0.1.2",
	"w A id=b weight=0 : 10.0.1.3",
	"w A id=c weight=5 alias=three",
	"zeros A id=a weight=0 : 10.0.1.1",
	"zeros A id=b weight=0 : 10.0.1.2",
	"m A id=a multi : 10.0.2.1",
	"m A id=b multi : 10.0.2.2",
	"to A alias=w",
	"mail MX : 10 Mail.Example.com. | 20 mx2.example.com.",
	"text TXT : \"Case\"",
	"lb A alias=lb.eu-west-1.elb.amazonaws.com. zone=Z0AWS",
	NULL,
};

/* data: values with blanks between; escapes as Route 53 has them. */
static bool may(const struct zone *zone, const char *name, const char *type_word,
                const char *const *values, unsigned int count)
{
	struct dns_key key;
	struct zone_result result;
	struct zone_rr rr[16];
	uint8_t bytes[16][300];
	char err[100];
	uint16_t type;
	assert_true(dns_type_parse(type_word, &type));
	key_of(&key, name);
	zone_lookup(zone, &key, type, &result);
	assert_int_equal(result.found, ZONE_FOUND_SET);
	for (unsigned int i = 0; i < count; i++) {
		int len = dns_rdata_parse_route53(type, values[i], bytes[i], sizeof(bytes[i]), err,
		                                  sizeof(err));
		assert_true(len >= 0);
		rr[i] = (struct zone_rr){.rdata = bytes[i], .rdlen = (uint16_t)len};
	}
	return zone_rrset_may(zone, result.set, rr, count);
}

#define MAY(name, type, ...)                                      \
	may(zone, name, type, (const char *const[]){__VA_ARGS__}, \
	    sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void test_cases(void **state)
{
	struct zone *zone = zone_of(lines);
	assert_true(MAY("plain", "A", "10.0.0.1"));
	assert_false(MAY("plain", "A", "10.0.0.2"));
	assert_false(MAY("plain", "A", "10.0.0.1", "10.0.0.2"));
	assert_false(may(zone, "plain", "A", NULL, 0));
	assert_true(MAY("three", "A", "10.0.0.3", "10.0.0.1", "10.0.0.2"));
	assert_false(MAY("three", "A", "10.0.0.1", "10.0.0.1", "10.0.0.2"));
	assert_false(MAY("three", "A", "10.0.0.1", "10.0.0.2"));

	assert_true(MAY("w", "A", "10.0.1.2", "10.0.1.1"));
	assert_false(MAY("w", "A", "10.0.1.1"));
	assert_false(MAY("w", "A", "10.0.1.3")); /* weight 0 */
	assert_true(MAY("w", "A", "10.0.0.1", "10.0.0.2", "10.0.0.3"));
	assert_true(MAY("to", "A", "10.0.1.1", "10.0.1.2"));
	assert_false(MAY("to", "A", "10.0.1.1", "10.0.0.2"));
	assert_true(MAY("zeros", "A", "10.0.1.1"));
	assert_true(MAY("zeros", "A", "10.0.1.2"));
	assert_false(MAY("zeros", "A", "10.0.1.1", "10.0.1.2"));

	assert_true(MAY("m", "A", "10.0.2.1", "10.0.2.2"));
	assert_false(MAY("m", "A", "10.0.2.1"));
	assert_false(MAY("m", "A", "10.0.2.1", "10.0.2.3"));

	assert_true(MAY("mail", "MX", "20 MX2.example.com.", "10 mail.example.com."));
	assert_false(MAY("mail", "MX", "20 mx2.example.com.", "20 mail.example.com."));
	assert_true(MAY("text", "TXT", "\"Case\""));
	assert_false(MAY("text", "TXT", "\"case\""));
	assert_false(MAY("lb", "A", "10.0.0.1")); /* not ours to say */
	zone_unref(&zone);
}

/* Twelve members of multivalue: any eight, not seven. */
static void test_many_members(void **state)
{
	struct zone_builder *builder = builder_of_id(TEST_ID);
	assert_int_equal(text_add(builder, TEST_SOA), 0);
	for (unsigned int i = 0; i < 12; i++) {
		char line[64];
		snprintf(line, sizeof(line), "m A id=m%02u multi : 10.0.0.%u", i, i);
		assert_int_equal(text_add(builder, line), 0);
	}
	struct zone *zone = builder_zone(builder);
	const char *const eight[] = {"10.0.0.0", "10.0.0.11", "10.0.0.2", "10.0.0.3",
	                             "10.0.0.4", "10.0.0.5",  "10.0.0.6", "10.0.0.7"};
	assert_true(may(zone, "m", "A", eight, 8));
	assert_false(may(zone, "m", "A", eight, 7));
	zone_unref(&zone);
}

static int draws_may(void *ctx, const uint8_t *name, const struct zone_rrset *set)
{
	const struct zone *zone = ctx;
	struct zone_rr rr[ZONE_DRAW_MAX];
	struct draw draw;
	uint32_t ttl_s;
	draw_seed(&draw);
	for (unsigned int i = 0; zone_rrset_class(set) == ZONE_STATIC && i < 100; i++) {
		unsigned int count = zone_rrset_draw(zone, set, &draw, rr, &ttl_s);
		assert_true(zone_rrset_may(zone, set, rr, count));
	}
	return 0;
}

static void test_every_draw_may_be(void **state)
{
	struct zone *zone = zone_of(lines);
	zone_each(zone, draws_may, zone);
	zone_unref(&zone);
}

static void test_doubt(void **state)
{
	struct zone *zone = zone_of(lines);
	assert_false(zone_doubted(zone));
	zone_doubt(zone, true);
	assert_true(zone_doubted(zone));
	zone_doubt(zone, false);
	assert_false(zone_doubted(zone));
	zone_unref(&zone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_many_members),
		cmocka_unit_test(test_every_draw_may_be),
		cmocka_unit_test(test_doubt),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
