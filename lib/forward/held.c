#include "forward/held_int.h"

#include "forward/ask_int.h"

void held__init(struct held *held)
{
	*held = (struct held){.count = 0};
	for (unsigned int i = 0; i < HELD_TURNS; i++) {
		list_init(&held->turn[i]);
	}
}

void held__add(struct held *held, struct question *q)
{
	uint16_t *of = &held->of[q->asker % HELD_ASKERS];
	list_append(&held->turn[*of < HELD_TURNS ? *of : HELD_TURNS - 1], &q->queue);
	*of += 1;
	held->count++;
}

void held__remove(struct held *held, struct question *q)
{
	list_remove(&q->queue);
	held->of[q->asker % HELD_ASKERS]--;
	held->count--;
}

static struct question *youngest_of(const struct list *list, uint32_t class)
{
	for (struct list *at = list->prev; at != list; at = at->prev) {
		struct question *q = list_item(at, struct question, queue);
		if (q->asker % HELD_ASKERS == class) {
			return q;
		}
	}
	return NULL;
}

struct question *held__victim(const struct held *held, uint32_t asker)
{
	uint32_t most = 0;
	for (uint32_t class = 1; class < HELD_ASKERS; class ++) {
		if (held->of[class] > held->of[most]) {
			most = class;
		}
	}
	/* With one more each would have as many: then who came first stays. */
	if (held->of[most] <= held->of[asker % HELD_ASKERS] + 1) {
		return NULL;
	}
	struct question *q = NULL;
	for (unsigned int i = HELD_TURNS; q == NULL && i-- > 0;) {
		q = youngest_of(&held->turn[i], most);
	}
	return q;
}
