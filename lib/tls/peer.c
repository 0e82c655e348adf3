#include "base/fail.h"
#include "tls/tls_int.h"
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_MARK      "sha256/"
#define KEY_BASE64    44
#define NAME_MAX_SIZE 253

/* The CAs of connections to come; a connection holds those that it began with. */
static pthread_mutex_t trust_lock = PTHREAD_MUTEX_INITIALIZER;
static X509_STORE *trust;

/* --- Who --- */

/* 44 octets of base64 that stand for 32. */
static bool key_parse(const char *text, size_t len, uint8_t *ret_hash)
{
	uint8_t bytes[KEY_BASE64 / 4 * 3];
	if (len != KEY_BASE64 || text[43] != '=' || text[42] == '=') {
		return false;
	}
	bool right = EVP_DecodeBlock(bytes, (const uint8_t *)text, KEY_BASE64) == sizeof(bytes);
	ERR_clear_error();
	if (right) {
		memcpy(ret_hash, bytes, TLS_KEY_HASH);
	}
	return right;
}

/* Labels of 1 to 63 letters, digits, - and _, with dots between. */
static bool name_valid(const char *text, size_t len)
{
	size_t label = 0;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		             (c >= '0' && c <= '9') || c == '-' || c == '_';
		if (c == '.' ? label == 0 : !plain || ++label > 63) {
			return false;
		}
		label = c == '.' ? 0 : label;
	}
	return len > 0 && len <= NAME_MAX_SIZE && label > 0;
}

/* One word into peer. 0, FAIL_FORMAT, FAIL_NOMEM. */
static int word_take(struct tls_peer *peer, const char *word, size_t len)
{
	size_t mark = strlen(KEY_MARK);
	if (peer->name_count + peer->key_count == TLS_WORDS_MAX) {
		return FAIL_FORMAT;
	}
	if (len > mark && strncmp(word, KEY_MARK, mark) == 0) {
		if (!key_parse(word + mark, len - mark, peer->keys[peer->key_count])) {
			return FAIL_FORMAT;
		}
		peer->key_count++;
		return 0;
	}
	if (!name_valid(word, len)) {
		return FAIL_FORMAT;
	}
	peer->names[peer->name_count] = strndup(word, len);
	return peer->names[peer->name_count++] == NULL ? FAIL_NOMEM : 0;
}

static int peer_parse(const char *text, struct tls_peer **ret_peer)
{
	struct tls_peer *peer = calloc(1, sizeof(*peer));
	int ret = peer == NULL ? FAIL_NOMEM : 0;
	const char *at = text + strspn(text, " ");
	while (ret == 0 && *at != '\0') {
		size_t len = strcspn(at, " ");
		ret = word_take(peer, at, len);
		at += len;
		at += strspn(at, " ");
	}
	if (ret != 0) {
		tls_peer_free(&peer);
	}
	*ret_peer = peer;
	return ret;
}

bool tls_peer_valid(const char *text)
{
	struct tls_peer *peer;
	int ret = peer_parse(text, &peer);
	bool valid = ret == 0 && peer->name_count + peer->key_count > 0;
	tls_peer_free(&peer);
	return valid;
}

struct tls_peer *tls_peer_new(const char *text)
{
	struct tls_peer *peer;
	if (peer_parse(text, &peer) != 0) {
		return NULL;
	}
	pthread_mutex_lock(&trust_lock);
	bool loaded = trust != NULL || peer->name_count == 0;
	pthread_mutex_unlock(&trust_lock);
	if (!loaded && tls_trust_load() != 0) {
		tls_peer_free(&peer);
	}
	return peer;
}

void tls_peer_free(struct tls_peer **ptr)
{
	struct tls_peer *peer = *ptr;
	*ptr = NULL;
	if (peer == NULL) {
		return;
	}
	for (unsigned int i = 0; i < peer->name_count; i++) {
		free(peer->names[i]);
	}
	free(peer);
}

/* --- Trust --- */

int tls_trust_load(void)
{
	X509_STORE *store = X509_STORE_new();
	if (store == NULL) {
		return FAIL_NOMEM;
	}
	X509_STORE_set_default_paths(store); /* places that are not there are no trouble */
	ERR_clear_error();
	pthread_mutex_lock(&trust_lock);
	X509_STORE *old = trust;
	trust = store;
	pthread_mutex_unlock(&trust_lock);
	X509_STORE_free(old);
	return 0;
}

bool tls__key_hash(const X509 *cert, uint8_t *ret_hash)
{
	uint8_t *spki = NULL;
	int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &spki);
	bool done =
		size > 0 && EVP_Digest(spki, (size_t)size, ret_hash, NULL, EVP_sha256(), NULL) == 1;
	OPENSSL_free(spki);
	return done;
}

const char *tls__key_text(const uint8_t *hash, char *buf)
{
	memcpy(buf, KEY_MARK, strlen(KEY_MARK) + 1);
	EVP_EncodeBlock((uint8_t *)buf + strlen(KEY_MARK), hash, TLS_KEY_HASH);
	return buf;
}

