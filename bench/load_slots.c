/* bench/load_slots.c - questions outstanding, and what their answers are worth. */
#include "load_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GIVE_UP_NS 1000000000u
#define SWEEP_NS   100000000u
#define RCODE      0x0f
#define QR         0x80
#define TC         0x02

void slots_init(struct slots *slots, struct list *list, unsigned int window, bool echo)
{
	*slots = (struct slots){.list = list, .window = window, .echo = echo};
	while ((1u << slots->bits) < window) {
		slots->bits++;
	}
	slots->items = calloc(window, sizeof(*slots->items));
	slots->free = calloc(window, sizeof(*slots->free));
	if (slots->items == NULL || slots->free == NULL) {
		die("slots");
	}
	for (unsigned int i = 0; i < window; i++) {
		slots->items[i].id = (uint16_t)i;
		slots->free[slots->free_count++] = (uint16_t)i;
	}
}

static void slot_free(struct slots *slots, struct slot *slot)
{
	slot->sent_ns = 0;
	slots->free[slots->free_count++] = (uint16_t)(slot - slots->items);
}

/* Another name nobody has asked: the digits of a counter, its low ones in front. */
static void fresh_put(uint8_t *at, uint64_t value)
{
	for (unsigned int i = 0; i < FRESH_DIGITS; i++) {
		at[i] = (uint8_t) "0123456789abcdef"[value & 15];
		value >>= 4;
	}
}

struct slot *slots_take(struct slots *slots, uint64_t now_ns)
{
	struct slot *slot = &slots->items[slots->free[--slots->free_count]];
	const struct question *q = list_next(slots->list);
	slot->question = q;
	slot->sent_ns = now_ns;
	slot->id = (uint16_t)(slot->id + (1u << slots->bits));
	memcpy(slot->bytes + 2, q->bytes, q->len);
	put16(slot->bytes, q->len);
	put16(slot->bytes + 2, slot->id);
	if (q->fresh != 0) {
		fresh_put(slot->bytes + 2 + q->fresh, slots->list->fresh++);
	}
	slots->result.sent++;
	return slot;
}

/* NULL: right; else what is wrong. */
static const char *fault(const struct slots *slots, const struct slot *slot, const uint8_t *msg,
                         size_t len)
{
	const struct question *q = slot->question;
	if (slots->echo) {
		return len == q->len ? NULL : "length";
	}
	if ((msg[2] & 0x78) != 0 || (msg[2] & TC) != 0) {
		return "opcode or TC";
	}
	if ((msg[3] & RCODE) != q->rcode) {
		return "rcode";
	}
	if (get16(msg + 4) != 1 || len < q->end ||
	    memcmp(msg + DNS_HEADER, slot->bytes + 2 + DNS_HEADER, q->end - DNS_HEADER) != 0) {
		return "question section";
	}
	return get16(msg + 6) < q->least ? "too few records" : NULL;
}

static void wrong(struct slots *slots, const struct slot *slot, const uint8_t *msg, const char *why)
{
	struct result *result = &slots->result;
	if (result->wrong++ != 0) {
		return;
	}
	const uint8_t *name = slot->bytes + 2 + DNS_HEADER;
	int len = snprintf(result->first_wrong, sizeof(result->first_wrong),
	                   "%s: rcode %d (wanted %d), answers %d, type %d, name ", why,
	                   msg[3] & RCODE, slot->question->rcode, get16(msg + 6),
	                   get16(slot->bytes + 2 + slot->question->end - 4));
	while (*name != 0 && len + *name + 2 < (int)sizeof(result->first_wrong)) {
		len += sprintf(result->first_wrong + len, "%.*s.", *name, (const char *)name + 1);
		name += 1 + *name;
	}
}

const struct slot *slots_settle(struct slots *slots, const uint8_t *msg, size_t len,
                                uint64_t now_ns)
{
	struct result *result = &slots->result;
	uint16_t id = len < DNS_HEADER ? 0 : get16(msg);
	unsigned int index = id & ((1u << slots->bits) - 1);
	struct slot *slot = index < slots->window ? &slots->items[index] : NULL;
	if (len < DNS_HEADER || (msg[2] & QR) == 0 || slot == NULL || slot->sent_ns == 0 ||
	    slot->id != id) {
		result->late++;
		return NULL;
	}
	const char *why = fault(slots, slot, msg, len);
	if (why != NULL) {
		wrong(slots, slot, msg, why);
	} else {
		result->answered++;
		histo_add(&result->histo, now_ns - slot->sent_ns);
	}
	result->rcode[msg[3] & RCODE]++;
	result->last_ns = now_ns;
	slot_free(slots, slot);
	return slot;
}

void slots_sweep(struct slots *slots, uint64_t now_ns, bool all)
{
	if (!all && now_ns - slots->swept_ns < SWEEP_NS) {
		return;
	}
	slots->swept_ns = now_ns;
	for (unsigned int i = 0; i < slots->window; i++) {
		struct slot *slot = &slots->items[i];
		if (slot->sent_ns != 0 && (all || now_ns > slot->sent_ns + GIVE_UP_NS)) {
			slots->result.lost++;
			slot_free(slots, slot);
		}
	}
}

void slots_drop_conn(struct slots *slots, uint16_t conn)
{
	for (unsigned int i = 0; i < slots->window; i++) {
		struct slot *slot = &slots->items[i];
		if (slot->sent_ns != 0 && slot->conn == conn) {
			slots->result.lost++;
			slot_free(slots, slot);
		}
	}
}
