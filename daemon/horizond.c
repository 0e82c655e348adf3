/* daemon/horizond.c - the daemon: options, start, run, end. */
#include "horizond_int.h"

#include "aws/route53.h"
#include "base/epoch.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/mono.h"
#include "control/notify.h"
#include "tls/tls.h"
#include <getopt.h>
#include <grp.h>
#include <malloc.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define MALLOC_LARGE   (256 << 10)
#define CONFIG_DEFAULT "/etc/horizond/horizond.conf"
#define DRAIN_MS       3000
#define BOX_MAX        1024
#define WATCH_MS       2000 /* how often the workers' pulse is felt, without a watchdog too */

enum {
	EXIT_FAULTS = 1,
	EXIT_USAGE = 2,
};

struct options {
	const char *config_path;
	bool check;
	bool print;
	bool verbose;
};

static void usage(FILE *to)
{
	fprintf(to, "usage: horizond [-c FILE] [-t|-T] [-v]\n"
	            "  -c FILE  settings (default " CONFIG_DEFAULT ")\n"
	            "  -t       check the settings and end\n"
	            "  -T       the same, and print them as understood\n"
	            "  -v       log at level debug\n"
	            "  -V       print the version and end\n"
	            "  -h       this text\n");
}

/* Returns -1 to go on, else the exit status. */
static int options_read(int argc, char **argv, struct options *ret)
{
	*ret = (struct options){.config_path = CONFIG_DEFAULT};
	int c;
	while ((c = getopt(argc, argv, "c:tTvVh")) != -1) {
		switch (c) {
		case 'c':
			ret->config_path = optarg;
			break;
		case 'T':
			ret->print = true;
			ret->check = true;
			break;
		case 't':
			ret->check = true;
			break;
		case 'v':
			ret->verbose = true;
			break;
		case 'V':
			printf("horizond %s\n", HORIZON_VERSION);
			return 0;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return EXIT_USAGE;
		}
	}
	if (optind != argc) {
		fprintf(stderr, "horizond: unexpected argument \"%s\"\n", argv[optind]);
		usage(stderr);
		return EXIT_USAGE;
	}
	return -1;
}

/* The settings, or every fault on stderr. */
static struct settings *settings_or_faults(const char *path)
{
	struct settings *settings = NULL;
	struct text faults;
	text_init(&faults, 0);
	int ret = settings_load(path, &settings, &faults);
	if (ret != 0) {
		fputs(text_get(&faults), stderr);
		if (faults.len == 0) {
			fprintf(stderr, "%s: %s\n", path, fail_text(ret));
		}
	}
	text_fini(&faults);
	return settings;
}

static int check_only(const struct options *options)
{
	struct settings *settings = settings_or_faults(options->config_path);
	if (settings == NULL) {
		return EXIT_FAULTS;
	}
	if (options->print) {
		struct text out;
		text_init(&out, 0);
		settings_print(settings, &out);
		fputs(text_get(&out), stdout);
		text_fini(&out);
	}
	settings_free(&settings);
	return 0;
}

/* --- What the side thread says --- */

static void rewire_arrives(struct mail *mail, void *ctx)
{
	struct horizond *h = ctx;
	free(mail);
	/* Read while the box is emptied at the end: what would be wired again is gone. */
	if (!__atomic_load_n(&h->ending, __ATOMIC_RELAXED)) {
		horizond_rewire(h);
	}
}

/* The rules are made again on the control thread. */
static void post_rewire(struct horizond *h)
{
	struct mail *mail = malloc(sizeof(*mail));
	if (mail == NULL) {
		return;
	}
	mail->fn = rewire_arrives;
	if (mailbox_post(h->box, mail) != 0) {
		free(mail);
	}
}

/* Other zones, or other data in them: not only a later look at the same. */
static bool zones_differ(const struct zones *before, const struct zones *now)
{
	if (zones_count(before) != zones_count(now)) {
		return true;
	}
	for (size_t i = 0; i < zones_count(now); i++) {
		if (zones_get(before, i)->zone != zones_get(now, i)->zone) {
			return true;
		}
	}
	return false;
}

static void on_zones(void *ctx, struct zones *zones)
{
	struct horizond *h = ctx;
	struct zones *before = world_zones(h->world);
	struct zones *now = zones_ref(zones);
	if (world_set_zones(h->world, zones) != 0) {
		log_error("horizond", "out of memory: the zones stay as they were");
	} else {
		flush_changed(h, before, now);
		if (zones_differ(before, now)) {
			post_rewire(h);
		}
	}
	zones_unref(&before);
	zones_unref(&now);
}

static void on_instance(void *ctx, const struct aws_instance *instance)
{
	struct horizond *h = ctx;
	pthread_mutex_lock(&h->instance_lock);
	snprintf(h->region, sizeof(h->region), "%s", instance->region);
	h->vpc_cidr_count = 0;
	for (unsigned int i = 0; i < instance->vpc_cidr_count; i++) {
		struct prefix *prefix = &h->vpc_cidrs[h->vpc_cidr_count];
		if (prefix_parse(instance->vpc_cidrs[i], prefix) == 0) {
			h->vpc_cidr_count++;
		}
	}
	pthread_mutex_unlock(&h->instance_lock);
	post_rewire(h);
}

