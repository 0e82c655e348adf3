#include "base/fail.h"
#include "base/mono.h"
#include "base/random.h"
#include "tls/tls_int.h"
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TICKET_LIFE_S 7200 /* a key makes tickets for so long, and is known once as long */

struct ticket_key {
	uint8_t name[16];
	uint8_t cipher[32];
	uint8_t mac[32];
};

/* Shared by the hosts of one listener, so that a new certificate costs nobody his session. */
struct tickets {
	uint32_t refs;
	pthread_mutex_t lock;
	uint64_t born_ms;
	struct ticket_key keys[2]; /* the one in use, the one before */
};

struct tls_host {
	uint32_t refs;
	SSL_CTX *context;
	struct tickets *tickets;
};

/* --- Tickets --- */

static struct tickets *tickets_new(void)
{
	struct tickets *tickets = calloc(1, sizeof(*tickets));
	if (tickets != NULL) {
		tickets->refs = 1;
		pthread_mutex_init(&tickets->lock, NULL);
		random_bytes(tickets->keys, sizeof(tickets->keys));
		tickets->born_ms = mono_ms();
	}
	return tickets;
}

static struct tickets *tickets_ref(struct tickets *tickets)
{
	__atomic_fetch_add(&tickets->refs, 1, __ATOMIC_RELAXED);
	return tickets;
}

static void tickets_unref(struct tickets *tickets)
{
	if (tickets != NULL && __atomic_sub_fetch(&tickets->refs, 1, __ATOMIC_ACQ_REL) == 0) {
		pthread_mutex_destroy(&tickets->lock);
		OPENSSL_cleanse(tickets->keys, sizeof(tickets->keys));
		free(tickets);
	}
}

/* With the lock held. After a long rest neither key is of use any more. */
static void tickets_turn(struct tickets *tickets, uint64_t now_ms)
{
	for (int i = 0; i < 2 && now_ms - tickets->born_ms >= TICKET_LIFE_S * UINT64_C(1000); i++) {
		tickets->keys[1] = tickets->keys[0];
		random_bytes(&tickets->keys[0], sizeof(tickets->keys[0]));
		tickets->born_ms += TICKET_LIFE_S * UINT64_C(1000);
	}
	if (now_ms - tickets->born_ms >= TICKET_LIFE_S * UINT64_C(1000)) {
		tickets->born_ms = now_ms;
	}
}

/* The key to use: name NULL, the present one; else that of the name. 0: none, 1, or 2: an old one. */
static int tickets_key(struct tickets *tickets, const uint8_t *name, struct ticket_key *ret_key)
{
	int found = 0;
	pthread_mutex_lock(&tickets->lock);
	tickets_turn(tickets, mono_ms());
	for (int i = 0; i < 2 && found == 0; i++) {
		if (name == NULL ||
		    memcmp(name, tickets->keys[i].name, sizeof(tickets->keys[i].name)) == 0) {
			*ret_key = tickets->keys[i];
			found = i + 1;
		}
	}
	pthread_mutex_unlock(&tickets->lock);
	return found;
}

/* As OpenSSL wants it: -1 trouble, 0 an unknown key, 1 done, 2 done, and give a new ticket. */
static int ticket_cipher(SSL *ssl, uint8_t *name, uint8_t *iv, EVP_CIPHER_CTX *cipher,
                         EVP_MAC_CTX *mac, int encrypt)
{
	struct tickets *tickets = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), 0);
	struct ticket_key key;
	char digest[] = "SHA256";
	int found = tickets_key(tickets, encrypt != 0 ? NULL : name, &key);
	if (found == 0) {
		return 0;
	}
	if (encrypt != 0) {
		memcpy(name, key.name, sizeof(key.name));
		random_bytes(iv, 16);
	}
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.mac, sizeof(key.mac)),
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};
	bool done =
		EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key.cipher, iv, encrypt) == 1 &&
		EVP_MAC_CTX_set_params(mac, params) == 1;
	OPENSSL_cleanse(&key, sizeof(key));
	/* In TLS 1.3 a ticket is for one connection (RFC 8446, C.4): each brings a new one. */
	bool renew = found == 2 || SSL_version(ssl) >= TLS1_3_VERSION;
	return !done ? -1 : encrypt == 0 && renew ? 2 : 1;
}

/* --- ALPN --- */

