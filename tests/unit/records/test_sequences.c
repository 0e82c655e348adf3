/*
 * Random sequences of create, kill, retry, reboot, stop, termination and reuse of addresses: 64 registrars and a sweeper
 * at once, over the model of Route 53. After every change: no record without a mark, no mark without a record, no
 * foreign record changed. At the end: exactly what the living want.
 *
 * RECORDS_SEQUENCES sets how many (10,000; fewer under sanitizers), RECORDS_SEED where they begin.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/mono.h"
#include "config/records.h"
#include "model.h"
#include "records/register.h"
#include "records/sweep.h"
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__
#define SEQUENCES 1500
#else
#define SEQUENCES 10000
#endif

#define SLOTS       64
#define ADDRESSES   90 /* fewer than there ever are instances, so that they are used again */
#define DEADLINE_MS 60000

static char folder[64];
static long sequences_left;
static bool address_used[ADDRESSES];
static size_t slots_alive;
static size_t foreign_count;
static uint64_t ran[8];

struct slot {
	size_t number;
	size_t instance;
	bool has_instance;
	struct records_settings *settings;
};

static struct slot slots[SLOTS];

static struct records_settings *settings_make(const char *state)
{
	char conf[4096];
	struct records_settings *settings = NULL;
	struct text faults;
	text_init(&faults, 0);
	snprintf(conf, sizeof(conf),
	         "state_dir = \"%s/%s\"; fleet = \"web\"; control = \"\";\n"
	         "records = (\n"
	         "{ zone = \"ZPRIVATE\"; private = true; name = \"{instance_id}.corp.example\"; "
	         "type = \"A\"; values = [ \"{private_ipv4}\" ]; },\n"
	         "{ zone = \"ZPRIVATE\"; private = true; name = \"web.corp.example\"; type = "
	         "\"A\"; values = [ \"{private_ipv4}\" ]; },\n"
	         "{ zone = \"ZPUBLIC\"; private = false; name = \"{instance_id}.example.com\"; "
	         "type = \"A\"; values = [ \"{public_ipv4}\" ]; mark = \"txt\"; },\n"
	         "{ zone = \"ZREVERSE\"; private = true; name = \"{private_ipv4_reverse}\"; type = "
	         "\"PTR\"; values = [ \"{instance_id}.corp.example.\" ]; mark = \"txt\"; });\n"
	         "sweep = { apply = true; grace = 900; second_look = 600; max_share = 100; "
	         "max_number = 10000; };\n",
	         folder, state);
	int ret =
		records_settings_load_bytes("records.conf", conf, strlen(conf), &settings, &faults);
	if (ret != 0) {
		fail_msg("%s", text_get(&faults));
	}
	text_fini(&faults);
	return settings;
}

/* --- What holds after every change --- */

static bool is_foreign_kept(const struct model_zone *zone)
{
	static const char *const types[] = {"A", "TXT", "SOA", "NS", "PTR", "CNAME"};
	size_t count = 0;
	for (size_t i = 0; i < zone->count; i++) {
		bool known = false;
		for (size_t j = 0; j < 6; j++) {
			known = known || strcmp(zone->sets[i].type, types[j]) == 0;
		}
		count += zone->sets[i].foreign && known;
	}
	return count == (strcmp(zone->id, "ZPRIVATE") == 0 ? foreign_count : 1);
}

static const struct model_set *find_name(const struct model_zone *zone, const char *name, bool txt)
{
	for (size_t i = 0; i < zone->count; i++) {
		if (strcmp(zone->sets[i].name, name) == 0 && zone->sets[i].identifier == NULL &&
		    (strcmp(zone->sets[i].type, "TXT") == 0) == txt) {
			return &zone->sets[i];
		}
	}
	return NULL;
}

static void check_zone(struct model *model_, const struct model_zone *zone)
{
	assert(is_foreign_kept(zone));
	for (size_t i = 0; i < zone->count; i++) {
		const struct model_set *set = &zone->sets[i];
		char mark[RECORD_NAME_MAX];
		if (set->foreign || set->identifier != NULL ||
		    strncmp(set->name, "_hz-sweep.", 10) == 0) {
			continue;
		}
		if (strncmp(set->name, "_hz.", 4) == 0) {
			assert(find_name(zone, set->name + 4, false) != NULL);
		} else {
			assert(record_mark_name(set->name, mark) == 0);
			assert(find_name(zone, mark, true) != NULL);
		}
	}
}

