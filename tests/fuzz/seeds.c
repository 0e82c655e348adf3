/* Feeds every file of the given directories to a fuzz target once: seeds and past finds, in each test run. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SEED_MAX 65536

static int feed_file(const char *dir, const char *name)
{
	static uint8_t bytes[SEED_MAX];
	char path[4096];
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	FILE *file = fopen(path, "rb");
	if (file == NULL) {
		perror(path);
		return 1;
	}
	size_t size = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);

	uint8_t *exact = malloc(size > 0 ? size : 1); /* so that sanitizers see its end */
	if (exact == NULL) {
		return 1;
	}
	for (size_t i = 0; i < size; i++) {
		exact[i] = bytes[i];
	}
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
	return 0;
}

/* How many files went wrong; none at all in a directory is wrong too. */
static int feed_dir(const char *path)
{
	DIR *dir = opendir(path);
	if (dir == NULL) {
		perror(path);
		return 1;
	}
	int bad = 0;
	int count = 0;
	for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
		if (entry->d_name[0] != '.') {
			bad += feed_file(path, entry->d_name);
			count++;
		}
	}
	closedir(dir);
	printf("%s: %d seeds\n", path, count);
	return count > 0 ? bad : 1;
}

int main(int argc, char **argv)
{
	int bad = 0;
	for (int i = 1; i < argc; i++) {
		bad += feed_dir(argv[i]);
	}
	return bad == 0 ? 0 : 1;
}
