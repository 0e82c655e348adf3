/*
 * forward/bucket_int.h - so many packets a second and no more, over all workers.
 *
 * The VPC resolver drops in silence what exceeds its limit a network interface, so the limit is
 * kept by counting every packet before it leaves (T18). Kept as one number, the time at which the
 * bucket would be full again (GCRA): in no second do more than rate + burst packets find a token.
 *
 * Loop:   shared by all workers, without a lock.
 * Time:   monotonic nanoseconds, handed in; read just before the packet goes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct bucket;

/*
 * burst 0: a ninth of the rate. full: may burst at once; else it fills from empty. NULL: no
 * memory.
 */
struct bucket *bucket__new(unsigned int rate, unsigned int burst, bool full, uint64_t now_ns);
struct bucket *bucket__ref(struct bucket *bucket);
void bucket__unref(struct bucket **bucket);

unsigned int bucket__rate(const struct bucket *bucket);
bool bucket__like(const struct bucket *bucket, unsigned int rate, unsigned int burst);

/*
 * Tokens for that many packets (more than the burst count as the burst). Returns 0: taken; else
 * nothing was taken, and the nanoseconds until there would be enough if nobody else asked.
 */
uint64_t bucket__take(struct bucket *bucket, unsigned int packets, uint64_t now_ns);

/* At least half of the burst is there: what nobody waits for may have some of it. */
bool bucket__calm(const struct bucket *bucket, uint64_t now_ns);