static bool key_known(struct tls *tls, const X509 *cert)
{
	const struct tls_peer *peer = tls->peer;
	uint8_t hash[TLS_KEY_HASH] = {0};
	char text[TLS_KEY_TEXT];
	if (cert == NULL || !tls__key_hash(cert, hash)) {
		return false;
	}
	for (unsigned int i = 0; i < peer->key_count; i++) {
		if (memcmp(peer->keys[i], hash, sizeof(hash)) == 0) {
			return true;
		}
	}
	snprintf(tls->error, sizeof(tls->error),
	         "its key is %s, which tls does not name: correct tls if that is the right key",
	         tls__key_text(hash, text));
	return false;
}

/* The first name that the certificate is for, "" when it has none. */
static void certificate_name(const X509 *cert, char *buf, size_t size)
{
	GENERAL_NAMES *names =
		cert == NULL ? NULL : X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	buf[0] = '\0';
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		if (name->type == GEN_DNS) {
			snprintf(buf, size, "%.*s", ASN1_STRING_length(name->d.dNSName),
			         (const char *)ASN1_STRING_get0_data(name->d.dNSName));
			break;
		}
	}
	GENERAL_NAMES_free(names);
}

/* Why the certificate will not do, and what would help. */
static void say_why(struct tls *tls, X509_STORE_CTX *store)
{
	char name[128];
	int verdict = X509_STORE_CTX_get_error(store);
	switch (verdict) {
	case X509_V_ERR_HOSTNAME_MISMATCH:
		certificate_name(X509_STORE_CTX_get0_cert(store), name, sizeof(name));
		snprintf(tls->error, sizeof(tls->error),
		         "its certificate is for %s, not for %s: correct the name in tls, or the "
		         "certificate",
		         name[0] != '\0' ? name : "no name", tls->peer->names[0]);
		break;
	case X509_V_ERR_CERT_HAS_EXPIRED:
		snprintf(tls->error, sizeof(tls->error),
		         "its certificate has expired: renew it there");
		break;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		snprintf(tls->error, sizeof(tls->error),
		         "its certificate is not valid yet: compare the clocks");
		break;
	default:
		snprintf(tls->error, sizeof(tls->error),
		         "its certificate is not trusted (%s): add its CA to this system's, or "
		         "give its key as sha256/... in tls",
		         X509_verify_cert_error_string(verdict));
		break;
	}
}

/* Instead of OpenSSL's own look at the certificate. */
static int verify(X509_STORE_CTX *store, void *arg)
{
	const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls *tls = tls__of(ssl);
	const struct tls_peer *peer = tls->peer;
	if (peer->key_count > 0 && !key_known(tls, X509_STORE_CTX_get0_cert(store))) {
		X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
		return 0;
	}
	if (peer->name_count > 0) {
		bool trusted = X509_verify_cert(store) > 0;
		if (!trusted) {
			say_why(tls, store);
		}
		return trusted;
	}
	X509_STORE_CTX_set_error(store, X509_V_OK);
	return 1;
}

/* --- Sessions --- */

struct tls_session {
	SSL_SESSION *ssl;
};

void tls_session_free(struct tls_session **ptr)
{
	if (*ptr != NULL) {
		SSL_SESSION_free((*ptr)->ssl);
		free(*ptr);
		*ptr = NULL;
	}
}

/* Returns 1 when it keeps the session. */
static int session_new(SSL *ssl, SSL_SESSION *session)
{
	struct tls_session **slot = tls__of(ssl)->session;
	if (*slot == NULL) {
		*slot = calloc(1, sizeof(**slot));
	}
	if (*slot == NULL) {
		return 0;
	}
	SSL_SESSION_free((*slot)->ssl);
	(*slot)->ssl = session;
	return 1;
}

/* --- The context --- */

static SSL_CTX *context;

static void context_make(void)
{
	static const uint8_t alpn[] = {3, 'd', 'o', 't'};
	context = SSL_CTX_new(TLS_client_method());
	if (context == NULL) {
		return;
	}
	tls__context_common(context);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(context, verify, NULL);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(context, session_new);
	if (SSL_CTX_set_alpn_protos(context, alpn, sizeof(alpn)) != 0) {
		SSL_CTX_free(context);
		context = NULL;
	}
}

SSL_CTX *peer__context(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, context_make);
	return context;
}

bool peer__apply(const struct tls_peer *peer, struct tls *tls)
{
	SSL *ssl = tls->ssl;
	bool done = true;
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	for (unsigned int i = 0; done && i < peer->name_count; i++) {
		done = SSL_add1_host(ssl, peer->names[i]) == 1;
	}
	if (done && peer->name_count > 0) {
		done = SSL_set_tlsext_host_name(ssl, peer->names[0]) == 1;
		pthread_mutex_lock(&trust_lock);
		done = done && SSL_set1_verify_cert_store(ssl, trust) == 1;
		pthread_mutex_unlock(&trust_lock);
	}
	if (done && *tls->session != NULL) {
		SSL_set_session(ssl, (*tls->session)->ssl); /* else a full handshake */
	}
	return done;
}
