#include "config/load_int.h"
#include <stdlib.h>
#include <string.h>

static int claim_order(const struct claim *a, const struct claim *b)
{
	if (a->key_len != b->key_len) {
		return a->key_len < b->key_len ? -1 : 1;
	}
	return memcmp(a->key, b->key, a->key_len);
}

static int claim_compare(const void *a, const void *b)
{
	const struct claim *x = a;
	const struct claim *y = b;
	int order = claim_order(x, y);
	return order != 0 ? order : x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* The member's bytes that tell it from others. scratch memory where they have to be made. */
static struct claim claim_of(struct load *load, enum key_kind kind, const struct key_items *items,
                             size_t i)
{
	const struct addr *addrs = items->items;
	const struct prefix *prefixes = items->items;
	const struct settings_domain *domains = items->items;
	const char *const *texts = items->items;
	char buf[ADDR_TEXT_MAX];
	const char *text = "";
	switch (kind) {
	case KEY_DOMAINS:
		return (struct claim){.key = domains[i].name,
		                      .key_len = dns_name_len(domains[i].name),
		                      .text = domains[i].text};
	case KEY_NAMES: {
		char name[DNS_NAME_TEXT_MAX];
		text = load__note(load, dns_name_text((const uint8_t *)texts[i], name));
		break;
	}
	case KEY_PREFIXES:
		text = load__note(load, prefix_text(&prefixes[i], buf));
		break;
	case KEY_ADDRS:
		text = load__note(load, addr_text(&addrs[i], buf));
		break;
	default:
		text = texts[i];
		break;
	}
	return (struct claim){.key = text, .key_len = strlen(text), .text = text};
}

static bool claims_grow(struct claims *claims, size_t more)
{
	if (claims->room - claims->count >= more) {
		return true;
	}
	size_t room = claims->count + more + claims->room;
	struct claim *items = reallocarray(claims->items, room, sizeof(*items));
	if (items == NULL) {
		return false;
	}
	claims->items = items;
	claims->room = room;
	return true;
}

static void claims_add(struct load *load, struct claims *claims, enum key_kind kind,
                       const struct key_items *items, const struct settings_place *places)
{
	if (!claims_grow(claims, items->count)) {
		load->nomem = true;
		return;
	}
	for (size_t i = 0; i < items->count; i++) {
		struct claim claim = claim_of(load, kind, items, i);
		claim.place = places[i];
		claim.owner = claims->owners;
		claim.seq = claims->count;
		claims->items[claims->count++] = claim;
	}
	claims->owners++;
}

static void tell_second(struct faults *faults, const struct claim *first,
                        const struct claim *second, const char *each)
{
	char quoted[FAULT_QUOTE_MAX];
	char other[FAULT_QUOTE_MAX];
	fault__quote(second->text, strlen(second->text), quoted);
	fault__quote(first->text, strlen(first->text), other);
	const char *as = strcmp(quoted, other) == 0 ? "" : " as ";
	const char *name = strcmp(quoted, other) == 0 ? "" : other;
	if (first->owner == second->owner) {
		fault__add(faults, second->place,
		           "%s is listed twice (first%s%s at %s:%u); once would be right", quoted,
		           as, name, first->place.file, first->place.line);
	} else {
		fault__add(faults, second->place,
		           "%s stands in two %ss (first%s%s at %s:%u); one would be right", quoted,
		           each, as, name, first->place.file, first->place.line);
	}
}

void claims__tell(struct claims *claims, struct faults *faults, const char *each)
{
	if (claims->count == 0) {
		return;
	}
	qsort(claims->items, claims->count, sizeof(*claims->items), claim_compare);
	const struct claim *first = &claims->items[0];
	for (size_t i = 1; i < claims->count; i++) {
		if (claim_order(first, &claims->items[i]) == 0) {
			tell_second(faults, first, &claims->items[i], each);
		} else {
			first = &claims->items[i];
		}
	}
}

void claims__fini(struct claims *claims)
{
	free(claims->items);
	*claims = (struct claims){0};
}

void claims__items(struct load *load, const struct key *key, const struct key_items *items,
                   const struct settings_place *places)
{
	if (key->kind == KEY_DOMAINS) {
		claims_add(load, &load->domains, key->kind, items, places);
	} else if (key->shared) {
		claims_add(load, &load->froms, key->kind, items, places);
	} else {
		struct claims claims = {0};
		claims_add(load, &claims, key->kind, items, places);
		claims__tell(&claims, load->faults, "list");
		claims__fini(&claims);
	}
}
