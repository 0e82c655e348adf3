/*
 * aws/tag.h - tags of resources, as settings have them and as the services list them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define AWS_TAGS_MAX 50 /* of one resource */

struct aws_tag {
	const char *key;
	const char *value;
};

struct aws_tags {
	const struct aws_tag *items;
	size_t count;
};

/* Tags that a resource has, with texts of their own. */
struct aws_tag_list {
	char key[AWS_TAGS_MAX][129];
	char value[AWS_TAGS_MAX][257];
	size_t count;
};

/* Every tag of wanted is there with its value. */
bool aws_tags_hold(const struct aws_tag_list *have, const struct aws_tags *wanted);
/* The value of a tag, or NULL. */
const char *aws_tags_find(const struct aws_tag_list *have, const char *key);
