/* Syntax: each slip is told once, at its line, and hides nothing of what stands around it. */
#include "try.h"

#define COUNT_LIKE  "a whole number from 0 to 256 would be right\n"
#define BAD_WORKERS "`workers`: `-1` is out of range; " COUNT_LIKE

static void test_libconfig_syntax(void **state)
{
	static const struct try_case cases[] = {
		{"", ""},
		{"\n  # a comment\n// another\n/* and\n a third */\n", ""},
		{"workers = 1", ""},
		{"workers : 1, user = \"\"", ""},
		{"workers = 1 user = \"\"", ""},
		{"listen = [ \"127.0.0.1\", ];", ""},
		{"vpc_cidrs = ( \"10.0.0.0/8\" );", ""},
		{"user = \"ro\" \"ot\";", ""},
	};
	try_cases(cases, COUNT_OF(cases));
}

static void test_missing_marks(void **state)
{
	static const struct try_case cases[] = {
		{"listen = [ \"127.0.0.1\";\nworkers = -1;",
	         "t.conf:1: `]` is missing before `;`: `[` in line 1 is still open\n"
	         "t.conf:2: " BAD_WORKERS},
		{"listen = [ \"127.0.0.1\"\nworkers = -1;",
	         "t.conf:2: `]` is missing before `workers`: `[` in line 1 is still open\n"
	         "t.conf:2: " BAD_WORKERS},
		{"listen = [ \"127.0.0.1\", \"::1\"",
	         "t.conf:1: `[` is never closed; `]` behind its content would be right\n"},
		{"workers = -1;\nlog = {\n  queries = true;\n",
	         "t.conf:1: " BAD_WORKERS
	         "t.conf:2: `{` is never closed; `}` behind its content would be right\n"},
		{"rules = (\n{ type = \"SYSTEM\"; domains = [ \"a.b\" ]; )\n;workers = -1;",
	         "t.conf:2: `}` is missing before `)`: `{` in line 2 is still open\n"
	         "t.conf:3: " BAD_WORKERS},
		{"rules = (\n{ type = \"SYSTEM\"; domains = [ \"a.b\" ];\n{ type = \"SYSTEM\"; "
	         "domains "
	         "= [ \"a.b\" ]; } );",
	         "t.conf:3: `}` is missing before `{`: `{` in line 2 is still open\n"
	         "t.conf:3: `a.b` stands in two rules (first at t.conf:2); one would be right\n"},
		{"listen = [ \"127.0.0.1\" \"::1\" ];", "t.conf:1: `,` is missing before `::1`\n"},
		{"rules = ( { type = \"SYSTEM\"; domains = [ \"a.b\" ]; }\n{ type = \"SYSTEM\"; "
	         "domains "
	         "= [ \"a.c\" ]; } );",
	         "t.conf:2: `,` is missing before `{`\n"},
		{"workers 1;\nuser = 1;",
	         "t.conf:1: `=` is missing between `workers` and `1`\n"
	         "t.conf:2: `user` is a number; a user of this machine, or \"\", would be right\n"},
		{"workers =\nuser = 1;",
	         "t.conf:1: `workers` has no value; `NAME = VALUE;` would be right\n"
	         "t.conf:2: `user` is a number; a user of this machine, or \"\", would be right\n"},
		{"log = { level = };\nworkers = ;",
	         "t.conf:1: `level` has no value; `NAME = VALUE;` would be right\n"
	         "t.conf:2: `workers` has no value; `NAME = VALUE;` would be right\n"},
		{"workers =", "t.conf:1: `workers` has no value; `NAME = VALUE;` would be right\n"},
		{"workers", "t.conf:1: `workers` does not belong here; "
	                    "`NAME = VALUE;` would be right\n"},
	};
	try_cases(cases, COUNT_OF(cases));
}

