/* daemon/horizon_aws_dhcp.c - dhcp-options: hands our addresses to the instances of a VPC, and goes back. */
#include "horizon_aws_int.h"

#include "base/fail.h"
#include "base/text.h"
#include "records/dhcp.h"
#include "records/state.h"
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOCK_MS 5000

/* One run of the command. */
struct dhcp_run {
	struct run *run;
	struct aws *aws;
	bool apply;
	bool revert;
	const char *revert_to; /* NULL: what is remembered */
	char vpc[64];
	char own[64]; /* our address, where the settings name none */
	const char *own_list[1];
	struct records_dhcp wanted; /* the settings, with it */
	struct dhcp_memory memory;
	struct aws_dhcp old; /* what the VPC has */
	struct aws_dhcp set; /* what it is to have; its id "" when it is still to be made */
};

static int failed(const struct dhcp_run *run, const char *what, int ret)
{
	const char *trouble = aws_trouble(run->aws);
	return run_fail(EXIT_FAILED, "%s: %s", what, trouble[0] == '\0' ? fail_text(ret) : trouble);
}

static int on_one(void *ctx, const struct aws_dhcp *dhcp)
{
	*(struct aws_dhcp *)ctx = *dhcp;
	return 0;
}

/* The set of that id; no options when the id is "default". */
static int set_get(struct dhcp_run *run, const char *id, struct aws_dhcp *ret_set)
{
	memset(ret_set, 0, sizeof(*ret_set));
	snprintf(ret_set->id, sizeof(ret_set->id), "%s", id);
	return strcmp(id, AWS_DHCP_DEFAULT) == 0 ? 0 : aws_dhcp_list(run->aws, id, on_one, ret_set);
}

/* The VPC of the settings, or the one we are in. Returns an exit status. */
static int vpc_find(struct dhcp_run *run)
{
	const char *vpc = run->run->settings->dhcp.vpc;
	struct aws_instance instance;
	if (strcmp(vpc, "auto") == 0) {
		int ret = aws_instance_get(run->aws, &instance);
		if (ret != 0 || instance.vpc_id[0] == '\0') {
			return run_fail(EXIT_FAILED,
			                "which VPC? instance metadata does not say; dhcp = { vpc = "
			                "\"vpc-...\"; } in %s would",
			                run->run->settings_path);
		}
		vpc = instance.vpc_id;
	}
	snprintf(run->vpc, sizeof(run->vpc), "%s", vpc);
	return EXIT_DONE;
}

static int now_find(struct dhcp_run *run)
{
	char id[AWS_DHCP_ID_MAX];
	int ret = aws_dhcp_of_vpc(run->aws, run->vpc, id);
	if (ret != 0) {
		return failed(run, run->vpc, ret);
	}
	ret = set_get(run, id, &run->old);
	if (ret != 0) {
		return failed(run, id, ret);
	}
	const char *dir = run->run->settings->state_dir;
	ret = dhcp_memory_load(dir, run->vpc, &run->memory);
	if (ret != 0) {
		return run_fail(EXIT_FAILED,
		                "%s/dhcp-%s.json, which remembers the set of before: %s; move it "
		                "away to go on without",
		                dir, run->vpc, fail_text(ret));
	}
	return EXIT_DONE;
}

/* --- Forward --- */

struct search {
	const struct aws_dhcp *wanted;
	const struct aws_tags *tags;
	char id[AWS_DHCP_ID_MAX];
};

static int on_set(void *ctx, const struct aws_dhcp *dhcp)
{
	struct search *search = ctx;
	if (search->id[0] == '\0' && dhcp_equal(dhcp, search->wanted) &&
	    aws_tags_hold(&dhcp->tags, search->tags)) {
		memcpy(search->id, dhcp->id, sizeof(search->id));
	}
	return 0;
}

