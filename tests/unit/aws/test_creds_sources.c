/* Sources that ask somebody: roles, web identities, containers, programs, and profiles that lead to them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aws/client_int.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/mono.h"
#include "tiny_http.h"
#include <errno.h>
#include <sys/stat.h>

#define STS_ANSWER(action, id)                                                             \
	"<" action "Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><" action \
	"Result><Credentials><AccessKeyId>" id "</AccessKeyId><SecretAccessKey>s-" id      \
	"</SecretAccessKey><SessionToken>t-" id "</SessionToken><Expiration>"              \
	"2036-01-02T03:04:05Z</Expiration></Credentials></" action "Result></" action "Response>"

static struct tiny tiny;
static unsigned int status;
static const char *body; /* NULL: as STS answers */
static struct tiny_request last;
static unsigned int asked;
static char bodies[2048]; /* of all requests, one after another */
static char folder[64], path[96];
static struct aws *aws;

static void answer(void *ctx, const struct tiny_request *request, struct tiny_reply *reply)
{
	bool web = strstr(request->body, "WithWebIdentity") != NULL;
	last = *request;
	asked++;
	strcat(strcat(bodies, request->body), "\n");
	if (body != NULL || status != 200) {
		tiny_text(reply, status, body == NULL ? "" : body);
	} else if (web) {
		tiny_text(reply, 200, STS_ANSWER("AssumeRoleWithWebIdentity", "ASIAWEB"));
	} else {
		tiny_text(reply, 200, STS_ANSWER("AssumeRole", "ASIAROLE"));
	}
}

static const char *header(const char *name)
{
	static char buf[1024];
	return tiny_header(&last, name, buf, sizeof(buf));
}

static void file_write(const char *name, const char *text)
{
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	chmod(path, 0700);
}

static int begin(void **state)
{
	static const char *const variables[] = {"AWS_ACCESS_KEY_ID",
	                                        "AWS_SECRET_ACCESS_KEY",
	                                        "AWS_SESSION_TOKEN",
	                                        "AWS_PROFILE",
	                                        "AWS_ROLE_ARN",
	                                        "AWS_ROLE_SESSION_NAME",
	                                        "AWS_WEB_IDENTITY_TOKEN_FILE",
	                                        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
	                                        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
	                                        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
	                                        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"};
	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		unsetenv(variables[i]);
	}
	status = 200;
	body = NULL;
	asked = 0;
	bodies[0] = '\0';
	strcpy(folder, "/tmp/test_sources.XXXXXX");
	assert_non_null(mkdtemp(folder));
	file_write("config", "");
	setenv("AWS_CONFIG_FILE", path, 1);
	setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere", 1);
	setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
	tiny_start(&tiny, answer, NULL);
	tiny_export(&tiny, "AWS_ENDPOINT_URL");
	const struct aws_role roles[] = {{"arn:aws:iam::111122223333:role/a", NULL},
	                                 {"arn:aws:iam::444455556666:role/b", "ext"}};
	const struct aws_opts opts = {.region = "eu-west-1", .roles = roles, .role_count = 2};
	aws = aws_new(&opts);
	assert_non_null(aws);
	return 0;
}

static int end(void **state)
{
	char command[96];
	aws_free(&aws);
	tiny_stop(&tiny);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	assert_int_equal(system(command), 0);
	return 0;
}

/* What the client's own chain finds: its id, or why there is none. */
static void check_chain(const char *id, const char *trouble)
{
	const struct creds *creds = NULL;
	int ret = creds_chain__get(aws->creds, wall_s(), &creds);
	if (id == NULL) {
		assert_int_equal(ret, -ENOKEY);
		if (strstr(creds_chain__trouble(aws->creds), trouble) == NULL) {
			assert_string_equal(creds_chain__trouble(aws->creds), trouble);
		}
		return;
	}
	assert_string_equal(creds_chain__trouble(aws->creds), "");
	assert_int_equal(ret, 0);
	assert_string_equal(creds->access_key_id, id);
}

/* --- Web identity --- */

static void test_web_identity(void **state)
{
	file_write("token", "eyJ.a-b_c.d\n");
	setenv("AWS_WEB_IDENTITY_TOKEN_FILE", path, 1);
	check_chain(NULL, "AWS_WEB_IDENTITY_TOKEN_FILE is set but AWS_ROLE_ARN is not");
	setenv("AWS_ROLE_ARN", "arn:aws:iam::111122223333:role/w", 1);
	setenv("AWS_ROLE_SESSION_NAME", "me", 1);
	check_chain("ASIAWEB", NULL);
	assert_string_equal(last.body,
	                    "Action=AssumeRoleWithWebIdentity&RoleArn=arn%3Aaws%3Aiam%3A%3A"
	                    "111122223333%3Arole%2Fw&RoleSessionName=me&Version=2011-06-15"
	                    "&WebIdentityToken=eyJ.a-b_c.d");
	assert_string_equal(header("Authorization"), ""); /* not signed */

	/* The token is read anew for each renewal. */
	file_write("token", "second");
	assert_false(creds_chain__renew(aws->creds, wall_s())); /* the same keys again */
	assert_non_null(strstr(last.body, "WebIdentityToken=second"));
}

