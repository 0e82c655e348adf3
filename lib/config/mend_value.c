#include "config/mend_int.h"
#include <string.h>

/* `name =` and then no value: takes the two tokens back. */
void mend__drop_empty(struct mend *mend)
{
	if (mend__wanted(mend) != WANT_VALUE) {
		return;
	}
	mend->source->token_count -= 2;
	mend->stack->key_count--;
	if (!mend->stop) {
		mend__tell(mend, &mend->source->tokens[mend->source->token_count],
		           "has no value; `NAME = VALUE;` would be right");
	}
	mend__mark_broken(mend);
}

/* The setting of this name before it in its group, or NULL. */
static const struct token *key_before(const struct mend *mend, const struct token *token)
{
	const struct stack *stack = mend->stack;
	size_t from = stack->depth == 0 ? 0 : stack->marks[stack->depth - 1].keys;
	for (size_t i = from; i < stack->key_count; i++) {
		const struct token *key = &mend->source->tokens[stack->keys[i]];
		if (key->len == token->len && memcmp(key->at, token->at, key->len) == 0) {
			return key;
		}
	}
	return NULL;
}

static void mend_key(struct mend *mend, const struct token *token)
{
	struct stack *stack = mend->stack;
	size_t from = stack->depth == 0 ? 0 : stack->marks[stack->depth - 1].keys;
	const struct token *first = key_before(mend, token);
	if (first != NULL) {
		char quoted[FAULT_QUOTE_MAX];
		struct settings_place there = source__token_place(mend->source, first);
		fault__add(mend->source->faults, source__token_place(mend->source, token),
		           "%s is set a second time (first at %s:%u); once would be right",
		           source__token_quote(token, quoted), there.file, there.line);
		mend->junk = true;
		return;
	}
	if (stack->key_count - from == SOURCE_KEYS_MAX) {
		mend__tell(mend, token,
		           "is one key too many for one group; at most 256 would be right");
		mend->stop = true;
		return;
	}
	stack->keys[stack->key_count++] = (uint32_t)mend->source->token_count;
	mend__push(mend, *token);
}

/* Text without quotes where only a value can stand. */
static void quote_word(struct mend *mend, struct token *token)
{
	char quoted[FAULT_QUOTE_MAX];
	fault__add(mend->source->faults, source__token_place(mend->source, token),
	           "%s is neither number nor true or false; text stands in quotes: \"%.*s\"",
	           source__token_quote(token, quoted), (int)(token->len > 60 ? 60 : token->len),
	           token->at);
	token->kind = TOKEN_TEXT;
	while (token->len > 0 && token->at[token->len - 1] == '\\') {
		token->len--; /* it would take the quote along */
	}
}

/*
 * A value follows a value in [ ] or ( ): the comma that is missing. libconfig would make one of two
 * texts, and "a.example" "b.example" is a name.
 */
void mend__comma(struct mend *mend, const struct token *token)
{
	if (mend__wanted(mend) != WANT_COMMA) {
		return;
	}
	char quoted[FAULT_QUOTE_MAX];
	fault__add(mend->source->faults, source__token_place(mend->source, token),
	           "`,` is missing before %s", source__token_quote(token, quoted));
	mend__push_mark(mend, ",", TOKEN_STOP, token);
}

/* libconfig's types of plain values: t(ext), b(ool), f(loat), i(nteger). */
static char value_type(const struct token *token)
{
	if (token->kind == TOKEN_TEXT) {
		return 't';
	}
	if (token->at[0] == 't' || token->at[0] == 'T' || token->at[0] == 'f' ||
	    token->at[0] == 'F') {
		return 'b';
	}
	return source__is_whole(token) ? 'i' : 'f';
}

/* The members of an array are of one type. False: told, and it is left out with its comma. */
static bool fits_array(struct mend *mend, const struct token *token)
{
	const struct token *open = mend__opener(mend);
	if (mend__opener_mark(mend) != '[' || mend__last(mend) == open ||
	    value_type(open + 1) == value_type(token)) {
		return true;
	}
	mend__tell(mend, token,
	           "is of another type than the values before it; "
	           "one type in `[ ]` would be right");
	mend__mark_broken(mend);
	if (mend__last(mend)->kind == TOKEN_STOP) {
		mend->source->token_count--;
	}
	return false;
}

void mend__plain(struct mend *mend, struct token token)
{
	enum want want = mend__wanted(mend);
	bool joins = want == WANT_STOP && token.kind == TOKEN_TEXT &&
	             mend__last(mend)->kind == TOKEN_TEXT;
	if (want == WANT_SETTING || (want == WANT_STOP && !joins)) {
		mend__drop(mend, &token);
		return;
	}
	if (token.kind == TOKEN_NAME || token.kind == TOKEN_WORD) {
		quote_word(mend, &token);
	}
	mend__comma(mend, &token);
	if (fits_array(mend, &token)) {
		mend__push(mend, token);
	}
}

void mend__name(struct mend *mend, struct token token)
{
	bool is_key = mend__next_is(mend, TOKEN_EQUALS);
	if (is_key) {
		mend__close_values(mend, &token);
		mend__drop_empty(mend);
	}
	enum want want = mend__wanted(mend);
	if (want != WANT_SETTING && want != WANT_STOP) {
		mend__plain(mend, token);
	} else if (is_key) {
		mend_key(mend, &token);
	} else if (mend__next_is(mend, TOKEN_NUMBER) || mend__next_is(mend, TOKEN_TEXT) ||
	           mend__next_is(mend, TOKEN_OPEN)) {
		char name[FAULT_QUOTE_MAX];
		char value[FAULT_QUOTE_MAX];
		fault__add(mend->source->faults, source__token_place(mend->source, &token),
		           "`=` is missing between %s and %s", source__token_quote(&token, name),
		           source__token_quote(&mend->next, value));
		mend_key(mend, &token);
		if (!mend->junk && !mend->stop) {
			mend__push_mark(mend, "=", TOKEN_EQUALS, &token);
		}
	} else {
		mend__drop(mend, &token);
	}
}