/* The addresses of the settings; without any the one of the instance that this runs on. */
static int wanted_find(struct dhcp_run *run)
{
	run->wanted = run->run->settings->dhcp;
	if (run->wanted.servers.count > 0) {
		return EXIT_DONE;
	}
	int ret = aws_metadata_get(run->aws, "meta-data/local-ipv4", run->own, sizeof(run->own));
	if (ret != 0) {
		return run_fail(
			EXIT_FAILED,
			"which addresses? instance metadata does not say ours; dhcp = { servers = "
			"[ \"10.0.0.4\" ]; } in %s would",
			run->run->settings_path);
	}
	run->own_list[0] = run->own;
	run->wanted.servers = (struct settings_texts){run->own_list, 1};
	return EXIT_DONE;
}

/* What the settings ask for; a set that is like it already, with our tags, will do. */
static int forward_plan(struct dhcp_run *run)
{
	int status = wanted_find(run);
	if (status != EXIT_DONE) {
		return status;
	}
	int ret = dhcp_plan(&run->old, &run->wanted, &run->set);
	if (ret != 0) {
		return run_fail(EXIT_FAILED, "%s: more options than a set can have", run->old.id);
	}
	const struct aws_tags tags = run_tags(run->run);
	if (dhcp_equal(&run->old, &run->set)) {
		memcpy(run->set.id, run->old.id, sizeof(run->set.id));
		return EXIT_DONE;
	}
	struct search search = {.wanted = &run->set, .tags = &tags};
	ret = aws_dhcp_list(run->aws, NULL, on_set, &search);
	if (ret != 0) {
		return failed(run, "the option sets there are", ret);
	}
	memcpy(run->set.id, search.id, sizeof(run->set.id));
	return EXIT_DONE;
}

/* --- Back --- */

static int back_plan(struct dhcp_run *run)
{
	const char *id = run->revert_to != NULL ? run->revert_to : run->memory.before;
	if (id[0] == '\0') {
		return run_fail(EXIT_FAILED,
		                "nothing is remembered of the set that %s had before us; "
		                "--revert=dopt-... names one (AWS's own way is a set with "
		                "domain-name-servers = AmazonProvidedDNS)",
		                run->vpc);
	}
	int ret = set_get(run, id, &run->set);
	return ret == 0 ? EXIT_DONE : failed(run, id, ret);
}

/* --- Show and do --- */

/* Tags that the set in use lacks; changing them needs no new set. */
static bool tags_lack(const struct dhcp_run *run)
{
	const struct aws_tags tags = run_tags(run->run);
	return !run->revert && strcmp(run->set.id, AWS_DHCP_DEFAULT) != 0 &&
	       !aws_tags_hold(&run->set.tags, &tags);
}

static void tags_show(const struct dhcp_run *run)
{
	const struct aws_tags tags = run_tags(run->run);
	for (size_t i = 0; i < tags.count; i++) {
		const char *have = aws_tags_find(&run->set.tags, tags.items[i].key);
		if (have == NULL || strcmp(have, tags.items[i].value) != 0) {
			printf("+ tag %s = %s\n", tags.items[i].key, tags.items[i].value);
		}
	}
}

static void show(const struct dhcp_run *run)
{
	struct text text;
	text_init(&text, 0);
	dhcp_diff(&run->old, &run->set, &text);
	printf("%s: option set %s -> %s\n%s", run->vpc, run->old.id,
	       run->set.id[0] == '\0' ? "a new one" : run->set.id, text_get(&text));
	text_fini(&text);
	if (!run->revert && run->run->settings->dhcp.servers.count > 3) {
		printf("note: glibc asks the first three servers only\n");
	}
}

static int remember(struct dhcp_run *run)
{
	const char *dir = run->run->settings->state_dir;
	/* Ours replaced by ours: what was before us stays what it was. */
	if (run->memory.before[0] == '\0' || strcmp(run->memory.ours, run->old.id) != 0) {
		memcpy(run->memory.before, run->old.id, sizeof(run->memory.before));
	}
	memcpy(run->memory.ours, run->set.id, sizeof(run->memory.ours));
	int ret = dhcp_memory_save(dir, run->vpc, &run->memory);
	return ret == 0 ? EXIT_DONE
	                : run_fail(EXIT_FAILED, "%s/dhcp-%s.json cannot be written: %s", dir,
	                           run->vpc, fail_text(ret));
}

