#include "aws/xml_int.h"
#include "base/fail.h"
#include <assert.h>
#include <expat.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Between namespace and local name. Expat refuses namespaces that hold it. */
#define SEPARATOR '\n'

#define ROOT_NAME_MAX 64

struct open_element {
	uint64_t seen; /* a bit for each rule that matched a child */
	uint8_t tag;
};

struct xml {
	const struct xml_format *format;
	void *ctx;
	XML_Parser parser;
	int result; /* the first failure */
	char trouble[160];
	char root[ROOT_NAME_MAX];
	char *space; /* the root's namespace; "" when it has none */
	unsigned int depth;
	struct open_element open[XML__DEPTH_MAX];
	char *text; /* of the innermost element, since its last child */
	size_t text_len;
	size_t text_room;
};

static void stop(struct xml *xml, int result, const char *why)
{
	if (xml->result != 0) {
		return;
	}
	xml->result = result;
	snprintf(xml->trouble, sizeof(xml->trouble), "line %lu: %s",
	         (unsigned long)XML_GetCurrentLineNumber(xml->parser), why);
	XML_StopParser(xml->parser, XML_FALSE);
}

/* A callback would not go on. */
static void stop_refused(struct xml *xml, int result)
{
	stop(xml, result, result == FAIL_FORMAT ? "a value that cannot be" : fail_text(result));
}

static void text_clear(struct xml *xml)
{
	xml->text_len = 0;
}

static bool text_reserve(struct xml *xml, size_t room)
{
	if (room <= xml->text_room) {
		return true;
	}
	size_t wanted = xml->text_room < 256 ? 256 : 2 * xml->text_room;
	char *text = realloc(xml->text, wanted > room ? wanted : room);
	if (text == NULL) {
		return false;
	}
	xml->text = text;
	xml->text_room = wanted > room ? wanted : room;
	return true;
}

static const char *local_name(const char *name)
{
	const char *at = strrchr(name, SEPARATOR);
	return at == NULL ? name : at + 1;
}

/* The namespace is the root's. */
static bool space_equal(const struct xml *xml, const char *name)
{
	size_t len = strlen(xml->space);
	const char *local = local_name(name);
	size_t space_len = local == name ? 0 : (size_t)(local - name) - 1;
	return space_len == len && memcmp(name, xml->space, len) == 0;
}

static void root_open(struct xml *xml, const char *name)
{
	const struct xml_format *format = xml->format;
	const char *local = local_name(name);
	xml->space = local == name ? strdup("") : strndup(name, (size_t)(local - name) - 1);
	if (xml->space == NULL) {
		stop(xml, FAIL_NOMEM, "out of memory");
		return;
	}
	snprintf(xml->root, sizeof(xml->root), "%s", local);
	if (format->root != NULL && strcmp(format->root, local) != 0) {
		stop(xml, FAIL_FORMAT, "not the answer to this call");
	} else if (format->space != NULL && strcmp(format->space, xml->space) != 0) {
		stop(xml, FAIL_FORMAT, "not in the service's namespace");
	}
}

/* The tag of an element inside parent, by the rules. */
static uint8_t child_tag(struct xml *xml, struct open_element *parent, const char *name)
{
	const struct xml_format *format = xml->format;
	if (parent->tag == TAG_NONE || !space_equal(xml, name)) {
		return TAG_NONE;
	}
	const char *local = local_name(name);
	for (size_t i = 0; i < format->rule_count; i++) {
		const struct xml_rule *rule = &format->rules[i];
		if (rule->parent != parent->tag || strcmp(rule->name, local) != 0) {
			continue;
		}
		if (rule->once && (parent->seen >> i & 1) != 0) {
			stop(xml, FAIL_FORMAT, "an element is there twice");
		}
		parent->seen |= UINT64_C(1) << i;
		return rule->tag;
	}
	return TAG_NONE;
}

