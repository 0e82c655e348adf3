/*
 * control/socket.h - the control socket: one line in, one JSON object out, then the connection ends.
 *
 * A request is one line of at most CONTROL_LINE_MAX octets, a JSON array of words: ["zones","corp.example."].
 * The answer is one JSON object on one line with at least "exit" (the status horizonctl ends with) and, when
 * that is not 0, "error". Commands are a table handed in by the daemon; a command may answer later.
 *
 * Loop:   the control thread's.
 * Memory: at most CONTROL_CLIENTS at once; a client that says nothing for CONTROL_IDLE_S is closed. When all
 *         places are taken, the oldest one without a whole line makes room.
 * Threats: T39 (mode 0660, peer checked by SO_PEERCRED: root, our user, or a member of the socket's group by the mode).
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct loop;
struct control;
struct control_call;

#define CONTROL_LINE_MAX 4096
#define CONTROL_CLIENTS  32
#define CONTROL_IDLE_S   10

/*
 * words[0] is the command; words are borrowed until the call returns. Must end in exactly one control_answer or
 * control_refuse, now or later. Must not close the control socket itself.
 */
typedef void control_fn(void *ctx, struct control_call *call, const char *const *words,
                        size_t count);

struct control_command {
	const char *name;
	size_t args_min; /* words after the command's own */
	size_t args_max;
	control_fn *fn;
};

/* Makes the socket (its folder must be there; a dead socket of the same name is replaced). NULL: one line in err. */
struct control *control_open(struct loop *loop, const char *path,
                             const struct control_command *commands, size_t count, void *ctx,
                             char *err, size_t err_size);
/* Ends calls that wait (their control_answer then goes nowhere), removes the socket. */
void control_close(struct control **control);

/* object is taken over; "exit": 0 is added unless it says another. NULL: no memory, and the client is told so. */
void control_answer(struct control_call *call, json_t *object);
/* exit 1 and one line that says why. (A command or number of words that is not in the table: exit 2.) */
void control_refuse(struct control_call *call, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Root or our own user asks. False: a member of the socket's group, who may have less rights to files than we. */
bool control_trusted(const struct control_call *call);

/* A JSON string of any text: what is not UTF-8 is written as \ooo. NULL: no memory. */
json_t *control_text(const char *text);