/* The new set first, then the memory of the old one, then the change that others feel. */
static int associate(struct dhcp_run *run)
{
	const struct aws_tags tags = run_tags(run->run);
	int ret = 0;
	if (run->set.id[0] == '\0') {
		ret = aws_dhcp_create(run->aws, &run->set, &tags, run->set.id);
	}
	if (ret != 0) {
		return failed(run, "the new option set", ret);
	}
	int status = run->revert ? EXIT_DONE : remember(run);
	if (status != EXIT_DONE) {
		return status;
	}
	ret = aws_dhcp_associate(run->aws, run->vpc, run->set.id);
	if (ret != 0) {
		return failed(run, run->set.id, ret);
	}
	if (run->revert) {
		dhcp_memory_drop(run->run->settings->state_dir, run->vpc);
	}
	printf("%s has option set %s now, before %s; instances take it when they renew their "
	       "lease\n",
	       run->vpc, run->set.id, run->old.id);
	return EXIT_DONE;
}

static int finish(struct dhcp_run *run)
{
	bool same = strcmp(run->old.id, run->set.id) == 0;
	if (same && !tags_lack(run)) {
		printf("%s has option set %s: nothing to do\n", run->vpc, run->old.id);
		return EXIT_DONE;
	}
	if (!same) {
		show(run);
	} else {
		printf("%s: option set %s lacks tags\n", run->vpc, run->old.id);
		tags_show(run);
	}
	if (!run->apply) {
		printf("nothing was changed: --apply does it\n");
		return EXIT_PENDING;
	}
	if (!same) {
		return associate(run);
	}
	const struct aws_tags tags = run_tags(run->run);
	int ret = aws_ec2_tag(run->aws, run->set.id, &tags);
	return ret == 0 ? EXIT_DONE : failed(run, run->set.id, ret);
}

static bool options_read(int argc, char **argv, struct dhcp_run *run)
{
	static const struct option longs[] = {
		{"apply", no_argument, NULL, 'a'},
		{"revert", optional_argument, NULL, 'r'},
		{NULL, 0, NULL, 0},
	};
	int c;
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 'a') {
			run->apply = true;
		} else if (c == 'r') {
			run->revert = true;
			run->revert_to = optarg;
		} else {
			return false;
		}
	}
	return optind == argc;
}

static int dhcp_do(struct dhcp_run *dhcp)
{
	int status = vpc_find(dhcp);
	if (status == EXIT_DONE) {
		status = now_find(dhcp);
	}
	if (status == EXIT_DONE) {
		status = dhcp->revert ? back_plan(dhcp) : forward_plan(dhcp);
	}
	return status == EXIT_DONE ? finish(dhcp) : status;
}

/* One at a time changes things. */
static int dhcp_locked(struct dhcp_run *dhcp)
{
	const char *dir = dhcp->run->settings->state_dir;
	int lock = dhcp->apply ? state_lock(dir, "dhcp.lock", LOCK_MS) : -1;
	if (dhcp->apply && lock < 0) {
		return run_fail(EXIT_FAILED, "%s: %s", dir, fail_text(lock));
	}
	int status = dhcp_do(dhcp);
	if (lock >= 0) {
		close(lock);
	}
	return status;
}

int command_dhcp_options(struct run *run, int argc, char **argv)
{
	struct dhcp_run *dhcp = calloc(1, sizeof(*dhcp));
	int status;
	if (dhcp == NULL) {
		return run_fail(EXIT_FAILED, "%s", fail_text(FAIL_NOMEM));
	}
	dhcp->run = run;
	if (!options_read(argc, argv, dhcp)) {
		status = run_usage(argv[0]);
	} else {
		dhcp->aws = run_aws(run);
		status = dhcp->aws == NULL ? EXIT_FAILED : dhcp_locked(dhcp);
	}
	free(dhcp);
	return status;
}
