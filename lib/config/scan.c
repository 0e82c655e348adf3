#include "config/scan_int.h"
#include <string.h>

static struct settings_place scan_place(const struct scan *scan)
{
	return (struct settings_place){.file = scan->name, .line = scan->line};
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* libconfig's name: [A-Za-z*][-A-Za-z0-9_*]* */
static bool is_name(const char *at, size_t len)
{
	if (len == 0 || (!is_letter(at[0]) && at[0] != '*')) {
		return false;
	}
	for (size_t i = 1; i < len; i++) {
		if (!is_letter(at[i]) && !is_digit(at[i]) && strchr("-_*", at[i]) == NULL) {
			return false;
		}
	}
	return true;
}

static bool is_hex_digit(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Digits from i on; returns where they end. */
static size_t skip_digits(const char *at, size_t i, size_t len)
{
	while (i < len && is_digit(at[i])) {
		i++;
	}
	return i;
}

/* Integers (also hexadecimal, also with L or LL) and floats, as libconfig has them. */
static bool is_number(const char *at, size_t len)
{
	size_t i = len > 0 && (at[0] == '-' || at[0] == '+') ? 1 : 0;
	size_t whole = len;
	for (int l = 0; l < 2 && whole > i + 1 && at[whole - 1] == 'L'; l++) {
		whole--;
	}
	if (whole > 2 && at[0] == '0' && (at[1] == 'x' || at[1] == 'X')) {
		for (i = 2; i < whole && is_hex_digit(at[i]); i++) {
		}
		return i == whole;
	}
	size_t digits = skip_digits(at, i, whole) - i;
	if (digits > 0 && i + digits == whole) {
		return true;
	}
	i += digits;
	if (i < len && at[i] == '.') {
		size_t from = i + 1;
		i = skip_digits(at, from, len);
		digits += i - from;
	}
	if (digits > 0 && i < len && (at[i] == 'e' || at[i] == 'E')) {
		size_t from = i + 1 < len && (at[i + 1] == '-' || at[i + 1] == '+') ? i + 2 : i + 1;
		i = skip_digits(at, from, len);
		digits = i - from;
	}
	return digits > 0 && i == len;
}

static bool is_bool(const char *at, size_t len)
{
	return (len == 4 && strncasecmp(at, "true", 4) == 0) ||
	       (len == 5 && strncasecmp(at, "false", 5) == 0);
}

static bool begins(const struct scan *scan, const char *word)
{
	size_t len = strlen(word);
	return (size_t)(scan->end - scan->at) >= len && memcmp(scan->at, word, len) == 0;
}

static void skip_line(struct scan *scan)
{
	while (scan->at < scan->end && *scan->at != '\n') {
		scan->at++;
	}
}

static void skip_comment(struct scan *scan)
{
	struct settings_place place = scan_place(scan);
	for (scan->at += 2; scan->at < scan->end; scan->at++) {
		if (begins(scan, "*/")) {
			scan->at += 2;
			return;
		}
		scan->line += *scan->at == '\n';
	}
	fault__add(scan->faults, place,
	           "the comment is never closed; `*/` at its end would be right");
}

static void skip_control(struct scan *scan)
{
	char quoted[FAULT_QUOTE_MAX];
	fault__add(scan->faults, scan_place(scan), "control byte %s; plain text would be right",
	           fault__quote(scan->at, 1, quoted));
	scan->at++;
}

static void skip_blanks(struct scan *scan)
{
	while (scan->at < scan->end) {
		unsigned char c = (unsigned char)*scan->at;
		if (c == '\n') {
			scan->line++;
			scan->at++;
		} else if (c == ' ' || c == '\t' || c == '\r' || c == '\f') {
			scan->at++;
		} else if (c == '#' || begins(scan, "//")) {
			skip_line(scan);
		} else if (begins(scan, "/*")) {
			skip_comment(scan);
		} else if (c < 0x20 || c == 0x7f) {
			skip_control(scan);
		} else {
			return;
		}
	}
}

/*
 * From behind the quote. libconfig would let text run over lines; none of our values has a use for
 * that, and a forgotten quote would swallow all up to the next one.
 */
static void take_text(struct scan *scan, struct token *token)
{
	token->at = scan->at;
	while (scan->at < scan->end && *scan->at != '"' && *scan->at != '\n') {
		bool escape = *scan->at == '\\' && scan->end - scan->at > 1 && scan->at[1] != '\n';
		scan->at += escape ? 2 : 1;
	}
	token->len = (uint32_t)(scan->at - token->at);
	if (scan->at < scan->end && *scan->at == '"') {
		scan->at++;
		return;
	}
	token->flags |= TOKEN_UNCLOSED;
	while (token->len > 0 && strchr("\\\r", token->at[token->len - 1]) != NULL) {
		token->len--;
	}
	fault__add(scan->faults, scan_place(scan),
	           "text is not closed on its line; `\"` at its end would be right");
}

/*
 * A colon means `=` in libconfig, but where it cannot (10.0.0.1:53, fd00::1, http://) it belongs to
 * a word that wants quotes: one fault then, not three.
 */
static bool colon_inside(const struct scan *scan, const char *word)
{
	const char *at = scan->at;
	size_t len = (size_t)(at - word);
	if (len == 0 && !begins(scan, "::")) {
		return false;
	}
	return begins(scan, "::") || begins(scan, "://") || at[-1] == ':' || !is_name(word, len);
}

static void take_word(struct scan *scan, struct token *token)
{
	token->at = scan->at;
	while (scan->at < scan->end) {
		unsigned char c = (unsigned char)*scan->at;
		if (c == ':' && colon_inside(scan, token->at)) {
			scan->at += begins(scan, "://") ? 3 : 1;
			continue;
		}
		if (c <= 0x20 || c == 0x7f || strchr("=:,;{}[]()\"#", c) != NULL ||
		    begins(scan, "//") || begins(scan, "/*")) {
			break;
		}
		scan->at++;
	}
	token->len = (uint32_t)(scan->at - token->at);
	if (is_bool(token->at, token->len) || is_number(token->at, token->len)) {
		token->kind = TOKEN_NUMBER;
	} else {
		token->kind = is_name(token->at, token->len) ? TOKEN_NAME : TOKEN_WORD;
	}
}

/* @include "FILE"; false when the text is not that. */
static bool take_include(struct scan *scan, struct token *token)
{
	const char *at = scan->at + strlen("@include");
	while (at < scan->end && (*at == ' ' || *at == '\t')) {
		at++;
	}
	if (at == scan->end || *at != '"') {
		return false;
	}
	scan->at = at + 1;
	token->kind = TOKEN_INCLUDE;
	take_text(scan, token);
	return true;
}

static enum token_kind mark_kind(char c)
{
	switch (c) {
	case '{':
	case '[':
	case '(':
		return TOKEN_OPEN;
	case '}':
	case ']':
	case ')':
		return TOKEN_CLOSE;
	case '=':
	case ':':
		return TOKEN_EQUALS;
	default:
		return TOKEN_STOP;
	}
}

bool scan__next(struct scan *scan, struct token *ret_token)
{
	skip_blanks(scan);
	if (scan->at == scan->end) {
		return false;
	}
	*ret_token = (struct token){.at = scan->at, .line = scan->line, .file = scan->file};
	char c = *scan->at;
	if (c == '"') {
		scan->at++;
		ret_token->kind = TOKEN_TEXT;
		take_text(scan, ret_token);
	} else if (begins(scan, "@include") && take_include(scan, ret_token)) {
		return true;
	} else if (strchr("=,;{}[]()", c) != NULL || (c == ':' && !begins(scan, "::"))) {
		ret_token->kind = mark_kind(c);
		ret_token->len = 1;
		scan->at++;
	} else {
		take_word(scan, ret_token);
	}
	return true;
}
