/*
 * config/mend_int.h - tokens as written to tokens in right order.
 *
 * libconfig stops at the first slip of a file. So the grammar is walked here first: what is amiss is told,
 * and mended or left out, and what stands around it is still looked at. mend.c holds the walk,
 * mend_value.c names and values, mend_bracket.c what opens and closes.
 */
#pragma once

#include "config/source_int.h"

/* What is open at the moment, over all files under way. */
struct open_mark {
	size_t token; /* the opener */
	size_t keys;  /* of keys[], when it was opened */
};

struct stack {
	struct open_mark marks[SOURCE_NESTING_MAX];
	unsigned int depth;
	uint32_t keys[SOURCE_KEYS_MAX *
	              (SOURCE_NESTING_MAX + 1)]; /* of all open groups: their tokens */
	size_t key_count;
};

/*
 * The work on one file. What goes out is always a right beginning of a file, so the last token says what
 * may follow. Brackets are closed in the file that opened them: what lies below floor is the includers'.
 */
struct mend {
	struct source *source;
	struct stack *stack;
	struct scan scan;
	struct token next;
	bool has_next;
	bool junk; /* told already: left out until the next setting */
	bool stop; /* given up: the rest of the file is left out */
	unsigned int floor;
	unsigned int include_depth;
};

/* What may follow. */
enum want {
	WANT_SETTING, /* in a group: a name, or its end */
	WANT_EQUALS,
	WANT_VALUE,  /* behind `=` */
	WANT_STOP,   /* behind a value in a group: `;`, `,`, a name, or its end */
	WANT_MEMBER, /* in a list: a value, or its end */
	WANT_COMMA,  /* behind a value in a list: `,` or its end */
};

/* A token more of what goes out; push_mark: one that nobody wrote, standing where `at` stands. */
void mend__push(struct mend *mend, struct token token);
void mend__push_mark(struct mend *mend, const char *mark, enum token_kind kind,
                     const struct token *at);

/* The token before the one at hand; NULL at the very beginning. */
struct token *mend__last(const struct mend *mend);
/* Of the innermost brackets; NULL, and '{', outside all. */
struct token *mend__opener(const struct mend *mend);
char mend__opener_mark(const struct mend *mend);
const char *mend__closing(char open);
enum want mend__wanted(const struct mend *mend);
bool mend__next_is(const struct mend *mend, enum token_kind kind);

/* A fault: "`TOKEN` WHAT". */
void mend__tell(struct mend *mend, const struct token *token, const char *what);
/* Something of the innermost group or list is left out: nothing can be said to be missing there. */
void mend__mark_broken(struct mend *mend);
/* Tells, and leaves the token out; in a group all that follows up to the next setting. */
void mend__drop(struct mend *mend, const struct token *token);

/* mend_value.c: a name; any other plain value. */
void mend__name(struct mend *mend, struct token token);
void mend__plain(struct mend *mend, struct token token);
/* `name =` and then no value: takes the two tokens back. */
void mend__drop_empty(struct mend *mend);
/* A value follows a value in [ ] or ( ): puts in the comma. */
void mend__comma(struct mend *mend, const struct token *token);

/* mend_bracket.c */
void mend__open(struct mend *mend, struct token token);
void mend__close(struct mend *mend, struct token token);
/* Closes the innermost bracket where `at` stands. */
void mend__close_one(struct mend *mend, const struct token *at);
/* A setting begins, or `;` stands, inside [ ] or ( ) of this file: they must have ended before. */
void mend__close_values(struct mend *mend, const struct token *token);
/* ( { a = 1; { b = 2; } ): a group begins where its neighbour in the list should have ended. */
bool mend__is_next_in_list(const struct mend *mend, const struct token *token);