/* Who names protocols, but not ours, meant to speak to somebody else (RFC 7301, section 3.2). */
static int alpn_choose(SSL *ssl, const uint8_t **ret_name, uint8_t *ret_size, const uint8_t *offer,
                       unsigned int size, void *arg)
{
	for (unsigned int at = 0; at < size && at + 1 + offer[at] <= size; at += 1u + offer[at]) {
		if (offer[at] == 3 && memcmp(offer + at + 1, "dot", 3) == 0) {
			*ret_name = offer + at + 1;
			*ret_size = 3;
			return SSL_TLSEXT_ERR_OK;
		}
	}
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* --- A host --- */

/* A key under a pass phrase: nobody is there to type it. */
static int no_pass_phrase(char *buf, int size, int writing, void *arg)
{
	return -1;
}

static const char *openssl_words(void)
{
	const char *words = ERR_reason_error_string(ERR_peek_last_error());
	ERR_clear_error();
	return words == NULL ? "no such thing in it" : words;
}

static int file_check(const char *path, bool secret, char *err, size_t err_size)
{
	struct stat st;
	if (stat(path, &st) != 0 || access(path, R_OK) != 0) {
		snprintf(err, err_size, "%s cannot be read: %s", path, fail_text(-errno));
		return -errno;
	}
	if (!S_ISREG(st.st_mode)) {
		snprintf(err, err_size, "%s is no file", path);
		return FAIL_FORMAT;
	}
	if (secret && (st.st_mode & (S_IROTH | S_IWOTH)) != 0) {
		snprintf(err, err_size, "%s is open to others; mode 0600 or 0640 would be right",
		         path);
		return FAIL_DENIED;
	}
	return 0;
}

static int context_load(SSL_CTX *context, const char *certificate, const char *key, char *err,
                        size_t err_size)
{
	int ret = file_check(certificate, false, err, err_size);
	ret = ret != 0 ? ret : file_check(key, true, err, err_size);
	if (ret != 0) {
		return ret;
	}
	SSL_CTX_set_default_passwd_cb(context, no_pass_phrase);
	if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1) {
		snprintf(err, err_size, "%s is no certificate in PEM: %s", certificate,
		         openssl_words());
		return FAIL_FORMAT;
	}
	if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1) {
		snprintf(err, err_size, "%s is no key to the certificate: %s", key,
		         openssl_words());
		return FAIL_FORMAT;
	}
	return 0;
}

bool tls_host_expired(const struct tls_host *host)
{
	const X509 *cert = SSL_CTX_get0_certificate(host->context);
	return X509_cmp_current_time(X509_get0_notAfter(cert)) < 0;
}

static void context_settings(SSL_CTX *context)
{
	static const uint8_t id[] = "horizond";
	tls__context_common(context);
	SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_session_id_context(context, id, sizeof(id) - 1);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF); /* tickets hold it all */
	SSL_CTX_set_timeout(context, TICKET_LIFE_S);
	SSL_CTX_set_max_early_data(context, 0);
	SSL_CTX_set_tlsext_ticket_key_evp_cb(context, ticket_cipher);
	SSL_CTX_set_alpn_select_cb(context, alpn_choose, NULL);
}

int tls_host_new(const char *certificate, const char *key, const struct tls_host *before,
                 struct tls_host **ret_host, char *err, size_t err_size)
{
	struct tls_host *host = calloc(1, sizeof(*host));
	if (host == NULL) {
		snprintf(err, err_size, "%s", fail_text(FAIL_NOMEM));
		return FAIL_NOMEM;
	}
	host->refs = 1;
	host->tickets = before != NULL ? tickets_ref(before->tickets) : tickets_new();
	host->context = SSL_CTX_new(TLS_server_method());
	int ret = FAIL_NOMEM;
	snprintf(err, err_size, "%s", fail_text(ret));
	if (host->tickets != NULL && host->context != NULL &&
	    SSL_CTX_set_ex_data(host->context, 0, host->tickets) == 1) {
		context_settings(host->context);
		ret = context_load(host->context, certificate, key, err, err_size);
	}
	if (ret != 0) {
		tls_host_unref(&host);
		return ret;
	}
	*ret_host = host;
	return 0;
}

int tls_host_demand(struct tls_host *host, const char *ca, const char *name, char *err,
                    size_t err_size)
{
	SSL_CTX *context = host->context;
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(context);
	if (SSL_CTX_load_verify_locations(context, ca, NULL) != 1) {
		snprintf(err, err_size, "%s is no CA's certificate in PEM: %s", ca,
		         openssl_words());
		return FAIL_FORMAT;
	}
	if (X509_VERIFY_PARAM_set1_host(param, name, 0) != 1 ||
	    SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1) {
		snprintf(err, err_size, "%s", fail_text(FAIL_NOMEM));
		return FAIL_NOMEM;
	}
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
	SSL_CTX_set_num_tickets(context, 0);
	return 0;
}

struct tls_host *tls_host_ref(struct tls_host *host)
{
	__atomic_fetch_add(&host->refs, 1, __ATOMIC_RELAXED);
	return host;
}

void tls_host_unref(struct tls_host **ptr)
{
	struct tls_host *host = *ptr;
	*ptr = NULL;
	if (host != NULL && __atomic_sub_fetch(&host->refs, 1, __ATOMIC_ACQ_REL) == 0) {
		SSL_CTX_free(host->context);
		tickets_unref(host->tickets);
		free(host);
	}
}

SSL_CTX *host__context(struct tls_host *host)
{
	return host->context;
}
