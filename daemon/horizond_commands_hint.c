/* daemon/horizond_commands_hint.c - a hint: this name of that zone has just changed. */
#include "horizond_commands_int.h"
#include "horizond_int.h"

#include "base/fail.h"
#include "base/log.h"

/*
 * ZONE NAME: kept answers of the name go, negative ones above all, and the zone is looked at now. Who may write to the
 * socket may hint. A public zone is none of ours to look at, but answers of its names are kept, too.
 */
void command_hint(void *ctx, struct control_call *call, const char *const *words, size_t count)
{
	struct horizond *h = ctx;
	static struct log_limit limit;
	uint8_t name[DNS_NAME_MAX];
	if (dns_name_parse_route53(words[2], name) < 0) {
		control_refuse(call, "`%s` is no name", words[2]);
		return;
	}
	size_t gone = cache_flush(h->cache, name, false);
	int ret = sync_now(h->sync, words[1]);
	if (ret != 0 && ret != FAIL_NOTFOUND) {
		control_refuse(call, "sync: %s", fail_text(ret));
		return;
	}
	if (log_allowed(&limit, 10, 10000)) {
		log_info("horizond", "hint: %s of zone %s has changed%s", words[2], words[1],
		         ret == 0 ? "; looking at the zone now" : "");
	}
	control_answer(call,
	               json_pack("{s:b, s:I}", "looking", ret == 0, "flushed", (json_int_t)gone));
}
