/* Files on disk: names, includes, include_dir, and who may write them. */
#include "try.h"

static char folder[64];

static int enter(void **state)
{
	try_enter_folder(folder, sizeof(folder));
	return 0;
}

static int leave(void **state)
{
	try_leave_folder(folder);
	return 0;
}

static void test_no_file(void **state)
{
	try_file("none.conf", "none.conf:1: the file cannot be read: No such file or directory\n");
	try_file(".", ".:1: the file is no file; a plain file of settings would be right\n");
	try_file("/dev/null", "");
}

static void test_writable(void **state)
{
	try_write("a.conf", "workers = -1;");
	chmod("a.conf", 0664);
	try_file("a.conf", "a.conf:1: the file may be written by its group or by others; "
	                   "mode 0644 or 0640 would be right\n");
	chmod("a.conf", 0602);
	try_file("a.conf", "a.conf:1: the file may be written by its group or by others; "
	                   "mode 0644 or 0640 would be right\n");
	chmod("a.conf", 0640);
	try_file("a.conf", "a.conf:1: `workers`: `-1` is out of range; "
	                   "a whole number from 0 to 256 would be right\n");
}

static void test_too_large(void **state)
{
	FILE *file = fopen("a.conf", "w");
	assert_non_null(file);
	for (size_t i = 0; i <= 4UL << 20; i++) {
		fputc('\n', file);
	}
	fclose(file);
	try_file("a.conf", "a.conf:1: the file is larger than 4 MiB; less would be right\n");
}

/* Faults are told where they stand, also when the included file ends in the middle of something. */
static void test_include(void **state)
{
	mkdir("sub", 0755);
	try_write("main.conf", "workers = -1;\n"
	                       "@include \"sub/one.conf\"\n"
	                       "rules = (\n"
	                       "@include \"sub/rules.conf\"\n"
	                       ");\n"
	                       "@include \"sub/none.conf\"\n"
	                       "user = 3;\n");
	try_write("sub/one.conf", "# comment\nlog = { queries = 1; };\n"
	                          "@include \"two.conf\" # next to one.conf\n");
	try_write("sub/two.conf", "\n\ntcp = { idle = 0; };");
	try_write("sub/rules.conf", "{ type = \"SYSTEM\"; domains = [ \"a..b\" ]; },\n"
	                            "{ type = \"SYSTEM\"; domains = [ \"c\" ]");
	try_file(
		"main.conf",
		"main.conf:1: `workers`: `-1` is out of range; "
		"a whole number from 0 to 256 would be right\n"
		"main.conf:6: file `sub/none.conf` cannot be read: No such file or directory\n"
		"main.conf:7: `user` is a number; a user of this machine, or \"\", would be right\n"
		"sub/one.conf:2: `queries` is a number; true or false would be right\n"
		"sub/rules.conf:1: `a..b` is no name; labels of 1 to 63 bytes with dots between, "
		"255 bytes in all, would be right\n"
		"sub/rules.conf:2: `{` is never closed; `}` behind its content would be right\n"
		"sub/two.conf:3: `idle`: `0` is out of range; "
		"a whole number from 1 to 3600 would be right\n");
}

/* What an included file has closed was not its own. */
static void test_include_is_whole(void **state)
{
	try_write("main.conf", "log = {\n@include \"in.conf\"\n};\nworkers = -1;");
	try_write("in.conf", "queries = true;\n};\nlevel = \"debug\";");
	try_file("main.conf", "in.conf:2: `}` closes nothing; leave it out\n"
	                      "main.conf:4: `workers`: `-1` is out of range; "
	                      "a whole number from 0 to 256 would be right\n");
}

static void test_include_circle(void **state)
{
	try_write("a.conf", "@include \"b.conf\"\n");
	try_write("b.conf", "@include \"a.conf\"\n");
	try_file("a.conf", "a.conf:1: `b.conf` is included more than 8 deep; "
	                   "does a file include itself?\n");
}

