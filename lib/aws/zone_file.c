#include "aws/zone_list.h"
#include "base/fail.h"
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX   (512u << 20)
#define VALUES_MAX 4096

/*
 * The outer object and its list are walked here and one set at a time is given to the library: memory
 * for one set instead of a tree of all, and a line number for what is wrong inside a set.
 */
struct file {
	const char *path;
	char *text;
	size_t size;
	size_t pos;
	size_t line_pos; /* line_now is the line of this octet */
	unsigned int line_now;
	aws_record_set_fn *fn;
	void *ctx;
	bool has_list;
	char *err;
	size_t err_size;
};

static unsigned int line_here(struct file *file)
{
	while (file->line_pos < file->pos) {
		file->line_now += file->text[file->line_pos++] == '\n';
	}
	return file->line_now;
}

__attribute__((format(printf, 4, 5))) static int fail_at(struct file *file, int ret,
                                                         unsigned int line, const char *format, ...)
{
	int len = snprintf(file->err, file->err_size, "%s:%u: ", file->path, line);
	if (len >= 0 && (size_t)len < file->err_size) {
		va_list args;
		va_start(args, format);
		vsnprintf(file->err + len, file->err_size - (size_t)len, format, args);
		va_end(args);
	}
	return ret;
}

static int fail_system(struct file *file)
{
	int ret = -errno;
	snprintf(file->err, file->err_size, "%s: %s", file->path, fail_text(ret));
	return ret;
}

/* --- Reading --- */

static int read_all(struct file *file, int fd)
{
	while (file->pos < file->size) {
		ssize_t n = read(fd, file->text + file->pos, file->size - file->pos);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return fail_system(file);
		}
		if (n == 0) {
			break; /* it shrank */
		}
		file->pos += (size_t)n;
	}
	file->size = file->pos;
	file->pos = 0;
	return 0;
}

static int file_load(struct file *file)
{
	struct stat st;
	int ret = 0;
	/* Not to hang on a FIFO. */
	int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		return fail_system(file);
	}
	if (fstat(fd, &st) != 0) {
		ret = fail_system(file);
	} else if (!S_ISREG(st.st_mode)) {
		ret = fail_at(file, FAIL_FORMAT, 1, "not a regular file");
	} else if (st.st_size > (off_t)FILE_MAX) {
		ret = fail_at(file, FAIL_LIMIT, 1, "larger than %u MiB", FILE_MAX >> 20);
	} else {
		file->size = (size_t)st.st_size;
		file->text = malloc(file->size + 1);
		ret = file->text == NULL ? fail_at(file, FAIL_NOMEM, 1, "out of memory")
		                         : read_all(file, fd);
	}
	close(fd);
	return ret;
}

/* --- JSON, a piece at a time --- */

/* The next octet that is no blank, left in place; 0 at the end. */
static char peek(struct file *file)
{
	while (file->pos < file->size && strchr(" \t\r\n", file->text[file->pos]) != NULL &&
	       file->text[file->pos] != '\0') {
		file->pos++;
	}
	return file->pos < file->size ? file->text[file->pos] : '\0';
}

static int expect(struct file *file, char wanted, const char *where)
{
	if (peek(file) != wanted) {
		return fail_at(file, FAIL_FORMAT, line_here(file), "`%c` expected %s", wanted,
		               where);
	}
	file->pos++;
	return 0;
}

/* One whole value. NULL: err is set. */
static json_t *value_load(struct file *file)
{
	json_error_t error;
	peek(file);
	unsigned int line = line_here(file);
	json_t *value = json_loadb(
		file->text + file->pos, file->size - file->pos,
		JSON_DECODE_ANY | JSON_DISABLE_EOF_CHECK | JSON_REJECT_DUPLICATES, &error);
	if (value == NULL) {
		unsigned int below = error.line > 0 ? (unsigned int)error.line - 1 : 0;
		fail_at(file, FAIL_FORMAT, line + below, "%s", error.text);
		return NULL;
	}
	file->pos += (size_t)error.position;
	return value;
}

