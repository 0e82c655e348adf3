/*
 * forward/probe_int.h - harmless questions of our own: to targets that are down or lame, and to all,
 * to see loops (forward/circle_int.h).
 *
 * The first worker alone probes, so that a target hears one prober. Each group says what is asked
 * (forward_group_opts.probe_name). When it is due stands with the target (down) or the member
 * (lame); what the answer says is learnt there from the reply as from any other. A probe stands
 * behind clients' questions for the packet budget, but not for ever: when it found no room for
 * PROBE_SPARE_MS it takes its turn as they do.
 *
 * Loop:   the first worker's.
 * Memory: PROBES_MAX under way.
 */
#pragma once

#include "forward/worker_int.h"

#define PROBES_MAX      256
#define PROBE_TICK_MS   100
#define PROBE_BUDGET_MS 1000
#define PROBE_SPARE_MS  1000

/* NULL: no memory. */
struct prober *probe__start(struct forward_worker *worker);
/* After the worker's questions have been settled. NULL is fine. Sets *prober to NULL. */
void probe__stop(struct prober **prober);
