/*
 * aws/fleet_int.h - a peer's list, apart, so that it can be tried.
 */
#pragma once

#include "aws/fleet.h"

/*
 * list: NUL-ended lines, each ended by a newline; it is as before when the call returns 0. fn hears each zone; NULL: the
 * list is only checked. FAIL_FORMAT.
 */
int fleet__list_walk(char *list, fleet_zone_fn *fn, void *ctx);
