/*
 * records/api_aws.h - the world as it is: records/api.h bound to lib/aws and the clocks.
 */
#pragma once

#include "records/api.h"

/* aws is borrowed. */
void records_api_aws(struct aws *aws, struct records_api *ret_api);