static void XMLCALL on_start(void *ctx, const XML_Char *name, const XML_Char **attributes)
{
	struct xml *xml = ctx;
	if (xml->result != 0) {
		return;
	}
	if (xml->depth == XML__DEPTH_MAX) {
		stop(xml, FAIL_LIMIT, "elements nested too deep");
		return;
	}
	uint8_t tag = TAG_ROOT;
	if (xml->depth == 0) {
		root_open(xml, name);
	} else {
		tag = child_tag(xml, &xml->open[xml->depth - 1], name);
	}
	xml->open[xml->depth++] = (struct open_element){.tag = tag};
	text_clear(xml);
	if (xml->result == 0 && tag != TAG_NONE && xml->format->begin != NULL) {
		int ret = xml->format->begin(xml->ctx, tag);
		if (ret != 0) {
			stop_refused(xml, ret);
		}
	}
}

static void XMLCALL on_end(void *ctx, const XML_Char *name)
{
	struct xml *xml = ctx;
	if (xml->result != 0) {
		return;
	}
	uint8_t tag = xml->open[--xml->depth].tag;
	if (tag != TAG_NONE) {
		if (!text_reserve(xml, xml->text_len + 1)) {
			stop(xml, FAIL_NOMEM, "out of memory");
			return;
		}
		xml->text[xml->text_len] = '\0';
		int ret = xml->format->end(xml->ctx, tag, xml->text);
		if (ret != 0) {
			stop_refused(xml, ret);
		}
	}
	text_clear(xml);
}

static void XMLCALL on_text(void *ctx, const XML_Char *text, int len)
{
	struct xml *xml = ctx;
	size_t size = (size_t)len;
	if (xml->result != 0) {
		return;
	}
	if (size > XML__TEXT_MAX - xml->text_len) {
		stop(xml, FAIL_LIMIT, "an element's text is too long");
	} else if (!text_reserve(xml, xml->text_len + size + 1)) {
		stop(xml, FAIL_NOMEM, "out of memory");
	} else {
		memcpy(xml->text + xml->text_len, text, size);
		xml->text_len += size;
	}
}

/* Expat calls this before the first declaration: no entity comes to be (T34). */
static void XMLCALL on_doctype(void *ctx, const XML_Char *name, const XML_Char *system_id,
                               const XML_Char *public_id, int has_subset)
{
	stop(ctx, FAIL_FORMAT, "a DOCTYPE");
}

struct xml *xml__new(const struct xml_format *format, void *ctx)
{
	assert(format->rule_count <= XML__RULES_MAX);
	struct xml *xml = calloc(1, sizeof(*xml));
	if (xml == NULL) {
		return NULL;
	}
	xml->format = format;
	xml->ctx = ctx;
	xml->parser = XML_ParserCreateNS("UTF-8", SEPARATOR);
	if (xml->parser == NULL) {
		free(xml);
		return NULL;
	}
	XML_SetUserData(xml->parser, xml);
	XML_SetElementHandler(xml->parser, on_start, on_end);
	XML_SetCharacterDataHandler(xml->parser, on_text);
	XML_SetStartDoctypeDeclHandler(xml->parser, on_doctype);
	return xml;
}

void xml__free(struct xml **xml)
{
	if (*xml == NULL) {
		return;
	}
	XML_ParserFree((*xml)->parser);
	free((*xml)->space);
	if ((*xml)->text != NULL) {
		explicit_bzero((*xml)->text, (*xml)->text_room); /* credentials come this way too */
	}
	free((*xml)->text);
	free(*xml);
	*xml = NULL;
}

static int parse(struct xml *xml, const char *bytes, size_t size, bool last)
{
	if (xml->result != 0) {
		return xml->result;
	}
	if (XML_Parse(xml->parser, bytes, (int)size, last) == XML_STATUS_OK) {
		return xml->result;
	}
	enum XML_Error why = XML_GetErrorCode(xml->parser);
	stop(xml, why == XML_ERROR_NO_MEMORY ? FAIL_NOMEM : FAIL_FORMAT, XML_ErrorString(why));
	return xml->result;
}

int xml__feed(struct xml *xml, const char *bytes, size_t size)
{
	int ret = 0;
	while (ret == 0 && size > 0) {
		size_t part = size < INT_MAX ? size : INT_MAX;
		ret = parse(xml, bytes, part, false);
		bytes += part;
		size -= part;
	}
	return ret;
}

int xml__finish(struct xml *xml)
{
	return parse(xml, "", 0, true);
}

const char *xml__trouble(const struct xml *xml)
{
	return xml->trouble;
}

const char *xml__root(const struct xml *xml)
{
	return xml->root;
}
