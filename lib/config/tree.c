#include "config/source_int.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void source__init(struct source *source, struct arena *arena, struct faults *faults)
{
	*source = (struct source){.arena = arena, .faults = faults};
}

void source__fini(struct source *source)
{
	for (unsigned int i = 0; i < source->file_count; i++) {
		free(source->files[i].bytes);
	}
	free(source->tokens);
	if (source->parsed) {
		config_destroy(&source->tree);
	}
	*source = (struct source){0};
}

static bool load_file(struct source *source, int file)
{
	if (file < 0) {
		return false;
	}
	source__mend(source, (unsigned int)file);
	return !source->nomem && source__parse(source);
}

bool source__load(struct source *source, const char *path, const struct settings_place *wanted)
{
	return load_file(source, source__read_file(source, path, wanted));
}

bool source__load_bytes(struct source *source, const char *path, const char *bytes, size_t size)
{
	char *copy = size < SIZE_MAX ? malloc(size + 1) : NULL;
	if (copy == NULL) {
		source->nomem = true;
		return false;
	}
	if (size > 0) {
		memcpy(copy, bytes, size);
	}
	copy[size] = '\0';
	return load_file(source, source__add_file(source, path, copy, size));
}

bool source__is_whole(const struct token *token)
{
	bool hex = token->len > 1 && (token->at[1] == 'x' || token->at[1] == 'X');
	bool real = memchr(token->at, '.', token->len) != NULL ||
	            memchr(token->at, 'e', token->len) != NULL ||
	            memchr(token->at, 'E', token->len) != NULL; /* also of true and false */
	return token->kind == TOKEN_NUMBER && (hex || !real);
}

/*
 * Whole numbers go to libconfig in decimal and as 64 bits: 1.5 wraps what its int cannot hold, and
 * what no 64 bits hold shall fail our ranges, not pass as another number.
 */
static void add_whole(struct text *out, const struct token *token)
{
	char buf[64];
	if (token->len >= sizeof(buf)) {
		text_addf(out, "%s%" PRId64 "L", token->at[0] == '-' ? "-" : "", INT64_MAX);
		return;
	}
	memcpy(buf, token->at, token->len);
	buf[token->len] = '\0';
	bool hex = token->len > 1 && (buf[1] == 'x' || buf[1] == 'X');
	text_addf(out, "%lldL", strtoll(buf, NULL, hex ? 16 : 10));
}

/* One line a token: line n of what libconfig reads is token n - 1. */
static void add_token(struct text *out, const struct token *token)
{
	if (token->kind == TOKEN_TEXT) {
		text_addf(out, "\"%.*s\"\n", (int)token->len, token->at);
	} else if (source__is_whole(token)) {
		add_whole(out, token);
		text_add(out, "\n", 1);
	} else {
		text_addf(out, "%.*s\n", (int)token->len, token->at);
	}
}

/* mend.c lets no wrong syntax through; should libconfig see it another way, that is told as it is. */
static void tell_syntax(struct source *source)
{
	size_t line = (size_t)config_error_line(&source->tree);
	struct settings_place place = {.file = source->files[0].name, .line = 1};
	if (line > 0 && line <= source->token_count) {
		place = source__token_place(source, &source->tokens[line - 1]);
	}
	fault__add(source->faults, place, "%s; `NAME = VALUE;` would be right",
	           config_error_text(&source->tree));
}

bool source__parse(struct source *source)
{
	struct text text;
	text_init(&text, 0);
	for (size_t i = 0; i < source->token_count; i++) {
		add_token(&text, &source->tokens[i]);
	}
	source->nomem = source->nomem || text.bad;
	if (!source->nomem) {
		config_init(&source->tree);
		source->parsed = config_read_string(&source->tree, text_get(&text)) == CONFIG_TRUE;
		if (!source->parsed) {
			tell_syntax(source);
			config_destroy(&source->tree);
		}
	}
	text_fini(&text);
	return source->parsed;
}

const config_setting_t *source__root(const struct source *source)
{
	return config_root_setting(&source->tree);
}

/* The token at which libconfig saw the setting: its name, or of a list's member its first token. */
static const struct token *token_of(const struct source *source, const config_setting_t *setting)
{
	size_t line = config_setting_source_line(setting);
	if (line == 0 || line > source->token_count) {
		return NULL;
	}
	/* A text in a list is known as one only when the token after it has been seen. */
	if (config_setting_name(setting) == NULL && line > 1 &&
	    config_setting_type(setting) == CONFIG_TYPE_STRING &&
	    source->tokens[line - 1].kind != TOKEN_TEXT) {
		line--;
	}
	return &source->tokens[line - 1];
}

struct settings_place source__place(const struct source *source, const config_setting_t *setting)
{
	const struct token *token = token_of(source, setting);
	if (token == NULL) {
		return (struct settings_place){.file = source->files[0].name, .line = 1};
	}
	return source__token_place(source, token);
}

const struct source_file *source__file(const struct source *source, const config_setting_t *setting)
{
	const struct token *token = token_of(source, setting);
	return &source->files[token == NULL ? 0 : token->file];
}

/* The value's first token: behind `NAME =`, or the member itself. */
static const struct token *value_of(const struct source *source, const config_setting_t *setting)
{
	const struct token *token = token_of(source, setting);
	if (token == NULL || config_setting_name(setting) == NULL) {
		return token;
	}
	size_t line = config_setting_source_line(setting) + 2;
	return line > source->token_count ? token : &source->tokens[line - 1];
}

bool source__broken(const struct source *source, const config_setting_t *setting)
{
	const struct token *token = value_of(source, setting);
	return token != NULL && (token->flags & TOKEN_BROKEN) != 0;
}

const char *source__quote(const struct source *source, const config_setting_t *setting, char *buf)
{
	const struct token *token = value_of(source, setting);
	return token == NULL ? fault__quote("", 0, buf) : source__token_quote(token, buf);
}