static void test_included_writable(void **state)
{
	try_write("a.conf", "@include \"b.conf\"\n");
	try_write("b.conf", "workers = 1;\n");
	chmod("b.conf", 0666);
	try_file("a.conf", "b.conf:1: the file may be written by its group or by others; "
	                   "mode 0644 or 0640 would be right\n");
}

/* `horizond -t -c <(make_settings)`: the main file may come from a pipe, which may take its time. */
static void test_pipe(void **state)
{
	int fds[2];
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "workers = -1;", 13), 13);
	close(fds[1]);
	char path[64];
	snprintf(path, sizeof(path), "/dev/fd/%d", fds[0]);
	char expected[256];
	snprintf(expected, sizeof(expected),
	         "%s:1: `workers`: `-1` is out of range; "
	         "a whole number from 0 to 256 would be right\n",
	         path);
	try_file(path, expected);
	close(fds[0]);
}

/* A reload must not wait for somebody to write into a FIFO. */
static void test_included_fifo(void **state)
{
	try_write("a.conf", "@include \"pipe\"\n");
	assert_int_equal(mkfifo("pipe", 0600), 0);
	try_file("a.conf",
	         "pipe:1: the file is no file; a plain file of settings would be right\n");
}

static void test_include_dir(void **state)
{
	mkdir("etc", 0755);
	mkdir("etc/conf.d", 0755);
	try_write("etc/main.conf", "include_dir = \"conf.d\";\n"
	                           "rules = ( { type = \"SYSTEM\"; domains = [ \"m\" ]; } );\n");
	try_write("etc/conf.d/20.conf",
	          "rules = ( { type = \"FORWARD\"; domains = [ \"b\" ]; targets = [ \"10.0.0.2\" "
	          "]; } );\n"
	          "clients = ( { from = [ \"10.0.0.0/8\" ]; may = \"all\"; } );\n");
	try_write("etc/conf.d/10.conf", "rules = ( { type = \"SYSTEM\"; domains = [ \"a\" ]; } );");
	try_write("etc/conf.d/.hidden.conf", "nonsense");
	try_write("etc/conf.d/README", "nonsense");

	struct settings *settings = NULL;
	struct text faults;
	text_init(&faults, 0);
	assert_int_equal(settings_load("etc/main.conf", &settings, &faults), 0);
	assert_int_equal(settings->rule_count, 3);
	assert_string_equal(settings->rules[0].domains[0].text, "m");
	assert_string_equal(settings->rules[1].domains[0].text, "a");
	assert_string_equal(settings->rules[1].place.file, "etc/conf.d/10.conf");
	assert_int_equal(settings->rules[1].place.line, 1);
	assert_string_equal(settings->rules[2].domains[0].text, "b");
	assert_int_equal(settings->client_count, 1);
	settings_free(&settings);
	text_fini(&faults);
}

static void test_include_dir_faults(void **state)
{
	mkdir("conf.d", 0755);
	try_write("main.conf", "include_dir = \"conf.d\";\n"
	                       "rules = ( { type = \"SYSTEM\"; domains = [ \"m\" ]; } );\n");
	try_write("conf.d/1.conf",
	          "rules = ( { type = \"SYSTEM\"; domains = [ \"x\" ] };\nworkers = 3;\n"
	          "rulez = 4;\n");
	try_write("conf.d/2.conf",
	          "\nrules = ( { type = \"SYSTEM\"; domains = [ \"x\", \"M\" ]; } );");
	try_write("conf.d/3.conf", "client = 3; caches = 4;");
	mkdir("conf.d/4.conf", 0755);
	try_file("main.conf",
	         "conf.d/1.conf:1: `)` is missing before `;`: `(` in line 1 is still open\n"
	         "conf.d/1.conf:2: `workers` may not stand in a file of include_dir; "
	         "in main.conf it would be right\n"
	         "conf.d/1.conf:3: unknown key `rulez`; did you mean `rules`?\n"
	         "conf.d/2.conf:2: `M` stands in two rules (first as `m` at main.conf:2); "
	         "one would be right\n"
	         "conf.d/2.conf:2: `x` stands in two rules (first at conf.d/1.conf:1); "
	         "one would be right\n"
	         "conf.d/3.conf:1: unknown key `client`; did you mean `clients`?\n"
	         "conf.d/3.conf:1: unknown key `caches`; "
	         "one of these would be right: rules, clients\n"
	         "conf.d/4.conf:1: the file is no file; a plain file of settings would be right\n");
}