/* --- What happens to an instance --- */

static void address_give(size_t instance)
{
	size_t at;
	do {
		at = model_below(ADDRESSES);
	} while (address_used[at]);
	address_used[at] = true;
	snprintf(model.instances[instance].private_ip, 16, "10.0.0.%zu", at);
}

static void public_give(size_t instance)
{
	snprintf(model.instances[instance].public_ip, 16, "203.0.113.%u", model_below(250));
}

static void launch(struct slot *slot)
{
	assert(model.instance_count < MODEL_INSTANCES);
	slot->instance = model.instance_count++;
	struct model_instance *instance = &model.instances[slot->instance];
	snprintf(instance->id, sizeof(instance->id), "i-%017zx", slot->instance);
	snprintf(instance->state, sizeof(instance->state), "running");
	instance->born_ms = model.now_ms;
	address_give(slot->instance);
	public_give(slot->instance);
	slot->has_instance = true;
}

static void state_wipe(const struct slot *slot)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/state.json", slot->settings->state_dir);
	unlink(path);
}

static void terminate(struct slot *slot)
{
	struct model_instance *instance = &model.instances[slot->instance];
	snprintf(instance->state, sizeof(instance->state), "terminated");
	instance->ended_ms = model.now_ms;
	address_used[atoi(instance->private_ip + 7)] = false;
	slot->has_instance = false;
	/* Its disk is gone; or it came into an image, and the next instance wakes up with it. */
	if (model_below(4) > 0) {
		state_wipe(slot);
	}
}

/* One run of register or deregister; may be killed at any call. */
static bool run(struct slot *slot, bool gone, enum register_reason reason, bool may_die)
{
	struct arena arena;
	struct instance instance;
	struct register_report report;
	arena_init(&arena, 65536, 0);
	register_report_init(&report);
	if (model_self != NULL) {
		model_self->killed = false;
		model_self->calls_left = may_die && model_below(3) == 0 ? (int)model_below(12) : -1;
	}
	assert(instance_open(&instance, &arena, model_metadata, &slot->instance) == 0);
	const struct register_opts opts = {.settings = slot->settings,
	                                   .api = &model_api,
	                                   .instance = &instance,
	                                   .arena = &arena,
	                                   .deadline_ms = model.now_ms + DEADLINE_MS,
	                                   .reason = reason};
	if (gone) {
		deregister_run(&opts, &report);
	} else {
		register_run(&opts, &report);
	}
	bool good = !report.failed;
	if (model_self != NULL) {
		model_self->calls_left = -1;
	}
	register_report_fini(&report);
	arena_fini(&arena);
	return good;
}

static void readdress(struct slot *slot)
{
	struct model_instance *instance = &model.instances[slot->instance];
	address_used[atoi(instance->private_ip + 7)] = false;
	address_give(slot->instance);
}

static void sequence(struct slot *slot)
{
	if (!slot->has_instance) {
		launch(slot);
		run(slot, false, REGISTER_TERMINATE, true);
		ran[0]++;
		return;
	}
	struct model_instance *instance = &model.instances[slot->instance];
	unsigned int what = model_below(7);
	ran[1 + what]++;
	switch (what) {
	case 0: /* the timer's run, or a retry */
	case 1:
		run(slot, false, REGISTER_TERMINATE, true);
		break;
	case 2: /* reboot */
		run(slot, true, REGISTER_REBOOT, true);
		run(slot, false, REGISTER_TERMINATE, true);
		break;
	case 3: /* stop and start: another public address */
		run(slot, true, REGISTER_STOP, true);
		snprintf(instance->state, sizeof(instance->state), "stopped");
		model_sleep(model_below(2000000));
		snprintf(instance->state, sizeof(instance->state), "running");
		public_give(slot->instance);
		run(slot, false, REGISTER_TERMINATE, true);
		break;
	case 4: /* ends in order, or killed in its stop hook */
		run(slot, true, REGISTER_TERMINATE, true);
		terminate(slot);
		break;
	case 5: /* ends without a word */
		terminate(slot);
		break;
	default: /* another private address */
		readdress(slot);
		run(slot, false, REGISTER_TERMINATE, true);
		break;
	}
}