static void test_odd_marks(void **state)
{
	static const struct try_case cases[] = {
		{"workers = 1;;\nworkers = -1;",
	         "t.conf:1: `;` does not belong here; `NAME = VALUE;` would be right\n"
	         "t.conf:2: `workers` is set a second time (first at t.conf:1); "
	         "once would be right\n"},
		{"workers = -1;\n}\nuser = \"\";",
	         "t.conf:1: " BAD_WORKERS "t.conf:2: `}` closes nothing; leave it out\n"},
		{"log = { queries = false ];\nworkers = -1;",
	         "t.conf:1: `]` does not close `{` of line 1; `}` would be right\n"
	         "t.conf:2: " BAD_WORKERS},
		{"rules = [ { type = \"SYSTEM\"; domains = [ ]; } ];",
	         "t.conf:1: `{` cannot stand in `[ ]`; "
	         "a list in parentheses, `( )`, would be right\n"
	         "t.conf:1: `domains` is empty; at least 1 member would be right\n"},
		{"vpc_cidrs = [ \"10.0.0.0/8\",\n5 ];\nworkers = -1;",
	         "t.conf:2: `5` is of another type than the values before it; "
	         "one type in `[ ]` would be right\n"
	         "t.conf:3: " BAD_WORKERS},
		{"vpc_cidrs = [ 5,\n\"10.0.0.0/8\"\n];",
	         "t.conf:1: a member of `vpc_cidrs` is a number; "
	         "a list in `[ ]`, each a CIDR such as \"10.0.0.0/16\" would be right\n"
	         "t.conf:2: `10.0.0.0/8` is of another type than the values before it; "
	         "one type in `[ ]` would be right\n"},
		{"= 3;\nworkers = -1;",
	         "t.conf:1: `=` does not belong here; `NAME = VALUE;` would be right\n"
	         "t.conf:2: " BAD_WORKERS},
		{"user = \"a\\\"b\\\\\";", "t.conf:1: `user`: `a\\\"b\\\\` cannot be; "
	                                   "a user of this machine, or \"\", would be right\n"},
		{"workers = 1;\x01\n",
	         "t.conf:1: control byte `\\001`; plain text would be right\n"},
		{"workers = 1; /* never\nended",
	         "t.conf:1: the comment is never closed; `*/` at its end would be right\n"},
	};
	try_cases(cases, COUNT_OF(cases));
}

static void test_missing_quotes(void **state)
{
#define NO_QUOTES " is neither number nor true or false; text stands in quotes: "
	static const struct try_case cases[] = {
		{"log = { level = debug; };\nworkers = -1;",
	         "t.conf:1: `debug`" NO_QUOTES "\"debug\"\n"
	         "t.conf:2: " BAD_WORKERS},
		{"listen = [ 127.0.0.1, ::1, 10.0.0.1:53 ];",
	         "t.conf:1: `127.0.0.1`" NO_QUOTES "\"127.0.0.1\"\n"
	         "t.conf:1: `::1`" NO_QUOTES "\"::1\"\n"
	         "t.conf:1: `10.0.0.1:53`" NO_QUOTES "\"10.0.0.1:53\"\n"},
		{"route53 = { endpoint = http://127.0.0.1:80/; };",
	         "t.conf:1: `http://127.0.0.1:80/`" NO_QUOTES "\"http://127.0.0.1:80/\"\n"},
		{"user = \"root;\nworkers = -1;",
	         "t.conf:1: text is not closed on its line; `\"` at its end would be right\n"
	         "t.conf:1: `user`: `root;` cannot be; "
	         "a user of this machine, or \"\", would be right\n"
	         "t.conf:2: " BAD_WORKERS},
		/* The bracket went into the text; that is no second fault. */
		{"vpc_cidrs = [ \"10.0.0.0/8 ];\nworkers = -1;",
	         "t.conf:1: text is not closed on its line; `\"` at its end would be right\n"
	         "t.conf:1: `vpc_cidrs`: `10.0.0.0/8 ];` is no CIDR; "
	         "a CIDR such as \"10.0.0.0/16\" would be right\n"
	         "t.conf:2: " BAD_WORKERS},
	};
	try_cases(cases, COUNT_OF(cases));
}

static void test_set_twice(void **state)
{
	static const struct try_case cases[] = {
		{"workers = 1;\nuser = \"\";\nworkers = 2;\nvpc_packet_rate = 0;",
	         "t.conf:3: `workers` is set a second time (first at t.conf:1); "
	         "once would be right\n"
	         "t.conf:4: `vpc_packet_rate`: `0` is out of range; "
	         "a whole number from 1 to 1000000 would be right\n"},
		{"log = { queries = true;\n queries = true; };\n",
	         "t.conf:2: `queries` is set a second time (first at t.conf:1); "
	         "once would be right\n"},
	};
	try_cases(cases, COUNT_OF(cases));
}

/* What is left out of a group because of a slip is not missing from it. */
static void test_broken_is_not_missing(void **state)
{
	static const struct try_case cases[] = {
		{"rules = ( { type = \"FORWARD\"; domains = [ \"a.b\" ]; = ( 1 ); } );",
	         "t.conf:1: `=` does not belong here; `NAME = VALUE;` would be right\n"},
		{"rules = ( { type = \"SYSTEM\"; domains = [ \"a.c\", 1, \"a.b\" ]; } );",
	         "t.conf:1: `1` is of another type than the values before it; "
	         "one type in `[ ]` would be right\n"},
		{"rules = ( { type = \"FORWARD\"; domains = [ \"a.b\" ]; targets = [ \"10.0.0.1\", "
	         "1, \"10.0.0.2\" ]; } "
	         ");",
	         "t.conf:1: `1` is of another type than the values before it; "
	         "one type in `[ ]` would be right\n"},
	};
	try_cases(cases, COUNT_OF(cases));
}

