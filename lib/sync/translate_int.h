/*
 * sync/translate_int.h - record sets as AWS lists them to record sets as zones are built from.
 */
#pragma once

#include "aws/zone_list.h"
#include "zone/set.h"

/* Room for a place that is made of several texts: "US/CA", "49.22,-74.01:bias=-20". */
#define TRANSLATE_PLACE_MAX 80

/*
 * Text is borrowed from set and from place (TRANSLATE_PLACE_MAX). file: the set comes from a saved
 * listing, whose alias targets are judged by name (CONTRACT, Answers).
 */
void sync_translate__set(const struct aws_record_set *set, bool file, char *place,
                         struct zone_record_set *ret_set);
