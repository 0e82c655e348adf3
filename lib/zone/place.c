#include "zone/place.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#define EARTH_KM 6371.0

/* Cities to about 10 km. No name begins another, so the first match is the only one. */
static const struct place places[] = {
	{"af-south-1", "AF", "ZA", "", -33.9, 18.4},
	{"ap-east-1", "AS", "HK", "", 22.3, 114.2},
	{"ap-east-2", "AS", "TW", "", 25.0, 121.6},
	{"ap-northeast-1", "AS", "JP", "", 35.7, 139.7},
	{"ap-northeast-2", "AS", "KR", "", 37.6, 127.0},
	{"ap-northeast-3", "AS", "JP", "", 34.7, 135.5},
	{"ap-south-1", "AS", "IN", "", 19.1, 72.9},
	{"ap-south-2", "AS", "IN", "", 17.4, 78.5},
	{"ap-southeast-1", "AS", "SG", "", 1.3, 103.8},
	{"ap-southeast-2", "OC", "AU", "", -33.9, 151.2},
	{"ap-southeast-3", "AS", "ID", "", -6.2, 106.8},
	{"ap-southeast-4", "OC", "AU", "", -37.8, 145.0},
	{"ap-southeast-5", "AS", "MY", "", 3.1, 101.7},
	{"ap-southeast-6", "OC", "NZ", "", -36.8, 174.8},
	{"ap-southeast-7", "AS", "TH", "", 13.8, 100.5},
	{"ca-central-1", "NA", "CA", "", 45.5, -73.6},
	{"ca-west-1", "NA", "CA", "", 51.0, -114.1},
	{"cn-north-1", "AS", "CN", "", 39.9, 116.4},
	{"cn-northwest-1", "AS", "CN", "", 37.5, 105.2},
	{"eu-central-1", "EU", "DE", "", 50.1, 8.7},
	{"eu-central-2", "EU", "CH", "", 47.4, 8.5},
	{"eu-north-1", "EU", "SE", "", 59.3, 18.1},
	{"eu-south-1", "EU", "IT", "", 45.5, 9.2},
	{"eu-south-2", "EU", "ES", "", 41.6, -0.9},
	{"eu-west-1", "EU", "IE", "", 53.3, -6.3},
	{"eu-west-2", "EU", "GB", "", 51.5, -0.1},
	{"eu-west-3", "EU", "FR", "", 48.9, 2.4},
	{"eusc-de-east-1", "EU", "DE", "", 52.4, 13.1},
	{"il-central-1", "AS", "IL", "", 32.1, 34.8},
	{"me-central-1", "AS", "AE", "", 25.2, 55.3},
	{"me-south-1", "AS", "BH", "", 26.2, 50.6},
	{"mx-central-1", "NA", "MX", "", 20.6, -100.4},
	{"sa-east-1", "SA", "BR", "", -23.5, -46.6},
	{"us-east-1", "NA", "US", "VA", 38.9, -77.4},
	{"us-east-2", "NA", "US", "OH", 40.0, -83.0},
	{"us-gov-east-1", "NA", "US", "OH", 40.0, -83.0},
	{"us-gov-west-1", "NA", "US", "OR", 45.8, -119.7},
	{"us-west-1", "NA", "US", "CA", 37.4, -121.9},
	{"us-west-2", "NA", "US", "OR", 45.8, -119.7},
};

const struct place *place_find(const char *region)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		size_t len = strlen(places[i].region);
		if (strncmp(region, places[i].region, len) == 0 &&
		    (region[len] == '\0' || region[len] == '-')) {
			return &places[i];
		}
	}
	return NULL;
}

static double radians(double degrees)
{
	return degrees * M_PI / 180;
}

/* Haversine: exact enough for near points too. */
double place_distance(double latitude, double longitude, const struct place *to)
{
	double up = sin(radians(to->latitude - latitude) / 2);
	double aside = sin(radians(to->longitude - longitude) / 2);
	double part = up * up + cos(radians(latitude)) * cos(radians(to->latitude)) * aside * aside;
	return 2 * EARTH_KM * asin(sqrt(part < 1 ? part : 1));
}