/* A comma: *ret_more is true; else the closing bracket, passed over. */
static int list_next(struct file *file, char closing, bool *ret_more)
{
	if (peek(file) == ',') {
		file->pos++;
		*ret_more = true;
		return 0;
	}
	*ret_more = false;
	return expect(file, closing, "or a comma");
}

/* --- A set --- */

struct set_reader {
	struct file *file;
	const json_t *object;
	unsigned int line;
	const char *name;
	const char *type;
};

static int fail_in_set(const struct set_reader *reader, int ret, const char *what, const char *key)
{
	return fail_at(reader->file, ret, reader->line, "set `%.128s` %.16s: %s%s",
	               reader->name == NULL ? "?" : reader->name,
	               reader->type == NULL ? "?" : reader->type, key, what);
}

/* Absent and null leave *ret alone. */
static int text_get(const struct set_reader *reader, const json_t *object, const char *key,
                    const char **ret)
{
	const json_t *value = json_object_get(object, key);
	if (value == NULL || json_is_null(value)) {
		return 0;
	}
	if (!json_is_string(value)) {
		return fail_in_set(reader, FAIL_FORMAT, " is not a text", key);
	}
	*ret = json_string_value(value);
	return 0;
}

static int number_get(const struct set_reader *reader, const char *key, bool *ret_has,
                      uint32_t *ret)
{
	const json_t *value = json_object_get(reader->object, key);
	if (value == NULL || json_is_null(value)) {
		return 0;
	}
	json_int_t number = json_integer_value(value);
	if (!json_is_integer(value) || number < 0 || number > UINT32_MAX) {
		return fail_in_set(reader, FAIL_FORMAT, " is not a whole number from 0 on", key);
	}
	*ret_has = true;
	*ret = (uint32_t)number;
	return 0;
}

static int bool_get(const struct set_reader *reader, const json_t *object, const char *key,
                    bool *ret)
{
	const json_t *value = json_object_get(object, key);
	if (value == NULL || json_is_null(value)) {
		return 0;
	}
	if (!json_is_boolean(value)) {
		return fail_in_set(reader, FAIL_FORMAT, " is neither true nor false", key);
	}
	*ret = json_is_true(value);
	return 0;
}

/* *ret is NULL when there is none. */
static int object_get(const struct set_reader *reader, const char *key, const json_t **ret)
{
	const json_t *value = json_object_get(reader->object, key);
	*ret = NULL;
	if (value == NULL || json_is_null(value)) {
		return 0;
	}
	if (!json_is_object(value)) {
		return fail_in_set(reader, FAIL_FORMAT, " is not an object", key);
	}
	*ret = value;
	return 0;
}

static int identity_get(struct set_reader *reader, struct aws_record_set *set)
{
	int ret = text_get(reader, reader->object, "Name", &set->name);
	reader->name = set->name;
	if (ret == 0) {
		ret = text_get(reader, reader->object, "Type", &set->type);
		reader->type = set->type;
	}
	if (ret == 0 && (set->name == NULL || set->type == NULL)) {
		ret = fail_in_set(reader, FAIL_FORMAT, " is missing",
		                  set->name == NULL ? "Name" : "Type");
	}
	return ret;
}

static int texts_get(const struct set_reader *reader, struct aws_record_set *set)
{
	const struct {
		const char *key;
		const char **at;
	} texts[] = {
		{"SetIdentifier", &set->set_identifier},
		{"Region", &set->region},
		{"Failover", &set->failover},
		{"HealthCheckId", &set->health_check},
		{"TrafficPolicyInstanceId", &set->traffic_policy_instance},
	};
	int ret = 0;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]) && ret == 0; i++) {
		ret = text_get(reader, reader->object, texts[i].key, texts[i].at);
	}
	return ret;
}