static void test_web_identity_badly(void **state)
{
	setenv("AWS_ROLE_ARN", "arn:aws:iam::111122223333:role/w", 1);
	setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere/token", 1);
	check_chain(NULL, "web identity token /nowhere/token");
	file_write("token", "two\nlines");
	setenv("AWS_WEB_IDENTITY_TOKEN_FILE", path, 1);
	check_chain(NULL, "/token: bad format");
	assert_int_equal(asked, 0);
	file_write("token", "good");
	status = 400;
	body = "<ErrorResponse><Error><Code>ExpiredTokenException</Code><Message>old</Message>"
	       "</Error></ErrorResponse>";
	check_chain(NULL, "role/w: ExpiredTokenException: old");
	status = 200;
	body = "<AssumeRoleWithWebIdentityResponse "
	       "xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"/>";
	check_chain(NULL, "not complete");
	body = NULL;
	check_chain("ASIAWEB", NULL);
}

/* --- Profiles --- */

static void profile(const char *text)
{
	file_write("config", text);
}

static void test_profile_keys(void **state)
{
	profile("[default]\naws_access_key_id = AKID\naws_secret_access_key = s\n");
	check_chain("AKID", NULL);
}

/* What the environment has comes first, a role of the profile before a web identity. */
static void test_order(void **state)
{
	profile("[default]\nrole_arn = arn:1\nsource_profile = default\n"
	        "aws_access_key_id = AKID\naws_secret_access_key = s\n");
	file_write("token", "good");
	setenv("AWS_WEB_IDENTITY_TOKEN_FILE", path, 1);
	setenv("AWS_ROLE_ARN", "arn:2", 1);
	check_chain("ASIAROLE", NULL);

	const struct aws_opts opts = {.region = "eu-west-1"};
	profile("[default]\naws_access_key_id = AKID\naws_secret_access_key = s\n");
	aws_free(&aws);
	aws = aws_new(&opts);
	check_chain("ASIAWEB", NULL);
	setenv("AWS_ACCESS_KEY_ID", "AKIDENV", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "s", 1);
	aws_free(&aws);
	aws = aws_new(&opts);
	check_chain("AKIDENV", NULL);
}

static void test_profile_half(void **state)
{
	profile("[default]\naws_access_key_id = AKID\n");
	check_chain(NULL, "profile default: aws_secret_access_key is missing");
	setenv("AWS_PROFILE", "other", 1);
	check_chain(NULL, "no profile other");
}

static void test_profile_role(void **state)
{
	profile("[profile a]\nrole_arn = arn:aws:iam::111122223333:role/x\nsource_profile = b\n"
	        "external_id = e/1\nrole_session_name = s.n\nduration_seconds = 900\n"
	        "[profile b]\naws_access_key_id = AKIDB\naws_secret_access_key = s\n");
	setenv("AWS_PROFILE", "a", 1);
	check_chain("ASIAROLE", NULL);
	assert_string_equal(last.body, "Action=AssumeRole&DurationSeconds=900&ExternalId=e%2F1"
	                               "&RoleArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fx"
	                               "&RoleSessionName=s.n&Version=2011-06-15");
	assert_non_null(strstr(header("Authorization"), "Credential=AKIDB/"));
}

static void test_profile_role_of_a_role(void **state)
{
	profile("[profile a]\nrole_arn = arn:1\nsource_profile = b\n"
	        "[profile b]\nrole_arn = arn:2\nsource_profile = b\n"
	        "aws_access_key_id = AKIDB\naws_secret_access_key = s\n");
	setenv("AWS_PROFILE", "a", 1);
	check_chain("ASIAROLE", NULL);
	/* Keys of a profile on the way come before its role. */
	assert_null(strstr(bodies, "arn%3A2"));
	profile("[profile a]\nrole_arn = arn:1\nsource_profile = b\n"
	        "[profile b]\nrole_arn = arn:2\nsource_profile = c\n"
	        "[profile c]\naws_access_key_id = AKIDC\naws_secret_access_key = s\n");
	bodies[0] = '\0';
	creds_chain__renew(aws->creds, wall_s());
	assert_non_null(strstr(bodies, "arn%3A2"));
	assert_non_null(strstr(bodies, "arn%3A1"));
	assert_non_null(strstr(header("Authorization"), "Credential=ASIAROLE/"));
	assert_string_equal(header("X-Amz-Security-Token"), "t-ASIAROLE");
}

