#include "records/api_aws.h"
#include "aws/change.h"
#include "base/fail.h"
#include "base/mono.h"
#include "base/random.h"
#include <stdlib.h>
#include <time.h>

static int on_zone(void *ctx, const struct aws_hosted_zone *zone)
{
	*(bool *)ctx = zone->private_zone;
	return 0;
}

static int zone(void *ctx, const char *id, bool *ret_private)
{
	return aws_get_zone(ctx, id, on_zone, ret_private, NULL);
}

static int list(void *ctx, const char *id, const char *name, aws_record_set_fn *fn, void *fn_ctx)
{
	return name == NULL ? aws_list_record_sets(ctx, id, fn, fn_ctx, NULL)
	                    : aws_list_record_sets_at(ctx, id, name, fn, fn_ctx, NULL);
}

static int change(void *ctx, const char *id, const struct record_change *changes, size_t count,
                  char *ret_change)
{
	struct aws_record_set *sets = calloc(count, sizeof(*sets));
	struct aws_change *list_of = calloc(count, sizeof(*list_of));
	int ret = FAIL_NOMEM;
	for (size_t i = 0; sets != NULL && list_of != NULL && i < count; i++) {
		const struct record_set *set = &changes[i].set;
		sets[i] = (struct aws_record_set){
			.name = set->name,
			.type = set->type,
			.set_identifier = set->identifier,
			.ttl_s = set->ttl_s,
			.values = set->values,
			.value_count = set->value_count,
		};
		list_of[i] = (struct aws_change){
			.action = changes[i].create ? AWS_CHANGE_CREATE : AWS_CHANGE_DELETE,
			.set = &sets[i],
		};
	}
	if (sets != NULL && list_of != NULL) {
		ret = aws_change_record_sets(ctx, id, list_of, count, ret_change);
	}
	free(sets);
	free(list_of);
	return ret;
}

static int insync(void *ctx, const char *id, bool *ret_insync)
{
	return aws_change_insync(ctx, id, ret_insync);
}

static int instances(void *ctx, aws_ec2_instance_fn *fn, void *fn_ctx)
{
	return aws_ec2_instances(ctx, fn, fn_ctx);
}

static int account(void *ctx, char *buf)
{
	return aws_account(ctx, buf);
}

static const char *trouble(void *ctx)
{
	return aws_trouble(ctx);
}

static int64_t now_s(void *ctx)
{
	return wall_s();
}

static uint64_t now_ms(void *ctx)
{
	return mono_ms();
}

static void pause_ms(void *ctx, uint64_t ms)
{
	const struct timespec nap = {.tv_sec = (time_t)(ms / 1000),
	                             .tv_nsec = (long)(ms % 1000) * 1000000};
	nanosleep(&nap, NULL);
}

static uint32_t below(void *ctx, uint32_t bound)
{
	return random_below(bound == 0 ? 1 : bound);
}

void records_api_aws(struct aws *aws, struct records_api *ret_api)
{
	*ret_api = (struct records_api){
		.ctx = aws,
		.zone = zone,
		.list = list,
		.change = change,
		.insync = insync,
		.instances = instances,
		.account = account,
		.trouble = trouble,
		.wall_s = now_s,
		.mono_ms = now_ms,
		.pause = pause_ms,
		.below = below,
	};
}
