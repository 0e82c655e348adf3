/*
 * config/scan_int.h - the words of a settings file, each with its line.
 *
 * Splits as libconfig's own scanner does. We look first because libconfig tells one syntax error a
 * file and stops, follows nesting as deep as its stack goes, and (1.5) wraps large numbers silently.
 */
#pragma once

#include "config/fault_int.h"

enum token_kind {
	TOKEN_NAME,
	TOKEN_NUMBER, /* and true, false */
	TOKEN_WORD,   /* text without its quotes: neither of the two above */
	TOKEN_TEXT,   /* what stands between the quotes, escapes as written */
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_EQUALS,
	TOKEN_STOP,    /* ; or , */
	TOKEN_INCLUDE, /* the file's name as written */
};

#define TOKEN_BROKEN   1 /* opens something of which a part was left out or is missing */
#define TOKEN_UNCLOSED 2 /* text that ran to the end of its line */
#define TOKEN_WIDENED  4 /* opens a list, though `[` was written */

struct token {
	const char *at; /* in the file's bytes, or a constant */
	uint32_t len;
	uint32_t line;
	uint16_t file; /* of the source's files */
	uint8_t kind;
	uint8_t flags;
};

struct scan {
	const char *at;
	const char *end;
	const char *name; /* for faults */
	uint32_t line;
	uint16_t file;
	struct faults *faults;
};

/* The next token; false at the end of the bytes. */
bool scan__next(struct scan *scan, struct token *ret_token);
