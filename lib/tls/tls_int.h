/*
 * tls/tls_int.h - what the files of this room share.
 */
#pragma once

#include "tls/tls.h"
#include <openssl/ssl.h>

#define TLS_KEY_HASH 32

struct tls_peer {
	unsigned int name_count;
	unsigned int key_count;
	char *names[TLS_WORDS_MAX];
	uint8_t keys[TLS_WORDS_MAX][TLS_KEY_HASH]; /* SHA-256 of the SPKI */
};

struct tls {
	SSL *ssl;
	const struct tls_peer *peer;  /* a client's */
	struct tls_session **session; /* a client's */
	struct tls_host *host;        /* a server's; held */
	bool wants_write;
	bool failed;        /* nothing more may be said on it */
	bool cut;           /* the call under way was stopped: reads_left had gone */
	uint8_t reads_left; /* of the socket, in the call under way */
	uint8_t cuts;       /* in a row, without an octet for us */
	char error[256];
};

/* peer.c: the context of all client connections; NULL: no memory. */
SSL_CTX *peer__context(void);
/* Settings of one client connection: names, keys, trust. False: no memory. */
bool peer__apply(const struct tls_peer *peer, struct tls *tls);
/* host.c */
SSL_CTX *host__context(struct tls_host *host);
/* What both sides have in common. */
void tls__context_common(SSL_CTX *context);
/* The tls of a connection. */
struct tls *tls__of(const SSL *ssl);
/* sha256/BASE64 of a certificate's key. buf: TLS_KEY_TEXT. */
#define TLS_KEY_TEXT 56
bool tls__key_hash(const X509 *cert, uint8_t *ret_hash);
const char *tls__key_text(const uint8_t *hash, char *buf);
