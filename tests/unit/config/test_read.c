#include "try.h"

static void test_unknown_keys(void **state)
{
	static const struct try_case cases[] = {
		{"worker = 3;", "t.conf:1: unknown key `worker`; did you mean `workers`?\n"},
		{"\nWorkers = 3;", "t.conf:2: unknown key `Workers`; did you mean `workers`?\n"},
		{"cache = { sizes = 3; };",
	         "t.conf:1: unknown key `sizes` in cache; did you mean `size`?\n"},
		{"route53 = { guard = { maxloss = 3; }; };",
	         "t.conf:1: unknown key `maxloss` in guard; did you mean `max_loss`?\n"},
		{"tcp = { zzz = 3; };", "t.conf:1: unknown key `zzz` in tcp; one of these would be "
	                                "right: max_connections, max_per_client, idle\n"},
		{"rules = ( { type = \"SYSTEM\"; domain = [ \"a.b\" ]; domains = [ \"a.b\" ]; } );",
	         "t.conf:1: unknown key `domain` in a rule; did you mean `domains`?\n"},
	};
	try_cases(cases, COUNT_OF(cases));
}

static void test_wrong_shapes(void **state)
{
#define LISTEN_LIKE                                                                           \
	"a list in `[ ]`, each an address such as \"10.0.0.2\" or \"[fd00::2]:53\" would be " \
	"right\n"
	static const struct try_case cases[] = {
		{"listen = \"127.0.0.1\";", "t.conf:1: `listen` is text; " LISTEN_LIKE},
		{"listen = [ 1 ];", "t.conf:1: a member of `listen` is a number; " LISTEN_LIKE},
		{"listen = { };", "t.conf:1: `listen` is a group; " LISTEN_LIKE},
		{"tcp = 5;", "t.conf:1: `tcp` is a number; a group, `{ ... }`, would be right\n"},
		{"tcp = ( { idle = 5; } );",
	         "t.conf:1: `tcp` is a list; a group, `{ ... }`, would be right\n"},
		{"rules = { type = \"SYSTEM\"; };",
	         "t.conf:1: `rules` is a group; "
	         "a list of groups, `( { ... }, { ... } )`, would be right\n"},
		{"rules = 5;",
	         "t.conf:1: `rules` is a number; "
	         "a list of groups, `( { ... }, { ... } )`, would be right\n"},
		{"rules = ( \"a.b\" );",
	         "t.conf:1: a member of `rules` is text; "
	         "a list of groups, `( { ... }, { ... } )`, would be right\n"},
		{"rules = [ ]; route53 = { roles = ( ); };", ""},
	};
	try_cases(cases, COUNT_OF(cases));
}

static void test_missing(void **state)
{
	static const struct try_case cases[] = {
		{"rules = ( { } );",
	         "t.conf:1: a rule without `type`; \"FORWARD\" or \"SYSTEM\" would be right\n"
	         "t.conf:1: a rule without `domains`; a list in `[ ]`, each a name such as "
	         "\"corp.example.com\" or a CIDR such as \"10.0.0.0/8\" would be right\n"},
		{"clients = ( { } );",
	         "t.conf:1: a client without `from`; a list in `[ ]`, each a CIDR such as "
	         "\"10.0.0.0/16\" would be right\n"
	         "t.conf:1: a client without `may`; "
	         "\"nothing\", \"zones\" or \"all\" would be right\n"},
		{"route53 = { roles = ( { accounts = [ \"111122223333\" ]; } ); };",
	         "t.conf:1: a role without `role_arn`; a role such as "
	         "\"arn:aws:iam::111122223333:role/NAME\" would be right\n"},
		{"clients = ( );", "t.conf:1: `clients` is empty; "
	                           "at least one member or leaving it out would be right\n"},
	};
	try_cases(cases, COUNT_OF(cases));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unknown_keys),
		cmocka_unit_test(test_wrong_shapes),
		cmocka_unit_test(test_missing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