static void test_profile_own_keys(void **state)
{
	profile("[default]\nrole_arn = arn:1\nsource_profile = default\n"
	        "aws_access_key_id = AKID\naws_secret_access_key = s\n");
	check_chain("ASIAROLE", NULL);
	assert_non_null(strstr(header("Authorization"), "Credential=AKID/"));
}

static void test_profile_role_badly(void **state)
{
	profile("[default]\nrole_arn = arn:1\n");
	check_chain(NULL, "role_arn needs one of source_profile and credential_source");
	profile("[default]\nrole_arn = arn:1\nsource_profile = b\n[profile b]\n"
	        "role_arn = arn:2\nsource_profile = default\n");
	check_chain(NULL, "source_profile leads back to it");
	profile("[default]\nrole_arn = arn:1\nsource_profile = b\n");
	check_chain(NULL, "no profile b");
	profile("[default]\nrole_arn = arn:1\ncredential_source = Elsewhere\n");
	check_chain(NULL, "credential_source Elsewhere");
	profile("[default]\nrole_arn = arn:1\ncredential_source = Ec2InstanceMetadata\n");
	check_chain(NULL, "instance metadata is switched off");
	profile("[default]\nrole_arn = arn:1\ncredential_source = Environment\n"
	        "duration_seconds = 60\n");
	check_chain(NULL, "duration_seconds is not 900 to 43200");
	assert_int_equal(asked, 0);
	status = 403;
	body = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error>"
	       "</ErrorResponse>";
	profile("[default]\nrole_arn = arn:1\nsource_profile = default\n"
	        "aws_access_key_id = AKID\naws_secret_access_key = s\n");
	check_chain(NULL, "arn:1: AccessDenied: no");
}

/* --- Programs --- */

static void process_profile(const char *script, const char *words)
{
	char text[512];
	file_write("program", script);
	snprintf(text, sizeof(text), "[default]\ncredential_process = %s %s\n", path, words);
	profile(text);
}

#define PROCESS_JSON                                                                              \
	"{\"Version\":1,\"AccessKeyId\":\"ASIAPROC\",\"SecretAccessKey\":\"s\",\"SessionToken\":" \
	"\"t\"}"

static void test_process(void **state)
{
	process_profile("#!/bin/sh\n[ \"$2\" = 'two words' ] && [ \"$3\" = 'a\"b' ] && "
	                "[ \"$4\" = '$HOME;x' ] && [ $# = 4 ] && "
	                "echo secret-on-stderr >&2 && echo '" PROCESS_JSON "'\n",
	                "1 \"two words\" 'a\"b' '$HOME;x'");
	check_chain("ASIAPROC", NULL);
}

static void test_process_badly(void **state)
{
	process_profile("#!/bin/sh\necho secret; exit 3\n", "");
	check_chain(NULL, "credential_process: exit status 3");
	assert_null(strstr(creds_chain__trouble(aws->creds), "secret"));
	process_profile("#!/bin/sh\necho '{\"Version\":2}'\n", "");
	check_chain(NULL, "credential_process: its Version is not 1");
	process_profile("#!/bin/sh\necho nonsense\n", "");
	check_chain(NULL, "not a JSON object");
	process_profile("#!/bin/sh\nyes\n", "");
	check_chain(NULL, "credential_process: too large");
	process_profile("#!/bin/sh\nkill -9 $$\n", "");
	check_chain(NULL, "credential_process: ended by signal 9");
	process_profile("#!/bin/sh\n", "'open");
	check_chain(NULL, "a quote without an end");
	profile("[default]\ncredential_process = /nowhere/program\n");
	check_chain(NULL, "/nowhere/program");
}

/* Not there, or waiting for its burial. */
static bool ended(int pid)
{
	char name[64], state = 'Z';
	snprintf(name, sizeof(name), "/proc/%d/stat", pid);
	FILE *file = fopen(name, "r");
	if (file != NULL && fscanf(file, "%*d %*s %c", &state) != 1) {
		state = 'Z';
	}
	if (file != NULL) {
		fclose(file);
	}
	return state == 'Z' || state == 'X';
}

/* Called off: it and what it started are gone, and we have not waited for it. */
static void test_process_called_off(void **state)
{
	bool cancel = true;
	char line[32] = "", why[320];
	struct creds creds = {0};
	file_write("pid", "");
	char pid_path[96], command[256];
	strcpy(pid_path, path);
	file_write("program", "#!/bin/sh\nsleep 60 & echo $! > $1; wait\n");
	snprintf(command, sizeof(command), "%s %s", path, pid_path);
	const struct creds_process process = {.command = command, .cancel = &cancel};
	uint64_t start_ms = mono_ms();
	assert_int_equal(creds_process__run(&process, &creds, why, sizeof(why)), FAIL_SHUTDOWN);
	assert_true(mono_ms() - start_ms < 5000);
	FILE *file = fopen(pid_path, "r");
	if (fgets(line, sizeof(line), file) != NULL) {
		bool gone = false;
		for (int tries = 0; tries < 300 && !gone; tries++) {
			usleep(tries == 0 ? 0 : 10000);
			gone = ended(atoi(line));
		}
		assert_true(gone);
	}
	fclose(file);
}

