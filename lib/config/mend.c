#include "config/mend_int.h"
#include <stdlib.h>
#include <string.h>

static void mend_file(struct mend *mend);

struct settings_place source__token_place(const struct source *source, const struct token *token)
{
	return (struct settings_place){.file = source->files[token->file].name,
	                               .line = token->line};
}

const char *source__token_quote(const struct token *token, char *buf)
{
	return fault__quote(token->at, token->len, buf);
}

void mend__push(struct mend *mend, struct token token)
{
	struct source *source = mend->source;
	if (source->token_count == source->token_room) {
		size_t room = source->token_room == 0 ? 256 : source->token_room * 2;
		struct token *tokens = reallocarray(source->tokens, room, sizeof(*tokens));
		if (tokens == NULL) {
			source->nomem = true;
			mend->stop = true;
			return;
		}
		source->tokens = tokens;
		source->token_room = room;
	}
	source->tokens[source->token_count++] = token;
}

/* A mark that nobody wrote, standing where `at` stands. */
void mend__push_mark(struct mend *mend, const char *mark, enum token_kind kind,
                     const struct token *at)
{
	struct token token = {
		.at = mark, .len = 1, .kind = kind, .line = at->line, .file = at->file};
	mend__push(mend, token);
}

/* The token before the one at hand; NULL at the very beginning. */
struct token *mend__last(const struct mend *mend)
{
	const struct source *source = mend->source;
	return source->token_count == 0 ? NULL : &source->tokens[source->token_count - 1];
}

/* NULL outside all brackets. */
struct token *mend__opener(const struct mend *mend)
{
	const struct stack *stack = mend->stack;
	return stack->depth == 0 ? NULL
	                         : &mend->source->tokens[stack->marks[stack->depth - 1].token];
}

/* '{', '[' or '('; what stands outside all brackets is a group as well. */
char mend__opener_mark(const struct mend *mend)
{
	const struct token *open = mend__opener(mend);
	return open == NULL ? '{' : open->at[0];
}

const char *mend__closing(char open)
{
	return open == '{' ? "}" : open == '[' ? "]" : ")";
}

enum want mend__wanted(const struct mend *mend)
{
	const struct token *before = mend__last(mend);
	bool in_group = mend__opener_mark(mend) == '{';
	if (before == NULL || before->kind == TOKEN_OPEN || before->kind == TOKEN_STOP) {
		return in_group ? WANT_SETTING : WANT_MEMBER;
	}
	switch ((enum token_kind)before->kind) {
	case TOKEN_NAME:
		return WANT_EQUALS;
	case TOKEN_EQUALS:
		return WANT_VALUE;
	default:
		return in_group ? WANT_STOP : WANT_COMMA;
	}
}

void mend__tell(struct mend *mend, const struct token *token, const char *what)
{
	char quoted[FAULT_QUOTE_MAX];
	fault__add(mend->source->faults, source__token_place(mend->source, token), "%s %s",
	           source__token_quote(token, quoted), what);
}

/* Something of the innermost group or list is left out: nothing can be said to be missing there. */
void mend__mark_broken(struct mend *mend)
{
	struct token *open = mend__opener(mend);
	if (open != NULL) {
		open->flags |= TOKEN_BROKEN;
	}
}

/* Consumes up to the end of the brackets just opened. */
static void skip_brackets(struct mend *mend)
{
	unsigned int depth = 1;
	while (mend->has_next && depth > 0) {
		depth += mend->next.kind == TOKEN_OPEN;
		depth -= mend->next.kind == TOKEN_CLOSE;
		mend->has_next = scan__next(&mend->scan, &mend->next);
	}
}

/* Leaves the token out, and in a group all that follows up to the next setting. */
void mend__drop(struct mend *mend, const struct token *token)
{
	mend__tell(mend, token,
	           mend__opener_mark(mend) == '{'
	                   ? "does not belong here; `NAME = VALUE;` would be right"
	                   : "does not belong here; values with `,` between them "
	                     "would be right");
	mend__mark_broken(mend);
	mend->junk = mend__opener_mark(mend) == '{';
	if (token->kind == TOKEN_OPEN) {
		skip_brackets(mend);
	}
}

bool mend__next_is(const struct mend *mend, enum token_kind kind)
{
	return mend->has_next && mend->next.kind == kind;
}

static void mend_stop_mark(struct mend *mend, struct token token)
{
	if (token.at[0] == ';') {
		mend__close_values(mend, &token);
	}
	enum want want = mend__wanted(mend);
	if (want == WANT_VALUE) {
		mend__drop_empty(mend);
	} else if (want == WANT_STOP || (want == WANT_COMMA && token.at[0] == ',')) {
		mend__push(mend, token);
	} else {
		mend__drop(mend, &token);
		mend->junk = false; /* what it would lead up to is itself */
	}
}

