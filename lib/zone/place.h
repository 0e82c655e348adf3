/*
 * zone/place.h - where AWS regions are, for routing policies that are reckoned and not asked.
 *
 * AWS does not publish the measurements its own choice is made by; for private zones the documentation
 * says no more than "the region of the VPC", else the nearest. So each region has one point on the map.
 *
 * AWS: facts/route53.md section 6.1; Developer Guide "Latency-based routing in private hosted zones".
 */
#pragma once

#include <stdbool.h>

struct place {
	const char *region;
	const char *continent;   /* Route 53's codes: AF AN AS EU NA OC SA */
	const char *country;     /* ISO 3166-1 */
	const char *subdivision; /* of the US, where Route 53 knows them; else "" */
	double latitude;         /* degrees, north and east positive */
	double longitude;
};

/* A region, or the one that a Local Zone group ("us-west-2-lax-1") belongs to. NULL: not known. */
const struct place *place_find(const char *region);

/* Great-circle distance in km. */
double place_distance(double latitude, double longitude, const struct place *to);
