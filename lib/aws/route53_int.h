/*
 * aws/route53_int.h - what the files that speak to Route 53 share.
 */
#pragma once

#define API_PATH  "/2013-04-01"
#define API_SPACE "https://route53.amazonaws.com/doc/2013-04-01/"

#define SETS_A_PAGE  "300"
#define ZONES_A_PAGE "100"

/* "/hostedzone/Z..." and "Z..." name the same zone. NULL: no id. */
const char *route53__bare_id(const char *id);
