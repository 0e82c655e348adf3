/* Both sides on one pair of sockets, with certificates made on the spot. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fail.h"
#include "base/log.h"
#include "tls/tls_int.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/test_tls.XXXXXX";

static const char *path_of(const char *file)
{
	static char paths[4][64];
	static unsigned int next;
	char *path = paths[next++ % 4];
	snprintf(path, sizeof(paths[0]), "%s/%s", folder, file);
	return path;
}

/* A certificate of its own making for name; NAME.pem and NAME.key. Returns its key's word. */
static void make_certificate(const char *name, char *ret_pin)
{
	char file[40];
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -60);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_set_pubkey(cert, key);
	X509_NAME *subject = X509_get_subject_name(cert);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const uint8_t *)name, -1, -1, 0);
	X509_set_issuer_name(cert, subject);
	snprintf(file, sizeof(file), "DNS:%s", name);
	X509_EXTENSION *san = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, file);
	X509_add_ext(cert, san, -1);
	X509_EXTENSION_free(san);
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);

	snprintf(file, sizeof(file), "%s.pem", name);
	FILE *out = fopen(path_of(file), "w");
	PEM_write_X509(out, cert);
	fclose(out);
	snprintf(file, sizeof(file), "%s.key", name);
	out = fopen(path_of(file), "w");
	PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL);
	fclose(out);
	chmod(path_of(file), 0600);
	uint8_t hash[TLS_KEY_HASH];
	assert_true(tls__key_hash(cert, hash));
	tls__key_text(hash, ret_pin);
	X509_free(cert);
	EVP_PKEY_free(key);
}

static char pin_one[TLS_KEY_TEXT];
static char pin_two[TLS_KEY_TEXT];

static int setup(void **state)
{
	signal(SIGPIPE, SIG_IGN);
	log_set_level(LOG_LEVEL_ERROR);
	assert_non_null(mkdtemp(folder));
	make_certificate("one.test", pin_one);
	make_certificate("two.test", pin_two);
	return setenv("SSL_CERT_FILE", path_of("one.test.pem"), 1);
}

static int teardown(void **state)
{
	static const char *const files[] = {"one.test.pem", "one.test.key", "two.test.pem",
	                                    "two.test.key"};
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		unlink(path_of(files[i]));
	}
	return rmdir(folder);
}

static struct tls_host *host_new(const char *name, const struct tls_host *before)
{
	char cert[40];
	char key[40];
	char err[256];
	struct tls_host *host = NULL;
	snprintf(cert, sizeof(cert), "%s.pem", name);
	snprintf(key, sizeof(key), "%s.key", name);
	assert_int_equal(tls_host_new(path_of(cert), path_of(key), before, &host, err, sizeof(err)),
	                 0);
	return host;
}

struct pair {
	int fds[2];
	struct tls_peer *peer;
	struct tls *client;
	struct tls *server;
};

static void pair_open(struct pair *pair, const char *peer, struct tls_host *host,
                      struct tls_session **session)
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair->fds), 0);
	pair->peer = tls_peer_new(peer);
	assert_non_null(pair->peer);
	pair->client = tls_connect(pair->peer, pair->fds[0], session);
	pair->server = tls_accept(host, pair->fds[1]);
	assert_non_null(pair->client);
	assert_non_null(pair->server);
}

/* Both sides in turns. Returns what the client came to. */
static int pair_shake(struct pair *pair)
{
	int client = -EAGAIN;
	int server = -EAGAIN;
	for (int i = 0; i < 20 && (client == -EAGAIN || server == -EAGAIN); i++) {
		client = client == -EAGAIN ? tls_handshake(pair->client) : client;
		server = server == -EAGAIN ? tls_handshake(pair->server) : server;
	}
	return client;
}

static void pair_close(struct pair *pair)
{
	tls_free(&pair->client);
	tls_free(&pair->server);
	tls_peer_free(&pair->peer);
	close(pair->fds[0]);
	close(pair->fds[1]);
}