static int numbers_get(const struct set_reader *reader, struct aws_record_set *set)
{
	int ret = number_get(reader, "TTL", &set->has_ttl, &set->ttl_s);
	if (ret == 0) {
		ret = number_get(reader, "Weight", &set->has_weight, &set->weight);
	}
	if (ret == 0) {
		ret = bool_get(reader, reader->object, "MultiValueAnswer", &set->multivalue);
	}
	return ret;
}

/* The coordinates are texts, the bias is a number. */
static int geoproximity_get(const struct set_reader *reader, struct aws_record_set *set)
{
	const json_t *geo;
	int ret = object_get(reader, "GeoProximityLocation", &geo);
	if (ret != 0 || geo == NULL) {
		return ret;
	}
	set->has_geoproximity = true;
	ret = text_get(reader, geo, "AWSRegion", &set->proximity_region);
	ret = ret != 0 ? ret : text_get(reader, geo, "LocalZoneGroup", &set->proximity_group);
	const json_t *point = json_object_get(geo, "Coordinates");
	if (ret == 0 && json_is_object(point)) {
		ret = text_get(reader, point, "Latitude", &set->proximity_latitude);
		ret = ret != 0 ? ret
		               : text_get(reader, point, "Longitude", &set->proximity_longitude);
	}
	const json_t *bias = json_object_get(geo, "Bias");
	set->proximity_bias = (int)json_integer_value(bias);
	return ret;
}

static int parts_get(const struct set_reader *reader, struct aws_record_set *set)
{
	const json_t *alias, *geo, *other;
	int ret = object_get(reader, "AliasTarget", &alias);
	if (ret == 0 && alias != NULL) {
		ret = text_get(reader, alias, "HostedZoneId", &set->alias_zone_id);
		ret = ret != 0 ? ret : text_get(reader, alias, "DNSName", &set->alias_name);
		ret = ret != 0 ? ret
		               : bool_get(reader, alias, "EvaluateTargetHealth",
		                          &set->alias_evaluate_health);
		if (ret == 0 && set->alias_name == NULL) {
			ret = fail_in_set(reader, FAIL_FORMAT, " has no DNSName", "AliasTarget");
		}
	}
	ret = ret != 0 ? ret : object_get(reader, "GeoLocation", &geo);
	if (ret == 0 && geo != NULL) {
		ret = text_get(reader, geo, "ContinentCode", &set->geo_continent);
		ret = ret != 0 ? ret : text_get(reader, geo, "CountryCode", &set->geo_country);
		ret = ret != 0 ? ret
		               : text_get(reader, geo, "SubdivisionCode", &set->geo_subdivision);
	}
	ret = ret != 0 ? ret : object_get(reader, "CidrRoutingConfig", &other);
	set->has_cidr = ret == 0 && other != NULL;
	return ret != 0 ? ret : geoproximity_get(reader, set);
}

/* *ret_values is malloc'ed; the texts in it are the library's. */
static int values_get(const struct set_reader *reader, const char ***ret_values, size_t *ret_count)
{
	const json_t *list = json_object_get(reader->object, "ResourceRecords");
	if (list == NULL || json_is_null(list)) {
		return 0;
	}
	if (!json_is_array(list)) {
		return fail_in_set(reader, FAIL_FORMAT, " is not a list", "ResourceRecords");
	}
	size_t count = json_array_size(list);
	if (count > VALUES_MAX) {
		return fail_in_set(reader, FAIL_LIMIT, " is too long", "ResourceRecords");
	}
	const char **values = calloc(count + 1, sizeof(*values));
	if (values == NULL) {
		return fail_in_set(reader, FAIL_NOMEM, "out of memory", "");
	}
	for (size_t i = 0; i < count; i++) {
		values[i] = json_string_value(json_object_get(json_array_get(list, i), "Value"));
		if (values[i] == NULL) {
			free(values);
			return fail_in_set(reader, FAIL_FORMAT, " has an item without a Value",
			                   "ResourceRecords");
		}
	}
	*ret_values = values;
	*ret_count = count;
	return 0;
}

