/*
 * base/fail.h - why a call failed.
 *
 * Calls that can fail return 0 or a negative code: -errno, or one of ours below -1000.
 * An rcode is not a failure code (see dns/msg.h).
 */
#pragma once

#include <errno.h>

enum fail {
	FAIL_NOMEM = -ENOMEM,
	FAIL_BUSY = -1001,     /* a bound is reached; later may do */
	FAIL_TIMEOUT = -1002,  /* nobody answered in time */
	FAIL_SHUTDOWN = -1003, /* we are ending */
	FAIL_FORMAT = -1004,   /* the bytes or the text make no sense */
	FAIL_NOTFOUND = -1005,
	FAIL_DENIED = -1006,    /* the other side says that we may not */
	FAIL_THROTTLED = -1007, /* the other side says: not so fast */
	FAIL_LIMIT = -1008,     /* larger than we take */
	FAIL_NET = -1009,       /* no connection, or it broke */
	FAIL_REMOTE = -1010,    /* the other side has a fault of its own */
	FAIL_LAME = -1011,      /* a server answered, but not usefully (SERVFAIL, REFUSED, ...) */
	FAIL_CHANGED = -1012,   /* the thing read changed while it was read */
	FAIL_LOOP = -1013,      /* it would come back to us */
};

/* The code in plain words; never NULL. Thread-safe. */
const char *fail_text(int code);
