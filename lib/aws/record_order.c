#include "aws/record_xml_int.h"
#include <stdio.h>
#include <string.h>

/* A fully qualified name without escapes and empty labels. */
static bool is_plain(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
	size_t len = strlen(name);
	return len > 1 && strspn(name, allowed) == len && name[0] != '.' && name[len - 1] == '.' &&
	       strstr(name, "..") == NULL;
}

/* The label that ends before *end, which is moved to before its dot. */
static const char *label_before(const char *name, const char **end, size_t *ret_len)
{
	const char *at = *end;
	while (at > name && at[-1] != '.') {
		at--;
	}
	*ret_len = (size_t)(*end - at);
	*end = at > name ? at - 1 : name;
	return at;
}

/* Of "com.example.a." and the like, without making them. */
static int reversed_compare(const char *a, const char *b)
{
	const char *a_end = a + strlen(a) - 1;
	const char *b_end = b + strlen(b) - 1;
	while (a_end > a && b_end > b) {
		size_t a_len, b_len;
		const char *x = label_before(a, &a_end, &a_len);
		const char *y = label_before(b, &b_end, &b_len);
		size_t both = a_len < b_len ? a_len : b_len;
		int diff = memcmp(x, y, both);
		if (diff != 0) {
			return diff;
		}
		if (a_len != b_len) { /* the shorter goes on with its dot */
			return a_len < b_len ? '.' - y[both] : x[both] - '.';
		}
	}
	return (a_end > a) - (b_end > b);
}

static bool is_twice(const struct record_order *order, const struct aws_record_set *set)
{
	const char *identifier = set->set_identifier == NULL ? "" : set->set_identifier;
	return strcmp(order->name, set->name) == 0 && strcmp(order->type, set->type) == 0 &&
	       strcmp(order->identifier, identifier) == 0;
}

bool record_order__follows(struct record_order *order, const struct aws_record_set *set)
{
	bool follows = true;
	if (order->any) {
		bool plain = is_plain(order->name) && is_plain(set->name);
		follows = !is_twice(order, set) &&
		          (!plain || reversed_compare(order->name, set->name) <= 0);
	}
	order->any = true;
	snprintf(order->name, sizeof(order->name), "%s", set->name);
	snprintf(order->type, sizeof(order->type), "%s", set->type);
	snprintf(order->identifier, sizeof(order->identifier), "%s",
	         set->set_identifier == NULL ? "" : set->set_identifier);
	return follows;
}