static void test_words(void **state)
{
	static const char *const good[] = {
		"dns.corp.example",
		"a",
		" a  b ",
		"sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		"dns.corp.example sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
		"a b c d e f g h"};
	static const char *const bad[] = {"",
	                                  " ",
	                                  "a..b",
	                                  ".a",
	                                  "a.",
	                                  "-@",
	                                  "a b c d e f g h i",
	                                  "sha256/",
	                                  "sha256/AAAA",
	                                  "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	                                  "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
	                                  "sha256/AAAAAAAAAAAAAAAAAAAAAA!AAAAAAAAAAAAAAAAAAAA=",
	                                  "a\tb"};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(tls_peer_valid(good[i]));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(tls_peer_valid(bad[i]));
	}
}

struct trust_case {
	const char *host;
	const char *peer; /* 1 and 2 stand for the keys */
	const char *error;
};

static void test_trust(void **state)
{
	static const struct trust_case cases[] = {
		{"one.test", "one.test", NULL},
		{"one.test", "other.test one.test", NULL},
		{"one.test", "other.test", "is for one.test, not for other.test"},
		{"two.test", "two.test", "add its CA"},
		{"two.test", "2", NULL},
		{"two.test", "1 2", NULL},
		{"two.test", "1", "its key is sha256/"},
		{"one.test", "one.test 1", NULL},
		{"one.test", "one.test 2", "its key is sha256/"},
		{"two.test", "two.test 2", "add its CA"},
		{"two.test", "", NULL},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char peer[300] = "";
		struct pair pair;
		struct tls_session *session = NULL;
		for (const char *at = cases[i].peer; *at != '\0'; at++) {
			size_t len = strlen(peer);
			snprintf(peer + len, sizeof(peer) - len, "%.*s",
			         *at == '1' || *at == '2' ? 55 : 1,
			         *at == '1'   ? pin_one
			         : *at == '2' ? pin_two
			                      : at);
		}
		struct tls_host *host = host_new(cases[i].host, NULL);
		pair_open(&pair, peer, host, &session);
		int ret = pair_shake(&pair);
		assert_int_equal(ret == 0, cases[i].error == NULL);
		if (ret != 0) {
			assert_non_null(strstr(tls_error(pair.client), cases[i].error));
		}
		pair_close(&pair);
		tls_session_free(&session);
		tls_host_unref(&host);
	}
}

/* A client has a new ticket once it has read. */
static void pair_talk(struct pair *pair)
{
	uint8_t bytes[8];
	assert_int_equal(pair_shake(pair), 0);
	assert_int_equal(tls_send(pair->server, "abcd", 4), 4);
	assert_int_equal(tls_recv(pair->client, bytes, 1), 1);
	assert_true(tls_pending(pair->client));
	assert_int_equal(tls_recv(pair->client, bytes, sizeof(bytes)), 3);
	assert_false(tls_pending(pair->client));
	assert_int_equal(tls_recv(pair->client, bytes, sizeof(bytes)), -EAGAIN);
}

/* A session is resumed, also under a new certificate of the same listener; not at another one. */
static void test_resumption(void **state)
{
	struct pair pair;
	struct tls_session *session = NULL;
	struct tls_host *host = host_new("one.test", NULL);
	for (int i = 0; i < 4; i++) {
		pair_open(&pair, "one.test", host, &session);
		pair_talk(&pair);
		assert_int_equal(tls_resumed(pair.client), i > 0);
		assert_int_equal(tls_resumed(pair.server), i > 0);
		pair_close(&pair);
		if (i == 1) {
			struct tls_host *next = host_new("one.test", host);
			tls_host_unref(&host);
			host = next;
		}
	}
	tls_host_unref(&host);
	host = host_new("one.test", NULL);
	pair_open(&pair, "one.test", host, &session);
	pair_talk(&pair);
	assert_false(tls_resumed(pair.client));
	pair_close(&pair);
	tls_session_free(&session);
	tls_host_unref(&host);
}