static int set_read(struct file *file, const json_t *object, unsigned int line)
{
	struct set_reader reader = {.file = file, .object = object, .line = line};
	struct aws_record_set set = {0};
	const char **values = NULL;
	if (!json_is_object(object)) {
		return fail_at(file, FAIL_FORMAT, line, "a record set that is not an object");
	}
	int ret = identity_get(&reader, &set);
	ret = ret != 0 ? ret : texts_get(&reader, &set);
	ret = ret != 0 ? ret : numbers_get(&reader, &set);
	ret = ret != 0 ? ret : parts_get(&reader, &set);
	ret = ret != 0 ? ret : values_get(&reader, &values, &set.value_count);
	if (ret == 0) {
		set.values = values;
		ret = file->fn(file->ctx, &set);
		if (ret != 0) {
			fail_in_set(&reader, ret, fail_text(ret), "");
		}
	}
	free(values);
	return ret;
}

/* --- The file --- */

static int list_read(struct file *file)
{
	int ret = expect(file, '[', "after `ResourceRecordSets`");
	bool more = ret == 0 && peek(file) != ']';
	if (ret == 0 && !more) {
		file->pos++;
	}
	while (ret == 0 && more) {
		peek(file);
		unsigned int line = line_here(file);
		json_t *object = value_load(file);
		if (object == NULL) {
			return FAIL_FORMAT;
		}
		ret = set_read(file, object, line);
		json_decref(object);
		ret = ret != 0 ? ret : list_next(file, ']', &more);
	}
	return ret;
}

/* What says that the listing goes on elsewhere: the API's own members, and the CLI's. */
static bool means_cut_off(const char *key, const json_t *value)
{
	if (strcmp(key, "IsTruncated") == 0) {
		return json_is_true(value);
	}
	return (strcmp(key, "NextRecordName") == 0 || strcmp(key, "NextToken") == 0) &&
	       !json_is_null(value);
}

static int member_read(struct file *file, const char *key, unsigned int line)
{
	int ret = expect(file, ':', "after a name");
	if (ret != 0) {
		return ret;
	}
	if (strcmp(key, "ResourceRecordSets") == 0) {
		if (file->has_list) {
			return fail_at(file, FAIL_FORMAT, line,
			               "`ResourceRecordSets` is there twice");
		}
		file->has_list = true;
		return list_read(file);
	}
	json_t *value = value_load(file);
	if (value == NULL) {
		return FAIL_FORMAT;
	}
	if (means_cut_off(key, value)) {
		ret = fail_at(file, FAIL_FORMAT, line,
		              "`%s`: the listing was cut off; save all of its pages", key);
	}
	json_decref(value);
	return ret;
}

static int members_read(struct file *file)
{
	int ret = expect(file, '{', "at the beginning: saved list-resource-record-sets output");
	bool more = ret == 0 && peek(file) != '}';
	if (ret == 0 && !more) {
		file->pos++;
	}
	while (ret == 0 && more) {
		peek(file);
		unsigned int line = line_here(file);
		json_t *key = value_load(file);
		if (key == NULL) {
			return FAIL_FORMAT;
		}
		ret = json_is_string(key) ? member_read(file, json_string_value(key), line)
		                          : fail_at(file, FAIL_FORMAT, line, "a name expected");
		json_decref(key);
		ret = ret != 0 ? ret : list_next(file, '}', &more);
	}
	return ret;
}

int aws_zone_file_read(const char *path, aws_record_set_fn *fn, void *ctx, char *err,
                       size_t err_size)
{
	struct file file = {
		.path = path,
		.line_now = 1,
		.fn = fn,
		.ctx = ctx,
		.err = err,
		.err_size = err_size,
	};
	int ret = file_load(&file);
	ret = ret != 0 ? ret : members_read(&file);
	peek(&file);
	if (ret == 0 && file.pos < file.size) {
		ret = fail_at(&file, FAIL_FORMAT, line_here(&file), "more text behind the end");
	}
	if (ret == 0 && !file.has_list) {
		ret = fail_at(&file, FAIL_FORMAT, 1, "no `ResourceRecordSets` in it");
	}
	free(file.text);
	return ret;
}
