#include "base/fail.h"
#include "tls/tls_int.h"
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * A record takes two reads of the socket. One without octets for us (a new key, a wish to renegotiate)
 * makes OpenSSL go on to the next within the same call, for as long as some come: who sends them without
 * end would keep the thread. So a call ends after a few, and a connection after many in a row.
 */
#define READS_CALL  16
#define READS_SHAKE 64
#define CUTS_MAX    16

/* --- Contexts --- */

void tls__context_common(SSL_CTX *context)
{
	SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
	/* Who ends without a goodbye has ended; messages say themselves where they end. */
	SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
	                                     SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
	                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
	                                  SSL_MODE_RELEASE_BUFFERS);
}

struct tls *tls__of(const SSL *ssl)
{
	return SSL_get_ex_data(ssl, 0);
}

/* --- Coming and going --- */

/* Before each read of the socket: enough for this call, the loop comes back for the rest. */
static long on_read(BIO *bio, int oper, const char *arg, size_t len, int argi, long argl, int ret,
                    size_t *processed)
{
	struct tls *tls = (struct tls *)BIO_get_callback_arg(bio);
	if (oper != BIO_CB_READ) {
		return ret;
	}
	if (tls->reads_left == 0) {
		tls->cut = true;
		BIO_clear_retry_flags(bio);
		BIO_set_retry_read(bio);
		return -1;
	}
	tls->reads_left--;
	return ret;
}

static void reads_bound(struct tls *tls)
{
	BIO *bio = SSL_get_rbio(tls->ssl);
	BIO_set_callback_arg(bio, (char *)tls);
	BIO_set_callback_ex(bio, on_read);
}

static struct tls *tls_new(SSL_CTX *context, int fd)
{
	struct tls *tls = calloc(1, sizeof(*tls));
	if (tls == NULL || context == NULL) {
		free(tls);
		return NULL;
	}
	tls->ssl = SSL_new(context);
	if (tls->ssl == NULL || SSL_set_ex_data(tls->ssl, 0, tls) != 1 ||
	    SSL_set_fd(tls->ssl, fd) != 1) {
		tls_free(&tls);
		ERR_clear_error();
		return NULL;
	}
	reads_bound(tls);
	return tls;
}

struct tls *tls_accept(struct tls_host *host, int fd)
{
	struct tls *tls = tls_new(host__context(host), fd);
	if (tls != NULL) {
		tls->host = tls_host_ref(host);
		SSL_set_accept_state(tls->ssl);
	}
	return tls;
}

struct tls *tls_connect(const struct tls_peer *peer, int fd, struct tls_session **session)
{
	struct tls *tls = tls_new(peer__context(), fd);
	if (tls == NULL) {
		return NULL;
	}
	tls->peer = peer;
	tls->session = session;
	SSL_set_connect_state(tls->ssl);
	if (!peer__apply(peer, tls)) {
		tls_free(&tls);
		ERR_clear_error();
	}
	return tls;
}

void tls_free(struct tls **ptr)
{
	struct tls *tls = *ptr;
	*ptr = NULL;
	if (tls == NULL) {
		return;
	}
	if (tls->ssl != NULL && !tls->failed && SSL_is_init_finished(tls->ssl)) {
		SSL_shutdown(tls->ssl);
		ERR_clear_error();
	}
	SSL_free(tls->ssl);
	tls_host_unref(&tls->host);
	free(tls);
}

static void call_begin(struct tls *tls, uint8_t reads)
{
	ERR_clear_error();
	tls->wants_write = false;
	tls->cut = false;
	tls->reads_left = reads;
}

/* --- The handshake --- */

/* What OpenSSL says of its first trouble, in words of ours where there is something to do. */
static void error_words(struct tls *tls, int kind)
{
	unsigned long code = ERR_peek_error();
	if (kind != SSL_ERROR_SSL || ERR_GET_LIB(code) != ERR_LIB_SSL) {
		snprintf(tls->error, sizeof(tls->error), "the connection ended in the handshake%s",
		         SSL_is_server(tls->ssl) ? "" : ": does it speak TLS on this port?");
		return;
	}
	switch (ERR_GET_REASON(code)) {
	case SSL_R_WRONG_VERSION_NUMBER:
	case SSL_R_HTTP_REQUEST:
	case SSL_R_UNEXPECTED_MESSAGE:
		snprintf(tls->error, sizeof(tls->error),
		         "it does not speak TLS on this port: give that of its DNS over TLS");
		break;
	default:
		snprintf(tls->error, sizeof(tls->error), "%s",
		         ERR_reason_error_string(code) == NULL ? "unknown"
		                                               : ERR_reason_error_string(code));
		break;
	}
}

/* What came of a call that returned ret <= 0. */
static int tls_trouble(struct tls *tls, int ret)
{
	int kind = SSL_get_error(tls->ssl, ret);
	tls->wants_write = kind == SSL_ERROR_WANT_WRITE;
	if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE) {
		return -EAGAIN;
	}
	if (kind == SSL_ERROR_ZERO_RETURN) {
		return 0;
	}
	tls->failed = true;
	if (!SSL_is_init_finished(tls->ssl) && tls->error[0] == '\0') {
		error_words(tls, kind);
	}
	ERR_clear_error();
	return FAIL_NET;
}

int tls_handshake(struct tls *tls)
{
	call_begin(tls, READS_SHAKE);
	int ret = SSL_do_handshake(tls->ssl);
	if (ret == 1) {
		return 0;
	}
	ret = tls_trouble(tls, ret);
	return ret == 0 ? FAIL_NET : ret;
}

const char *tls_error(const struct tls *tls)
{
	return tls->error;
}

bool tls_resumed(const struct tls *tls)
{
	return SSL_session_reused(tls->ssl) == 1;
}

/* --- Octets --- */

ssize_t tls_recv(struct tls *tls, void *bytes, size_t size)
{
	size_t n = 0;
	call_begin(tls, READS_CALL);
	int ret = SSL_read_ex(tls->ssl, bytes, size, &n);
	if (ret == 1) {
		tls->cuts = 0;
		return (ssize_t)n;
	}
	ret = tls_trouble(tls, ret);
	if (tls->cut && ++tls->cuts >= CUTS_MAX) {
		tls->failed = true;
		return FAIL_NET;
	}
	return ret;
}

ssize_t tls_send(struct tls *tls, const void *bytes, size_t size)
{
	size_t n = 0;
	call_begin(tls, READS_CALL);
	int ret = SSL_write_ex(tls->ssl, bytes, size, &n);
	if (ret == 1) {
		return (ssize_t)n;
	}
	int trouble = tls_trouble(tls, ret);
	return trouble == 0 ? FAIL_NET : trouble;
}

bool tls_wants_write(const struct tls *tls)
{
	return tls->wants_write;
}

bool tls_pending(const struct tls *tls)
{
	return SSL_pending(tls->ssl) > 0;
}