static void slot_run(void *ctx)
{
	struct slot *slot = ctx;
	while (sequences_left > 0) {
		sequences_left--;
		sequence(slot);
		model_sleep(model_below(400000));
	}
	slots_alive--;
}

static void canary_make(void)
{
	struct model_instance *canary = &model.instances[model.instance_count++];
	snprintf(canary->id, sizeof(canary->id), "i-0ca00000000000000");
	snprintf(canary->state, sizeof(canary->state), "running");
	snprintf(canary->private_ip, sizeof(canary->private_ip), "10.9.9.9");
	snprintf(canary->public_ip, sizeof(canary->public_ip), "198.51.100.1");
}

static enum sweep_result sweep(struct records_settings *settings)
{
	struct arena arena;
	struct sweep_report report;
	arena_init(&arena, 65536, 0);
	sweep_report_init(&report);
	const struct sweep_opts opts = {.settings = settings,
	                                .api = &model_api,
	                                .arena = &arena,
	                                .region = MODEL_REGION,
	                                .account = MODEL_ACCOUNT,
	                                .instance = "i-0ca00000000000000",
	                                .apply = true,
	                                .deadline_ms = model.now_ms + DEADLINE_MS};
	enum sweep_result result = sweep_run(&opts, &report);
	sweep_report_fini(&report);
	arena_fini(&arena);
	return result;
}

static void sweeper_run(void *ctx)
{
	while (slots_alive > 0) {
		/* Now and then EC2 has one of its bad days. */
		unsigned int day = model_below(10);
		model.ec2_fails = day == 0;
		model.ec2_empty = day == 1;
		model_self->killed = false;
		model_self->calls_left = model_below(4) == 0 ? (int)model_below(20) : -1;
		sweep(ctx);
		model_sleep(300000 + model_below(600000));
	}
	model.ec2_fails = model.ec2_empty = false;
}

/* --- The test --- */

static void foreign_put(struct model_zone *zone, const char *name, const char *type,
                        const char *identifier, const char *value)
{
	const char *values[] = {value};
	const struct record_set set = {.name = name,
	                               .type = type,
	                               .identifier = identifier,
	                               .ttl_s = 300,
	                               .values = values,
	                               .value_count = 1};
	model_put(zone, &set, true);
}

static void zones_make(void)
{
	struct model_zone *zone = model_zone_add("ZPRIVATE", "corp.example.", true);
	model_zone_add("ZPUBLIC", "example.com.", false);
	model_zone_add("ZREVERSE", "10.in-addr.arpa.", true);
	foreign_put(zone, "www.corp.example.", "A", NULL, "10.0.0.1");
	/* In our form, but of another fleet, account, region. */
	foreign_put(zone, "web.corp.example.", "A",
	            "hz1/other/111122223333/eu-west-1/i-0123456789abcdef0/1700000000", "10.0.0.2");
	foreign_put(zone, "web.corp.example.", "A",
	            "hz1/web/999988887777/eu-west-1/i-0123456789abcdef0/1700000000", "10.0.0.3");
	foreign_put(zone, "web.corp.example.", "A",
	            "hz1/web/111122223333/us-east-1/i-0123456789abcdef0/1700000000", "10.0.0.4");
	foreign_put(zone, "web.corp.example.", "A", "by-hand", "10.0.0.5");
	/* A name that instances will want. */
	foreign_put(zone, "i-00000000000000005.corp.example.", "A", NULL, "10.0.0.6");
	foreign_put(zone, "_hz.left.corp.example.", "TXT", NULL, "\"heritage=external-dns\"");
	foreign_count = 8;
}