/* --- Containers --- */

#define CONTAINER_JSON                                                                            \
	"{\"AccessKeyId\":\"ASIACONT\",\"SecretAccessKey\":\"s\",\"Token\":\"t\",\"Expiration\":" \
	"\"2036-01-02T03:04:05Z\"}"

static void container(const char *rest)
{
	char url[128];
	snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", tiny.port, rest);
	setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url, 1);
}

static void test_container(void **state)
{
	body = CONTAINER_JSON;
	container("/v2/creds?id=1");
	setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "Basic abc", 1);
	check_chain("ASIACONT", NULL);
	assert_string_equal(last.target, "/v2/creds?id=1");
	assert_string_equal(header("Authorization"), "Basic abc");
	file_write("token", "from-file\n");
	setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", path, 1);
	creds_chain__renew(aws->creds, wall_s());
	assert_string_equal(header("Authorization"), "from-file");
}

static void test_container_badly(void **state)
{
	static const char *const urls[] = {"http://192.0.2.1/",
	                                   "http://169.254.170.3/",
	                                   "http://example.com/",
	                                   "ftp://127.0.0.1/",
	                                   "x",
	                                   "http://[fd00:ec2::24]/",
	                                   "http://127.evil.example/"};
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", urls[i], 1);
		check_chain(NULL, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
	}
	container("/");
	setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "a\r\nHost: b", 1);
	check_chain(NULL, "has a line end in it");
	assert_int_equal(asked, 0);
	unsetenv("AWS_CONTAINER_AUTHORIZATION_TOKEN");
	status = 403;
	check_chain(NULL, "container credentials: status 403");
	status = 200;
	body = "{\"Code\":\"Failed\",\"Message\":\"no\"}";
	check_chain(NULL, "credentials refused: Failed no");
}

/* --- Roles of other accounts --- */

static void test_assumed(void **state)
{
	const struct aws_call call = {.operation = AWS_CALLER_IDENTITY};
	setenv("AWS_ACCESS_KEY_ID", "AKIDENV", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "s", 1);
	aws_with(aws, 1);
	assert_int_equal(aws__call(aws, &call), 0);
	assert_int_equal(asked, 2);
	assert_non_null(strstr(bodies, "ExternalId=ext&RoleArn=arn%3Aaws%3Aiam%3A%3A4444"));
	assert_non_null(strstr(header("Authorization"), "Credential=ASIAROLE/"));
	assert_int_equal(aws__call(aws, &call), 0);
	assert_int_equal(asked, 3); /* kept */
	aws_with(aws, 0);
	assert_int_equal(aws__call(aws, &call), 0);
	assert_int_equal(asked, 5);
	aws_with(aws, SIZE_MAX);
	assert_int_equal(aws__call(aws, &call), 0);
	assert_non_null(strstr(header("Authorization"), "Credential=AKIDENV/"));

	status = 403;
	body = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error>"
	       "</ErrorResponse>";
	aws_with(aws, 1);
	assert_int_equal(aws__call(aws, &call), FAIL_DENIED);
	assert_int_equal(asked, 7); /* the role's credentials are not asked for anew for that */
}

int main(void)
{
	log_set_level(LOG_LEVEL_ERROR);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_web_identity, begin, end),
		cmocka_unit_test_setup_teardown(test_web_identity_badly, begin, end),
		cmocka_unit_test_setup_teardown(test_profile_keys, begin, end),
		cmocka_unit_test_setup_teardown(test_order, begin, end),
		cmocka_unit_test_setup_teardown(test_profile_half, begin, end),
		cmocka_unit_test_setup_teardown(test_profile_role, begin, end),
		cmocka_unit_test_setup_teardown(test_profile_role_of_a_role, begin, end),
		cmocka_unit_test_setup_teardown(test_profile_own_keys, begin, end),
		cmocka_unit_test_setup_teardown(test_profile_role_badly, begin, end),
		cmocka_unit_test_setup_teardown(test_process, begin, end),
		cmocka_unit_test_setup_teardown(test_process_badly, begin, end),
		cmocka_unit_test_setup_teardown(test_process_called_off, begin, end),
		cmocka_unit_test_setup_teardown(test_container, begin, end),
		cmocka_unit_test_setup_teardown(test_container_badly, begin, end),
		cmocka_unit_test_setup_teardown(test_assumed, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
