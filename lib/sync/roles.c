#include "sync/sync_int.h"
#include <stdlib.h>
#include <string.h>

/* --- Settings --- */

static const char *same_text(const char *text)
{
	return text;
}

static bool role_copy(struct sync_settings_role *role, const struct sync_role *from)
{
	role->role_arn = strdup(from->role_arn);
	role->external_id = strdup(from->external_id == NULL ? "" : from->external_id);
	role->account_count = from->account_count;
	role->accounts = sync_settings__texts(from->accounts, from->account_count, same_text);
	role->zone_count = from->zone_count;
	role->zones = sync_settings__texts(from->zones, from->zone_count, sync_settings__bare_id);
	return role->role_arn != NULL && role->external_id != NULL && role->accounts != NULL &&
	       role->zones != NULL;
}

bool sync_roles__copy(struct sync_settings *settings, const struct sync_opts *opts)
{
	settings->roles = calloc(opts->role_count + 1, sizeof(*settings->roles));
	if (settings->roles == NULL) {
		return false;
	}
	bool copied = true;
	for (size_t i = 0; i < opts->role_count && copied; i++) {
		settings->role_count = i + 1;
		copied = role_copy(&settings->roles[i], &opts->roles[i]);
	}
	return copied;
}

void sync_roles__free(struct sync_settings *settings)
{
	for (size_t i = 0; i < settings->role_count; i++) {
		struct sync_settings_role *role = &settings->roles[i];
		free(role->role_arn);
		free(role->external_id);
		sync_settings__texts_free(role->accounts, role->account_count);
		sync_settings__texts_free(role->zones, role->zone_count);
	}
	free(settings->roles);
}

bool sync_roles__same(const struct sync_settings *a, const struct sync_settings *b)
{
	bool same = a->role_count == b->role_count;
	for (size_t i = 0; i < a->role_count && same; i++) {
		same = strcmp(a->roles[i].role_arn, b->roles[i].role_arn) == 0 &&
		       strcmp(a->roles[i].external_id, b->roles[i].external_id) == 0;
	}
	return same;
}

/* --- Whose role --- */

static bool is_in(char *const *texts, size_t count, const char *text)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(texts[i], text) == 0) {
			return true;
		}
	}
	return false;
}

/* "arn:aws:iam::111122223333:role/x" is of 111122223333. */
static bool arn_is_of(const char *arn, const char *account)
{
	for (unsigned int colons = 0; colons < 4 && arn != NULL; colons++) {
		arn = strchr(arn, ':');
		arn = arn == NULL ? NULL : arn + 1;
	}
	size_t len = strlen(account);
	return arn != NULL && strncmp(arn, account, len) == 0 && arn[len] == ':';
}

static bool role_is_for(const struct sync_settings_role *role, const char *account)
{
	if (account[0] == '\0') {
		return false;
	}
	if (role->account_count == 0 && role->zone_count == 0) {
		return arn_is_of(role->role_arn, account);
	}
	return is_in(role->accounts, role->account_count, account);
}

size_t sync_roles__of(const struct sync_settings *settings, const struct sync_zone *zone)
{
	for (size_t i = 0; i < settings->role_count; i++) {
		if (is_in(settings->roles[i].zones, settings->roles[i].zone_count, zone->id)) {
			return i;
		}
	}
	for (size_t i = 0; i < settings->role_count; i++) {
		if (role_is_for(&settings->roles[i], zone->account)) {
			return i;
		}
	}
	return SIZE_MAX;
}
