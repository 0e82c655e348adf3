#include "config/mend_int.h"

/* Closes the innermost bracket where `at` stands. */
void mend__close_one(struct mend *mend, const struct token *at)
{
	mend__push_mark(mend, mend__closing(mend__opener_mark(mend)), TOKEN_CLOSE, at);
	mend->stack->key_count = mend->stack->marks[--mend->stack->depth].keys;
}

/* Says that the innermost bracket should have been closed before this token. */
static void tell_unclosed(struct mend *mend, const struct token *token)
{
	const struct token *open = mend__opener(mend);
	if ((mend__last(mend)->flags & TOKEN_UNCLOSED) != 0) {
		return; /* the text that ran to its line's end took the bracket along */
	}
	char quoted[FAULT_QUOTE_MAX];
	fault__add(mend->source->faults, source__token_place(mend->source, token),
	           "`%s` is missing before %s: `%c` in line %u is still open",
	           mend__closing(open->at[0]), source__token_quote(token, quoted), open->at[0],
	           open->line);
}

/* A setting begins, or `;` stands, inside [ ] or ( ) of this file: they must have ended before. */
void mend__close_values(struct mend *mend, const struct token *token)
{
	if (mend->stack->depth <= mend->floor || mend__opener_mark(mend) == '{') {
		return;
	}
	tell_unclosed(mend, token);
	while (mend->stack->depth > mend->floor && mend__opener_mark(mend) != '{') {
		mend__close_one(mend, token);
	}
}

/* An array holds plain values of one type only; a list holds anything. */
static void widen_array(struct mend *mend, const struct token *token)
{
	struct token *open = mend__opener(mend);
	if (mend__opener_mark(mend) != '[') {
		return;
	}
	fault__add(mend->source->faults, source__token_place(mend->source, token),
	           "`%c` cannot stand in `[ ]`; a list in parentheses, `( )`, would be right",
	           token->at[0]);
	open->at = "(";
	open->flags |= TOKEN_WIDENED;
}

/* ( { a = 1; { b = 2; } ): a group begins where its neighbour in the list should have ended. */
bool mend__is_next_in_list(const struct mend *mend, const struct token *token)
{
	const struct stack *stack = mend->stack;
	enum want want = mend__wanted(mend);
	return token->at[0] == '{' && (want == WANT_SETTING || want == WANT_STOP) &&
	       stack->depth > mend->floor + 1 &&
	       mend->source->tokens[stack->marks[stack->depth - 2].token].at[0] == '(';
}

void mend__open(struct mend *mend, struct token token)
{
	struct stack *stack = mend->stack;
	if (mend__is_next_in_list(mend, &token)) {
		tell_unclosed(mend, &token);
		mend__close_one(mend, &token);
		mend__push_mark(mend, ",", TOKEN_STOP, &token);
	}
	enum want want = mend__wanted(mend);
	if (want == WANT_SETTING || want == WANT_STOP) {
		mend__drop(mend, &token);
		return;
	}
	mend__comma(mend, &token);
	widen_array(mend, &token);
	if (stack->depth == SOURCE_NESTING_MAX) {
		mend__tell(mend, &token, "is nested more than 64 deep; less would be right");
		mend->stop = true;
		return;
	}
	stack->marks[stack->depth++] =
		(struct open_mark){.token = mend->source->token_count, .keys = stack->key_count};
	mend__push(mend, token);
}

static bool is_open(const struct mend *mend, char close)
{
	for (unsigned int i = mend->floor; i < mend->stack->depth; i++) {
		char open = mend->source->tokens[mend->stack->marks[i].token].at[0];
		if (mend__closing(open)[0] == close) {
			return true;
		}
	}
	return false;
}

/* What this closing mark should have been: itself, if something of its kind is open. */
static const char *right_mark(struct mend *mend, const struct token *token)
{
	const struct token *open = mend__opener(mend);
	const char *right = mend__closing(open->at[0]);
	if (token->at[0] == ']' && (open->flags & TOKEN_WIDENED) != 0) {
		return right;
	}
	if (is_open(mend, token->at[0])) {
		return token->at;
	}
	char quoted[FAULT_QUOTE_MAX];
	fault__add(mend->source->faults, source__token_place(mend->source, token),
	           "%s does not close `%c` of line %u; `%s` would be right",
	           source__token_quote(token, quoted), open->at[0], open->line, right);
	return right;
}

void mend__close(struct mend *mend, struct token token)
{
	mend__drop_empty(mend);
	if (mend->stack->depth <= mend->floor) {
		mend__tell(mend, &token, "closes nothing; leave it out");
		if (mend__next_is(mend, TOKEN_STOP)) {
			mend->has_next = scan__next(&mend->scan, &mend->next); /* its `;` with it */
		}
		return;
	}
	token.at = right_mark(mend, &token);
	if (mend__closing(mend__opener_mark(mend))[0] != token.at[0]) {
		tell_unclosed(mend, &token);
		while (mend__closing(mend__opener_mark(mend))[0] != token.at[0]) {
			mend__close_one(mend, &token);
		}
	}
	/* libconfig 1.5 takes no comma before the closing bracket, 1.7 does; so do we. */
	if (mend__wanted(mend) == WANT_MEMBER && mend__last(mend)->kind == TOKEN_STOP) {
		mend->source->token_count--;
	}
	mend__close_one(mend, &token);
}