/* The other side goes, with and without a goodbye. */
static void test_ends(void **state)
{
	for (int polite = 0; polite < 2; polite++) {
		struct pair pair;
		uint8_t byte;
		struct tls_session *session = NULL;
		struct tls_host *host = host_new("one.test", NULL);
		pair_open(&pair, "one.test", host, &session);
		pair_talk(&pair);
		if (polite == 1) {
			tls_free(&pair.server);
		}
		shutdown(pair.fds[1], SHUT_RDWR);
		assert_int_equal(tls_recv(pair.client, &byte, 1), 0);
		pair_close(&pair);
		tls_session_free(&session);
		tls_host_unref(&host);
	}
}

/* Something else than TLS comes. */
static void test_no_tls(void **state)
{
	struct pair pair;
	struct tls_session *session = NULL;
	struct tls_host *host = host_new("one.test", NULL);
	pair_open(&pair, "one.test", host, &session);
	assert_int_equal(tls_handshake(pair.client), -EAGAIN);
	assert_int_equal(write(pair.fds[1], "HTTP/1.1 400 Bad Request\r\n\r\n", 28), 28);
	assert_true(tls_handshake(pair.client) < 0);
	assert_non_null(strstr(tls_error(pair.client), "does not speak TLS"));
	pair_close(&pair);
	tls_session_free(&session);
	tls_host_unref(&host);
}

static void host_fault(const char *cert, const char *key, const char *words)
{
	char err[256];
	struct tls_host *host = NULL;
	assert_true(tls_host_new(path_of(cert), path_of(key), NULL, &host, err, sizeof(err)) < 0);
	if (strstr(err, words) == NULL) {
		fail_msg("%s", err);
	}
}

static void test_host_faults(void **state)
{
	host_fault("one.test.pem", "two.test.key",
	           "two.test.key is no key to the certificate: key values");
	host_fault("none.pem", "one.test.key", "none.pem cannot be read: No such file");
	host_fault("one.test.pem", "none.key", "none.key cannot be read: No such file");
	host_fault("one.test.key", "one.test.key",
	           "one.test.key is no certificate in PEM: PEM lib");
	host_fault("one.test.pem", "one.test.pem", "is open to others");
	host_fault(".", "one.test.key", "is no file");
	chmod(path_of("one.test.key"), 0604);
	host_fault("one.test.pem", "one.test.key", "mode 0600 or 0640 would be right");
	chmod(path_of("one.test.key"), 0600);
}

static void keys_change(struct pair *pair, unsigned int times)
{
	for (unsigned int i = 0; i < times; i++) {
		assert_int_equal(SSL_key_update(pair->client->ssl, SSL_KEY_UPDATE_NOT_REQUESTED),
		                 1);
		assert_int_equal(SSL_do_handshake(pair->client->ssl), 1);
	}
}

/* New keys without end would keep a thread in one call: it comes back, and ends who goes on. */
static void test_key_floods(void **state)
{
	struct tls_host *host = host_new("one.test", NULL);
	struct tls_session *session = NULL;
	struct pair pair;
	char room[16];
	pair_open(&pair, "", host, &session);
	assert_int_equal(pair_shake(&pair), 0);
	for (int round = 0; round < 20; round++) {
		keys_change(&pair, 20);
		assert_int_equal(tls_send(pair.client, "hello", 5), 5);
		unsigned int calls = 1;
		ssize_t n = tls_recv(pair.server, room, sizeof(room));
		for (; n == -EAGAIN && calls < 10; calls++) {
			n = tls_recv(pair.server, room, sizeof(room));
		}
		assert_int_equal(n, 5);
		assert_in_range(calls, 2, 5);
	}
	ssize_t n = -EAGAIN;
	for (int i = 0; n == -EAGAIN && i < 20; i++) {
		keys_change(&pair, 10);
		n = tls_recv(pair.server, room, sizeof(room));
	}
	assert_int_equal(n, FAIL_NET);
	pair_close(&pair);
	tls_session_free(&session);
	tls_host_unref(&host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),      cmocka_unit_test(test_trust),
		cmocka_unit_test(test_resumption), cmocka_unit_test(test_ends),
		cmocka_unit_test(test_no_tls),     cmocka_unit_test(test_host_faults),
		cmocka_unit_test(test_key_floods),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