/* The line of a list's member is its own, whatever stands behind it. */
static void test_lines_of_members(void **state)
{
	static const struct try_case cases[] = {
		{"listen = [\n\"127.0.0.1\",\n\"x\"\n\n# comment\n,\n\"y\"\n\n];",
	         "t.conf:3: `listen`: `x` is no address; "
	         "an address such as \"10.0.0.2\" or \"[fd00::2]:53\" would be right\n"
	         "t.conf:7: `listen`: `y` is no address; "
	         "an address such as \"10.0.0.2\" or \"[fd00::2]:53\" would be right\n"},
		{"rules = (\n{ type = \"SYSTEM\"; domains = [ \"a.b\" ]; },\n\n{\n type = "
	         "\"SYSTEM\";\n} );",
	         "t.conf:4: a rule without `domains`; "
	         "a list in `[ ]`, each a name such as \"corp.example.com\" or a CIDR such as "
	         "\"10.0.0.0/8\" would be right\n"},
	};
	try_cases(cases, COUNT_OF(cases));
}

static void test_nesting(void **state)
{
	/* libconfig would follow this down its stack. */
	static char deep[2 * 200000 + 16];
	size_t depth = 200000;
	strcpy(deep, "a = ");
	memset(deep + 4, '(', depth);
	memset(deep + 4 + depth, ')', depth);
	struct settings *settings = NULL;
	struct text faults;
	text_init(&faults, 0);
	int ret = settings_load_bytes("t.conf", deep, strlen(deep), &settings, &faults);
	assert_int_equal(ret, FAIL_FORMAT);
	assert_non_null(strstr(text_get(&faults),
	                       "t.conf:1: `(` is nested more than 64 deep; less would be right\n"));
	text_fini(&faults);
}

static void test_too_many_keys(void **state)
{
	static const char line[] = "a%05zu = 1;\n";
	static char many[100000 * 12];
	size_t len = 0;
	for (size_t i = 0; i < 100000 - 1; i++) {
		len += (size_t)sprintf(many + len, line, i);
	}
	struct settings *settings = NULL;
	struct text faults;
	text_init(&faults, 0);
	int ret = settings_load_bytes("t.conf", many, len, &settings, &faults);
	assert_int_equal(ret, FAIL_FORMAT);
	assert_non_null(strstr(text_get(&faults),
	                       "t.conf:257: `a00256` is one key too many for one "
	                       "group; at most 256 would be right\n"));
	text_fini(&faults);
}

static void test_nul_bytes(void **state)
{
	struct settings *settings = NULL;
	struct text faults;
	text_init(&faults, 0);
	int ret = settings_load_bytes("t.conf", "workers\0 = 1;", 13, &settings, &faults);
	assert_int_equal(ret, FAIL_FORMAT);
	assert_string_equal(text_get(&faults),
	                    "t.conf:1: the file holds NUL bytes; plain text would be right\n");
	text_fini(&faults);
}

/* Whatever is cut off, the load ends in settings or in faults. */
static void test_every_prefix(void **state)
{
	static const char whole[] =
		"listen = [ \"127.0.0.1\", \"::1\" ]; # x\nroute53 = { rate = 2.0; guard = { "
		"max_loss "
		"= 3; }; };\nrules = ( { type = \"FORWARD\"; domains = [ \"10.0.0.0/9\" ]; targets "
		"= [ "
		"\"10.0.0.1\" ]; }, { type = \"SYSTEM\"; domains = [ \"a.b\" ]; } ); /* y */\n";
	for (size_t size = 0; size <= strlen(whole); size++) {
		struct settings *settings = NULL;
		struct text faults;
		text_init(&faults, 0);
		int ret = settings_load_bytes("t.conf", whole, size, &settings, &faults);
		assert_true(ret == 0 ? faults.len == 0 : ret == FAIL_FORMAT && faults.len > 0);
		settings_free(&settings);
		text_fini(&faults);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_libconfig_syntax),
		cmocka_unit_test(test_missing_marks),
		cmocka_unit_test(test_odd_marks),
		cmocka_unit_test(test_missing_quotes),
		cmocka_unit_test(test_set_twice),
		cmocka_unit_test(test_broken_is_not_missing),
		cmocka_unit_test(test_lines_of_members),
		cmocka_unit_test(test_nesting),
		cmocka_unit_test(test_too_many_keys),
		cmocka_unit_test(test_nul_bytes),
		cmocka_unit_test(test_every_prefix),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
