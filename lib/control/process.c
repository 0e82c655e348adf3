/* control/process.c - what the system knows of our process, as Prometheus' client libraries name it. */
#include "base/mono.h"
#include "control/http.h"
#include "metric/metric.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

struct process {
	uint64_t cpu_ticks;
	uint64_t threads;
	uint64_t start_ticks; /* since the system's start */
	uint64_t virtual_bytes;
	uint64_t resident_bytes;
};

/* /proc/self/stat, proc(5): the fields behind the program's name, which may hold anything but ends in ")". */
static bool process_read(struct process *ret_process)
{
	char bytes[2048];
	int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? -1 : read(fd, bytes, sizeof(bytes) - 1);
	if (fd >= 0) {
		close(fd);
	}
	if (size <= 0) {
		return false;
	}
	bytes[size] = '\0';
	const char *fields = strrchr(bytes, ')');
	unsigned long long user, system, threads, start, virtual_size, resident;
	if (fields == NULL ||
	    sscanf(fields,
	           ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %*d %llu "
	           "%*d %llu %llu %llu",
	           &user, &system, &threads, &start, &virtual_size, &resident) != 6) {
		return false;
	}
	*ret_process = (struct process){
		.cpu_ticks = user + system,
		.threads = threads,
		.start_ticks = start,
		.virtual_bytes = virtual_size,
		.resident_bytes = resident * (uint64_t)sysconf(_SC_PAGESIZE),
	};
	return true;
}

/* Wall clock. Reckoned once: later it would waver by as much as the clocks do. */
static double process_start_s(uint64_t start_ticks, double tick_s)
{
	static double start_s;
	if (start_s == 0) {
		struct timespec up;
		clock_gettime(CLOCK_BOOTTIME, &up);
		double up_s = (double)up.tv_sec + (double)up.tv_nsec / 1e9;
		start_s = (double)wall_ms() / 1000 - up_s + (double)start_ticks * tick_s;
	}
	return start_s;
}

static void gauge(struct text *out, const char *name, const char *help, double value)
{
	metric_family(out, name, METRIC_GAUGE, help);
	metric_sample(out, name, NULL, value);
}

static void stat_metrics(struct text *out)
{
	struct process process;
	if (!process_read(&process)) {
		return;
	}
	double tick_s = 1.0 / (double)sysconf(_SC_CLK_TCK);
	metric_family(out, "process_cpu_seconds_total", METRIC_COUNTER,
	              "CPU time spent by all threads, user and system.");
	metric_sample(out, "process_cpu_seconds_total", NULL, (double)process.cpu_ticks * tick_s);
	gauge(out, "process_resident_memory_bytes", "Memory in use.",
	      (double)process.resident_bytes);
	gauge(out, "process_virtual_memory_bytes", "Address space in use.",
	      (double)process.virtual_bytes);
	gauge(out, "process_threads", "Threads.", (double)process.threads);
	gauge(out, "process_start_time_seconds", "Start of the process, seconds since 1970.",
	      process_start_s(process.start_ticks, tick_s));
}

static void descriptor_metrics(struct text *out)
{
	DIR *dir = opendir("/proc/self/fd");
	if (dir != NULL) {
		double count = -1; /* our own look */
		for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
			count += entry->d_name[0] != '.';
		}
		closedir(dir);
		gauge(out, "process_open_fds", "Open descriptors.", count);
	}
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		gauge(out, "process_max_fds", "Descriptors that may be open.",
		      (double)limit.rlim_cur);
	}
}

void http_process_metrics(struct text *out)
{
	stat_metrics(out);
	descriptor_metrics(out);
}
