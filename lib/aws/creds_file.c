#include "aws/creds_int.h"
#include "base/fail.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *creds__variable(const char *name)
{
	const char *value = getenv(name);
	return value == NULL || value[0] == '\0' ? NULL : value;
}

void creds__text_free(char **text)
{
	if (*text != NULL) {
		explicit_bzero(*text, strlen(*text));
	}
	free(*text);
	*text = NULL;
}

/* Until the end of the file or the bound. */
static int bytes_read(int fd, char *buf, size_t max, size_t *ret_size)
{
	size_t size = 0;
	while (size <= max) {
		ssize_t n = read(fd, buf + size, max + 1 - size);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return -errno;
		}
		if (n == 0) {
			*ret_size = size;
			return 0;
		}
		size += (size_t)n;
	}
	return FAIL_LIMIT;
}

int creds__file_read(const char *path, size_t max, char **ret_text, size_t *ret_size)
{
	size_t size = 0;
	/* What is no file must not hold us up. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		return -errno;
	}
	char *text = malloc(max + 2);
	int ret = text == NULL ? FAIL_NOMEM : bytes_read(fd, text, max, &size);
	close(fd);
	if (ret != 0) {
		if (text != NULL) {
			explicit_bzero(text, max + 2);
		}
		free(text);
		return ret;
	}
	text[size] = '\0';
	*ret_text = text;
	*ret_size = size;
	return 0;
}

/* What may stand in a header or a form: no line ends within. */
static bool token_good(const char *token)
{
	for (const char *at = token; *at != '\0'; at++) {
		if (*at < ' ' || *at > '~') {
			return false;
		}
	}
	return token[0] != '\0';
}

int creds__token_read(const char *path, size_t max, char **ret_token)
{
	char *token = NULL;
	size_t size = 0;
	int ret = creds__file_read(path, max, &token, &size);
	if (ret != 0) {
		return ret;
	}
	while (size > 0 && strchr(" \t\r\n", token[size - 1]) != NULL) {
		token[--size] = '\0';
	}
	if (strlen(token) != size || !token_good(token)) {
		explicit_bzero(token, size);
		free(token);
		return FAIL_FORMAT;
	}
	*ret_token = token;
	return 0;
}
