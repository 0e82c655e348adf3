#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aws/xml_int.h"
#include "base/fail.h"
#include "base/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	TAG_LIST = TAG_FIRST,
	TAG_ITEM,
	TAG_ONCE,
};

static const struct xml_rule rules[] = {
	{TAG_ROOT, TAG_LIST, false, "List"},
	{TAG_LIST, TAG_ITEM, false, "Item"},
	{TAG_ROOT, TAG_ONCE, true, "Once"},
};

struct seen {
	struct text text;
	int refuse; /* an Item is answered with this */
};

static int on_begin(void *ctx, unsigned int tag)
{
	struct seen *seen = ctx;
	text_addf(&seen->text, "<%u", tag);
	return 0;
}

static int on_end(void *ctx, unsigned int tag, char *text)
{
	struct seen *seen = ctx;
	text_addf(&seen->text, tag == TAG_ITEM || tag == TAG_ONCE ? ">%u:%s" : ">%u", tag, text);
	return tag == TAG_ITEM ? seen->refuse : 0;
}

static const struct xml_format format = {
	.root = "Answer",
	.space = "urn:a",
	.rules = rules,
	.rule_count = sizeof(rules) / sizeof(rules[0]),
	.begin = on_begin,
	.end = on_end,
};

/* Reads body in pieces of step octets; the events are left in seen. */
static int read_steps(struct seen *seen, const char *body, size_t size, size_t step)
{
	struct xml *xml = xml__new(&format, seen);
	assert_non_null(xml);
	text_init(&seen->text, 0);
	int ret = 0;
	for (size_t at = 0; at < size && ret == 0; at += step) {
		ret = xml__feed(xml, body + at, size - at < step ? size - at : step);
	}
	ret = ret != 0 ? ret : xml__finish(xml);
	assert_true((ret != 0) == (xml__trouble(xml)[0] != '\0'));
	xml__free(&xml);
	assert_null(xml);
	return ret;
}

static int read_all(const char *body)
{
	struct seen seen = {0};
	int ret = read_steps(&seen, body, strlen(body), strlen(body) + 1);
	text_fini(&seen.text);
	return ret;
}

static void test_events(void **state)
{
	static const char body[] =
		"<?xml version='1.0' encoding='UTF-8'?>\n<Answer xmlns='urn:a'> <List>\n"
		"<Item>a &amp; b</Item><Item/><Item><![CDATA[<c>]]> d</Item>"
		"<Strange><Item>no</Item></Strange></List><Once>\xc3\xa9</Once></Answer>";
	for (size_t step = 1; step <= sizeof(body); step++) {
		struct seen seen = {0};
		assert_int_equal(read_steps(&seen, body, sizeof(body) - 1, step), 0);
		assert_string_equal(text_get(&seen.text),
		                    "<1<2<3>3:a & b<3>3:<3>3:<c> d>2<4>4:\xc3\xa9>1");
		text_fini(&seen.text);
	}
}

static void test_prefixes(void **state)
{
	struct seen seen = {0};
	static const char body[] = "<x:Answer xmlns:x='urn:a' xmlns:y='urn:b'><x:Once>1</x:Once>"
				   "<y:List/></x:Answer>";
	assert_int_equal(read_steps(&seen, body, sizeof(body) - 1, 7), 0);
	assert_string_equal(text_get(&seen.text), "<1<4>4:1>1");
	text_fini(&seen.text);
}

static void test_wrong_documents(void **state)
{
	static const char *const bodies[] = {
		"",
		"<html><body>sign in</body></html>",
		"<Answer xmlns='urn:b'/>",
		"<Answer/>",
		"<Other xmlns='urn:a'/>",
		"<Answer xmlns='urn:a'><List></Answer>",
		"<Answer xmlns='urn:a'><List/>",
		"<Answer xmlns='urn:a'/><Answer xmlns='urn:a'/>",
		"<Answer xmlns='urn:a'/>text",
		"<Answer xmlns='urn:a'>&unknown;</Answer>",
		"<Answer xmlns='urn:a'>\xff\xfe</Answer>",
		"<Answer xmlns='urn:a'>\x01</Answer>",
		"<Answer xmlns='urn:a'><Once>1</Once><Once>1</Once></Answer>",
		"{\"Answer\": 1}",
	};
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		assert_int_equal(read_all(bodies[i]), FAIL_FORMAT);
	}
}

static void test_doctype_refused(void **state)
{
	static const char bomb[] =
		"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY a 'aaaaaaaaaa'>"
		"<!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'>]>"
		"<Answer xmlns='urn:a'><Once>&c;&c;&c;</Once></Answer>";
	assert_int_equal(read_all(bomb), FAIL_FORMAT);
	assert_int_equal(read_all("<!DOCTYPE a SYSTEM 'file:///etc/passwd'>"
	                          "<Answer xmlns='urn:a'/>"),
	                 FAIL_FORMAT);
}

static void test_other_encodings(void **state)
{
	/* "<a/>" in UTF-16, with its mark. */
	static const char wide[] = "\xff\xfe<\0a\0/\0>\0";
	struct seen seen = {0};
	assert_int_equal(read_steps(&seen, wide, sizeof(wide) - 1, 100), FAIL_FORMAT);
	text_fini(&seen.text);
}

static void test_depth(void **state)
{
	struct text body;
	text_init(&body, 0);
	text_addf(&body, "<Answer xmlns='urn:a'>");
	for (unsigned int i = 1; i < XML__DEPTH_MAX; i++) {
		text_addf(&body, "<a>");
	}
	struct text deeper;
	text_init(&deeper, 0);
	text_addf(&deeper, "%s<a>", text_get(&body));
	assert_int_equal(read_all(text_get(&deeper)), FAIL_LIMIT);
	assert_int_equal(read_all(text_get(&body)), FAIL_FORMAT); /* only not complete */
	text_fini(&deeper);
	text_fini(&body);
}

static void test_long_text(void **state)
{
	static char body[XML__TEXT_MAX + 256];
	for (int over = 0; over < 2; over++) {
		int head = snprintf(body, sizeof(body), "<Answer xmlns='urn:a'><Once>");
		memset(body + head, 'x', XML__TEXT_MAX + (size_t)over);
		snprintf(body + head + XML__TEXT_MAX + over, 64, "</Once></Answer>");
		assert_int_equal(read_all(body), over ? FAIL_LIMIT : 0);
	}
}

static void test_callback_ends_it(void **state)
{
	struct seen seen = {.refuse = -77};
	static const char body[] = "<Answer xmlns='urn:a'><List><Item>1</Item><Item>2</Item>"
				   "</List></Answer>";
	assert_int_equal(read_steps(&seen, body, sizeof(body) - 1, 100), -77);
	assert_string_equal(text_get(&seen.text), "<1<2<3>3:1");
	text_fini(&seen.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events),          cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_wrong_documents), cmocka_unit_test(test_doctype_refused),
		cmocka_unit_test(test_other_encodings), cmocka_unit_test(test_depth),
		cmocka_unit_test(test_long_text),       cmocka_unit_test(test_callback_ends_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
