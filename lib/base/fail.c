#include "base/fail.h"
#include <limits.h>
#include <stddef.h>
#include <string.h>

static const char *fail_text_own(enum fail code)
{
	switch (code) {
	case FAIL_NOMEM:
		return "out of memory";
	case FAIL_BUSY:
		return "a bound is reached";
	case FAIL_TIMEOUT:
		return "no answer in time";
	case FAIL_SHUTDOWN:
		return "shutting down";
	case FAIL_FORMAT:
		return "bad format";
	case FAIL_NOTFOUND:
		return "not found";
	case FAIL_DENIED:
		return "denied";
	case FAIL_THROTTLED:
		return "throttled";
	case FAIL_LIMIT:
		return "too large";
	case FAIL_NET:
		return "no connection, or it broke";
	case FAIL_REMOTE:
		return "fault of the other side";
	case FAIL_LAME:
		return "no useful answer";
	case FAIL_CHANGED:
		return "changed while it was read";
	case FAIL_LOOP:
		return "a forwarding loop";
	}
	return NULL;
}

const char *fail_text(int code)
{
	if (code == 0) {
		return "no failure";
	}
	const char *own = fail_text_own((enum fail)code);
	if (own != NULL) {
		return own;
	}
	/* Unlike strerror(), strerrordesc_np() keeps no buffer, so threads do not meet in it. */
	const char *system = code < 0 && code != INT_MIN ? strerrordesc_np(-code) : NULL;
	return system != NULL ? system : "unknown failure";
}