/* Exactly what the living want, each record its current address. */
static void check_end(void)
{
	size_t wanted = 0;
	for (size_t i = 0; i < SLOTS; i++) {
		char name[64];
		const struct model_instance *at = &model.instances[slots[i].instance];
		if (!slots[i].has_instance) {
			continue;
		}
		wanted++;
		snprintf(name, sizeof(name), "%s.example.com.", at->id);
		const struct model_set *set = find_name(&model.zones[1], name, false);
		assert_non_null(set);
		assert_string_equal(set->values[0], at->public_ip);
		size_t shared = 0;
		size_t own = 0;
		snprintf(name, sizeof(name), "%s.corp.example.", at->id);
		for (size_t j = 0; j < model.zones[0].count; j++) {
			const struct model_set *set_j = &model.zones[0].sets[j];
			bool mine = !set_j->foreign && strstr(set_j->identifier, at->id) != NULL &&
			            strcmp(set_j->values[0], at->private_ip) == 0;
			shared += mine && strcmp(set_j->name, "web.corp.example.") == 0;
			own += mine && strcmp(set_j->name, name) == 0;
		}
		assert_int_equal(shared, 1);
		assert_int_equal(own, slots[i].instance == 5 ? 0 : 1);
	}
	size_t blocked = 0;
	for (size_t i = 0; i < SLOTS; i++) {
		blocked += slots[i].has_instance && slots[i].instance == 5;
	}
	assert_int_equal(model.zones[0].count, foreign_count + 2 * wanted - blocked);
	assert_int_equal(model.zones[1].count, 1 + 2 * wanted);
	assert_int_equal(model.zones[2].count, 1 + 2 * wanted);
}

static void calm_down(struct records_settings *sweeper)
{
	model.faults = 0;
	for (int i = 0; i < 12; i++) {
		for (size_t j = 0; j < SLOTS; j++) {
			if (slots[j].has_instance) {
				run(&slots[j], false, REGISTER_TERMINATE, false);
			}
		}
		model.now_ms += 1000000;
		sweep(sweeper);
	}
}

static void test_sequences(void **state)
{
	const char *count = getenv("RECORDS_SEQUENCES");
	const char *seed = getenv("RECORDS_SEED");
	struct records_settings *sweeper;
	log_set_level(LOG_LEVEL_ERROR);
	sequences_left = count == NULL ? SEQUENCES : atol(count);
	model_begin(seed == NULL ? 1 : (uint64_t)atol(seed));
	model.faults = 8;
	model.checked = check_zone;
	zones_make();
	canary_make();
	sweeper = settings_make("sweeper");
	slots_alive = SLOTS;
	for (size_t i = 0; i < SLOTS; i++) {
		char name[16];
		snprintf(name, sizeof(name), "slot-%zu", i);
		slots[i] = (struct slot){.number = i, .settings = settings_make(name)};
		model_actor_add(slot_run, &slots[i]);
	}
	model_actor_add(sweeper_run, sweeper);
	model_run();
	calm_down(sweeper);
	printf("%zu instances, %llu calls, %llu changes made; launch %llu, retry %llu, reboot "
	       "%llu, stop %llu, "
	       "end %llu, die %llu, move %llu\n",
	       model.instance_count, (unsigned long long)model.calls,
	       (unsigned long long)model.changes, (unsigned long long)ran[0],
	       (unsigned long long)(ran[1] + ran[2]), (unsigned long long)ran[3],
	       (unsigned long long)ran[4], (unsigned long long)ran[5], (unsigned long long)ran[6],
	       (unsigned long long)ran[7]);
	check_end();
	for (size_t i = 0; i < SLOTS; i++) {
		records_settings_free(&slots[i].settings);
	}
	records_settings_free(&sweeper);
	model_end();
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *walk)
{
	return remove(path);
}

static int folder_make(void **state)
{
	bool shm = access("/dev/shm", W_OK) == 0;
	snprintf(folder, sizeof(folder), "%s/records-XXXXXX", shm ? "/dev/shm" : "/tmp");
	return mkdtemp(folder) == NULL ? -1 : 0;
}

static int folder_remove(void **state)
{
	return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_sequences)};
	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