/* --- Signals and the pulse --- */

static void on_hup(void *ctx)
{
	struct text faults;
	text_init(&faults, 1 << 20);
	horizond_reload(ctx, &faults);
	text_fini(&faults);
}

static void on_end(void *ctx)
{
	struct horizond *h = ctx;
	loop_stop(h->loop);
}

static void on_watch(void *ctx)
{
	struct horizond *h = ctx;
	bool alive = server_alive(h->server);
	if (!alive && h->alive) {
		log_error("horizond", "a worker has not turned for %d s", WATCH_MS / 1000);
	}
	h->alive = alive;
	char why[256];
	horizond_ready(h, why, sizeof(why)); /* notes whether the zones have settled */
	if (alive) {
		notify_watchdog();
	}
	uint64_t watchdog_ms = notify_watchdog_ms();
	loop_timer_set(&h->watchdog,
	               watchdog_ms != 0 && watchdog_ms / 2 < WATCH_MS ? watchdog_ms / 2 : WATCH_MS);
}

/* --- Start --- */

static unsigned int cpu_count(void)
{
	cpu_set_t set;
	return sched_getaffinity(0, sizeof(set), &set) == 0 ? (unsigned int)CPU_COUNT(&set) : 1;
}

/* Sockets for every connection and upstream: as many descriptors as we may have. */
static void raise_limits(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int state_dir_make(const char *path)
{
	if (path[0] == '\0') {
		return 0;
	}
	if (mkdir(path, 0750) != 0 && errno != EEXIST) {
		log_error("horizond", "cannot make state_dir %s: %s", path, strerror(errno));
		return -errno;
	}
	return 0;
}

/* Root no longer: the sockets are open. */
static int user_switch(const struct settings *settings)
{
	const char *name = settings->user;
	if (name[0] == '\0') {
		return 0;
	}
	const struct passwd *user = getpwnam(name);
	if (user == NULL) {
		log_error("horizond",
		          "no user \"%s\" on this system: make it, or leave the setting user empty",
		          name);
		return FAIL_NOTFOUND;
	}
	if (settings->state_dir[0] != '\0' && geteuid() == 0 &&
	    chown(settings->state_dir, user->pw_uid, user->pw_gid) != 0) {
		log_warn("horizond", "cannot give %s to %s: %s", settings->state_dir, name,
		         strerror(errno));
	}
	if (settings->control[0] != '\0' && geteuid() == 0 &&
	    chown(settings->control, user->pw_uid, user->pw_gid) != 0) {
		log_warn("horizond", "cannot give %s to %s: %s", settings->control, name,
		         strerror(errno));
	}
	if (user->pw_uid == geteuid()) {
		return 0;
	}
	if (setgroups(0, NULL) != 0 || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0) {
		log_error("horizond", "cannot become user %s: %s", name, strerror(errno));
		return -errno;
	}
	prctl(PR_SET_DUMPABLE, 0); /* a new user brings the system's default back */
	return 0;
}

static int start_core(struct horizond *h, char *err, size_t err_size)
{
	const struct settings *settings = h->settings;
	unsigned int workers = settings->workers != 0 ? settings->workers : cpu_count();
	struct cache_opts cache_opts = wire_cache_opts(settings);
	struct forward_opts forward_opts = {.workers = workers};
	h->cache = cache_new(&cache_opts);
	h->forward = forward_new(&forward_opts);
	struct world_conf *conf = wire_world_conf(h, settings);
	h->world = conf == NULL ? NULL : world_root_new(conf);
	if (h->cache == NULL || h->forward == NULL || h->world == NULL) {
		snprintf(err, err_size, "out of memory");
		return FAIL_NOMEM;
	}
	int ret = wire_forward_groups(h, settings, NULL);
	if (ret != 0) {
		snprintf(err, err_size, "forwarding: %s", fail_text(ret));
		return ret;
	}
	ret = wire_tls(h, settings, &h->tls, err, err_size);
	if (ret != 0) {
		return ret;
	}
	struct server_opts server_opts;
	wire_server_opts(h, settings, workers, &server_opts);
	return server_new(&server_opts, &h->server, err, err_size);
}

static int start_control(struct horizond *h, char *err, size_t err_size)
{
	const struct settings *settings = h->settings;
	if (settings->control[0] != '\0') {
		h->control = control_open(h->loop, settings->control, horizond_commands,
		                          horizond_command_count, h, err, err_size);
		if (h->control == NULL) {
			return FAIL_NET;
		}
	}
	if (settings->metrics_listen.len != 0) {
		struct http_opts opts = {
			.listen = settings->metrics_listen,
			.metrics = horizond_metrics,
			.healthy = horizond_healthy,
			.ready = horizond_ready,
			.ctx = h,
		};
		h->http = http_open(h->loop, &opts, err, err_size);
		if (h->http == NULL) {
			return FAIL_NET;
		}
	}
	return 0;
}

static int start_sync(struct horizond *h, char *err, size_t err_size)
{
	struct sync_opts opts;
	struct sync_hooks hooks = {
		.publish = on_zones,
		.instance = on_instance,
		.vpc_soa = lookup_soa,
		.resolve = lookup_host,
		.ctx = h,
	};
	int ret = wire_sync_opts(h->settings, &opts);
	if (ret != 0) {
		return ret;
	}
	h->sync = sync_start(&opts, &hooks, err, err_size);
	wire_sync_opts_free(&opts);
	return h->sync == NULL ? FAIL_FORMAT : 0;
}

static int start_signals(struct horizond *h)
{
	signal(SIGPIPE, SIG_IGN);
	int ret = loop_signal_open(h->loop, &h->on_hup, SIGHUP, on_hup, h);
	ret = ret != 0 ? ret : loop_signal_open(h->loop, &h->on_term, SIGTERM, on_end, h);
	return ret != 0 ? ret : loop_signal_open(h->loop, &h->on_int, SIGINT, on_end, h);
}

static int horizond_start(struct horizond *h)
{
	char err[512] = "out of memory";
	h->loop = loop_new();
	h->box = h->loop == NULL ? NULL : mailbox_new(h->loop, BOX_MAX, h);
	int ret = h->box == NULL ? FAIL_NOMEM : state_dir_make(h->settings->state_dir);
	ret = ret != 0 ? ret : start_signals(h);
	ret = ret != 0 ? ret : start_core(h, err, sizeof(err));
	ret = ret != 0 ? ret : start_control(h, err, sizeof(err));
	if (ret == 0 && user_switch(h->settings) != 0) {
		return EXIT_FAULTS;
	}
	/* Zones that files hold are there before the first question is. */
	ret = ret != 0 ? ret : start_sync(h, err, sizeof(err));
	ret = ret != 0 ? ret : horizond_peer_start(h, h->settings, err, sizeof(err));
	if (ret != 0) {
		log_error("horizond", "cannot start: %s", err);
		return EXIT_FAULTS;
	}
	ret = horizond_keep_start(h);
	ret = ret != 0 ? ret : horizond_parity_start(h);
	ret = ret != 0 ? ret : server_start(h->server);
	if (ret != 0) {
		log_error("horizond", "cannot start a thread: %s", fail_text(ret));
		return EXIT_FAULTS;
	}
	loop_timer_init(h->loop, &h->watchdog, on_watch, h);
	loop_timer_set(&h->watchdog, WATCH_MS / 2);
	return 0;
}

static void horizond_end(struct horizond *h)
{
	__atomic_store_n(&h->ending, true, __ATOMIC_RELAXED);
	horizond_parity_stop(h);
	server_stop(&h->server, DRAIN_MS);
	horizond_keep_stop(h);
	peer_stop(&h->peer);
	sync_stop(&h->sync);
	http_close(&h->http);
	control_close(&h->control);
	forward_free(&h->forward);
	tls_host_unref(&h->tls);
	if (h->loop != NULL) {
		if (h->watchdog.loop != NULL) {
			loop_timer_cancel(&h->watchdog);
		}
		loop_signal_close(&h->on_hup);
		loop_signal_close(&h->on_term);
		loop_signal_close(&h->on_int);
	}
	mailbox_free(&h->box);
	horizond_parity_free(h);
	loop_free(&h->loop);
	delegations_fini(&h->delegations);
	world_root_free(&h->world);
	cache_free(&h->cache);
	settings_free(&h->settings);
	pthread_mutex_destroy(&h->instance_lock);
}

int main(int argc, char **argv)
{
	struct options options;
	int status = options_read(argc, argv, &options);
	if (status >= 0) {
		return status;
	}
	if (options.check) {
		return check_only(&options);
	}
	struct horizond h = {
		.config_path = options.config_path,
		.started_us = mono_us(),
		.started_wall_s = wall_s(),
		.alive = true,
	};
	h.settings = settings_or_faults(options.config_path);
	if (h.settings == NULL) {
		return EXIT_FAULTS;
	}
	pthread_mutex_init(&h.instance_lock, NULL);
	horizond_set_resolvers(&h, h.settings);
	log_set_level(options.verbose ? LOG_LEVEL_DEBUG : h.settings->log_level);
	prctl(PR_SET_DUMPABLE, 0); /* credentials live in memory: no core files (T32) */
	/*
	 * What is large has pages of its own, which go back to the system with it; else each listing of a large zone leaves
	 * its size again in holes of the heap (20 MiB of 100,000 sets).
	 */
	mallopt(M_MMAP_THRESHOLD, MALLOC_LARGE);
	raise_limits();
	epoch_thread_start();

	status = horizond_start(&h);
	if (status == 0) {
		log_notice("horizond", "version %s is answering", HORIZON_VERSION);
		notify_ready("running");
		loop_run(h.loop);
		log_notice("horizond", "ending: questions in flight are finished");
		notify_stopping();
	}
	horizond_end(&h);
	epoch_drain();
	epoch_thread_stop();
	return status;
}