static void test_include_dir_itself(void **state)
{
	try_write("a.conf", "\ninclude_dir = \"none.d\";");
	try_file("a.conf", "a.conf:2: `include_dir` cannot be read: No such file or directory; "
	                   "a folder, or \"\", would be right\n");
	try_write("a.conf", "include_dir = \"a.conf\";");
	try_file("a.conf", "a.conf:1: `include_dir` cannot be read: Not a directory; "
	                   "a folder, or \"\", would be right\n");
	mkdir("open.d", 0755);
	chmod("open.d", 0777);
	try_write("a.conf", "include_dir = \"open.d\";");
	try_file("a.conf", "a.conf:1: `include_dir` may be written by its group or by others; "
	                   "mode 0755 or 0750 would be right\n");
}

static void test_zone_files(void **state)
{
	mkdir("zones", 0755);
	try_write("zones/good.json", "{}");
	try_write("main.conf",
	          "zone_files = [ \"zones/good.json\",\n\"zones/none.json\",\n\"zones\",\n"
	          "\"./zones/good.json\" ];");
	char expected[512];
	snprintf(expected, sizeof(expected),
	         "main.conf:2: `zone_files`: `zones/none.json` is not there; "
	         "a file that can be read would be right\n"
	         "main.conf:3: `zone_files`: `zones` is no file; "
	         "a file that can be read would be right\n"
	         "main.conf:4: `%s/zones/good.json` is listed twice (first at main.conf:1); "
	         "once would be right\n",
	         folder);
	try_file("main.conf", expected);
}

/* Against the folder of the file they stand in; made absolute, as the daemon may change folders. */
static void test_names_are_relative_to_their_file(void **state)
{
	mkdir("etc", 0755);
	mkdir("etc/sub", 0755);
	try_write("etc/sub/zone.json", "{}");
	try_write("etc/main.conf", "state_dir = \"state\";\n@include \"sub/in.conf\"\n");
	try_write("etc/sub/in.conf", "zone_files = [ \"zone.json\" ]; control = \"/run/x\";");
	struct settings *settings = NULL;
	struct text faults;
	text_init(&faults, 0);
	assert_int_equal(settings_load("etc/main.conf", &settings, &faults), 0);
	char path[128];
	snprintf(path, sizeof(path), "%s/etc/state", folder);
	assert_string_equal(settings->state_dir, path);
	snprintf(path, sizeof(path), "%s/etc/sub/zone.json", folder);
	assert_string_equal(settings->zone_files.items[0], path);
	assert_string_equal(settings->control, "/run/x");
	settings_free(&settings);
	text_fini(&faults);
}

static void test_state_dir(void **state)
{
	try_write("main.conf", "state_dir = \"main.conf\";");
	try_file("main.conf", "main.conf:1: `state_dir` is no folder; "
	                      "a folder, or a name that is free for one, would be right\n");
	try_write("main.conf", "state_dir = \"\";");
	try_file("main.conf", "");
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(test_no_file),
		IN_FOLDER(test_writable),
		IN_FOLDER(test_too_large),
		IN_FOLDER(test_pipe),
		IN_FOLDER(test_include),
		IN_FOLDER(test_include_is_whole),
		IN_FOLDER(test_include_circle),
		IN_FOLDER(test_included_writable),
		IN_FOLDER(test_included_fifo),
		IN_FOLDER(test_include_dir),
		IN_FOLDER(test_include_dir_faults),
		IN_FOLDER(test_include_dir_itself),
		IN_FOLDER(test_zone_files),
		IN_FOLDER(test_names_are_relative_to_their_file),
		IN_FOLDER(test_state_dir),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