static void mend_equals(struct mend *mend, struct token token)
{
	if (mend__wanted(mend) == WANT_EQUALS) {
		mend__push(mend, token);
	} else if (mend__wanted(mend) == WANT_VALUE) {
		mend__tell(mend, &token, "stands twice; once would be right");
	} else {
		mend__drop(mend, &token);
	}
}

static void mend_include(struct mend *mend, const struct token *token)
{
	struct source *source = mend->source;
	struct settings_place place = source__token_place(source, token);
	if (mend->include_depth == SOURCE_INCLUDE_MAX || source->file_count == SOURCE_FILES_MAX) {
		mend__tell(mend, token,
		           source->file_count == SOURCE_FILES_MAX
		                   ? "is one file too many; at most 256 would be right"
		                   : "is included more than 8 deep; does a file include itself?");
		return;
	}
	char *name = strndup(token->at, token->len);
	char *path = name == NULL
	                     ? NULL
	                     : source__join(source->arena, source->files[token->file].name, name);
	free(name);
	if (path == NULL) {
		source->nomem = true;
		return;
	}
	int file = source__read_file(source, path, &place);
	if (file < 0) {
		mend__mark_broken(mend);
		return;
	}
	struct mend inner = {
		.source = source,
		.stack = mend->stack,
		.floor = mend->stack->depth,
		.include_depth = mend->include_depth + 1,
		.scan = {.file = (uint16_t)file},
	};
	mend_file(&inner);
}

/* After something that did not belong: true when this token goes with it. */
static bool skip_junk(struct mend *mend, const struct token *token)
{
	bool is_key = token->kind == TOKEN_NAME && mend__next_is(mend, TOKEN_EQUALS);
	if (is_key || token->kind == TOKEN_CLOSE || token->kind == TOKEN_INCLUDE) {
		mend->junk = false;
		return false;
	}
	if (token->kind == TOKEN_STOP) {
		mend->junk = false;
		return mend__wanted(mend) != WANT_STOP;
	}
	if (token->kind == TOKEN_OPEN) {
		if (mend__is_next_in_list(mend, token)) {
			mend->junk = false;
			return false;
		}
		skip_brackets(mend);
	}
	return true;
}

static void mend_token(struct mend *mend, struct token token)
{
	if (mend->junk && skip_junk(mend, &token)) {
		return;
	}
	switch ((enum token_kind)token.kind) {
	case TOKEN_NAME:
		mend__name(mend, token);
		break;
	case TOKEN_WORD:
	case TOKEN_NUMBER:
	case TOKEN_TEXT:
		mend__plain(mend, token);
		break;
	case TOKEN_OPEN:
		mend__open(mend, token);
		break;
	case TOKEN_CLOSE:
		mend__close(mend, token);
		break;
	case TOKEN_EQUALS:
		mend_equals(mend, token);
		break;
	case TOKEN_STOP:
		mend_stop_mark(mend, token);
		break;
	case TOKEN_INCLUDE:
		mend_include(mend, &token);
		break;
	}
}

/* What is still open at the file's end ends there. */
static void mend_end(struct mend *mend)
{
	mend__drop_empty(mend);
	while (mend->stack->depth > mend->floor) {
		struct token open = *mend__opener(mend);
		mend__mark_broken(mend);
		if (!mend->stop && (mend__last(mend)->flags & TOKEN_UNCLOSED) == 0) {
			fault__add(mend->source->faults, source__token_place(mend->source, &open),
			           "`%c` is never closed; `%s` behind its content would be right",
			           open.at[0], mend__closing(open.at[0]));
		}
		struct token here = *mend__last(mend);
		mend__close_one(mend, &here);
	}
}

static void mend_file(struct mend *mend)
{
	struct source *source = mend->source;
	const struct source_file *file = &source->files[mend->scan.file];
	mend->scan.at = file->bytes;
	mend->scan.end = file->bytes + file->size;
	mend->scan.name = file->name;
	mend->scan.line = 1;
	mend->scan.faults = source->faults;
	if (memchr(file->bytes, '\0', file->size) != NULL) {
		struct settings_place place = {.file = file->name, .line = 1};
		fault__add(source->faults, place,
		           "the file holds NUL bytes; plain text would be right");
		return;
	}
	mend->has_next = scan__next(&mend->scan, &mend->next);
	while (mend->has_next && !mend->stop) {
		struct token token = mend->next;
		mend->has_next = scan__next(&mend->scan, &mend->next);
		mend_token(mend, token);
		if (source->token_count > SOURCE_TOKENS_MAX) {
			mend__tell(mend, &token,
			           "is one word too many; fewer settings would be right");
			mend->stop = true;
		}
	}
	mend_end(mend);
}

void source__mend(struct source *source, unsigned int file)
{
	struct stack *stack = calloc(1, sizeof(*stack));
	if (stack == NULL) {
		source->nomem = true;
		return;
	}
	struct mend mend = {.source = source, .stack = stack, .scan = {.file = (uint16_t)file}};
	mend_file(&mend);
	free(stack);
}
