#include "loop/wheel_int.h"

void wheel_init(struct wheel *wheel, uint64_t now_ms)
{
	wheel->turned_ms = now_ms;
	wheel->next_ms = WHEEL_NEVER;
	wheel->words_used = 0;
	list_init(&wheel->ready);
	for (unsigned int i = 0; i < WHEEL_WORDS; i++) {
		wheel->slots_used[i] = 0;
	}
	for (unsigned int i = 0; i < WHEEL_SLOTS; i++) {
		list_init(&wheel->slots[i]);
	}
}

bool wheel_empty(const struct wheel *wheel)
{
	return wheel->words_used == 0 && list_empty(&wheel->ready);
}

static void mark_used(struct wheel *wheel, unsigned int slot)
{
	wheel->slots_used[slot / 64] |= UINT64_C(1) << (slot % 64);
	wheel->words_used |= UINT64_C(1) << (slot / 64);
}

static void mark_empty(struct wheel *wheel, unsigned int slot)
{
	wheel->slots_used[slot / 64] &= ~(UINT64_C(1) << (slot % 64));
	if (wheel->slots_used[slot / 64] == 0) {
		wheel->words_used &= ~(UINT64_C(1) << (slot / 64));
	}
}

void wheel_add(struct wheel *wheel, struct loop_timer *timer)
{
	if (timer->due_ms <= wheel->turned_ms) {
		list_append(&wheel->ready, &timer->link);
	} else {
		unsigned int slot = timer->due_ms % WHEEL_SLOTS;
		list_append(&wheel->slots[slot], &timer->link);
		mark_used(wheel, slot);
	}
	if (timer->due_ms < wheel->next_ms) {
		wheel->next_ms = timer->due_ms;
	}
	timer->armed = true;
}

void wheel_remove(struct wheel *wheel, struct loop_timer *timer)
{
	/* It may as well be in the ready ring or about to fire; then its slot is none the worse. */
	unsigned int slot = timer->due_ms % WHEEL_SLOTS;
	list_remove(&timer->link);
	timer->armed = false;
	if (list_empty(&wheel->slots[slot])) {
		mark_empty(wheel, slot);
	}
}

/* The first millisecond later than after_ms, within one round, whose slot is used. */
static uint64_t next_used(const struct wheel *wheel, uint64_t after_ms)
{
	unsigned int from = (after_ms + 1) % WHEEL_SLOTS;
	unsigned int word = from / 64;
	uint64_t bits = wheel->slots_used[word] & (UINT64_MAX << (from % 64));
	if (bits == 0) {
		/* Used words in the order in which they come; this one, its low bits, last. */
		unsigned int turn = (word + 1) % WHEEL_WORDS;
		uint64_t words = wheel->words_used >> turn;
		if (turn != 0) {
			words |= wheel->words_used << (WHEEL_WORDS - turn);
		}
		if (words == 0) {
			return WHEEL_NEVER;
		}
		word = (turn + (unsigned int)__builtin_ctzll(words)) % WHEEL_WORDS;
		bits = wheel->slots_used[word];
	}
	unsigned int slot = word * 64 + (unsigned int)__builtin_ctzll(bits);
	return after_ms + 1 + (slot - from) % WHEEL_SLOTS;
}

/* Moves the slot's timers that are due, and not those of a later round, to the ring. */
static void collect(struct wheel *wheel, unsigned int slot, uint64_t now_ms, struct list *ring)
{
	list_each (at, &wheel->slots[slot]) {
		struct loop_timer *timer = list_item(at, struct loop_timer, link);
		if (timer->due_ms <= now_ms) {
			list_remove(at);
			list_append(ring, at);
		}
	}
	if (list_empty(&wheel->slots[slot])) {
		mark_empty(wheel, slot);
	}
}

static void collect_all(struct wheel *wheel, uint64_t now_ms, struct list *ring)
{
	while (!list_empty(&wheel->ready)) {
		struct list *first = wheel->ready.next;
		list_remove(first);
		list_append(ring, first);
	}
	if (now_ms > wheel->turned_ms) {
		uint64_t last_ms = now_ms;
		if (now_ms - wheel->turned_ms > WHEEL_SLOTS) {
			last_ms = wheel->turned_ms + WHEEL_SLOTS; /* every slot once is enough */
		}
		uint64_t at_ms = next_used(wheel, wheel->turned_ms);
		while (at_ms <= last_ms) {
			collect(wheel, at_ms % WHEEL_SLOTS, now_ms, ring);
			at_ms = next_used(wheel, at_ms);
		}
		wheel->turned_ms = now_ms;
	}
	wheel->next_ms = next_used(wheel, wheel->turned_ms);
}

void wheel_fire(struct wheel *wheel, uint64_t now_ms)
{
	/* A ring apart, taken from its head: a callback may take any member out of it. */
	struct list ring;
	list_init(&ring);
	collect_all(wheel, now_ms, &ring);
	while (!list_empty(&ring)) {
		struct loop_timer *timer = list_item(ring.next, struct loop_timer, link);
		list_remove(&timer->link);
		timer->armed = false;
		timer->fn(timer->ctx);
	}
}
